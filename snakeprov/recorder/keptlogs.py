"""Whether the bytes of a log may be kept: neither those of a large log nor of one that contains a secret.

Secrets are removed from the record of a job. Its log, in which a program may repeat its arguments, is a file: it is
kept as it is or not at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from snakeprov.capture.secrets.names import MARK
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.model.digest import Digest
from snakeprov.model.records import JobRecord

LOG_BYTES_MAX: Final = 256 << 10
"""For a larger log only the digest is recorded."""

_HIDDEN: Final = re.compile(rf"(?<!\*){re.escape(MARK)}(?!\*)".encode())


class KeptLogs:
    """Decides which logs of the jobs of one run are kept."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        """Prepare.

        Args:
            redactor: Knows the secrets of the run. Without one no log is kept: nobody can tell what is in it.
        """
        self._redactor = redactor

    def may_keep(self, job: JobRecord, path: str, digest: Digest) -> bool:
        """Return whether the bytes of a log or a benchmark of `job` may be kept.

        A job whose record had secrets taken out may repeat them in a spelling that is not known here.
        """
        if digest.size_bytes == 0:
            return True
        if self._redactor is None or digest.size_bytes > LOG_BYTES_MAX:
            return False
        if _HIDDEN.search(msgspec.json.encode(job)):
            return False
        try:
            text = Path(path).read_bytes().decode("utf-8", "replace")
        except (OSError, ValueError):
            return False
        return self._redactor.text(text) == text
