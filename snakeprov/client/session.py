"""Send requests, with time limits, retries, and errors that carry the server's reason."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from snakeprov.client.transport import HttpRequest, NoResponseError
from snakeprov.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RemoteError,
    ServerError,
    StaleError,
    UnauthorizedError,
    UnreachableError,
)
from snakeprov.model.credentials import strip_credentials

if TYPE_CHECKING:
    from snakeprov.client.transport import Response, Transport

T = TypeVar("T")

_logger: Final = logging.getLogger(__name__)

RETRIES_MAX: Final = 4
BACKOFF_FIRST_S: Final = 0.25
BACKOFF_MAX_S: Final = 8.0
TOO_MANY: Final = 429
RETRY_STATUSES: Final = frozenset({TOO_MANY, 500, 502, 503, 504})

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_ERRORS: Final[Mapping[int, type[ApiError]]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: StaleError,
}
_HINTS: Final[Mapping[int, str]] = {
    401: "Check the access token.",
    412: "Read it again and repeat the change.",
}


class Session:
    """A connection to one store; each client has its own.

    Requests that are safe to repeat (GET, HEAD, PUT, DELETE, and what the caller marks so) are repeated up to
    `RETRIES_MAX` times, waiting longer each time, when the connection fails or the answer is 5xx; any request when it
    is 429. A `Retry-After` in seconds is honoured up to `BACKOFF_MAX_S`.

    Not thread-safe: give each thread a session of its own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        transport: Transport | None = None,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            base_url: What precedes `/repo/v1`, without a slash at its end.
            token: Access token, sent as `Authorization: Bearer`.
            transport: Carries the requests to a store that is not behind a socket.
            endpoints: URLs of groups of services that do not lie below `base_url`, by the prefix of their paths.
        """
        self.base_url = base_url.rstrip("/")
        self._endpoints = dict(endpoints or {})
        self._token = token
        self.is_over_a_socket = transport is None
        self._transport = transport or _over_a_socket()

    def another(self) -> Session:
        """Return a session for another thread, to the same store; not where a transport was given."""
        return Session(self.base_url, token=self._token, endpoints=self._endpoints)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that GET `path` answers. Raises as `send`."""
        return self.json(self.send("GET", path, query=query))

    def ask(self, path: str, type_: type[T], query: Mapping[str, Any] | None = None) -> T:
        """Return what GET `path` answers as a value of `type_`. Raises as `send`, and RemoteError if it is not one."""
        return self._typed(self.send("GET", path, query=query), type_)

    def ask_with(self, path: str, type_: type[T], body: Any, *, repeatable: bool = True) -> T:
        """Return what POST `path` answers as a value of `type_`. Raises as `ask`."""
        response = self.send("POST", path, content=msgspec.json.encode(body), repeatable=repeatable)
        return self._typed(response, type_)

    def post(self, path: str, body: Any, *, query: Mapping[str, Any] | None = None, repeatable: bool = False) -> Any:
        """Return the JSON that POST `path` answers. Raises as `send`."""
        response = self.send("POST", path, query=query, content=msgspec.json.encode(body), repeatable=repeatable)
        return self.json(response)

    def put(self, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that PUT `path` answers. Raises as `send`."""
        content = b"" if body is None else msgspec.json.encode(body)
        return self.json(self.send("PUT", path, query=query, content=content))

    def delete(self, path: str, query: Mapping[str, Any] | None = None) -> None:
        """Send DELETE `path`. Raises as `send`."""
        self.send("DELETE", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        stream: bool = False,
    ) -> Response:
        """Send one request and return its successful response.

        Args:
            method: HTTP method.
            path: Path below the base URL, or a whole URL (a presigned one, say), to which no token is sent
                unless it lies below the base URL.
            query: Parameters of the query; those that are None are left out.
            content: Body; JSON unless `headers` say otherwise.
            headers: Further headers.
            repeatable: Whether it is safe to send a POST again.
            stream: Whether to leave the response's body unread.

        Raises:
            UnreachableError: No answer within the time limits, after all retries.
            ApiError: An answer >= 400 (one of its subclasses; `ServerError` after all retries).
        """
        url = path if "://" in path else self._url(path)
        is_own = self._is_own(url)
        asked = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        request = HttpRequest(
            method=method,
            url=url,
            query=asked,
            content=content,
            headers=self._headers(content, headers, is_own=is_own),
            is_own=is_own,
            stream=stream,
        )
        repeatable = repeatable or method in _IDEMPOTENT
        shown = path.partition("?")[0]
        tries = RETRIES_MAX + 1
        for attempt in range(1, tries + 1):
            began_s = time.monotonic()
            try:
                response = self._transport.send(request)
            except NoResponseError as error:
                _logger.info("%s %s, attempt %d: %s", method, shown, attempt, error.why)
                if not repeatable or attempt == tries or not error.may_pass:
                    raise self._unreachable(error) from error
                _pause(attempt, None)
                continue
            _logger.debug("%s %s: %d after %.3f s", method, shown, response.status_code, time.monotonic() - began_s)
            if response.status_code < 400:
                return response
            # What was turned away for coming too fast (429) has not been done.
            may_repeat = response.status_code in RETRY_STATUSES and (repeatable or response.status_code == TOO_MANY)
            if not may_repeat or attempt == tries:
                raise _error(method, path, response)
            _pause(attempt, response.headers.get("Retry-After"))
        raise AssertionError("unreachable")

    def stream(self, path: str, query: Mapping[str, Any] | None = None, *, chunk_bytes: int) -> Iterator[bytes]:
        """Yield the body of the answer to a GET, piece by piece. `path` and `query` as those of `send`.

        Raises:
            UnreachableError: There was no answer, or the connection ended before its end.
            ApiError: An answer >= 400.
        """
        with self.send("GET", path, query=query, stream=True) as response:
            try:
                yield from response.iter_content(chunk_bytes)
            except NoResponseError as error:
                raise self._unreachable(error) from error

    def json(self, response: Response) -> Any:
        """Return the JSON in `response`, or None for an empty body.

        Raises:
            RemoteError: The body is not JSON.
        """
        if not response.content:
            return None
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise self._no_json() from error

    def _typed(self, response: Response, type_: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content, type=type_)
        except msgspec.ValidationError as error:
            raise RemoteError(
                f"{self._shown_url} answered with something unexpected: {error}.",
                hint="Is it a snakeprov server, and no older or newer than this client?",
            ) from error
        except msgspec.DecodeError as error:
            raise self._no_json() from error

    def _no_json(self) -> RemoteError:
        return RemoteError(
            f"{self._shown_url} answered with something that is not JSON.",
            hint="Is this the address of a snakeprov server or of Synapse?",
        )

    @property
    def _shown_url(self) -> str:
        """The base URL for a message, without a login in it."""
        return strip_credentials(self.base_url)

    def _url(self, path: str) -> str:
        for prefix, endpoint in self._endpoints.items():
            if path.startswith(prefix):
                return endpoint + path[len(prefix) :]
        return self.base_url + path

    def _is_own(self, url: str) -> bool:
        return any(url == own or url.startswith(own + "/") for own in (self.base_url, *self._endpoints.values()))

    def _headers(self, content: bytes | None, headers: Mapping[str, str] | None, *, is_own: bool) -> dict[str, str]:
        merged = {"Accept": "application/json"}
        if content is not None:
            merged["Content-Type"] = "application/json; charset=UTF-8"
        if self._token and is_own:
            merged["Authorization"] = f"Bearer {self._token}"
        merged.update(headers or {})
        return merged

    def _unreachable(self, error: NoResponseError) -> UnreachableError:
        return UnreachableError(
            f"The store at {self._shown_url} cannot be reached: {error.why}.",
            hint="Is the address right and the server up?",
        )


def _over_a_socket() -> Transport:
    # Most commands ask a store in this process; what speaks to others takes as long to load as they take to answer.
    from snakeprov.client.http import Http

    return Http()


def quoted(value: str) -> str:
    """Return `value` as one segment of a URL's path.

    >>> quoted("a/b c")
    'a%2Fb%20c'
    """
    return quote(value, safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pause(attempt: int, retry_after: str | None) -> None:
    """Wait before another attempt: exponential with full jitter, or what the server asked for, bounded."""
    if retry_after and retry_after.strip().isdecimal():
        time.sleep(min(float(retry_after), BACKOFF_MAX_S))
    else:
        time.sleep(random.uniform(0, min(BACKOFF_FIRST_S * 2**attempt, BACKOFF_MAX_S)))  # noqa: S311  not a secret


def _error(method: str, path: str, response: Response) -> ApiError:
    status = response.status_code
    reason, failed_request = response.reason or "no reason given", None
    try:
        body = msgspec.json.decode(response.content)
        reason = str(body["reason"])
        failed_request = body.get("failedRequest")
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        pass
    kind = _ERRORS.get(status, ServerError if status in RETRY_STATUSES or status >= 500 else BadRequestError)
    shown = path.split("?")[0]
    return kind(
        f"The store answered {status} to {method} {shown}: {reason}",
        status=status,
        reason=reason,
        hint=_HINTS.get(status, ""),
        failed_request=failed_request if isinstance(failed_request, int) else None,
    )
