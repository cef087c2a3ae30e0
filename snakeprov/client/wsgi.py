"""A transport for `requests` that calls a WSGI application in this process: the same client, no socket.

Source: PEP 3333; the interface is `requests.adapters.BaseAdapter`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Final, Self
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
        """Return the application's response; time limits and certificates have no meaning here.

        With `stream` its body is read from the application only as it is read from the response.
        """
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written = io.BytesIO()

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exc_info and started:
                raise exc_info[1].with_traceback(exc_info[2])
            started[:] = [(status, headers)]
            return written.write

        body = _Body(self._app(_environ(request, self._user), start_response))
        if stream and started and not written.tell():
            response = _response(request, *started[0])
            response.raw = body
            return response
        with body:
            content = body.read()
        response = _response(request, *started[0])
        # Set at once: a body that is already in memory needs no stream.
        response._content = written.getvalue() + content
        response.raw = io.BytesIO(response._content)
        return response

    def close(self) -> None:
        """Do nothing: there is no connection."""


class _Body:
    """The body of a response as `requests` reads it: pieces are as long as the application makes them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._rest = iter(pieces)
        self._is_closed = False

    def read(self, size: int = -1) -> bytes:
        """Return the next piece, or all that is left where no size is given; at the end the body is closed."""
        piece = b"".join(self._rest) if size < 0 else next(filter(None, self._rest), b"")
        if not piece:
            # A response whose body has been read to its end is not closed by `requests`.
            self.close()
        return piece

    def close(self) -> None:
        """Let the application close what it has open, once."""
        close = getattr(self._pieces, "close", None)
        if close and not self._is_closed:
            close()
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


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


def _response(request: requests.PreparedRequest, status: str, headers: Iterable[tuple[str, str]]) -> requests.Response:
    """Return a response that has no body yet."""
    response = requests.Response()
    code, _, phrase = status.partition(" ")
    response.status_code = int(code)
    response.reason = phrase or HTTPStatus(response.status_code).phrase
    response.headers = CaseInsensitiveDict(headers)
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    return response
