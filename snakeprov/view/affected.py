"""The screen, the JSON and the CSV of `affected`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from snakeprov.model import meant
from snakeprov.model.answers import MadeVersion, Meaning, MeaningKind, Outcome, Role
from snakeprov.view import text
from snakeprov.view.documents import Document, document_of
from snakeprov.view.text import Screen, compose, counted, say

FOLD_ABOVE = 12
"""More versions than this of one rule are folded."""

FOLD_SHOWS = 3
"""Number of folded versions that are still shown."""

STARTS_NAMED_MAX = 3
"""Number of starts named in the first sentence."""

_BY_NOBODY = {"again": "put back", "sameContent": "same content"}
"""Titles of the groups of versions that no job made and nobody edited."""


class AffectedVersion(Document, frozen=True, kw_only=True):
    """A version in the JSON and the CSV; `on_disk`: whether its bytes lie at its path."""

    path: str
    version_number: int
    entity_id: str
    is_latest: bool | None
    on_disk: bool
    rule: str | None
    outcome: Outcome | MeaningKind | None
    run_id: str | None
    commit: str | None
    dirty: bool | None
    created_on: str | None
    sha256: str | None
    size_bytes: int | None
    activity_id: str | None
    role: Role | None
    by_evidence: bool
    identity_proved: bool
    way_proved: bool
    meaning: Meaning | None


class AffectedDocument(Document, frozen=True, kw_only=True):
    """`affected`: what was asked about, and what came from it."""

    starts: list[str]
    versions: list[AffectedVersion]
    truncated: bool


class OnDisk(NamedTuple):
    """An affected version, and whether its bytes lie at its path."""

    version: MadeVersion
    on_disk: bool


class Affected(NamedTuple):
    """What came from what was asked about; `truncated`: there is more."""

    versions: Sequence[OnDisk]
    truncated: bool


def affected(answer: Affected, screen: Screen, *, starts: Sequence[str], show_all: bool) -> Iterator[str]:
    """Yield the lines of `affected`.

    Args:
        answer: What is affected.
        screen: Where the lines will be shown.
        starts: What was asked about, in words.
        show_all: Whether nothing is folded.
    """
    versions = answer.versions
    yield from text.sentence(_sentence(answer, starts), screen)
    for rule, made in by_rule(versions).items():
        there = sum(one.on_disk for one in made)
        counts = counted(len(made), "version") + (f", {text.number(there)} on disk" if there else "")
        yield ""
        yield compose([say(rule, "rule"), say(f"  {counts}", "faint")], screen)
        shown = made if show_all or len(made) <= FOLD_ABOVE else made[:FOLD_SHOWS]
        rows = [[say(one.version.label), say(state_of(one), "bad" if one.on_disk else "faint")] for one in shown]
        yield from text.table(rows, screen, flexible=0, keep="path", indent=2)
        if len(shown) < len(made):
            more = text.number(len(made) - len(shown))
            yield compose([say(f"  {screen.glyphs.ellipsis} and {more} more like these (--all)", "faint")], screen)
    if answer.truncated:
        yield ""
        more = f"More came from it than these {counted(len(versions), 'version')}: ask about a file further down."
        yield from text.sentence(more, screen)


def document(answer: Affected, *, starts: Sequence[str]) -> AffectedDocument:
    """Return what `affected --json` prints."""
    return AffectedDocument(starts=list(starts), versions=_rows(answer), truncated=answer.truncated)


def as_csv(answer: Affected) -> Iterator[str]:
    """Yield the lines of `affected --csv`: a title and a row for each version, with the keys of the JSON."""
    rows = [[_cell(value) for value in msgspec.structs.astuple(one)] for one in _rows(answer)]
    for row in (AffectedVersion.__struct_encode_fields__, *rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(row)
        yield line.getvalue()


def _rows(answer: Affected) -> list[AffectedVersion]:
    return [document_of(AffectedVersion, one.version, on_disk=one.on_disk) for one in answer.versions]


def _sentence(answer: Affected, starts: Sequence[str]) -> str:
    said = came_from([one.version for one in answer.versions], starts, truncated=answer.truncated)
    if not answer.versions:
        return f"{said}."
    there = sum(one.on_disk for one in answer.versions)
    still = {0: "none of them is", 1: "1 of them is"}.get(there, f"{text.number(there)} of them are")
    return f"{said}; {still} on disk now."


def came_from(versions: Sequence[MadeVersion], starts: Sequence[str], *, truncated: bool) -> str:
    """Return in a sentence, without its full stop, how much came from what was asked about."""
    named = ", ".join(starts[:STARTS_NAMED_MAX])
    if len(starts) > STARTS_NAMED_MAX:
        named += f" and {counted(len(starts) - STARTS_NAMED_MAX, 'other')}"
    if not versions:
        return f"Nothing that is recorded came from {named}"
    files = len({one.entity_id for one in versions})
    least = "At least " if truncated else ""
    counts = f"{counted(len(versions), 'version')} of {counted(files, 'file')}"
    guessed = sum(one.by_evidence for one in versions)
    logs = sum(one.is_by_product for one in versions)
    among = [
        counted(logs, "log or benchmark", "logs or benchmarks") if logs else "",
        f"{text.number(guessed)} by evidence only, not proof" if guessed else "",
    ]
    apart = f" ({', '.join(filter(None, among))})" if logs or guessed else ""
    return f"{least}{counts} came from {named}{apart}"


def _order(one: OnDisk) -> tuple[bool, str, int]:
    """Return by what the versions of a group are sorted: results first, then by path and number."""
    return one.version.is_by_product, one.version.path, one.version.version_number


def by_rule(versions: Sequence[OnDisk]) -> dict[str, list[OnDisk]]:
    """Return versions by what made them, in each group results first, then by path and number."""
    groups: dict[str, list[OnDisk]] = {}
    for one in versions:
        groups.setdefault(group_of(one.version), []).append(one)
    return {group: sorted(made, key=_order) for group, made in groups.items()}


def group_of(version: MadeVersion) -> str:
    """Return the rule that made a version, or how it came about where no job made it."""
    if version.rule:
        return version.rule
    meaning = version.meaning
    if meaning is not None and meaning.kind == "edited":
        return meant.EDITED if meant.is_by_hand(meaning) else "changed while a job ran"
    return _BY_NOBODY.get(version.outcome or "", "unknown")


def state_of(one: OnDisk) -> str:
    """Return what is unusual about an affected version, and whether it is on disk."""
    version = one.version
    said = (
        version.role if version.is_by_product else "",
        "made again" if version.outcome == "reproduced" else "",
        meant.said(version.meaning, path=version.path) if version.meaning is not None else "",
        "by evidence" if version.by_evidence else "",
        "" if version.identity_proved else meant.NOT_PROVED,
        "" if version.way_proved else "through an input whose identity is not proved",
        "on disk" if one.on_disk else "",
    )
    return ", ".join(filter(None, said))


def _cell(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return say(msgspec.json.encode(value).decode()).text
    return str(value).lower() if isinstance(value, bool) else "" if value is None else say(value).text
