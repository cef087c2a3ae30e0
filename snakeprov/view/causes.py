"""The screens of `why` and `diff`: a sentence to paste into a mail, and its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snakeprov.lineage.causes import Step, Trace
from snakeprov.lineage.changes import Change, Difference, FileVersion, Side
from snakeprov.lineage.textdifference import TextDifference, text_difference
from snakeprov.view import clauses, reasons, text, times
from snakeprov.view.text import Line, Screen, compose, counted, say

ROWS_MAX = 20
"""More changes of one kind are only counted."""

STEPS_MAX = 15
"""More steps upstream are only counted."""

STEP_CLAUSES_MAX = 5
"""More changes in one step upstream are only counted."""

TEXT_LINES_MAX = 40
"""More lines of one text difference are only counted; `--json` has more."""

VALUE_CHARACTERS_MAX = 300

_INDENT = 2

_COMMAND = "shell command"
_TITLES: dict[str, tuple[str, ...]] = {
    "rule": ("origin", "rule"),
    "wildcards": ("wildcard",),
    "params": ("param",),
    "code": ("code",),
    _COMMAND: ("command",),
    "environment": ("environment", "package"),
    "inputs": ("input",),
}
REASONS = {
    "binary": "binary content",
    "tooLarge": "too large to compare line by line",
    "bytesNotKept": "the bytes are not kept, or you may not download them",
}


def why(trace: Trace, screen: Screen, *, again: Trace | None, count: int) -> Iterator[str]:
    """Yield the lines of `why` for a version that has one before it.

    Args:
        trace: Why it is not the one before.
        screen: Where the lines will be shown.
        again: How the last time that its bytes were made differs from the time before; None: they were made once.
        count: How many times they were made again.
    """
    yield from _sentence(clauses.why(trace), screen)
    if again is not None:
        yield from _sentence(clauses.again(again, count), screen)
    yield from _details(trace, screen)
    if again is not None:
        yield from _again(again, screen)


def first(side: Side, screen: Screen, *, again: Trace | None, count: int) -> Iterator[str]:
    """Yield the lines of `why` for a version that is the first."""
    yield from _sentence(clauses.first(side), screen)
    if again is not None:
        yield from _sentence(clauses.again(again, count), screen)
    yield ""
    yield from _side("version", side, screen)
    yield from _reason(side, screen)
    if again is not None:
        yield from _again(again, screen)


def diff(trace: Trace, screen: Screen, *, content: TextDifference | None) -> Iterator[str]:
    """Yield the lines of `diff` for two versions; `content` is how their bytes differ, where that was asked."""
    yield from _sentence(clauses.diff(trace), screen)
    old, new = trace.difference.old, trace.difference.new
    if (old.entity_id, old.version_number) != (new.entity_id, new.version_number):
        yield from _details(trace, screen, labels=("first", "second"))
    if content is not None:
        yield ""
        yield compose([say("content", "heading")], screen)
        yield from text_lines(content, screen, lines_max=None)


def text_lines(difference: TextDifference, screen: Screen, *, lines_max: int | None = TEXT_LINES_MAX) -> Iterator[str]:
    """Yield a text difference line by line; lines are never cut, they are there to be copied."""
    whole = screen._replace(width=None)
    indent = " " * (2 * _INDENT)
    if difference.reason is not None:
        yield compose([say(indent + REASONS[difference.reason], "faint")], whole)
        return
    if not difference.lines:
        yield compose([say(f"{indent}the same", "faint")], whole)
    for line in difference.lines[:lines_max]:
        role: text.Role = "good" if line.startswith("+") else "bad" if line.startswith("-") else ""
        yield compose([say(indent), say(line.expandtabs(4), role)], whole)
    if difference.truncated or (lines_max is not None and len(difference.lines) > lines_max):
        more = " (--json has more)" if lines_max is not None else ""
        total = f"+{text.number(difference.added)} -{text.number(difference.removed)} lines in all{more}"
        yield compose([say(f"{indent}{screen.glyphs.ellipsis} {total}", "faint")], whole)


def changes(title: str, found: Sequence[Change], trace: Trace, screen: Screen) -> Iterator[str]:
    """Yield a section of changes."""
    if not found:
        return
    yield ""
    yield compose([say(title, "heading")], screen)
    shown = found[:ROWS_MAX]
    lines = text.table([row(one, trace) for one in shown], screen, flexible=0, keep="path", indent=_INDENT)
    for change, line in zip(shown, lines, strict=True):
        yield line
        if change.difference is not None and not change.is_elsewhere:
            yield from text_lines(change.difference, screen)
    if len(found) > len(shown):
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(found) - len(shown))} more (--json lists all)"
        yield compose([say(" " * _INDENT + hidden)], screen)


def _sentence(sentence: str, screen: Screen) -> Iterator[str]:
    return text.sentence(sentence, screen, "strong")


def _details(trace: Trace, screen: Screen, *, labels: tuple[str, str] = ("before", "after")) -> Iterator[str]:
    difference = trace.difference
    yield ""
    for label, side in zip(labels, (difference.old, difference.new), strict=True):
        yield from _side(label, side, screen)
    yield from _reason(difference.new, screen)
    yield from _causes(difference, trace, screen)
    yield from _upstream(trace, screen)
    yield from changes("also different", difference.circumstances, trace, screen)
    yield from _could_explain(difference, screen)


def _could_explain(difference: Difference, screen: Screen) -> Iterator[str]:
    """Yield what may differ where no cause is known, then all files that differ according to git."""
    found = clauses.could_explain(difference)
    if difference.causes or difference.same_bytes or not found:
        return
    yield from _listed("could explain it", found, screen)
    files = [name for one in difference.unrecorded if one.kind == "files" for name in one.names]
    if len(files) > clauses.CLAUSES_MAX:
        yield from _listed("changed according to git", [clauses.short(name) for name in files], screen)


def _listed(title: str, rows: Sequence[str], screen: Screen) -> Iterator[str]:
    yield ""
    yield compose([say(title, "heading")], screen)
    for one in rows[:ROWS_MAX]:
        yield from text.paragraph([say(" " * _INDENT), say(one)], screen, hang=2 * _INDENT)
    if len(rows) > ROWS_MAX:
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(rows) - ROWS_MAX)} more (--json lists all)"
        yield compose([say(" " * _INDENT + hidden)], screen)


def _again(trace: Trace, screen: Screen) -> Iterator[str]:
    yield ""
    yield compose([say("made again", "heading")], screen)
    yield from _side("before", trace.difference.old, screen)
    yield from _side("after", trace.difference.new, screen)
    yield from _reason(trace.difference.new, screen)
    yield from _causes(trace.difference, trace, screen)


def _causes(difference: Difference, trace: Trace, screen: Screen) -> Iterator[str]:
    for title, found in causes_by_title(difference):
        if title == _COMMAND:
            yield from _command(found[0], screen)
        else:
            yield from changes(title, found, trace, screen)


def causes_by_title(difference: Difference) -> Iterator[tuple[str, list[Change]]]:
    """Yield the causes of a difference in groups with a title each, without what the first sentence says."""
    for title, kinds in _TITLES.items():
        if found := [one for one in difference.causes if one.kind in kinds and not _is_told(one, difference)]:
            yield title, found


def _is_told(change: Change, difference: Difference) -> bool:
    """Return whether the first sentence says it all: that no job made the version when it was recorded."""
    return change.kind == "origin" and clauses.came_about(difference.new) is not None


def _side(label: str, side: Side, screen: Screen) -> Iterator[str]:
    made = side.ended_on or times.parse(side.created_on)
    by = clauses.happened(side) if side.meaning is not None else ""
    by = by or ("no recorded job" if side.origin == "none" else clauses.maker(side))
    commit = text.short_commit(side.commit, dirty=side.dirty)
    facts = [
        times.relative(made, screen.now) if made else "",
        f"run {text.short_id(side.run_id)}" if side.run_id else "",
        f"commit {commit}" if commit else "",
    ]
    line: Line = [
        say(clauses.named(side), "strong"),
        say(f"  {by}", "rule"),
        *(say(f" {screen.glyphs.dot} {fact}") for fact in facts if fact),
    ]
    yield from text.fact(label, line, screen)


def _reason(side: Side, screen: Screen) -> Iterator[str]:
    if side.reason:
        yield from text.fact("reason", [say(f"{reasons.folded(side.reason)} (Snakemake)")], screen)


def row(change: Change, trace: Trace) -> Line:
    """Return the cells of a change: what changed, from what to what, and a note."""
    note: str = "" if change.action == "changed" else change.action
    if change.is_elsewhere:
        note = f"not in {clauses.maker(trace.difference.new)}"
    elif (step := clauses.step_of(change, trace)) is not None:
        side = step.difference.new
        note = clauses.happened_in(step) or (f"by {clauses.maker(side)}" if side.rule else "")
    value = clauses.arrow(change, characters_max=VALUE_CHARACTERS_MAX)
    if isinstance(change.new or change.old, FileVersion) and change.action != "changed":
        value = value.removeprefix(change.name)
    name = clauses.subject(change, trace.difference) if change.kind == "config" else change.name
    value = clauses.cut(value, VALUE_CHARACTERS_MAX)
    return [say(clauses.short(name) or "made by"), say(value), say(note, "faint")]


def _command(change: Change, screen: Screen) -> Iterator[str]:
    yield ""
    yield compose([say("shell command", "heading")], screen)
    sides = [f"{one}\n".encode() if one else b"" for one in (change.old, change.new)]
    yield from text_lines(text_difference(*sides), screen)


def _upstream(trace: Trace, screen: Screen) -> Iterator[str]:
    steps = steps_told(trace)
    if steps:
        yield ""
        yield compose([say("upstream", "heading")], screen)
    for step in steps[:STEPS_MAX]:
        yield from _step(step, trace, screen)
    if len(steps) > STEPS_MAX:
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(steps) - STEPS_MAX)} more (--json lists all)"
        yield compose([say(" " * _INDENT + hidden)], screen)
    if trace.truncated:
        line = f"{screen.glyphs.ellipsis} more lies upstream than was followed: ask 'why' of one of these, or --depth"
        yield compose([say(" " * _INDENT + line, "faint")], screen)


def steps_told(trace: Trace) -> list[Step]:
    """Return the inputs upstream that differ, without those that no job made: nothing more is known of them."""
    return [step for step in trace.upstream if not clauses.happened(step.difference.new)]


def _step(step: Step, trace: Trace, screen: Screen) -> Iterator[str]:
    yield from text.paragraph([say(" " * _INDENT), *step_line(step)], screen, hang=2 * _INDENT)
    found = step_clauses(step, trace)
    for one in found[:STEP_CLAUSES_MAX]:
        yield from text.paragraph([say(" " * 2 * _INDENT), say(one)], screen, hang=3 * _INDENT)
    if len(found) > STEP_CLAUSES_MAX:
        hidden = counted(len(found) - STEP_CLAUSES_MAX, "more change")
        yield compose([say(f"{' ' * 2 * _INDENT}{screen.glyphs.ellipsis} {hidden}")], screen)


def step_line(step: Step) -> Line:
    """Return which input differs: its path, its versions and its maker."""
    old, new = step.difference.old, step.difference.new
    versions = f"@{old.version_number} -> @{new.version_number}"
    if old.path != new.path:
        versions = f"{clauses.named(old)} -> @{new.version_number}"
    return [
        say(clauses.short(new.path)),
        say(f"  {versions}", "version"),
        say(f"  by {clauses.maker(new)}", "faint"),
    ]


def step_clauses(step: Step, trace: Trace) -> list[str]:
    """Return a clause for each cause of the difference of an input."""
    difference = step.difference
    inner = Trace(difference=difference, upstream=trace.upstream)
    found = [clauses.clause(one, inner) for one in difference.causes]
    return found or ([clauses.nothing(difference)] if difference.new.origin == "job" else [])
