"""The screen and the JSON of `ls`: the recorded files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snakeprov.model.answers import Role, Version
from snakeprov.view import text, times
from snakeprov.view.documents import Document, document_of
from snakeprov.view.history import versioned
from snakeprov.view.text import Screen, counted, say


class ListedFileDocument(Document, frozen=True, kw_only=True):
    """A file at its latest version; `role`: what it was to the first job that named it."""

    path: str
    entity_id: str
    version_number: int
    created_on: str | None
    role: Role | None
    sha256: str | None
    size_bytes: int | None
    bytes_kept: bool | None


class ListDocument(Document, frozen=True, kw_only=True):
    """`ls`: the files in a folder, by path; `under` is empty where all of the project were asked for."""

    under: str
    files: list[ListedFileDocument]
    truncated: bool


def document(files: Sequence[Version], *, under: str, truncated: bool) -> ListDocument:
    """Return what `ls --json` prints."""
    listed = [document_of(ListedFileDocument, one) for one in files]
    return ListDocument(under=under, files=listed, truncated=truncated)


def lines(files: Sequence[Version], screen: Screen, *, under: str, truncated: bool) -> Iterator[str]:
    """Yield the lines of `ls`; `truncated`: there are more files."""
    if not files:
        yield "Nothing has been recorded in this project yet."
        return
    size_bytes = sum(one.size_bytes or 0 for one in files)
    where = f"in {under}" if under else "in this project"
    first = "The first " if truncated else ""
    said = f"{first}{counted(len(files), 'file')} recorded {where}, {text.size(size_bytes)}."
    yield from text.paragraph([say(said)], screen)
    yield ""
    titles = ("file", "when", "first as", "size", "sha256")
    # The path is what is looked for: the other columns go first.
    yield from text.table(
        [_file(one, screen) for one in files],
        screen,
        titles=titles,
        right=frozenset({3}),
        flexible=0,
        keep="path",
        drop=(4, 2, 1),
    )


def _file(version: Version, screen: Screen) -> text.Line:
    created = times.parse(version.created_on)
    return [
        versioned(version.path, version.version_number),
        say(times.relative(created, screen.now) if created else ""),
        say(version.role or "", "faint"),
        say(text.size(version.size_bytes)),
        say(text.short_id(version.sha256), "faint"),
    ]
