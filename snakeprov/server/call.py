"""What a handler gets: the transaction, the user, and typed access to path, query and body.

Must not know: any resource, or whether the request came alone or in a batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import falcon
import msgspec

from snakeprov.server import queries
from snakeprov.server.contentmd5 import ContentMd5s
from snakeprov.server.refusals import bad_request, not_found, shown

if TYPE_CHECKING:
    from snakeprov.blobs.local import LocalBlobs
    from snakeprov.db import Database, Transaction
    from snakeprov.server.auth import User

T = TypeVar("T")
Q = TypeVar("Q", bound=msgspec.Struct)

Answer = tuple[int, Any]
"""The status, and the body; None: no body."""

ENTITY_ID = re.compile(r"(?:syn)?([0-9]{1,18})", re.IGNORECASE)

_DIGITS = re.compile(r"[0-9]{1,18}")


class Server:
    """What is the same for every request: the store, the bytes, and the limits of this server.

    Attributes:
        local_files: Whether files of the server's own machine may be named.
        content_md5s: The md5 of contents, for clients that ask for it.
        url_secret: Signs the URLs from which bytes can be downloaded without a token.
        run: Runs one request of a batch in the batch's transaction.
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
        status: The status of success, where it is not the one that is declared.
    """

    __slots__ = ("_body", "_decoded", "base_url", "query", "route", "server", "status", "tx", "user")

    def __init__(
        self,
        server: Server,
        user: User,
        *,
        base_url: str,
        route: Mapping[str, str],
        query: Mapping[str, str],
        body: bytes | memoryview | None = None,
        decoded: Any = msgspec.UNSET,
    ) -> None:
        self.server = server
        self.tx: Transaction
        self.user = user
        self.base_url = base_url
        self.route = route
        self.query = query
        self.status: int | None = None
        self._body = body
        self._decoded = decoded

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Open a transaction that changes nothing."""
        with self.server.database.read() as self.tx:
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Open a transaction that may write; an exception rolls it back."""
        with self.server.database.write() as self.tx:
            yield
            self.server.content_md5s.write(self.tx)

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

    def asked(self, type_: type[Q]) -> Q:
        """Return the query parameters as a value of `type_`.

        Raises:
            Refusal: 400, one is missing, or is not what was expected.
        """
        return queries.decoded(self.query, type_)

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


class Transfer(Call):
    """A request whose body, or whose answer's, is bytes.

    Attributes:
        request: As falcon has it.
        response: The answer; the handler says what it is.
    """

    __slots__ = ("request", "response")

    def __init__(
        self, server: Server, user: User, request: falcon.Request, response: falcon.Response, **values: Any
    ) -> None:
        super().__init__(server, user, **values)
        self.request = request
        self.response = response


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


_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(type_)
    if decoder is None:
        decoder = _DECODERS[type_] = msgspec.json.Decoder(type_)
    return decoder
