"""The screen, the JSON and the CSV of `affected`.

Must not know: how the versions were found.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from snakeprov.model import meant
from snakeprov.model.comparison import BY_PRODUCTS
from snakeprov.view import text
from snakeprov.view.history import versioned
from snakeprov.view.text import Screen, compose, counted, say

FOLD_ABOVE = 12
"""More versions than this of one rule are folded."""

FOLD_SHOWS = 3
"""Number of folded versions that are still shown."""

STARTS_NAMED_MAX = 3
"""Number of starts named in the first sentence."""

_BY_NOBODY = {"again": "put back", "sameContent": "same content"}
"""Titles of the groups of versions that no job made and nobody edited."""

KEYS = (
    "path",
    "versionNumber",
    "entityId",
    "isLatest",
    "onDisk",
    "rule",
    "outcome",
    "runId",
    "commit",
    "dirty",
    "createdOn",
    "sha256",
    "sizeBytes",
    "activityId",
    "role",
    "byEvidence",
    "identityProved",
    "wayProved",
    "meaning",
)
"""The keys of each version in JSON and CSV."""


def affected(answer: Mapping[str, Any], screen: Screen, *, starts: Sequence[str], show_all: bool) -> Iterator[str]:
    """Yield the lines of `affected`.

    Args:
        answer: What the affected resource answered, each version with `onDisk`.
        screen: Where the lines will be shown.
        starts: What was asked about, in words.
        show_all: Whether nothing is folded.
    """
    versions = answer["versions"]
    yield from text.sentence(_sentence(answer, starts), screen)
    for rule, made in _by_rule(versions).items():
        there = sum(one["onDisk"] for one in made)
        counts = counted(len(made), "version") + (f", {text.number(there)} on disk" if there else "")
        yield ""
        yield compose([say(rule, "rule"), say(f"  {counts}", "faint")], screen)
        made = sorted(made, key=lambda one: (one.get("role") in BY_PRODUCTS, one["path"], one["versionNumber"]))
        shown = made if show_all or len(made) <= FOLD_ABOVE else made[:FOLD_SHOWS]
        rows = [[versioned(one), say(_state(one), "bad" if one["onDisk"] else "faint")] for one in shown]
        yield from text.table(rows, screen, flexible=0, keep="end", indent=2)
        if len(shown) < len(made):
            more = text.number(len(made) - len(shown))
            yield compose([say(f"  {screen.glyphs.ellipsis} and {more} more like these (--all)", "faint")], screen)
    if answer["truncated"]:
        yield ""
        more = f"More came from it than these {counted(len(versions), 'version')}: ask about a file further down."
        yield from text.sentence(more, screen)


def as_json(answer: Mapping[str, Any], *, starts: Sequence[str]) -> dict[str, Any]:
    """Return what `affected --json` prints; every key is always there, unknown is null."""
    versions = [_with_every_key(one) for one in answer["versions"]]
    return {"starts": list(starts), "versions": versions, "truncated": answer["truncated"]}


def as_csv(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of `affected --csv`: a title and a row for each version, with the keys of the JSON."""
    for row in (KEYS, *([_cell(value) for value in _with_every_key(one).values()] for one in answer["versions"])):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(row)
        yield line.getvalue()


def _with_every_key(version: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: version.get(key) for key in KEYS}
    proved = {key: found[key] is not False for key in ("identityProved", "wayProved")}
    return found | {"byEvidence": bool(found["byEvidence"]), **proved}


def _sentence(answer: Mapping[str, Any], starts: Sequence[str]) -> str:
    versions = answer["versions"]
    named = ", ".join(starts[:STARTS_NAMED_MAX])
    if len(starts) > STARTS_NAMED_MAX:
        named += f" and {counted(len(starts) - STARTS_NAMED_MAX, 'other')}"
    if not versions:
        return f"Nothing that is recorded came from {named}."
    files = len({(one["entityId"]) for one in versions})
    there = sum(one["onDisk"] for one in versions)
    still = {0: "none of them is", 1: "1 of them is"}.get(there, f"{text.number(there)} of them are")
    least = "At least " if answer["truncated"] else ""
    counts = f"{counted(len(versions), 'version')} of {counted(files, 'file')}"
    guessed = sum(bool(one.get("byEvidence")) for one in versions)
    logs = sum(one.get("role") in BY_PRODUCTS for one in versions)
    among = [
        counted(logs, "log or benchmark", "logs or benchmarks") if logs else "",
        f"{text.number(guessed)} by evidence only, not proof" if guessed else "",
    ]
    apart = f" ({', '.join(filter(None, among))})" if logs or guessed else ""
    return f"{least}{counts} came from {named}{apart}; {still} on disk now."


def _by_rule(versions: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in versions:
        groups.setdefault(one.get("rule") or _by_nobody(one), []).append(one)
    return groups


def _by_nobody(version: Mapping[str, Any]) -> str:
    meaning = meant.of(version)
    if meaning is not None and meaning.kind == "edited":
        return meant.EDITED if meant.is_by_hand(meaning) else "changed while a job ran"
    return _BY_NOBODY.get(version["outcome"], "unknown")


def _state(version: Mapping[str, Any]) -> str:
    meaning = meant.of(version)
    said = (
        version["role"] if version.get("role") in BY_PRODUCTS else "",
        "made again" if version["outcome"] == "reproduced" else "",
        meant.said(meaning, path=version["path"]) if meaning is not None else "",
        "by evidence" if version.get("byEvidence") else "",
        meant.NOT_PROVED if version.get("identityProved") is False else "",
        "through an input whose identity is not proved" if version.get("wayProved") is False else "",
        "on disk" if version["onDisk"] else "",
    )
    return ", ".join(filter(None, said))


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return say(msgspec.json.encode(value).decode()).text
    return str(value).lower() if isinstance(value, bool) else "" if value is None else say(value).text
