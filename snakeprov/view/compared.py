"""The screen and the JSON of `verify`: which files on disk are as recorded, and which differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from snakeprov.model import meant
from snakeprov.model.answers import Meaning
from snakeprov.model.comparison import FINE, Compared, State
from snakeprov.model.times import to_wire
from snakeprov.view import text, times
from snakeprov.view.documents import Document
from snakeprov.view.text import Line, Screen, compose, counted, say

FILES_SHOWN_MAX: Final = 50
MEMBERS_SHOWN_MAX: Final = 10
SAME_SHOWN_MAX: Final = 3

WORDS: Final[Mapping[State, str]] = {
    "ok": "ok",
    "changed": "changed",
    "missing": "missing",
    "unreadable": "unreadable",
    "neverRecorded": "never recorded",
    "temporary": "temporary",
    "logGone": "log or benchmark gone",
    "elsewhere": "elsewhere",
}


def lines(
    found: Sequence[Compared], screen: Screen, *, ok: bool, counts: Mapping[State, int], truncated: bool = False
) -> Iterator[str]:
    """Yield the lines of `verify`.

    Args:
        found: What was compared, as far as it is kept in mind.
        screen: Where the lines will be shown.
        ok: Whether nothing is wrong.
        counts: How many files are in which state.
        truncated: Whether there are files that were not looked at.
    """
    wrong = [one for one in found if one.state not in FINE]
    yield from text.sentence(_verdict(counts), screen, "good" if ok else "bad")
    if wrong:
        yield ""
    shown = wrong if len(wrong) <= FILES_SHOWN_MAX else wrong[: FILES_SHOWN_MAX - 1]
    rows = [_row(one, screen) for one in shown]
    for row, one in zip(text.listing(rows, screen), shown, strict=True):
        yield from row
        yield from _members(one, screen)
    total = sum(count for state, count in counts.items() if state not in FINE)
    if total > len(shown):
        hidden = counted(total - len(shown), "more file")
        yield compose([say(f"{screen.glyphs.ellipsis} and {hidden} (--json lists all)")], screen)
    yield from _edited(found, screen)
    if truncated:
        yield compose([say("There are more files, which were not looked at: name a smaller folder.")], screen)


class MemberDocument(Document, frozen=True, kw_only=True):
    """A file in a directory that is not as recorded."""

    path: str
    difference: str


class ComparedDocument(Document, frozen=True, kw_only=True):
    """A file on disk beside what is recorded of it."""

    path: str
    state: State
    entity_id: str | None
    version_number: int | None
    recorded_sha256: str | None
    recorded_md5: str | None
    bytes_kept: bool | None
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    changed_on: str | None
    same_as: list[str]
    made_by: str | None
    meaning: Meaning | None
    members: list[MemberDocument]
    problem: str | None


class VerifyDocument(Document, frozen=True, kw_only=True):
    """`verify`; `counts`: how many files are in which state."""

    ok: bool
    deep: bool
    counts: dict[State, int]
    files: list[ComparedDocument]
    truncated: bool


def document(
    found: Sequence[Compared], *, ok: bool, counts: Mapping[State, int], truncated: bool, deep: bool
) -> VerifyDocument:
    """Return what `verify --json` prints."""
    return VerifyDocument(
        ok=ok,
        deep=deep,
        counts={state: counts.get(state, 0) for state in WORDS},
        files=[_file(one) for one in found],
        truncated=truncated,
    )


def _verdict(counts: Mapping[State, int]) -> str:
    total = sum(counts.values()) - counts.get("neverRecorded", 0)
    fine: tuple[State, ...] = ("temporary", "logGone", "elsewhere")
    aside = ", ".join(_aside(state, counts[state]) for state in fine if counts.get(state))
    aside = f" ({aside})" if aside else ""
    wrong = {state: count for state, count in counts.items() if state not in (*FINE, "neverRecorded") and count}
    never = counts.get("neverRecorded", 0)
    if not total:
        return (
            f"{counted(never, 'file was', 'files were')} never recorded."
            if never
            else "Nothing is recorded that could be verified."
        )
    also = f"; {text.number(never)} more never recorded" if never else ""
    if wrong:
        count = sum(wrong.values())
        verb = "is" if count == 1 else "are"
        listed = ", ".join(f"{text.number(number)} {WORDS[state]}" for state, number in wrong.items())
        begin = f"{text.number(count)} of {counted(total, 'file')} {verb}" if total > 1 else "The file is"
        return f"{begin} not what was recorded: {listed}{aside}{also}."
    if not counts.get("ok"):
        return f"Nothing is wrong{aside}{also}."
    begin = f"All {text.number(total)} files are" if total > 1 else "The file is"
    return f"{begin} what was recorded{aside}{also}."


def _aside(state: State, count: int) -> str:
    if state == "logGone":
        return f"{counted(count, 'log or benchmark', 'logs or benchmarks')} gone"
    return f"{text.number(count)} {WORDS[state]}"


def _row(one: Compared, screen: Screen) -> Line:
    name = f"{one.path}@{one.recorded.version_number}" if one.recorded else one.path
    return [say(WORDS[one.state], "bad"), say(name), say(_note(one, screen), "faint")]


def _note(one: Compared, screen: Screen) -> str:
    notes = [f"written {times.relative(one.changed_on, screen.now)}"] if one.changed_on else []
    if one.problem:
        notes.append(one.problem.rstrip("."))
    if one.same_as:
        more = len(one.same_as) - SAME_SHOWN_MAX
        listed = ", ".join(one.same_as[:SAME_SHOWN_MAX]) + (f" and {text.number(more)} more" if more > 0 else "")
        notes.append(f"the content of {listed}")
    elif one.state == "changed" and one.made_by:
        notes.append(f"changed since {one.made_by} wrote it")
    elif one.state == "changed" and one.digest:
        notes.append("a content that is not recorded")
    if one.recorded and one.state in ("missing", "changed"):
        if one.recorded.bytes_kept:
            notes.append("can be restored")
        elif one.recorded.bytes_kept is False:
            notes.append("bytes not kept")
    return "; ".join(notes)


def _edited(found: Sequence[Compared], screen: Screen) -> Iterator[str]:
    """Yield the files that are as recorded, and were recorded after an edit by hand."""
    edited = [
        (one.recorded, one.recorded.meaning)
        for one in found
        if one.state == "ok" and one.recorded and one.recorded.meaning and one.recorded.meaning.kind == "edited"
    ]
    if not edited:
        return
    yield ""
    yield compose([say(f"{counted(len(edited), 'file')} edited after a job had written it:")], screen)
    for recorded, meaning in edited[:FILES_SHOWN_MAX]:
        said = say(f"  {meant.said(meaning, path=recorded.path)}", "raw")
        line = [say(f"  {recorded.path}@{recorded.version_number}"), said]
        yield from text.paragraph(line, screen, hang=4)
    if len(edited) > FILES_SHOWN_MAX:
        more = text.number(len(edited) - FILES_SHOWN_MAX)
        yield compose([say(f"  {screen.glyphs.ellipsis} and {more} more (--json lists all)")], screen)


def _members(one: Compared, screen: Screen) -> Iterator[str]:
    for member in one.differences[:MEMBERS_SHOWN_MAX]:
        yield compose([say("  "), say(member.what.ljust(8), "faint"), say(" "), say(member.path)], screen)
    hidden = len(one.differences) - MEMBERS_SHOWN_MAX
    if hidden > 0:
        yield compose([say(f"  {screen.glyphs.ellipsis} and {text.number(hidden)} more")], screen)


def _file(one: Compared) -> ComparedDocument:
    recorded, digest = one.recorded, one.digest
    return ComparedDocument(
        path=one.path,
        state=one.state,
        entity_id=recorded.entity_id if recorded else None,
        version_number=recorded.version_number if recorded else None,
        recorded_sha256=recorded.sha256 if recorded else None,
        recorded_md5=recorded.md5 if recorded else None,
        bytes_kept=recorded.bytes_kept if recorded else None,
        sha256=digest.sha256 if digest else None,
        md5=digest.md5 if digest else None,
        size_bytes=digest.size_bytes if digest else None,
        changed_on=to_wire(one.changed_on) if one.changed_on else None,
        same_as=one.same_as,
        made_by=one.made_by,
        meaning=recorded.meaning if recorded else None,
        members=[MemberDocument(path=member.path, difference=member.what) for member in one.differences],
        problem=one.problem,
    )
