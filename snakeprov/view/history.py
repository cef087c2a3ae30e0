"""The screens of `log`: the versions of one file, and the latest outputs of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from snakeprov.model import meant
from snakeprov.model.answers import History, MadeVersion, Page, Run, SearchResult, ToldVersion, Version
from snakeprov.model.records import JobStatus
from snakeprov.view import text, times
from snakeprov.view.text import Piece, Screen, compose, counted, say

COMMITS_SHOWN_MAX = 3
"""Of the other commits that made the same bytes only the last are named."""


def versions(history: History, screen: Screen) -> Iterator[str]:
    """Yield the lines of `log PATH`."""
    entity, shown = history.entity, history.results
    path = entity.recorded_path
    summary = f"  {entity.id} {screen.glyphs.dot} {counted(len(shown) + history.hidden, 'version')}"
    yield from text.paragraph([say(path, "strong"), say(summary, "faint")], screen, hang=2)
    yield ""
    titles = ("version", "when", "rule", "run", "commit", "size", "sha256")
    rows = [_version(one, screen) for one in shown]
    unusual = ["", *(notes(one, path, screen) for one in shown)]
    lines = text.table(rows, screen, titles=titles, right=frozenset({5}), flexible=2)
    for line, note in zip(lines, unusual, strict=True):
        yield line
        if note:
            yield from text.paragraph([say(f"  {note}", "faint")], screen, hang=4)
    if history.hidden:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(history.hidden, 'older version')}")], screen)


def _version(version: ToldVersion, screen: Screen) -> list[Piece]:
    created = times.parse(version.created_on)
    generated = version.activity_id is not None
    return [
        say(f"@{version.version_number}", "version"),
        say(times.relative(created, screen.now) if created else ""),
        say(version.rule or "unknown", "rule") if generated else by_nobody(version),
        say(text.short_id(version.run_id)),
        say(text.short_commit(version.commit, dirty=version.dirty), "commit"),
        say(text.size(version.size_bytes)),
        say(text.short_id(version.sha256), "faint"),
    ]


def by_nobody(version: Version | SearchResult) -> Piece:
    """Return the origin of a version that no job made, in a word or two."""
    meaning = version.meaning
    if meaning is None:
        return say(meant.unmade(version.role), "raw")
    if meaning.kind == "edited":
        return say("by hand" if meant.is_by_hand(meaning) else "unknown", "raw")
    return say("put back" if meaning.kind == "again" else "no job", "raw")


def notes(version: ToldVersion, path: str, screen: Screen) -> str:
    """Return what is unusual about a version of the file `path`; empty where nothing is."""
    found = []
    if version.meaning is not None:
        found.append(meant.mark(version.meaning, path=path))
    if not version.is_proved:
        found.append(meant.NOT_PROVED)
    if reproduced := len(version.reproduced_by):
        found.append(f"reproduced {reproduced}{screen.glyphs.times}{_earlier(version)}")
    if version.bytes_kept is False:
        found.append("bytes not kept")
    return f" {screen.glyphs.dot} ".join(found)


def _earlier(version: ToldVersion) -> str:
    """Return the other commits from which the same bytes were made."""
    told = text.short_commit(version.commit, dirty=version.dirty)
    commits = dict.fromkeys(text.short_commit(one.commit, dirty=one.dirty) for one in version.makings)
    others = [commit for commit in commits if commit and commit != told]
    if not others:
        return ""
    return f", also from {', '.join(others[-COMMITS_SHOWN_MAX:])}"


def latest(run: Run, outputs: Page[MadeVersion], screen: Screen) -> Iterator[str]:
    """Yield the lines of `log` without a path.

    Args:
        run: The last run.
        outputs: Its outputs, newest first.
        screen: Where the lines will be shown.
    """
    yield compose(run_line(run, screen), screen)
    yield ""
    if not outputs.results:
        yield "This run wrote no files."
        return
    titles = ("output", "rule", "", "size", "sha256")
    rows = [_output(one) for one in outputs.results]
    yield from text.table(rows, screen, titles=titles, right=frozenset({3}), flexible=0, keep="path")
    if outputs.hidden:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(outputs.hidden, 'earlier output')}")], screen)


def run_line(run: Run, screen: Screen, *, done: str = "") -> list[Piece]:
    """Return the line that names a run: its short id, status, age and jobs; `done`: how far it is, instead of these."""
    moment = run.ended_on or run.started_on
    dot = f" {screen.glyphs.dot} "
    parts = [
        times.relative(moment, screen.now) if moment else "",
        took if (took := times.between(run.started_on, run.ended_on)) else "",
        done or job_counts(run.jobs),
    ]
    return [
        say("run "),
        say(text.short_id(run.id), "strong"),
        say("  "),
        say(run.status, status_role(run.status)),
        say("".join(dot + part for part in parts if part)),
    ]


def job_counts(jobs: Mapping[JobStatus, int] | None, *, noun: str = "job") -> str:
    """Return how many jobs a run had, and how many of them are not simply done.

    >>> job_counts({"success": 11, "failed": 1})
    '12 jobs (1 failed)'
    """
    counts = jobs or {}
    other = ", ".join(f"{count} {status}" for status, count in counts.items() if status != "success" and count)
    total = sum(counts.values())
    return (counted(total, noun) if noun else text.number(total)) + (f" ({other})" if other else "")


def status_role(status: str) -> text.Role:
    """Return the colour of a job's or a run's status."""
    if status in ("success", "cached"):
        return "good"
    return "bad" if status in ("failed", "interrupted") else ""


def _output(output: MadeVersion) -> list[Piece]:
    return [
        versioned(output.path, output.version_number),
        say(output.rule, "rule"),
        say("" if output.outcome == "generated" else output.outcome),
        say(text.size(output.size_bytes)),
        say(text.short_id(output.sha256), "faint"),
    ]


def versioned(path: str, number: int | None, role: text.Role = "") -> Piece:
    """Return a path with its version: `results/a.txt@2`."""
    return say(f"{path}@{number}" if number is not None else path, role)
