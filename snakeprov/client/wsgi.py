"""The transport that calls a WSGI application in this process: the same client, no socket.

Source: PEP 3333.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote_to_bytes, urlencode, urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from snakeprov.client.transport import HttpRequest, Response, Transport

PREFIX: Final = "http://embedded.snakeprov.invalid"
"""Base URL of an application in this process, of a domain that can never exist (RFC 6761).

The application's own absolute URLs begin with it and so come back here too.
"""

_HOST = PREFIX.partition("://")[2]


class Application:
    """Answers requests by calling a WSGI application. As thread-safe as the application is."""

    def __init__(self, app: WSGIApplication, *, user: str) -> None:
        """Prepare to call `app` on behalf of `user` (the environ's `REMOTE_USER`)."""
        self._app = app
        self._user = user
        self._elsewhere: Transport | None = None

    def send(self, request: HttpRequest, /) -> Response:
        """Return the application's response, or for the URL of another host what that answers; see `Transport`.

        With `request.stream` its body is read from the application only as it is read from the response.
        """
        parts = urlsplit(request.url)
        if parts.netloc != _HOST:
            return self._http().send(request)
        asked = "&".join(filter(None, (parts.query, urlencode(request.query))))
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written = io.BytesIO()

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exc_info and started:
                raise exc_info[1].with_traceback(exc_info[2])
            started[:] = [(status, headers)]
            return written.write

        environ = _environ(request, parts.path, asked, self._user)
        body = _Body(self._app(environ, start_response))
        if not request.stream or not started or written.tell():
            rest = b"".join(body)
            body = _Body([written.getvalue() + rest])
        return _Response(*started[0], body)

    def close(self) -> None:
        """Close the connections to other hosts, if there are any."""
        if self._elsewhere is not None:
            self._elsewhere.close()

    def _http(self) -> Transport:
        if self._elsewhere is None:
            from snakeprov.client.http import Http

            self._elsewhere = Http()
        return self._elsewhere


class _Body:
    """The body of a response: pieces are as long as the application makes them; it is closed at its end."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        with self:
            yield from filter(None, self._pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Let the application close what it has open, once."""
        close = getattr(self._pieces, "close", None)
        if close and not self._is_closed:
            close()
        self._is_closed = True


class _Response:
    """The application's response."""

    def __init__(self, status: str, headers: Iterable[tuple[str, str]], body: _Body) -> None:
        code, _, self.reason = status.partition(" ")
        self.status_code = int(code)
        self.headers: Mapping[str, str] = {name.title(): value for name, value in headers}
        self._body = body
        self._content: bytes | None = None

    @property
    def content(self) -> bytes:
        if self._content is None:
            self._content = b"".join(self._body)
        return self._content

    def iter_content(self, chunk_size: int, /) -> Iterator[bytes]:
        yield from self._body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._body.__exit__(*error)


def _environ(request: HttpRequest, path: str, query: str, user: str) -> dict[str, Any]:
    content = request.content or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # PEP 3333: bytes shown as ISO 8859-1 text.
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": user,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
