"""What a handler gets: the transaction, the user, and typed access to path, query and body.

Must not know: any resource, or whether the request came alone or in a batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from snakeprov.server.contentmd5 import ContentMd5s
from snakeprov.server.refusals import bad_request, not_found

if TYPE_CHECKING:
    from snakeprov.blobs.local import LocalBlobs
    from snakeprov.db import Database, Transaction
    from snakeprov.server.auth import User

T = TypeVar("T")

Answer = tuple[int, Any]
"""The status, and the body as plain values; None: no body."""

ENTITY_ID = re.compile(r"(?:syn)?([0-9]{1,18})", re.IGNORECASE)
NUMBER_MAX = 2**63 - 1
"""The largest number a query or an id can hold."""

_DIGITS = re.compile(r"[0-9]{1,18}")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_SHOWN_MAX = 80


class Service:
    """What is the same for every request: the store, the bytes, and the limits of this server.

    Attributes:
        local_files: Whether files of the server's own machine may be named.
        content_md5s: The md5 of contents, for clients that ask for it.
        url_secret: Signs the URLs from which bytes can be downloaded without a token.
        run: Runs one request of a batch in the batch's transaction; the table of routes provides it.
    """

    def __init__(self, database: Database, blobs: LocalBlobs, *, local_files: bool, url_secret: bytes) -> None:
        self.database = database
        self.blobs = blobs
        self.content_md5s = ContentMd5s(blobs)
        self.local_files = local_files
        self.url_secret = url_secret
        self.run: Callable[[Call, str, str], Answer] = _no_routes


def _no_routes(call: Call, method: str, path: str) -> Answer:
    raise not_found("There is no such resource.")


class Call:
    """One request. Belongs to one thread.

    Attributes:
        tx: The transaction; there is one while `reading()` or `writing()` is open.
        user: Who asks, and what the user's token is good for.
        base_url: What precedes the path in a URL of this server.
        route: What the path names, by the names in the template of the route.
        query: The query parameters.
    """

    __slots__ = ("_body", "_decoded", "base_url", "query", "route", "service", "tx", "user")

    def __init__(
        self,
        service: Service,
        user: User,
        *,
        base_url: str,
        route: Mapping[str, str],
        query: Mapping[str, str],
        body: bytes | memoryview | None = None,
        decoded: Any = msgspec.UNSET,
    ) -> None:
        self.service = service
        self.tx: Transaction
        self.user = user
        self.base_url = base_url
        self.route = route
        self.query = query
        self._body = body
        self._decoded = decoded

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Open a transaction that changes nothing."""
        with self.service.database.read() as self.tx:
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open a transaction that may write; an exception rolls it back."""
        with self.service.database.write() as self.tx:
            yield
            self.service.content_md5s.write(self.tx)

    def read(self, type_: type[T]) -> T:
        """Return the body as a value of `type_`.

        Raises:
            Refusal: 400, the body is missing, is not JSON, or is not what was expected.
        """
        try:
            if self._decoded is not msgspec.UNSET:
                return msgspec.convert(self._decoded, type_)
            if not self._body:
                raise bad_request("The request has no body; JSON was expected.")
            return _decoder(type_).decode(self._body)
        except msgspec.ValidationError as error:
            raise bad_request(f"The body is not what was expected here: {error}.") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise bad_request(f"The body is not valid JSON: {error}.") from error
        except RecursionError as error:
            raise bad_request("The body is nested too deeply.") from error

    def entity_id(self) -> int:
        """Return the entity that the path names."""
        return entity_number(self.route["id"])

    def version(self) -> int:
        """Return the version that the path names."""
        text = self.route["version"]
        if not _DIGITS.fullmatch(text):
            raise bad_request(f"{shown(text)} is not a version number: a whole number from 1 was expected.")
        return int(text)

    def numeric_id(self, what: str) -> int:
        """Return the number that the path names, of an activity or a file handle."""
        text = self.route["id"]
        if not _DIGITS.fullmatch(text):
            raise not_found(f"{what} with id {shown(text)} could not be found.")
        return int(text)

    def number(self, name: str, *, default: int | None = None, least: int = 0, most: int = NUMBER_MAX) -> int:
        """Return a query parameter that is a whole number from `least` to `most`.

        Raises:
            Refusal: 400, it is something else, or is missing and has no default.
        """
        text = self.query.get(name)
        if text is None:
            if default is None:
                raise bad_request(f"The query parameter {name!r} is missing.")
            return default
        if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
            raise bad_request(f"{name}={shown(text)}: a whole number from {least} to {most} was expected.")
        return int(text)

    def optional_number(self, name: str, *, least: int = 0) -> int | None:
        """Return a query parameter that is a whole number, or None where it is not given."""
        return self.number(name, least=least) if name in self.query else None

    def flag(self, name: str) -> bool:
        """Return a query parameter that is true or false; false when it is not given."""
        text = self.query.get(name, "false").lower()
        if text not in ("true", "false"):
            raise bad_request(f"{name}={shown(text)}: true or false was expected.")
        return text == "true"

    def text(self, name: str) -> str:
        """Return a query parameter.

        Raises:
            Refusal: 400, it is missing.
        """
        text = self.query.get(name)
        if text is None:
            raise bad_request(f"The query parameter {name!r} is missing.")
        return text


def entity_number(text: str) -> int:
    """Return the number in an entity id, `syn123` or `123`.

    Raises:
        Refusal: 400, the value is not such an id.
    """
    match = ENTITY_ID.fullmatch(text)
    if match is None:
        raise bad_request(f"{shown(text)} is not an entity id: 'syn' and a number was expected, such as syn123.")
    return int(match[1])


def plain_number(text: str, *, what: str) -> int:
    """Return the number in an id of an activity or a file handle that a body names.

    Raises:
        Refusal: 400, the value is not such an id.
    """
    if not _DIGITS.fullmatch(text):
        raise bad_request(f"{shown(text)} is not {what}: a number was expected.")
    return int(text)


def shown(text: str) -> str:
    """Return `text` quoted, and shortened where it is long."""
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")


_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(type_)
    if decoder is None:
        decoder = _DECODERS[type_] = msgspec.json.Decoder(type_)
    return decoder
