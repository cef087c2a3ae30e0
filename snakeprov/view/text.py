r"""Text for a terminal: make it safe, measure its width, colour, cut and align it.

Everything that is shown is made of pieces. `say` makes one and neutralises what a name or a command may hold to
upset a terminal, so nothing that is made of pieces can.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, Literal, NamedTuple

Role = Literal["", "strong", "faint", "heading", "version", "rule", "commit", "good", "bad", "raw"]

_STYLES: dict[Role, dict[str, object]] = {
    "strong": {"bold": True},
    "faint": {"dim": True},
    "heading": {"bold": True},
    "version": {"fg": "cyan"},
    "rule": {"fg": "green"},
    "commit": {"fg": "yellow"},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "raw": {"fg": "magenta"},
}

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
"""C0 and C1 controls, line breaks, invisible and direction-changing characters, lone surrogates."""

PIECE_CHARACTERS_MAX: Final = 50_000
"""No name, value or command is shown beyond this, so that one of megabytes does not flood what it is shown in."""

_GAP = 2
"""Blanks between the columns of a table."""

_FLEXIBLE_COLUMNS_MIN = 8
"""A column is not cut to less than this."""

WILDCARD_COLUMNS_MAX: Final = 100
"""Longer values of wildcards are cut."""

LABEL_COLUMNS: Final = 11
"""The width of the labels of facts, with the blanks behind them."""

FACT_CHARACTERS_MAX: Final = 2000
"""What is shown of a fact, a command line of thousands of targets, say; `--json` has it whole."""

_SIZE_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


class Glyphs(NamedTuple):
    """The drawing characters of a screen."""

    bar: str = "│  "
    tee: str = "├─ "
    corner: str = "└─ "
    blank: str = "   "
    arrow: str = "←"
    ellipsis: str = "…"
    dot: str = "·"
    times: str = "×"  # noqa: RUF001  the multiplication sign is meant
    guess_tee: str = "├⇢ "
    guess_corner: str = "└⇢ "


_ASCII = Glyphs("|  ", "|- ", "`- ", "   ", "<-", "...", "-", "x", "|~ ", "`~ ")


class Screen(NamedTuple):
    """The properties of the terminal or file that will show the text.

    Attributes:
        now: The present moment.
        zone: Time zone of absolute times; None: the machine's own.
        width: Columns; None where lines may be as long as they like (a pipe, a file).
        colour: Whether escape sequences for colour are understood and wanted.
        unicode: Whether the drawing characters of Unicode can be shown.
    """

    now: datetime
    zone: tzinfo | None = None
    width: int | None = None
    colour: bool = False
    unicode: bool = True

    @property
    def glyphs(self) -> Glyphs:
        """The drawing characters to use."""
        return Glyphs() if self.unicode else _ASCII


class Piece(NamedTuple):
    """A text of one line that is safe to show, and the role that gives it its colour."""

    text: str
    role: Role = ""


Line = Sequence[Piece]


def say(value: object, role: Role = "") -> Piece:
    r"""Return a piece that shows `value`; characters that act on a terminal are shown as escapes.

    What is longer than `PIECE_CHARACTERS_MAX` is cut, and told to be.

    >>> say("evil\x1b[2Jname\n").text
    'evil\\x1b[2Jname\\x0a'
    """
    text = str(value)
    if len(text) > PIECE_CHARACTERS_MAX:
        text = f"{text[:PIECE_CHARACTERS_MAX]}... ({len(text) - PIECE_CHARACTERS_MAX} more characters)"
    return Piece(_UNSAFE.sub(_escape, text), role)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def width(text: str) -> int:
    """Return how many columns `text` takes: wide characters count 2, combining ones 0.

    >>> width("abc"), width("データ"), width("e\u0301")
    (3, 6, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def line_width(line: Line) -> int:
    """Return how many columns a line takes."""
    return sum(width(piece.text) for piece in line)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


Kept = Literal["start", "end", "path"]
"""Which part of a text that is too long is kept: `path` leaves out folders from the middle, and keeps the name."""


def shorten(text: str, columns: int, *, keep: Kept = "start", ellipsis: str = "…") -> str:
    """Return `text` cut to at most `columns`, with an ellipsis where something is missing.

    >>> shorten("results/clean/adelie.csv", 12, keep="end"), shorten("summarise", 6)
    ('…/adelie.csv', 'summa…')
    >>> [shorten("results/clean/all/adelie.csv", columns, keep="path") for columns in (26, 20, 12, 10)]
    ['results/…/all/adelie.csv', 'results/…/adelie.csv', '…/adelie.csv', '…delie.csv']
    """
    if width(text) <= columns:
        return text
    room = columns - width(ellipsis)
    if room < 0:
        return ellipsis[: max(columns, 0)]
    if keep == "path":
        folders = [place for place, one in enumerate(text) if one == "/" and 0 < place < len(text) - 1]
        for begin in (text[: folders[0] + 1], "") if folders else ():
            for place in folders[1 if begin else 0 :]:
                if width(cut := begin + ellipsis + text[place:]) <= columns:
                    return cut
    if keep == "start":
        return "".join(_leading(text, room)) + ellipsis
    return ellipsis + "".join(reversed(list(_leading(reversed(text), room))))


def wildcards(values: Mapping[str, Any] | None) -> str:
    """Return the wildcards of a job in one line; long values are cut.

    >>> wildcards({"sample": "a", "lane": 3}), len(wildcards({"sample": "x" * 9999}))
    ('sample=a lane=3', 107)
    """
    return " ".join(f"{name}={shorten(str(value), WILDCARD_COLUMNS_MAX)}" for name, value in (values or {}).items())


def _leading(characters: Iterable[str], columns: int) -> Iterator[str]:
    for character in characters:
        columns -= _columns(character)
        if columns < 0:
            return
        yield character


def compose(line: Line, screen: Screen) -> str:
    """Return one line as it is printed: cut to the screen's width, coloured if the screen is."""
    if screen.width is not None:
        line = _cut(line, screen)
    text = "".join(_paint(piece) for piece in line) if screen.colour else "".join(piece.text for piece in line)
    return text.rstrip(" ")


def _cut(line: Line, screen: Screen) -> Line:
    room = screen.width or 0
    if line_width(line) <= room:
        return line
    room -= width(screen.glyphs.ellipsis)
    cut: list[Piece] = []
    for piece in line:
        kept = "".join(_leading(piece.text, room))
        cut.append(Piece(kept, piece.role))
        room -= width(kept)
        if kept != piece.text:
            break
    return [*cut, Piece(screen.glyphs.ellipsis)]


def paragraph(line: Line, screen: Screen, *, hang: int = 0) -> Iterator[str]:
    """Yield a line whole, as printed lines that fit the screen: broken at blanks, all but the first indented by `hang`.

    A word that is longer than the screen stays in one piece, so that it can be copied.
    """
    if screen.width is None:
        yield compose(line, screen)
        return
    whole = screen._replace(width=None)
    shown: list[Piece] = []
    columns, is_begun = 0, False
    for gap, word in _words(line):
        size = line_width(word)
        if is_begun and columns + len(gap) + size > screen.width and columns > hang:
            yield compose(shown, whole)
            shown, columns, gap = [Piece(" " * hang)], hang, ""
        shown += [Piece(gap), *word]
        columns += len(gap) + size
        is_begun = is_begun or size > 0
    yield compose(shown, whole)


def _words(line: Line) -> Iterator[tuple[str, list[Piece]]]:
    """Yield the words of a line, each with the blanks before it; a word can be of several pieces."""
    gap, word = "", list[Piece]()
    for piece in line:
        for part in re.split("( +)", piece.text):
            if part.strip(" "):
                word.append(Piece(part, piece.role))
            elif part and word:
                yield gap, word
                gap, word = part, []
            else:
                gap += part
    if word:
        yield gap, word


def sentence(said: str, screen: Screen, role: Role = "") -> Iterator[str]:
    """Yield a sentence as a paragraph."""
    return paragraph([say(said, role)], screen)


def fact(
    label: str, value: Line, screen: Screen, *, columns: int = LABEL_COLUMNS, to_copy: bool = False
) -> Iterator[str]:
    """Yield a label and its value, whole, in as many lines as they need; in one line what is there `to_copy`."""
    bounded = [piece._replace(text=shorten(piece.text, FACT_CHARACTERS_MAX)) for piece in value]
    line = [say(label.ljust(columns), "faint"), *bounded]
    return paragraph(line, screen._replace(width=None) if to_copy else screen, hang=columns)


def _paint(piece: Piece) -> str:
    if not piece.role or not piece.text:
        return piece.text
    import click

    return click.style(piece.text, **_STYLES[piece.role])  # type: ignore[arg-type]


def table(
    rows: Sequence[Line],
    screen: Screen,
    *,
    titles: Sequence[str] = (),
    right: frozenset[int] = frozenset(),
    flexible: int | None = None,
    keep: Kept = "start",
    drop: Sequence[int] = (),
    indent: int = 0,
) -> Iterator[str]:
    """Yield `rows` of cells as printed lines with aligned columns; a column without content is left out.

    Args:
        rows: All of the same length.
        screen: Where they will be shown.
        titles: Titles of the columns; they make the first line.
        right: Columns that are aligned to the right.
        flexible: The column that is cut where the rows are too wide for the screen.
        keep: Which end of a cell in that column is kept.
        drop: Columns that are left out, in this order, before the flexible one is cut.
        indent: Blanks before each line.
    """
    if not rows:
        return
    shown = [column for column in range(len(rows[0])) if any(row[column].text for row in rows)]
    cells = [[Piece(title, "faint") for title in titles]] if titles else []
    cells += [list(row) for row in rows]
    widths = {column: max(width(row[column].text) for row in cells) for column in shown}
    for column in drop:
        if screen.width is not None and _excess(widths, screen.width, indent) > 0 and column in widths:
            del widths[column]
            shown.remove(column)
    if flexible in widths and screen.width is not None:
        excess = _excess(widths, screen.width, indent)
        widths[flexible] = max(widths[flexible] - max(excess, 0), min(widths[flexible], _FLEXIBLE_COLUMNS_MIN))
        for number, row in enumerate(cells):
            kept: Kept = "start" if titles and not number else keep
            cut = shorten(row[flexible].text, widths[flexible], keep=kept, ellipsis=screen.glyphs.ellipsis)
            row[flexible] = Piece(cut, row[flexible].role)
    for row in cells:
        line = [Piece(" " * indent)]
        for column in shown:
            blank = Piece(" " * (widths[column] - width(row[column].text)))
            space = Piece(" " * _GAP if column != shown[-1] else "")
            line += [blank, row[column], space] if column in right else [row[column], blank, space]
        yield compose(line, screen)


def _excess(widths: Mapping[int, int], columns: int, indent: int) -> int:
    """Return by how many columns a table is wider than the screen."""
    return indent + sum(widths.values()) + _GAP * (len(widths) - 1) - columns


def listing(rows: Sequence[Line], screen: Screen) -> Iterator[list[str]]:
    """Yield the printed lines of each of `rows`: one of a table where all fit the screen, else as many as it needs."""
    first = max((width(row[0].text) for row in rows), default=0) + _GAP
    columns = range(len(rows[0]) if rows else 0)
    widths = [max(width(row[column].text) for row in rows) for column in columns]
    if screen.width is None or sum(widths) + _GAP * (len(widths) - 1) <= screen.width:
        yield from ([line] for line in table(rows, screen))
        return
    for row in rows:
        rest = [piece for cell in row[1:] for piece in (cell, Piece(" " * _GAP))]
        blank = Piece(" " * (first - width(row[0].text)))
        yield list(paragraph([row[0], blank, *rest], screen, hang=first))


def short_id(identifier: str | None, *, length: int = 8) -> str:
    """Return the beginning of a run's id or of a digest, enough to tell it from others.

    >>> short_id("9f86d081884c7d659a2feaa0c55ad015"), short_id(None)
    ('9f86d081', '')
    """
    return (identifier or "")[:length]


def short_commit(commit: str | None, *, dirty: bool | None) -> str:
    """Return a commit as people write it, with `+dirty` where the work tree differed from it.

    >>> short_commit("1a2b3c4d5e6f7a8b", dirty=True), short_commit("1a2b3c4d5e6f7a8b", dirty=None)
    ('1a2b3c4+dirty', '1a2b3c4')
    >>> short_commit(None, dirty=None)
    ''
    """
    return commit[:7] + ("+dirty" if dirty else "") if commit else ""


def size(size_bytes: int | None) -> str:
    """Return a size in decimal units; an empty text where it is unknown.

    >>> size(0), size(999), size(12_345), size(100_000_000), size(None)
    ('0 B', '999 B', '12.3 kB', '100 MB', '')
    """
    if size_bytes is None:
        return ""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value, power = float(size_bytes), 0
    while value >= 999.5 and power < len(_SIZE_UNITS) - 1:
        value, power = value / 1000, power + 1
    digits = 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {_SIZE_UNITS[power]}"


def number(count: int) -> str:
    """Return a whole number in groups of three digits.

    >>> number(999), number(10_000)
    ('999', '10,000')
    """
    return f"{count:,}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "version"), counted(2, "version"), counted(0, "activity", "activities")
    ('1 version', '2 versions', '0 activities')
    """
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"
