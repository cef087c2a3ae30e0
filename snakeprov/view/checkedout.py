"""The screen of `checkout`, its JSON, and the note that it leaves in the folder.

Must not know: how anything is downloaded or written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from snakeprov.model.checkedout import CheckedOut, Item
from snakeprov.view import text
from snakeprov.view.answers import run_status
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
    run = text.short_id(found.run["id"])
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


def answer(found: CheckedOut) -> dict[str, Any]:
    """Return what `checkout --json` prints, and what it leaves in the folder."""
    git = found.run.get("git") or {}
    return {
        "runId": found.run["id"],
        "runStatus": run_status(found.run),
        "commandLine": found.run.get("commandLine"),
        "folder": found.folder,
        "workingDirectory": found.work,
        "code": found.code,
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
        "files": [_file(item) for item in found.placed],
        "missing": [{**_file(item), "reason": item.reason} for item in found.missing],
        "notes": found.notes,
    }


def note(found: CheckedOut) -> Iterator[str]:
    """Yield the lines of the note in Markdown: what is here, what is not, and how to go on."""
    git = found.run.get("git") or {}
    yield f"# Run {say(found.run['id']).text}"
    yield ""
    yield f"* status: {say(run_status(found.run)).text}"
    if found.run.get("startedOn"):
        yield f"* started: {say(found.run['startedOn']).text}"
    if found.run.get("commandLine"):
        yield f"* command: {_span(found.run['commandLine'])}"
    yield f"* working directory: {_span(found.work)}, which was {_span(found.run.get('workingDirectory'))}"
    if git.get("commit"):
        yield f"* commit: {_span(git['commit'])}{', and what was changed since' if git.get('dirty') else ''}"
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


def _file(item: Item) -> dict[str, Any]:
    return {
        "role": item.role,
        "path": item.path,
        "entityId": item.entity_id,
        "versionNumber": item.version_number,
        "sha256": item.sha256,
        "to": item.to,
    }


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
