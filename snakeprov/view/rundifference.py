"""The screen of `diff` for two runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snakeprov.lineage.changes import Change
from snakeprov.lineage.jobdifference import JobsChange
from snakeprov.lineage.rundifference import Fact, Output, RuleOutputs, RunDifference
from snakeprov.model.answers import Run
from snakeprov.view import clauses, text, times
from snakeprov.view.history import status_role
from snakeprov.view.text import Line, Screen, compose, counted, say

FILES_MAX = 10
"""More outputs of one rule are only counted."""

ROWS_MAX = 40
VALUE_CHARACTERS_MAX = 300

CLAUSES_MAX = 6
"""Maximum number of differences named in the sentence; the others are counted."""

_PLURALS = {
    "code": ("file of code", "files of code"),
    "input": ("input", "inputs"),
    "param": ("param", "params"),
    "environment": ("part of the environment", "parts of the environment"),
    "package": ("package", "packages"),
    "command": ("shell command", "shell commands"),
    "rule": ("rule", "rules"),
    "wildcard": ("wildcard", "wildcards"),
    "origin": ("maker", "makers"),
    "config": ("config value", "config values"),
    "circumstance": ("circumstance", "circumstances"),
}
"""What a kind of change is called, one and several, in the order in which the sentence names them."""

_TITLES = {
    "code": ("code",),
    "inputs": ("input",),
    "params": ("param", "wildcard"),
    "shell commands": ("command", "rule"),
    "environment": ("environment", "package"),
}

_IN_SENTENCE = frozenset({"commit", "Snakemake", "Python"})
_INDENT = 2


def sentence(difference: RunDifference) -> str:
    """Return in one sentence how two runs differ."""
    old, new = difference.old, difference.new
    names = f"Runs {text.short_id(old.id)} and {text.short_id(new.id)}"
    if old.id == new.id:
        return f"{names} are one run."
    facts = clauses.listed([*_facts_told(difference), *_causes_told(difference)], clauses_max=CLAUSES_MAX)
    what = f"differ in {facts}" if facts else "differ in nothing that was recorded of their code, inputs and config"
    both = difference.count("same") + difference.count("different")
    made = f"of {counted(both, 'output')} that both made, {text.number(difference.count('different'))} differ"
    return f"{names} {what}; {made}{' (of those compared)' if difference.truncated else ''}."


def _facts_told(difference: RunDifference) -> list[str]:
    told = [one for one in difference.facts if one.kind == "config" or one.name in _IN_SENTENCE]
    return [f"{_name(one)} ({_arrow(one, clauses.VALUE_CHARACTERS_MAX)})" for one in told]


def _causes_told(difference: RunDifference) -> list[str]:
    """Return the causes in few words; of many of one kind the first, and how many more there are."""
    # A config value that reaches params is named under config.
    given = [(one.old, one.new) for one in difference.facts if one.kind == "config"]
    kinds: dict[str, list[JobsChange]] = {}
    for one in difference.causes:
        if one.varies or not (one.kind == "param" and (one.old, one.new) in given):
            kinds.setdefault(one.kind, []).append(one)
    told = []
    for kind in sorted(kinds, key=_order):
        first, *more = kinds[kind]
        told.append(f"{_cause(first)} ({_how(first, clauses.VALUE_CHARACTERS_MAX)})")
        if len(more) == 1:
            told.append(f"{_cause(more[0])} ({_how(more[0], clauses.VALUE_CHARACTERS_MAX)})")
        elif more:
            told[-1] += f" and {counted(len(more), f'more {_PLURALS[kind][0]}', f'more {_PLURALS[kind][1]}')}"
    return told


def _order(kind: str) -> int:
    return list(_PLURALS).index(kind)


def lines(difference: RunDifference, screen: Screen) -> Iterator[str]:
    """Yield the lines of `diff run:ID run:ID`."""
    yield from text.sentence(sentence(difference), screen, "strong")
    if difference.old.id == difference.new.id:
        return
    yield ""
    yield from text.fact("first", _run(difference.old, screen), screen)
    yield from text.fact("second", _run(difference.new, screen), screen)
    yield from _facts(difference.facts, screen)
    yield from _causes(difference.causes, screen)
    yield from _outputs(difference.outputs, screen)
    if difference.truncated:
        more = "more outputs or jobs were recorded than were compared"
        yield compose([say(f"{screen.glyphs.ellipsis} {more}", "faint")], screen)


def _run(run: Run, screen: Screen) -> Line:
    when = f" {screen.glyphs.dot} {times.relative(run.started_on, screen.now)}" if run.started_on else ""
    return [
        say(f"run {text.short_id(run.id)}  ", "strong"),
        say(run.status, status_role(run.status)),
        say(f"{when}  {run.command_line or ''}"),
    ]


def _facts(facts: Sequence[Fact], screen: Screen) -> Iterator[str]:
    if not facts:
        return
    yield ""
    yield compose([say("started with", "heading")], screen)
    rows = [fact_row(one) for one in facts]
    yield from text.table(rows[:ROWS_MAX], screen, flexible=1, indent=_INDENT)
    if len(rows) > ROWS_MAX:
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(rows) - ROWS_MAX)} more (--json lists all)"
        yield compose([say(" " * _INDENT + hidden)], screen)


def fact_row(fact: Fact) -> Line:
    """Return the cells of a fact about the runs: what differs, from what to what, and a note."""
    return [say(_name(fact)), say(_arrow(fact, VALUE_CHARACTERS_MAX)), say(_note(fact), "faint")]


def _causes(causes: Sequence[JobsChange], screen: Screen) -> Iterator[str]:
    for title, found in causes_by_title(causes):
        yield ""
        yield compose([say(title, "heading")], screen)
        rows = [cause_row(one) for one in found]
        yield from text.table(rows[:FILES_MAX], screen, flexible=0, keep="path", indent=_INDENT)
        if len(found) > FILES_MAX:
            hidden = f"{screen.glyphs.ellipsis} and {text.number(len(found) - FILES_MAX)} more (--json lists them)"
            yield compose([say(" " * _INDENT + hidden)], screen)


def causes_by_title(causes: Sequence[JobsChange]) -> Iterator[tuple[str, list[JobsChange]]]:
    """Yield what the jobs were given that differs, a group with a title for each kind."""
    for title, kinds in _TITLES.items():
        if found := [one for one in causes if one.kind in kinds]:
            yield title, found


def cause_row(one: JobsChange) -> Line:
    """Return the cells of what jobs were given that differs: what, how, and where."""
    return [say(_cause(one).removeprefix("input ")), say(_how(one, VALUE_CHARACTERS_MAX)), say(_where(one), "faint")]


def _cause(one: JobsChange) -> str:
    match one.kind:
        case "param":
            place = f" of rule {one.rules[0]}" if one.rules else ""
            return clauses.short(clauses.value_path("params", one.name)) + place
        case "command":
            return f"shell command of rule {one.rules[0]}" if one.rules else "shell command"
        case "code":
            role = "" if one.role == "snakefile" else f"{one.role or 'code'} "
            return role + clauses.short(one.name)
        case "input" | "wildcard" | "package":
            return f"{one.kind} {clauses.short(one.name)}"
    return clauses.short(one.name) or one.kind


def _how(one: JobsChange, characters_max: int) -> str:
    if one.kind == "command":
        return "changed"
    if one.varies:
        return f"changed in {counted(one.jobs, 'job')}, not all alike"
    change = Change(kind=one.kind, name=one.name, action=one.action, old=one.old, new=one.new)
    told = clauses.arrow(change, characters_max=characters_max)
    return told if one.action == "changed" else f"{one.action}: {told}"


def _where(one: JobsChange) -> str:
    if one.kind in ("param", "command"):
        return counted(one.jobs, "job") if one.jobs > 1 else ""
    more = f" and {counted(len(one.rules) - 1, 'more rule')}" if len(one.rules) > 1 else ""
    return f"in rule {clauses.short(one.rules[0])}{more}" if one.rules else ""


def _outputs(rules: Sequence[RuleOutputs], screen: Screen) -> Iterator[str]:
    if not rules:
        return
    yield ""
    titles = ("outputs of", "same", "different", "only first", "only second")
    rows = [_rule(one) for one in rules[:ROWS_MAX]]
    yield from text.table(rows, screen, titles=titles, right=frozenset({1, 2, 3, 4}), flexible=0)
    if len(rules) > ROWS_MAX:
        hidden = f"{screen.glyphs.ellipsis} and {counted(len(rules) - ROWS_MAX, 'more rule')} (--json lists all)"
        yield compose([say(hidden)], screen)
    for rule in rules[:ROWS_MAX]:
        different = [one for one in rule.files if one.outcome == "different"]
        if different:
            yield ""
            yield compose([say(f"different, of {clauses.short(rule.rule)}", "heading")], screen)
            yield from text.table(
                [_different(one) for one in different[:FILES_MAX]], screen, flexible=0, keep="path", indent=_INDENT
            )
        if rule.different > FILES_MAX:
            hidden = f"{screen.glyphs.ellipsis} and {text.number(rule.different - FILES_MAX)} more (--json lists them)"
            yield compose([say(" " * _INDENT + hidden)], screen)


def _rule(rule: RuleOutputs) -> Line:
    counts = (rule.same, rule.different, rule.only_old, rule.only_new)
    return [say(clauses.short(rule.rule), "rule"), *(say(text.number(count)) for count in counts)]


def _different(output: Output) -> Line:
    return [say(clauses.short(output.path)), say(f"@{output.old_version} -> @{output.new_version}", "version")]


def _name(fact: Fact) -> str:
    return clauses.value_path("config", clauses.short(fact.name)) if fact.kind == "config" else fact.name


def _note(fact: Fact) -> str:
    return "" if fact.action == "changed" else fact.action


def _arrow(fact: Fact, characters_max: int) -> str:
    shown = [
        text.short_commit(one[:40], dirty=one.endswith("+dirty")) if one and fact.name == "commit" else one
        for one in (fact.old, fact.new)
    ]
    change = Change(kind=fact.kind, name=fact.name, action=fact.action, old=shown[0], new=shown[1])
    return clauses.arrow(change, characters_max=characters_max)
