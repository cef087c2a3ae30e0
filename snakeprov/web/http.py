"""Requests and responses.

Source: PEP 3333.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl

FORM_BYTES_MAX: Final = 64 * 1024
"""Longer forms are not read."""

Headers = list[tuple[str, str]]


class Request:
    """A request to the pages.

    Attributes:
        method: Its method.
        path: Its path, decoded.
        query: The parameters of its query; of one that is given several times the last.
    """

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        # PEP 3333: bytes shown as ISO 8859-1 text.
        self.path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        self.query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, errors="replace"))

    def header(self, name: str) -> str:
        """Return a header; empty where there is none."""
        value: str = self._environ.get(f"HTTP_{name.upper().replace('-', '_')}", "")
        return value

    @property
    def host(self) -> str:
        """The name that it was sent to, without the port."""
        name, colon, port = self.header("Host").rpartition(":")
        return name if colon and port.isdigit() else self.header("Host")

    @property
    def address(self) -> str:
        """Path and query, to come back to."""
        query = self._environ.get("QUERY_STRING", "")
        return quoted_path(self.path) + (f"?{query}" if query else "")

    @property
    def is_secure(self) -> bool:
        """Whether it travelled encrypted."""
        return bool(self._environ.get("wsgi.url_scheme") == "https")

    @property
    def port(self) -> str:
        """The port that it reached."""
        return str(self._environ.get("SERVER_PORT", ""))

    def cookie(self, name: str) -> str:
        """Return a cookie; empty where there is none."""
        try:
            found = SimpleCookie(self.header("Cookie")).get(name)
        except CookieError:
            return ""
        return "" if found is None else found.value

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form that was sent; none where it is too long to be one of ours."""
        length = self._environ.get("CONTENT_LENGTH") or "0"
        size_bytes = int(length) if length.isdecimal() else 0
        if size_bytes > FORM_BYTES_MAX:
            return {}
        body: bytes = self._environ["wsgi.input"].read(size_bytes)
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(kw_only=True)
class Response:
    """What is answered.

    Attributes:
        body: The bytes, or pieces of them.
        on_close: Called once the body has been sent.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Headers = field(default_factory=list)
    on_close: Callable[[], None] | None = None

    @property
    def status_line(self) -> str:
        """The status with its phrase."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def redirect(to: str, *, headers: Headers | None = None) -> Response:
    """Return a response that sends the browser to another address of these pages."""
    return Response(status=303, headers=[("Location", to), *(headers or [])])


def own_address(address: str) -> str:
    """Return an address if it is one of these pages, else that of the first page.

    >>> own_address("/f/syn1.2"), own_address("//evil.example"), own_address("https://evil.example")
    ('/f/syn1.2', '/', '/')
    """
    is_own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_own and "\\" not in address else "/"


def quoted_path(path: str) -> str:
    """Return a decoded path as it stands in a URL.

    >>> quoted_path("/f/a b?.txt")
    '/f/a%20b%3F.txt'
    """
    from urllib.parse import quote

    return quote(path, safe="/:@")
