"""The one shape in which the server says no.

Must not know: which resource says it.
Source: Synapse's JSON schema `ErrorResponse`.
"""

from __future__ import annotations

import re
from typing import Any

import falcon

ERROR_RESPONSE = "org.sagebionetworks.repo.model.ErrorResponse"

# Synapse's client repeats a request for twenty minutes when a reason holds one of these, even for a 404.
_RETRIED = re.compile(
    r"(proxy)( )(error)|(slow)( ?)(down)|(time)( ?)(out)|(timed)( )(out)|(connection reset)( )(by peer)"
    r"|(unknown ssl)( )(protocol error)|(couldn't connect)( )(to host)|(try)( )(again)",
    re.IGNORECASE,
)
_SHOWN_MAX = 80


class Refusal(falcon.HTTPError):
    """An answer that is an error.

    Attributes:
        reason: One sentence for a person.
        failed_request: Position in a batch of the request that failed, when it was in one.
    """

    def __init__(
        self, status: int, reason: str, *, failed_request: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, description=reason, headers=headers)
        self.reason = reason
        self.failed_request = failed_request


def bad_request(reason: str) -> Refusal:
    """Return a 400: the request makes no sense as it is."""
    return Refusal(400, reason)


def unauthenticated() -> Refusal:
    """Return a 401: the token is not valid; which of the possible reasons it is, is not told."""
    return Refusal(401, "Invalid access token", headers={"WWW-Authenticate": "Bearer"})


def forbidden(reason: str) -> Refusal:
    """Return a 403: this user may not."""
    return Refusal(403, reason)


def not_found(reason: str) -> Refusal:
    """Return a 404."""
    return Refusal(404, reason)


def conflict(reason: str) -> Refusal:
    """Return a 409: a name or an id is taken."""
    return Refusal(409, reason)


def stale(reason: str) -> Refusal:
    """Return a 412: the thing was changed since it was read."""
    return Refusal(412, reason)


def body_of(error: falcon.HTTPError) -> dict[str, Any]:
    """Return the body that tells an error."""
    body: dict[str, Any] = {"concreteType": ERROR_RESPONSE, "reason": _harmless(_reason_of(error))}
    if isinstance(error, Refusal) and error.failed_request is not None:
        body["failedRequest"] = error.failed_request
    return body


def _reason_of(error: falcon.HTTPError) -> str:
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        allowed = (error.headers or {}).get("Allow", "") if isinstance(error.headers, dict) else ""
        return f"This method is not supported here; supported: {allowed}."
    if isinstance(error, falcon.HTTPRouteNotFound):
        return "There is no such resource."
    return error.description or error.title or "The request failed."


def _harmless(reason: str) -> str:
    return _RETRIED.sub(lambda match: "-".join(part for part in match.groups() if part and part.strip()), reason)


def shown(text: str) -> str:
    """Return `text` quoted, and shortened where it is long."""
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")
