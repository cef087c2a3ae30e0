"""A transport for `requests` that calls a WSGI application in this process: the same client, no socket.

Must not know: which application it calls.
Source: PEP 3333; the interface is `requests.adapters.BaseAdapter`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PREFIX: Final = "http://embedded.snakeprov.invalid"
"""Base URL of an application in this process, of a domain that can never exist (RFC 6761).

Plain `http`, so that `requests` keeps queries and the application's own absolute URLs come back here too.
"""


class WSGIAdapter(BaseAdapter):
    """Answers requests by calling a WSGI application. As thread-safe as the application is."""

    def __init__(self, app: WSGIApplication, *, user: str) -> None:
        """Prepare to call `app` on behalf of `user` (the environ's `REMOTE_USER`)."""
        super().__init__()
        self._app = app
        self._user = user

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the application's response; time limits and certificates have no meaning here."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written = io.BytesIO()

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exc_info and started:
                raise exc_info[1].with_traceback(exc_info[2])
            started[:] = [(status, headers)]
            return written.write

        body = self._app(_environ(request, self._user), start_response)
        try:
            content = b"".join(body)
        finally:
            close = getattr(body, "close", None)
            if close:
                close()
        status, headers = started[0]
        return _response(request, status, headers, written.getvalue() + content)

    def close(self) -> None:
        """Do nothing: there is no connection."""


def session(app: WSGIApplication, *, user: str) -> requests.Session:
    """Return a `requests` session whose `PREFIX` URLs are answered by `app` for `user`."""
    http = requests.Session()
    # Looking for proxies and .netrc in the environment costs as much as the request itself.
    http.trust_env = False
    http.mount(PREFIX, WSGIAdapter(app, user=user))
    return http


def _environ(request: requests.PreparedRequest, user: str) -> dict[str, Any]:
    url = urlsplit(request.url or "")
    body = request.body or b""
    stream: IO[bytes] = io.BytesIO(body.encode() if isinstance(body, str) else body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # PEP 3333: bytes shown as ISO 8859-1 text.
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": user,
        "CONTENT_LENGTH": str(len(stream.getvalue())) if isinstance(stream, io.BytesIO) else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": stream,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key != "CONTENT_LENGTH":
            environ[f"HTTP_{key}"] = value
    return environ


def _response(
    request: requests.PreparedRequest, status: str, headers: Iterable[tuple[str, str]], content: bytes
) -> requests.Response:
    response = requests.Response()
    code, _, phrase = status.partition(" ")
    response.status_code = int(code)
    response.reason = phrase or HTTPStatus(response.status_code).phrase
    response.headers = CaseInsensitiveDict(headers)
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    response.raw = io.BytesIO(content)
    # Set at once: a body that is already in memory needs no stream.
    response._content = content
    return response
