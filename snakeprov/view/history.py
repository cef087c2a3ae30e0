"""The screens of `log`: the versions of one file, and the latest outputs of a run.

Must not know: how the answers of the repository were got.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snakeprov.model import meant
from snakeprov.view import text, times
from snakeprov.view.answers import run_status
from snakeprov.view.text import Piece, Screen, compose, counted, say

COMMITS_SHOWN_MAX = 3
"""Of the other commits that made the same bytes only the last are named."""


def versions(answer: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield the lines of `log PATH` for an answer of the history resource."""
    entity, shown = answer["entity"], answer["versions"]
    total = answer.get("totalNumberOfResults", len(shown))
    path = entity.get("path") or entity["name"]
    summary = f"  {entity['id']} {screen.glyphs.dot} {counted(total, 'version')}"
    yield from text.paragraph([say(path, "strong"), say(summary, "faint")], screen, hang=2)
    yield ""
    titles = ("version", "when", "rule", "run", "commit", "size", "sha256")
    rows = [_version(one, screen) for one in shown]
    notes = ["", *(_notes(one, path, screen) for one in shown)]
    lines = text.table(rows, screen, titles=titles, right=frozenset({5}), flexible=2)
    for line, note in zip(lines, notes, strict=True):
        yield line
        if note:
            yield from text.paragraph([say(f"  {note}", "faint")], screen, hang=4)
    if total > len(shown):
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(total - len(shown), 'older version')}")], screen)


def _version(version: Mapping[str, Any], screen: Screen) -> list[Piece]:
    created = times.parse(version.get("createdOn"))
    generated = version.get("activityId") is not None
    return [
        say(f"@{version['versionNumber']}", "version"),
        say(times.relative(created, screen.now) if created else ""),
        say(version.get("rule") or "unknown", "rule") if generated else by_nobody(version),
        say(text.short_id(version.get("runId"))),
        say(text.short_commit(version.get("commit"), dirty=version.get("dirty")), "commit"),
        say(text.size(version.get("sizeBytes"))),
        say(text.short_id(version.get("sha256")), "faint"),
    ]


def by_nobody(version: Mapping[str, Any]) -> Piece:
    """Return how a version that no job made came about, in a word or two."""
    meaning = meant.of(version)
    if meaning is None:
        return say(meant.unmade(version.get("role")), "raw")
    if meaning.kind == "edited":
        return say("by hand" if meant.is_by_hand(meaning) else "unknown", "raw")
    return say("put back" if meaning.kind == "again" else "no job", "raw")


def _notes(version: Mapping[str, Any], path: str, screen: Screen) -> str:
    notes = []
    if (meaning := meant.of(version)) is not None:
        notes.append(meant.mark(meaning, path=path))
    if version.get("sha256") is None and version.get("md5") is None:
        notes.append(meant.NOT_PROVED)
    if reproduced := len(version.get("reproducedBy") or ()):
        notes.append(f"reproduced {reproduced}{screen.glyphs.times}{_earlier(version)}")
    if version.get("bytesKept") is False:
        notes.append("bytes not kept")
    return f" {screen.glyphs.dot} ".join(notes)


def _earlier(version: Mapping[str, Any]) -> str:
    """Return the other commits from which the same bytes were made."""
    makings = version.get("makings") or ()
    told = text.short_commit(version.get("commit"), dirty=version.get("dirty"))
    commits = dict.fromkeys(text.short_commit(one.get("commit"), dirty=one.get("dirty")) for one in makings)
    others = [commit for commit in commits if commit and commit != told]
    if not others:
        return ""
    return f", also from {', '.join(others[-COMMITS_SHOWN_MAX:])}"


def latest(
    run: Mapping[str, Any], outputs: Sequence[Mapping[str, Any]], screen: Screen, *, total: int
) -> Iterator[str]:
    """Yield the lines of `log` without a path.

    Args:
        run: The last run, as the runs resource answers.
        outputs: The last of its outputs, newest first, as the outputs resource answers.
        screen: Where the lines will be shown.
        total: How many outputs the run had in all.
    """
    yield compose(run_line(run, screen), screen)
    yield ""
    if not total:
        yield "This run wrote no files."
        return
    titles = ("output", "rule", "", "size", "sha256")
    rows = [_output(one) for one in outputs]
    yield from text.table(rows, screen, titles=titles, right=frozenset({3}), flexible=0, keep="end")
    if total > len(outputs):
        hidden = counted(total - len(outputs), "earlier output")
        yield compose([say(f"{screen.glyphs.ellipsis} and {hidden}")], screen)


def run_line(run: Mapping[str, Any], screen: Screen) -> list[Piece]:
    """Return the line that names a run: its short id, status, age and jobs."""
    status = run_status(run)
    started = times.parse(run.get("startedOn"))
    ended = times.parse(run.get("endedOn"))
    moment = ended or started
    dot = f" {screen.glyphs.dot} "
    parts = [
        times.relative(moment, screen.now) if moment else "",
        took if (took := times.between(run.get("startedOn"), run.get("endedOn"))) else "",
        job_counts(run),
    ]
    return [
        say("run "),
        say(text.short_id(run["id"]), "strong"),
        say("  "),
        say(status, status_role(status)),
        say("".join(dot + part for part in parts if part)),
    ]


def job_counts(run: Mapping[str, Any], *, noun: str = "job") -> str:
    """Return how many jobs a run had, and how many of them are not simply done.

    >>> job_counts({"jobs": {"success": 11, "failed": 1}})
    '12 jobs (1 failed)'
    """
    jobs = run.get("jobs") or {}
    other = ", ".join(f"{count} {status}" for status, count in jobs.items() if status != "success" and count)
    total = sum(jobs.values())
    return (counted(total, noun) if noun else text.number(total)) + (f" ({other})" if other else "")


def status_role(status: str) -> text.Role:
    """Return the colour of a job's or a run's status."""
    if status in ("success", "cached"):
        return "good"
    return "bad" if status in ("failed", "interrupted") else ""


def _output(output: Mapping[str, Any]) -> list[Piece]:
    outcome = output.get("outcome") or ""
    return [
        versioned(output),
        say(output.get("rule") or "", "rule"),
        say("" if outcome == "generated" else outcome),
        say(text.size(output.get("sizeBytes"))),
        say(text.short_id(output.get("sha256")), "faint"),
    ]


def versioned(file: Mapping[str, Any], role: text.Role = "") -> Piece:
    """Return a path with the version that is meant: `results/a.txt@2`."""
    number = file.get("versionNumber")
    return say(f"{file['path']}@{number}" if number is not None else file["path"], role)
