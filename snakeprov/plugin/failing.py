"""What is known of why a job failed: exception, exit code, what an executor said, the end of the logs.

Must not know: when a job failed, or who takes its record.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from snakeprov.model.records import FileFact, JobRecord
from snakeprov.plugin.gaps import MAX_ERROR_CHARACTERS
from snakeprov.plugin.livejob import LiveJob
from snakeprov.plugin.observe import tail
from snakeprov.plugin.represent import cut, encodable

MAX_LOG_BYTES = 8_192
"""Bytes kept of the end of a failed job's log, all its log files together."""

_EXIT = re.compile(
    r"(?:returned non-zero exit status (\d+)|died with (?:<Signals\.\w+: |unknown signal )(\d+)>?)\.\s*$"
)


def explain(record: JobRecord, job: Any, live: LiveJob, *, place: Callable[[str], str]) -> None:
    """Add to `record` what is known of the failure of `job`; `place` turns a path into the one that is recorded."""
    error = live.error
    if error is not None and str(error):
        kind = type(error).__name__
        # A RuleException only wraps the error of the job, whose kind its text begins with.
        record.error = cut(str(error) if kind == "RuleException" else f"{kind}: {error}", MAX_ERROR_CHARACTERS)
        record.exit_code = _exit_code(record.error)
    elif live.blame:
        record.error = cut(str(live.blame), MAX_ERROR_CHARACTERS)
    own = [str.__str__(path) for path in job.log]
    of_executor = [path for path in live.logs if os.path.isabs(path) and path not in own]  # noqa: PTH117
    record.logs += [FileFact(path=place(path), kind="unknown") for path in of_executor]
    logs = [log for log in (tail(path, MAX_LOG_BYTES) for path in (*of_executor, *own)) if log]
    record.log_excerpt = encodable("\n".join(logs)[-MAX_LOG_BYTES:]) or None


def _exit_code(error: str) -> int | None:
    """Return the exit code in the text of an error.

    >>> _exit_code("CalledProcessError in file Snakefile, line 3: Command 'false' returned non-zero exit status 1.")
    1
    >>> _exit_code("CalledProcessError: Command 'kill -9 $$' died with <Signals.SIGKILL: 9>.")
    -9
    """
    if not error.startswith("CalledProcessError"):
        return None
    found = _EXIT.search(error)
    if found is None:
        return None
    status, signal = found.groups()
    return int(status) if status is not None else -int(signal)
