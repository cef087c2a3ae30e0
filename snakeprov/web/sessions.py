"""Who is signed in: sessions by cookie, and the tokens of forms.

Must not know: what a page shows.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from typing import Final, NamedTuple

from snakeprov.web.http import Request

IDLE_S_MAX: Final = 12 * 3600
"""A session that nobody has used for so long has ended."""

SESSIONS_MAX: Final = 10_000
"""Beyond this the sessions end that nobody has used for longest."""

_SECRET_BYTES: Final = 32


class Session(NamedTuple):
    """Somebody who is signed in."""

    token: str
    user: str
    used_at_s: float


class Sessions:
    """The sessions of this process; they are kept nowhere. Thread-safe."""

    def __init__(self, *, idle_s_max: float | None = IDLE_S_MAX) -> None:
        """Prepare; `idle_s_max`: after how long without use a session ends, None: never."""
        self._idle_s_max = idle_s_max
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        self._lock = threading.Lock()
        # In the order of their last use.
        self._open: dict[str, Session] = {}

    def begin(self, *, token: str, user: str) -> str:
        """Sign somebody in; return the value of the cookie."""
        cookie = new_secret()
        with self._lock:
            self._open[cookie] = Session(token, user, time.monotonic())
            while len(self._open) > SESSIONS_MAX:
                del self._open[next(iter(self._open))]
        return cookie

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie, which is used now; None if there is none, or none any more."""
        now_s = time.monotonic()
        with self._lock:
            session = self._open.pop(cookie, None)
            if session is None or (self._idle_s_max is not None and now_s - session.used_at_s > self._idle_s_max):
                return None
            self._open[cookie] = session._replace(used_at_s=now_s)
            return session

    def end(self, cookie: str) -> None:
        """Sign out who has this cookie."""
        with self._lock:
            self._open.pop(cookie, None)

    def form_token(self, cookie: str) -> str:
        """Return what a form has to send back that changes something, for whoever has this cookie."""
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def is_from_form(self, cookie: str, sent: str) -> bool:
        """Return whether a form was ours, and sent by whom it was given to."""
        return bool(cookie) and hmac.compare_digest(self.form_token(cookie).encode(), sent.encode())


def new_secret() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def cookie_name(request: Request) -> str:
    """Return the name of the cookie: browsers keep those of all ports of a machine together."""
    return f"snakeprov-{request.port}"


def set_cookie(request: Request, value: str) -> tuple[str, str]:
    """Return the header that gives a browser its cookie, or with an empty value takes it away."""
    secure = "; Secure" if request.is_secure else ""
    ends = "" if value else "; Max-Age=0"
    return "Set-Cookie", f"{cookie_name(request)}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{ends}"
