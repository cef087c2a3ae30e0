"""Send requests, with time limits, retries, and errors that carry the server's reason."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
import requests

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

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 120.0
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
        transport: requests.Session | None = None,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            base_url: What precedes `/repo/v1`, without a slash at its end.
            token: Access token, sent as `Authorization: Bearer`.
            transport: A `requests` session to send with, for a store that is not behind a socket.
            endpoints: URLs of groups of services that do not lie below `base_url`, by the prefix of their paths.
        """
        self.base_url = base_url.rstrip("/")
        self._endpoints = dict(endpoints or {})
        self._token = token
        self.is_over_a_socket = transport is None
        self._http = transport or _Http()
        self._http.headers["Accept"] = "application/json"

    def another(self) -> Session:
        """Return a session for another thread, to the same store; not where a transport was given."""
        return Session(self.base_url, token=self._token, endpoints=self._endpoints)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

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
    ) -> requests.Response:
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
        request = {
            "params": {name: _text(value) for name, value in (query or {}).items() if value is not None},
            "data": content,
            "headers": self._headers(content, headers),
            "auth": self._auth(url),
            "timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            "stream": stream,
        }
        repeatable = repeatable or method in _IDEMPOTENT
        tries = RETRIES_MAX + 1
        for attempt in range(1, tries + 1):
            try:
                response = self._http.request(method, url, **request)  # type: ignore[arg-type]
            except requests.RequestException as error:
                if (
                    not repeatable
                    or attempt == tries
                    or not isinstance(error, (requests.ConnectionError, requests.Timeout))
                ):
                    raise self._unreachable(error) from error
                _pause(attempt, None)
                continue
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
            except requests.RequestException as error:
                raise self._unreachable(error) from error

    def json(self, response: requests.Response) -> Any:
        """Return the JSON in `response`, or None for an empty body.

        Raises:
            RemoteError: The body is not JSON.
        """
        if not response.content:
            return None
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise self._no_json(response) from error

    def _typed(self, response: requests.Response, type_: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content, type=type_)
        except msgspec.ValidationError as error:
            raise RemoteError(
                f"{self.base_url} answered {response.request.method} with something unexpected: {error}.",
                hint="Is it a snakeprov server, and no older or newer than this client?",
            ) from error
        except msgspec.DecodeError as error:
            raise self._no_json(response) from error

    def _no_json(self, response: requests.Response) -> RemoteError:
        return RemoteError(
            f"{self.base_url} answered {response.request.method} with something that is not JSON.",
            hint="Is this the address of a snakeprov server or of Synapse?",
        )

    def _url(self, path: str) -> str:
        for prefix, endpoint in self._endpoints.items():
            if path.startswith(prefix):
                return endpoint + path[len(prefix) :]
        return self.base_url + path

    def _is_own(self, url: str) -> bool:
        return any(url == own or url.startswith(own + "/") for own in (self.base_url, *self._endpoints.values()))

    def _auth(self, url: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest] | None:
        """Return what adds the token to a request; without a token `requests` may look into `~/.netrc`."""
        if not self._is_own(url):
            return _unchanged
        return _Bearer(self._token) if self._token else None

    def _headers(self, content: bytes | None, headers: Mapping[str, str] | None) -> dict[str, str]:
        merged: dict[str, str] = {}
        if content is not None:
            merged["Content-Type"] = "application/json; charset=UTF-8"
        merged.update(headers or {})
        return merged

    def _unreachable(self, error: Exception) -> UnreachableError:
        if isinstance(error, requests.Timeout):
            why = f"no answer within {CONNECT_TIMEOUT_S:.0f} s (connecting) or {READ_TIMEOUT_S:.0f} s (reading)"
        elif isinstance(error, requests.exceptions.SSLError):
            why = "its certificate was not accepted"
        elif isinstance(error, requests.ConnectionError):
            why = "no connection could be made"
        else:
            why = f"the request could not be sent ({type(error).__name__})"
        return UnreachableError(
            f"The store at {self.base_url} cannot be reached: {why}.",
            hint="Is the address right and the server up?",
        )


class _Http(requests.Session):
    """A session that, when it is sent to another host, takes no login for that from `~/.netrc`."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take the token away from a request that is sent elsewhere."""
        headers = prepared_request.headers
        if "Authorization" in headers:
            before, now = response.request.url, prepared_request.url
            if self.should_strip_auth(before, now):  # type: ignore[no-untyped-call]
                del headers["Authorization"]


class _Bearer(requests.auth.AuthBase):
    """Adds an access token explicitly, since `requests` would otherwise take one for the host from `~/.netrc`."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


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


def _error(method: str, path: str, response: requests.Response) -> ApiError:
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
