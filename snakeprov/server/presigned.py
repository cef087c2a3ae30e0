"""URLs that carry their own permission for a limited time.

Must not know: what lies behind a URL.

Signed are the path and the time until which it is good, with a secret of the server. Synapse's client reads
`X-Amz-Date` and `X-Amz-Expires` from the URL, so these are the names.
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from snakeprov.disk import privacy
from snakeprov.disk.layout import URL_SECRET_NAME
from snakeprov.disk.replacing import complete
from snakeprov.model import times
from snakeprov.server.refusals import forbidden

VALID_S = 900
"""How long a URL is good."""

_DATE = "%Y%m%dT%H%M%SZ"
_SECRET_BYTES = 32
_EXPIRES = re.compile(r"[0-9]{1,6}")


def new_secret() -> bytes:
    """Return a secret to sign with."""
    return os.urandom(_SECRET_BYTES)


def kept_secret(folder: Path) -> bytes:
    """Return the secret kept in the folder of a store, so that URLs stay good when the server is started again.

    Only its owner may read it, even if others may read the store.
    """
    path = folder / URL_SECRET_NAME
    with contextlib.suppress(OSError):
        return _read(path)
    with contextlib.suppress(OSError):  # a store that may only be read: the secret lives as long as the server
        with (
            complete(path, replace=False) as unfinished,
            os.fdopen(privacy.create(unfinished, os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file,
        ):
            file.write(new_secret())
        return _read(path)
    return new_secret()


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != _SECRET_BYTES:
        raise OSError(errno.EINVAL, "not a secret", str(path))
    return secret


def sign(path: str, *, base_url: str, secret: bytes) -> str:
    """Return the URL for `path` that is good from now on for `VALID_S`."""
    date = times.now().strftime(_DATE)
    signature = _signature(path, date, str(VALID_S), secret=secret)
    return f"{base_url}{path}?X-Amz-Date={date}&X-Amz-Expires={VALID_S}&X-Amz-Signature={signature}"


def check(path: str, query: Mapping[str, str], *, secret: bytes) -> None:
    """Refuse a request whose URL was not signed here, or is good no more (403)."""
    date, expires = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    expected = _signature(path, date, expires, secret=secret)
    if not hmac.compare_digest(expected.encode(), query.get("X-Amz-Signature", "").encode()):
        raise forbidden("The signature of this URL is not valid.")
    if not _EXPIRES.fullmatch(expires):
        raise forbidden("This URL does not say how long it is good.")
    until = datetime.strptime(date, _DATE).replace(tzinfo=UTC) + timedelta(seconds=int(expires))
    if times.now() > until:
        raise forbidden("This URL has expired; ask for another one.")


def _signature(path: str, date: str, expires: str, *, secret: bytes) -> str:
    return hmac.digest(secret, f"{path}\n{date}\n{expires}".encode(), "sha256").hex()
