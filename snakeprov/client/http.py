"""The transport over a socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Self

import requests
from requests.auth import AuthBase

from snakeprov.client.transport import HttpRequest, NoResponseError

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 120.0


class Http:
    """Sends requests with `requests`, and keeps connections open between them."""

    def __init__(self) -> None:
        self._session = _Session()

    def send(self, request: HttpRequest, /) -> _Response:
        """Send a request; see `Transport`."""
        # Unless it is told how to authenticate, `requests` overrides the header with a login from `~/.netrc`.
        may_look_for_login = request.is_own and "Authorization" not in request.headers
        try:
            response = self._session.request(
                request.method,
                request.url,
                params=request.query,
                data=request.content,
                headers=request.headers,
                auth=None if may_look_for_login else _AsItIs(),
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                stream=request.stream,
            )
        except requests.RequestException as error:
            raise _failure(error) from error
        return _Response(response)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class _Response:
    """A response of `requests`, whose failures are ours."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self.status_code: int = response.status_code
        self.reason: str = response.reason or ""
        self.headers: Mapping[str, str] = response.headers

    @property
    def content(self) -> bytes:
        try:
            return self._response.content
        except requests.RequestException as error:
            raise _failure(error) from error

    def iter_content(self, chunk_size: int, /) -> Iterator[bytes]:
        try:
            yield from self._response.iter_content(chunk_size)
        except requests.RequestException as error:
            raise _failure(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._response.close()


class _Session(requests.Session):
    """A session that, when it is sent to another host, takes no login for that from `~/.netrc`."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take the token away from a request that is sent elsewhere."""
        headers = prepared_request.headers
        if "Authorization" in headers:
            before, now = response.request.url, prepared_request.url
            if self.should_strip_auth(before, now):  # type: ignore[no-untyped-call]
                del headers["Authorization"]


class _AsItIs(AuthBase):
    """Leaves a request as it is."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request."""
        return request


def _failure(error: requests.RequestException) -> NoResponseError:
    if isinstance(error, requests.Timeout):
        why = f"no answer within {CONNECT_TIMEOUT_S:.0f} s (connecting) or {READ_TIMEOUT_S:.0f} s (reading)"
    elif isinstance(error, requests.exceptions.SSLError):
        why = "its certificate was not accepted"
    elif isinstance(error, requests.ConnectionError):
        why = "no connection could be made"
    else:
        why = f"the request could not be sent ({type(error).__name__})"
    return NoResponseError(why, may_pass=isinstance(error, (requests.ConnectionError, requests.Timeout)))
