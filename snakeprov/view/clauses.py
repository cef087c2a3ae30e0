"""Differences between two versions in words: the clauses of a sentence to paste into a mail.

What is returned holds names as they were recorded; showing them safely is for others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from snakeprov.lineage.causes import Step, Trace
from snakeprov.lineage.changes import Change, Difference, FileVersion, Side
from snakeprov.model import meant, shortened
from snakeprov.view import text

CLAUSES_MAX: Final = 4
"""Number of causes named in a sentence; the rest are counted."""

VALUE_CHARACTERS_MAX: Final = 60
"""Maximum length of a value in a sentence."""

NAME_CHARACTERS_MAX: Final = 200
CLAUSE_CHARACTERS_MAX: Final = 500
"""Maximum length of a name, and of a clause, in a sentence."""

OUTSIDE: Final = "outside the workflow"
"""Where a file was changed that no recorded job ever made."""

_ALIKE: Final = "its inputs, params and code were the same, too"

_EXPLAINS_COMMAND: Final = frozenset({"rule", "wildcard", "param", "code", "input"})


def named(side: Side) -> str:
    """Return a version as people name it: `results/table.csv@3`."""
    return f"{short(side.path)}@{side.version_number}"


def short(name: str) -> str:
    """Return a name, of a very long one the end."""
    # To measure a megabyte of wide characters takes long, so it is cut before.
    return text.shorten(name[-2 * NAME_CHARACTERS_MAX :], NAME_CHARACTERS_MAX, keep="end")


def cut(said: str, characters_max: int) -> str:
    """Return the beginning of what was said, where it is long."""
    return text.shorten(said[: 2 * characters_max], characters_max)


def why(trace: Trace) -> str:
    """Return in one sentence why a version is not the one before it."""
    difference = trace.difference
    old, new = difference.old, difference.new
    before = f"@{old.version_number}" if old.entity_id == new.entity_id else named(old)
    if difference.same_bytes:
        return f"{named(new)} has the same bytes as {before}: nothing changed in the result{_although(trace)}."
    if (how := came_about(new)) is not None:
        return f"{named(new)} differs from {before} because {how}."
    causes = own_causes(trace)
    if not causes:
        return f"{named(new)} differs from {before} although {nothing(difference)}."
    return f"{named(new)} differs from {before} because {listed(causes)}{_roots(trace)}."


def first(side: Side) -> str:
    """Return in one sentence where a version came from that has none before it."""
    what = f"{named(side)} is the first version"
    if (how := came_about(side)) is not None:
        raw = side.meaning is None
        return f"{what} that was recorded: {f'{_unmade(side)}, no recorded job made it' if raw else how}."
    run = f" in run {text.short_id(side.run_id)}" if side.run_id else ""
    return f"{what}: first made by {maker(side)}{run}."


def again(trace: Trace, count: int) -> str:
    """Return in one sentence why the same bytes were made again, the last of `count` times."""
    times = "once" if count == 1 else f"{text.number(count)} times"
    side = trace.difference.new
    run = f"in run {text.short_id(side.run_id)}" if side.run_id else f"by {maker(side)}"
    last = run if count == 1 else f"the last time {run}"
    same = "the bytes are the same, nothing changed in the result"
    alike = "nothing that was recorded differs" if trace.difference.unproved else _ALIKE
    although = _although(trace) or f"; {alike}"
    return f"It was made again {times}, {last}: {same}{although}."


def diff(trace: Trace) -> str:
    """Return in one sentence how the stories of two versions differ."""
    difference = trace.difference
    old, new = difference.old, difference.new
    both = f"{named(old)} and {'@' + str(new.version_number) if old.entity_id == new.entity_id else named(new)}"
    if (old.entity_id, old.version_number) == (new.entity_id, new.version_number):
        return f"{both} are one version."
    bytes_ = {True: "have the same bytes", False: "differ", None: "cannot be compared by content"}
    what = f"{both} {bytes_[difference.same_bytes]}"
    if new.origin == old.origin == "none":
        return f"{what}: no recorded job made either; {named(old)} {_is(old)}, {named(new)} {_is(new)}."
    if new.origin == old.origin == "job" and new.rule != old.rule and new.entity_id != old.entity_id:
        return f"{what}: they are of different rules, {short(old.rule or '')} and {short(new.rule or '')}."
    causes = own_causes(trace)
    return f"{what}: {listed(causes)}{_roots(trace)}." if causes else f"{what}: {nothing(difference)}."


def own_causes(trace: Trace) -> list[str]:
    """Return a clause for each cause that lies with the version itself, inputs that changed drawn together."""
    difference = trace.difference
    kinds = {change.kind for change in difference.causes}
    shown = [one for one in difference.causes if one.kind != "command" or not kinds & _EXPLAINS_COMMAND]
    changed = [one for one in shown if one.kind == "input" and one.action == "changed"]
    clauses = [clause(one, trace) for one in shown if one not in changed]
    if len(changed) <= CLAUSES_MAX:
        return clauses + [clause(one, trace) for one in changed]
    return [*clauses, f"{text.number(len(changed))} inputs changed ({_few([one.name for one in changed])})"]


def clause(change: Change, trace: Trace) -> str:
    """Return a change as a clause: `params.alpha changed 0.1 -> 0.2`."""
    return cut(_clause(change, trace), CLAUSE_CHARACTERS_MAX)


def _clause(change: Change, trace: Trace) -> str:
    old, new = change.old, change.new
    match change.kind:
        case "origin":
            side = trace.difference.old
            how = came_about(trace.difference.new, subject=f"@{trace.difference.new.version_number}")
            return how or f"{new} made it, whereas no recorded job made @{side.version_number}"
        case "rule":
            return f"rule {new} made it instead of {old}"
        case "command":
            return "the shell command changed"
        case "input":
            return _input(change, trace)
        case "code" | "environment" if isinstance(old or new, FileVersion):
            versions = f" ({arrow(change)})" if change.action == "changed" else ""
            return f"{subject(change, trace.difference)} {_verb(change)}{versions}"
    if change.action == "changed":
        return f"{subject(change, trace.difference)} changed {arrow(change)}"
    return f"{subject(change, trace.difference)} ({arrow(change)}) {_verb(change)}"


def subject(change: Change, difference: Difference) -> str:
    """Return what it is that changed, with the sort of thing it is."""
    match change.kind:
        case "param" | "config":
            return value_path("params" if change.kind == "param" else "config", change.name)
        case "wildcard" | "package":
            return f"{change.kind} {change.name}"
        case "code" if change.role == "snakefile" and change.is_elsewhere:
            return f"the rest of {change.name}"
        case "code" if change.role == "snakefile":
            return f"rule {difference.new.rule} in {change.name}"
        case "code" if isinstance(change.old or change.new, FileVersion):
            return f"{change.role or 'code'} {change.name}"
        case "environment" if isinstance(change.old or change.new, FileVersion):
            return f"environment file {change.name}"
    return change.name


def value_path(whole: str, name: str) -> str:
    """Return where a value is inside of params or of the config.

    >>> value_path("params", "alpha"), value_path("params", "0"), value_path("config", '["x.y"].b')
    ('params.alpha', 'params[0]', 'config["x.y"].b')
    """
    positional, bracket, rest = name.partition("[")
    if positional.isdigit():
        return f"{whole}[{positional}]{bracket}{rest}"
    return whole + name if name.startswith("[") else f"{whole}.{name}"


def arrow(change: Change, *, characters_max: int = VALUE_CHARACTERS_MAX) -> str:
    """Return the old and the new value: `0.1 -> 0.2`, `@1 -> @2`, `a.csv@1 -> b.csv@1`."""
    old, new = change.old, change.new
    is_same_file = isinstance(old, FileVersion) and isinstance(new, FileVersion) and old.path == new.path
    shown = [_value(one, characters_max, with_path=not is_same_file) for one in (old, new)]
    marks = [shortened.mark_of(one) for one in (old, new)]
    if shown[0] == shown[1]:  # both begin alike: what tells them apart is at the end, where they were shortened
        shown = [
            text.shorten(mark, characters_max, keep="end") if mark else one
            for mark, one in zip(marks, shown, strict=True)
        ]
    if change.action == "changed":
        return " -> ".join(shown)
    return shown[1] if change.action == "added" else shown[0]


def listed(clauses: Sequence[str], *, clauses_max: int = CLAUSES_MAX) -> str:
    """Return `a`, `a and b`, `a, b and c`; of many the first and how many more there are.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c", "d", "e", "f"])
    ('a, b and c', 'a, b, c, d and 2 more')
    """
    shown = list(clauses[:clauses_max])
    if len(clauses) > clauses_max:
        shown.append(f"{text.number(len(clauses) - clauses_max)} more")
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def step_of(change: Change, trace: Trace) -> Step | None:
    """Return a clause on why an input differs."""
    if not isinstance(change.new, FileVersion):
        return None
    wanted = (change.new.entity_id, change.new.version_number)
    for step in trace.upstream:
        side = step.difference.new
        if (side.entity_id, side.version_number) == wanted:
            return step
    return None


def came_about(side: Side, *, subject: str = "it") -> str | None:
    """Return a clause on the origin of a version that had no job when it was recorded; None for all others."""
    if side.origin != "none" and not side.is_put_back:
        return None
    if side.meaning is None:
        return f"{subject} was changed {OUTSIDE}: no recorded job made it"
    target = meant.name_of(side.meaning, path=side.path)
    if side.meaning.kind == "again":
        made = f", which {maker(side)} made" if side.is_put_back and side.origin != "none" else ""
        return f"the content of {target or 'an earlier version'} was put back{made}"
    if side.meaning.kind == "sameContent":
        return f"{subject} has the same content as {target or 'another file'}, and no recorded job made it"
    return f"{subject} was {meant.changed_by_hand(side.meaning, path=side.path)}"


def happened(side: Side) -> str:
    """Return in a word or two what happened to a version that no job made when it was recorded; else nothing."""
    if came_about(side) is None:
        return ""
    return OUTSIDE if side.meaning is None else meant.happened(side.meaning, path=side.path)


def happened_in(step: Step | None) -> str:
    """Return what happened to a file, and no job did it, between two versions of it; else nothing."""
    if step is None or step.difference.old.entity_id != step.difference.new.entity_id:
        return ""
    return happened(step.difference.new)


def _is(side: Side) -> str:
    return f"is {_unmade(side) if side.meaning is None else meant.said(side.meaning, path=side.path)}"


def _unmade(side: Side) -> str:
    """Return what a version is that no recorded job made, with its article."""
    said = meant.unmade(side.role)
    return {meant.RAW: f"a {said}", "environment": "an environment"}.get(said, said)


def maker(side: Side) -> str:
    """Return what made a version, where something recorded did."""
    name = short(side.rule or "")
    return f"rule {name}" if side.origin == "job" else name or f"activity {side.activity_id}"


def _input(change: Change, trace: Trace) -> str:
    if change.action != "changed":
        return f"{change.name} is {'a new input' if change.action == 'added' else 'no input any more'}"
    if change.old.path != change.new.path:
        return f"{arrow(change).split(' -> ')[1]} was read instead of {arrow(change).split(' -> ')[0]}"
    how = happened_in(step_of(change, trace))
    return f"{change.name} changed ({arrow(change)}{', ' + how if how else ''})"


def _roots(trace: Trace) -> str:
    """Return what the inputs that changed go back to, as the rest of a sentence."""
    roots: dict[str, None] = {}
    wildcards = [one for one in trace.difference.causes if one.kind == "wildcard"]
    for step in trace.upstream:
        side = step.difference.new
        if how := happened(side):
            if step.distance > 1 and happened_in(step):
                versions = f"@{step.difference.old.version_number} -> @{side.version_number}"
                roots[f"{short(side.path)} ({versions}, {how})"] = None
            continue
        inner = Trace(difference=step.difference, upstream=trace.upstream)
        own = [one for one in step.difference.causes if not (one.kind == "input" and step_of(one, inner))]
        kinds = {one.kind for one in own}
        for one in own:
            # A wildcard that two results differ in makes their inputs other ones, and theirs.
            if one not in wildcards and (one.kind != "command" or not kinds & _EXPLAINS_COMMAND):
                roots[_root(one, inner)] = None
        if not step.difference.causes:
            roots[f"{short(side.path)}, where {nothing(step.difference)}"] = None
    return f"; that goes back to {listed(list(roots))}" if roots else ""


def _root(change: Change, trace: Trace) -> str:
    new = trace.difference.new
    if change.kind in ("origin", "rule", "input", "command"):
        return f"{short(new.path)} ({clause(change, trace)})"
    of_rule = f" of {maker(new)}" if change.kind in ("param", "wildcard") and new.rule else ""
    return cut(f"{subject(change, trace.difference)}{of_rule} ({arrow(change)})", CLAUSE_CHARACTERS_MAX)


def _although(trace: Trace) -> str:
    causes = own_causes(trace)
    return f", although {listed(causes)}{_roots(trace)}" if causes else ""


def nothing(difference: Difference) -> str:
    """Say that no cause is known, and what could explain the difference; that a rule may not be deterministic only
    where nothing could."""
    if difference.new.origin == "activity":
        return "what is recorded of the activities is the same"
    around = [clause(one, Trace(difference=difference)) for one in difference.circumstances]
    told = "nothing that was recorded differs"
    if around:
        told = f"its inputs, params and code are the same; what differs is that {listed(around)}"
    if difference.same_bytes:
        return told
    could = could_explain(difference)
    if could:
        return f"{told}; what could explain it{', too' if around else ''}: {listed(could)}"
    return told if around else f"{told}: {maker(difference.new)} may not be deterministic"


def could_explain(difference: Difference) -> list[str]:
    """Return a clause for everything that may differ and is not recorded, or not recorded whole."""
    found = [cut(_unproved(one, difference), CLAUSE_CHARACTERS_MAX) for one in difference.unproved]
    commits = [text.short_commit(side.commit, dirty=side.dirty) for side in (difference.old, difference.new)]
    for one in difference.unrecorded:
        match one.kind:
            case "files":
                found.append(
                    f"git has changes in {listed([short(name) for name in one.names])} ({' -> '.join(commits)})"
                )
            case "git":
                found.append(
                    f"git cannot tell which other files changed ({cut(one.names[0], VALUE_CHARACTERS_MAX * 3)})"
                )
            case "noGit":
                found.append("other files may have changed (no version control)")
            case "software":
                found.append(f"{listed([short(name) for name in one.names])} are not recorded")
    return found


def _unproved(change: Change, difference: Difference) -> str:
    if change.kind == "input":
        return f"input {short(change.name)} has no digest"
    note = shortened.note_of(change.new) or shortened.note_of(change.old)
    reason = note if note in (shortened.TOO_LARGE, shortened.NOT_COMPARABLE) else shortened.NOT_COMPARABLE
    return f"{subject(change, difference)} is {reason}"


def _verb(change: Change) -> str:
    return {"changed": "changed", "added": "was added", "removed": "was removed"}[change.action]


def _value(value: Any, characters_max: int, *, with_path: bool) -> str:
    if isinstance(value, FileVersion):
        number = "" if value.version_number is None else f"@{value.version_number}"
        return value.path + number if with_path else number or "not recorded"
    shown = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    return cut(" ".join(shown.split()), characters_max)


def _few(names: Iterable[str]) -> str:
    first_one, *rest = map(short, names)
    return f"{first_one} and {text.number(len(rest))} more" if rest else first_one
