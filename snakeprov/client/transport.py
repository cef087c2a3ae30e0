"""What carries a request to a store and brings the response: over a socket, or to an application in this process.

Must not know: which statuses are errors, which requests are repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, Self


class Response(Protocol):
    """A response; its body is read once, whole (`content`) or in pieces. Closed at the end of a `with`."""

    status_code: int
    reason: str

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers; names in any case."""

    @property
    def content(self) -> bytes:
        """The whole body."""

    def iter_content(self, chunk_size: int, /) -> Iterator[bytes]:
        """Yield the body in pieces, of at most `chunk_size` bytes where the transport makes them."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class HttpRequest(NamedTuple):
    """A request.

    Attributes:
        method: HTTP method.
        url: Whole URL, quoted.
        query: Parameters of the query.
        content: Body, if any.
        headers: All headers that matter to the store.
        is_own: Whether the URL is the store's. Only to that may a login from `~/.netrc` be sent.
        stream: Whether to leave the response's body unread.
    """

    method: str
    url: str
    query: Mapping[str, str]
    content: bytes | None
    headers: Mapping[str, str]
    is_own: bool
    stream: bool


class Transport(Protocol):
    """Carries one request at a time."""

    def send(self, request: HttpRequest, /) -> Response:
        """Send a request and return the response, whatever its status.

        Raises:
            NoResponseError: No response came.
        """

    def close(self) -> None:
        """Close the connections."""


class NoResponseError(Exception):
    """No response came, or it was interrupted.

    Attributes:
        why: The reason, as the end of a sentence.
        may_pass: Whether the same request can succeed a moment later.
    """

    def __init__(self, why: str, *, may_pass: bool) -> None:
        super().__init__(why)
        self.why = why
        self.may_pass = may_pass
