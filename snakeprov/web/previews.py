"""The content of a version on its page, from kept bytes only: text, code, tables, pictures, pages, folders.

What a file holds is other people's: it becomes text, or is shown where it can run and load nothing.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from snakeprov.client import Client, contents
from snakeprov.errors import CorruptStoreError, NewerStoreError
from snakeprov.model.answers import Story, Version
from snakeprov.model.manifest import Entry, read_manifest
from snakeprov.view import text
from snakeprov.web import highlight, render, urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

Kind = Literal["text", "table", "image", "svg", "html", "folder", ""]

READ_BYTES_MAX: Final = 256 * 1024
"""Bytes of a text that are read, and of a compressed one unpacked."""

LINES_MAX: Final = 400
"""Lines of a text that are shown."""

LINE_CHARACTERS_MAX: Final = 2000
ROWS_MAX: Final = 50
COLUMNS_MAX: Final = 40
CELL_CHARACTERS_MAX: Final = 200
MEMBERS_MAX: Final = 200

SHOWN_BYTES_MAX: Final = 20_000_000
"""Larger pictures and pages are not shown."""

MANIFEST_BYTES_MAX: Final = 5_000_000

_HEAD_BYTES: Final = 32
_IMAGES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}
_TABLES: Final = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".bed": "\t", ".gff": "\t", ".vcf": "\t"}
_CONFINED: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
"""What a recorded picture or page may do: have its own style and embedded pictures, and run and load nothing."""


class Preview(NamedTuple):
    """The content of a version as its page shows it.

    Attributes:
        kind: How it is shown; empty: not.
        said: What is not shown of it, or why nothing is.
        lines: Of a text.
        rows: Of a table, its header first.
        members: Of a folder.
        address: Where a picture or page is.
    """

    kind: Kind
    said: str = ""
    lines: Markup = Markup("")
    rows: tuple[tuple[str, ...], ...] = ()
    members: tuple[Entry, ...] = ()
    address: str = ""


def of_version(client: Client, version: Version) -> Preview:
    """Return the preview of a version."""
    if not version.bytes_kept:
        return Preview("", "Its bytes are not kept: there is nothing to show.")
    if version.is_directory:
        return _folder(client, version)
    read = contents.beginning(client, version.entity_id, version.version_number, size_bytes_max=READ_BYTES_MAX)
    if read is None:
        return Preview("", "You do not have permission to download it.")
    kind = _kind(version.path, read)
    if kind in ("image", "svg", "html"):
        if (version.size_bytes or 0) > SHOWN_BYTES_MAX:
            return Preview("", f"It is larger than {text.size(SHOWN_BYTES_MAX)}: download it to see it.")
        return Preview(kind, address=urls.version(version.entity_id, version.version_number, "content"))
    return _text(version.path, read)


def side(client: Client, told: Story) -> Preview:
    """Return the preview of a version as a picture, where it is one."""
    version = contents.version(client, told.entity.id, told.version.version_number)
    if version is None or version.is_directory or not version.bytes_kept:
        return Preview("")
    return of_version(client, version)


def show(visit: Visit, entity_id: str, number: str) -> Response:
    """Send the content of a version to be shown inside of a page, if it is a picture or a page."""
    client = visit.client
    version = contents.version(client, entity_id, int(number))
    read = None
    if version is not None and version.bytes_kept and not version.is_directory:
        read = contents.beginning(client, entity_id, int(number), size_bytes_max=SHOWN_BYTES_MAX)
    if version is None or read is None or len(read) > SHOWN_BYTES_MAX:
        return visit.unknown(f"{entity_id}.{number[:20]} cannot be shown.")
    kind = _kind(version.path, read[:READ_BYTES_MAX])
    types = {"image": _image(read), "svg": "image/svg+xml", "html": "text/html"}
    if kind not in types:
        return visit.unknown(f"{entity_id}.{number[:20]} is neither a picture nor a page.")
    name = quote(version.path.rpartition("/")[2], safe="")
    headers = [
        ("Content-Security-Policy", _CONFINED),
        ("Content-Disposition", f"inline; filename*=UTF-8''{name}"),
    ]
    return Response(body=read, content_type=types[kind] or "application/octet-stream", headers=headers)


def _kind(path: str, read: bytes) -> Kind:
    name = path.lower()
    if _image(read) is not None:
        return "image"
    if name.endswith(".svg") and b"<svg" in read[:4096]:
        return "svg"
    if name.endswith((".html", ".htm")) and b"\0" not in read:
        return "html"
    return "text"


def _image(read: bytes) -> str | None:
    """Return the type of a picture by its first bytes, or None."""
    head = read[:_HEAD_BYTES]
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _IMAGES.items() if head.startswith(magic)), None)


def _folder(client: Client, version: Version) -> Preview:
    read = contents.beginning(client, version.entity_id, version.version_number, size_bytes_max=MANIFEST_BYTES_MAX)
    if read is None:
        return Preview("", "The list of its files is not available.")
    if len(read) > MANIFEST_BYTES_MAX:
        return Preview("", "It has too many files to list.")
    try:
        entries = read_manifest(read).entries
    except (CorruptStoreError, NewerStoreError) as error:
        return Preview("", error.message)
    hidden = len(entries) - MEMBERS_MAX
    said = f"and {text.counted(hidden, 'more file')}" if hidden > 0 else ""
    return Preview("folder", said, members=tuple(entries[:MEMBERS_MAX]))


def _text(path: str, read: bytes) -> Preview:
    is_packed = path.lower().endswith((".gz", ".bgz"))
    if is_packed:
        path = path.rpartition(".")[0]
        try:
            read = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(read, READ_BYTES_MAX + 1)
        except zlib.error:
            return Preview("", "It is not compressed as its name says.")
    is_cut = len(read) > READ_BYTES_MAX
    whole = _decoded(read[:READ_BYTES_MAX], is_cut=is_cut)
    if whole is None:
        return Preview("", "There is no preview of this kind of file.")
    if not whole:
        return Preview("", "It is empty.")
    suffix = "." + path.lower().rpartition(".")[2]
    separator = _TABLES.get(suffix)
    if separator is not None and (table := _table(whole, separator, is_cut=is_cut)) is not None:
        return table
    if suffix == ".json" and not is_cut and whole.strip().count("\n") == 0:
        whole = _indented(whole)
    return _lines(path, whole, is_cut=is_cut)


def _decoded(read: bytes, *, is_cut: bool) -> str | None:
    """Return bytes as text, or None if they are not text; a character that was cut is left out."""
    if b"\0" in read:
        return None
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if is_cut and error.start >= len(read) - 4:
            return read[: error.start].decode("utf-8-sig")
        return None


def _lines(path: str, whole: str, *, is_cut: bool) -> Preview:
    lines = whole.removesuffix("\n").split("\n")
    shown = "\n".join(text.shorten(line[: 2 * LINE_CHARACTERS_MAX], LINE_CHARACTERS_MAX) for line in lines[:LINES_MAX])
    said = ""
    if len(lines) > LINES_MAX:
        total = "more" if is_cut else f"{text.number(len(lines))} lines in all"
        said = f"The first {text.number(LINES_MAX)} lines; {total}."
    elif is_cut:
        said = f"The first {text.size(READ_BYTES_MAX)}."
    return Preview("text", said, lines=highlight.code(render.safe_lines(shown), name=path))


def _table(whole: str, separator: str, *, is_cut: bool) -> Preview | None:
    """Return the first rows of a table; None if it is not a table."""
    rows: list[tuple[str, ...]] = []
    columns = 0
    try:
        for row in _rows(whole, separator):
            columns = max(columns, len(row))
            rows.append(tuple(map(_cell, row[:COLUMNS_MAX])))
            if len(rows) > ROWS_MAX + 1:
                break
    except csv.Error:
        return None
    if columns < 2:
        return None
    has_more = len(rows) > ROWS_MAX + 1
    rows = rows[: ROWS_MAX + 1]
    limits = [
        f"The first {ROWS_MAX} rows" if has_more or is_cut else "",
        f"the first {COLUMNS_MAX} of {text.number(columns)} columns" if columns > COLUMNS_MAX else "",
    ]
    said = ", ".join(filter(None, limits))
    width = max(map(len, rows))
    said = f"{said[0].upper()}{said[1:]}." if said else ""
    return Preview("table", said, rows=tuple(row + ("",) * (width - len(row)) for row in rows))


def _cell(value: str) -> str:
    return text.shorten(value[: 2 * CELL_CHARACTERS_MAX], CELL_CHARACTERS_MAX)


def _rows(whole: str, separator: str) -> Iterator[list[str]]:
    # A line of comments is not part of the table.
    lines = (line for line in io.StringIO(whole) if not line.startswith("##"))
    return (row for row in csv.reader(lines, delimiter=separator) if row)


def _indented(whole: str) -> str:
    """Return JSON in one line as people read it."""
    try:
        return json.dumps(json.loads(whole), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return whole
