"""The socket of a server: waitress, with its own refusals in the form of all others.

Requests that waitress itself refuses, malformed or too long ones, never reach the application.
"""

from __future__ import annotations

import ipaddress
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import FrameType
from typing import Any, Final, NoReturn

import msgspec
import waitress  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]

from snakeprov.errors import UsageError
from snakeprov.server.refusals import Refusal, body_of
from snakeprov.server.uploads import PART_BYTES_MAX

THREADS: Final = 8
"""How many requests are worked on at once; SQLite has one writer at a time anyway."""

CONNECTIONS_MAX: Final = 500

REQUEST_BYTES_MAX: Final = PART_BYTES_MAX
"""Maximum length of a request, from anybody. JSON is limited further by the application."""

HEADER_BYTES_MAX: Final = 256 * 1024


def listen(app: Any, *, host: str, port: int, **options: Any) -> Any:
    """Return a waitress server for a WSGI application that listens and answers once its `run` is called.

    Args:
        app: The application.
        host: Name or address of the interface.
        port: Number of the port; 0: any that is free.
        options: Further settings of waitress.

    Raises:
        UsageError: Nothing can listen there.
    """
    # A name that stands for several addresses has a listener for each; they share this map.
    listeners: dict[int, Any] = {}
    try:
        server = waitress.create_server(
            app,
            map=listeners,
            host=host,
            port=port,
            threads=THREADS,
            connection_limit=CONNECTIONS_MAX,
            max_request_header_size=HEADER_BYTES_MAX,
            # Waitress refuses what reaches its limit.
            max_request_body_size=REQUEST_BYTES_MAX + 1,
            ident="snakeprov",
            **options,
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"Nothing can listen on port {port} of {host!r}: {getattr(error, 'strerror', None) or error}.",
            hint="Choose another --port (0: any that is free) or --host.",
        ) from error
    for listener in listeners.values():
        listener.channel_class = _Channel
    return server


def address_of(listener: Any) -> tuple[str, int]:
    """Return the address and the port that a server listens on."""
    # A name can stand for several addresses; then there is a list of them.
    several = getattr(listener, "effective_listen", None)
    if several:
        return several[0][0], int(several[0][1])
    return listener.effective_host, int(listener.effective_port)


def shown(address: str) -> str:
    """Return an address as it stands in a URL."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.is_unspecified:
        return "127.0.0.1" if parsed.version == 4 else "[::1]"
    return f"[{address}]" if parsed.version == 6 else address


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the body of the `with` without an exception; in the main thread only."""
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt


class _Refused(ErrorTask):  # type: ignore[misc]
    """Answers a request that waitress refused."""

    def execute(self) -> None:
        """Write the answer; the connection ends with it."""
        code: int = self.request.error.code
        content = msgspec.json.encode(body_of(Refusal(code, _reason(code, self.request.error.body))))
        self.status = f"{code} {HTTPStatus(code).phrase}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a number with more digits than Python reads
            raise ParsingError("Content-Length is invalid") from error


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection."""

    parser_class = _Parser
    error_task_class = _Refused


def _reason(code: int, said: str) -> str:
    if code == 413:
        return f"The request is too long: at most {REQUEST_BYTES_MAX} bytes are allowed."
    if code == 431:
        return f"The headers of the request are too long: at most {HEADER_BYTES_MAX} bytes are allowed."
    if code == 500:
        return "The server failed on this request; its log says why."
    return f"The request is not HTTP as it should be: {said.rstrip('.')}."
