"""The screen of `checkout`, its JSON, and the note that it leaves in the folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from snakeprov.model.answers import Role
from snakeprov.model.checkedout import CheckedOut, Item
from snakeprov.model.records import RunStatus
from snakeprov.model.times import to_wire
from snakeprov.view import text
from snakeprov.view.documents import Document, document_of
from snakeprov.view.text import Screen, compose, counted, say

MISSING_SHOWN_MAX: Final = 20
MISSING_NOTED_MAX: Final = 10_000
NOTES_SHOWN_MAX: Final = 20

_BACKTICKS = re.compile("`+")


def lines(found: CheckedOut, screen: Screen, *, to: str, note: str) -> Iterator[str]:
    """Yield the lines of `checkout`.

    Args:
        found: What was put into the folder.
        screen: Where the lines will be shown.
        to: The folder, as people read it.
        note: The name of the note in it.
    """
    run = text.short_id(found.run.id)
    placed = counted(len(found.placed), "file")
    yield from text.sentence(f"Run {run} is in {to}: {_code(found)}, {placed} of the run.", screen, "good")
    for sentence in found.notes[:NOTES_SHOWN_MAX]:
        yield from text.sentence(sentence, screen, "faint")
    if len(found.notes) > NOTES_SHOWN_MAX:
        yield from text.sentence(f"{screen.glyphs.ellipsis} and more, in {note}", screen, "faint")
    if not found.missing:
        return
    yield ""
    yield from text.paragraph(
        [say(f"{counted(len(found.missing), 'file')} could not be restored; {note} lists them all:", "bad")], screen
    )
    for item in found.missing[:MISSING_SHOWN_MAX]:
        yield compose([say(f"  {_name(item)}"), say(f"  {item.reason}", "faint")], screen)
    if len(found.missing) > MISSING_SHOWN_MAX:
        hidden = text.number(len(found.missing) - MISSING_SHOWN_MAX)
        yield compose([say(f"  {screen.glyphs.ellipsis} and {hidden} more")], screen)


class PlacedDocument(Document, frozen=True, kw_only=True):
    """A file of the run, and where it is below the folder."""

    role: Role
    path: str
    entity_id: str | None
    version_number: int | None
    sha256: str | None
    to: str | None


class MissingDocument(PlacedDocument, frozen=True, kw_only=True):
    """A file of the run that could not be restored, and why."""

    reason: str | None


class CheckoutDocument(Document, frozen=True, kw_only=True):
    """`checkout`, also left in the folder."""

    run_id: str
    run_status: RunStatus
    command_line: str | None
    folder: str
    working_directory: str
    code: str
    commit: str | None
    dirty: bool | None
    files: list[PlacedDocument]
    missing: list[MissingDocument]
    notes: list[str]


def document(found: CheckedOut) -> CheckoutDocument:
    """Return what `checkout --json` prints, and what it leaves in the folder."""
    run, git = found.run, found.run.git
    return CheckoutDocument(
        run_id=run.id,
        run_status=run.status,
        command_line=run.command_line,
        folder=found.folder,
        working_directory=found.work,
        code=found.code,
        commit=git.commit if git else None,
        dirty=git.dirty if git else None,
        files=[document_of(PlacedDocument, item) for item in found.placed],
        missing=[document_of(MissingDocument, item) for item in found.missing],
        notes=found.notes,
    )


def note(found: CheckedOut) -> Iterator[str]:
    """Yield the lines of the note in Markdown: what is here, what is not, and how to go on."""
    run = found.run
    yield f"# Run {say(run.id).text}"
    yield ""
    yield f"* status: {run.status}"
    if run.started_on:
        yield f"* started: {to_wire(run.started_on)}"
    if run.command_line:
        yield f"* command: {_span(run.command_line)}"
    yield f"* working directory: {_span(found.work)}, which was {_span(run.working_directory)}"
    if run.git and run.git.commit:
        yield f"* commit: {_span(run.git.commit)}{', and what was changed since' if run.git.dirty else ''}"
    yield f"* here: {_code(found)}, {counted(len(found.placed), 'file')} of the run"
    if found.notes:
        yield ""
        yield from (f"* {_plain(sentence)}" for sentence in found.notes)
    yield ""
    if not found.missing:
        yield "Nothing that was recorded is missing."
        return
    yield f"## {counted(len(found.missing), 'file')} that could not be restored"
    yield ""
    for item in found.missing[:MISSING_NOTED_MAX]:
        digest = f" sha256 {_span(item.sha256)}" if item.sha256 else ""
        yield f"* {_span(_name(item))} ({item.role}): {_plain(item.reason or '')}{digest}"
    if len(found.missing) > MISSING_NOTED_MAX:
        yield f"* and {text.number(len(found.missing) - MISSING_NOTED_MAX)} more: see the JSON beside this file"


def _code(found: CheckedOut) -> str:
    words = {"commit": "the code at its commit", "commit and patch": "the code at its commit with its patch"}
    return words.get(found.code, "the code files that ran")


def _name(item: Item) -> str:
    return item.path if item.version_number is None else f"{item.path}@{item.version_number}"


def _span(value: object) -> str:
    """Return a value as code in Markdown, whatever is in it."""
    shown = say(value).text
    fence = "`" * (max(map(len, _BACKTICKS.findall(shown)), default=0) + 1)
    blank = " " if "`" in shown else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def _plain(sentence: str) -> str:
    """Return a sentence, in which a name may be anything, without meaning in Markdown or HTML."""
    shown = say(sentence).text
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|&" else character for character in shown)
