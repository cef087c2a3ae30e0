"""Write to standard output and error, in what they can show."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from snakeprov.errors import SnakeprovError

if TYPE_CHECKING:
    from snakeprov.view.text import Screen

_JSON_INDENT = 2

_COLUMNS_MIN = 40
"""On a terminal that is narrower, lines wrap."""


def screen() -> Screen:
    """Return what standard output can show."""
    return screen_of(sys.stdout)


def screen_of(stream: TextIO) -> Screen:
    """Return what a stream can show: a terminal has a width, and colour unless `NO_COLOR` is set."""
    import shutil

    from snakeprov.view.text import Glyphs, Screen

    return Screen(
        now=datetime.now(UTC),
        width=max(shutil.get_terminal_size().columns, _COLUMNS_MIN) if stream.isatty() else None,
        colour=_has_colour(stream),
        unicode=_can_show(stream, "".join(Glyphs())),
    )


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output, through a pager where they are longer than the terminal.

    What the encoding of the output cannot show is escaped.

    Raises:
        SnakeprovError: They cannot be written, and not because the reader has gone away (`BrokenPipeError`).
    """
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    if stream.isatty():
        from snakeprov.cli import pager

        lines = list(lines)
        if pager.show(lines):
            return
    with _writing():
        stream.writelines(line + "\n" for line in lines)
        stream.flush()


def write_json(value: Any) -> None:
    """Write a value as JSON in UTF-8 to standard output. Raises as `write_lines`."""
    import msgspec

    encoded = msgspec.json.format(msgspec.json.encode(value), indent=_JSON_INDENT) + b"\n"
    with _writing():
        sys.stdout.buffer.write(encoded)
        sys.stdout.buffer.flush()


def write_text(text: str) -> None:
    """Write a whole text in UTF-8 to standard output, as it is. Raises as `write_lines`."""
    with _writing():
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()


def write_line_of_json(value: Any) -> None:
    """Write a value as one line of JSON, for a program that reads while the command runs. Raises as `write_lines`."""
    import msgspec

    with _writing():
        sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
        sys.stdout.buffer.flush()


def write_bytes(content: bytes) -> None:
    """Write bytes to standard output as they are. Raises as `write_lines`."""
    with _writing():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal, once it is known how much there is to read.

    Gives a function that takes how many bytes are read and how many there are.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    import click

    with click.progressbar(length=1, label="reading", file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, done, 1)
            bar.update(done - bar.pos)

        yield show


def moment(epoch_ms: int | None) -> str | None:
    """Return a stored time as JSON has it."""
    from snakeprov.model import times

    return None if epoch_ms is None else times.to_wire(times.from_ms(epoch_ms))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_the_rest()
        raise SnakeprovError(
            f"The output cannot be written ({error.strerror}).", hint="Write it to another file."
        ) from error


def _drop_the_rest() -> None:
    """Discard what standard output still holds: some versions of Python would fail on it again at exit."""
    with suppress(OSError, ValueError):  # it may be none of the system's files
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _has_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
