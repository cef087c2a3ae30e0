"""The screen of `diff` for two runs.

Must not know: how the runs were got.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snakeprov.lineage.difference import Change
from snakeprov.lineage.rundifference import Fact, Output, RuleOutputs, RunDifference
from snakeprov.view import clauses, text, times
from snakeprov.view.answers import run_status
from snakeprov.view.history import status_role
from snakeprov.view.text import Line, Screen, compose, counted, say

FILES_MAX = 10
"""More outputs of one rule are only counted."""

ROWS_MAX = 40
VALUE_CHARACTERS_MAX = 300

_IN_SENTENCE = frozenset({"commit", "Snakemake", "Python"})
_LABEL_COLUMNS = 11
_INDENT = 2


def sentence(difference: RunDifference) -> str:
    """Return in one sentence how two runs differ."""
    old, new = difference.old, difference.new
    names = f"Runs {text.short_id(old['id'])} and {text.short_id(new['id'])}"
    if old["id"] == new["id"]:
        return f"{names} are one run."
    told = [one for one in difference.facts if one.kind == "config" or one.name in _IN_SENTENCE]
    facts = clauses.listed([f"{_name(one)} ({_arrow(one, clauses.VALUE_CHARACTERS_MAX)})" for one in told])
    what = f"differ in {facts}" if facts else "were of the same commit and config"
    both = difference.count("same") + difference.count("different")
    made = f"of {counted(both, 'output')} that both made, {text.number(difference.count('different'))} differ"
    return f"{names} {what}; {made}{' (of those compared)' if difference.truncated else ''}."


def lines(difference: RunDifference, screen: Screen) -> Iterator[str]:
    """Yield the lines of `diff run:ID run:ID`."""
    whole = screen._replace(width=None)
    yield compose([say(sentence(difference), "strong")], whole)
    if difference.old["id"] == difference.new["id"]:
        return
    yield ""
    yield compose(_run("first", difference.old, screen), whole)
    yield compose(_run("second", difference.new, screen), whole)
    yield from _facts(difference.facts, screen)
    yield from _outputs(difference.outputs, screen)
    if difference.truncated:
        yield compose([say(f"{screen.glyphs.ellipsis} more outputs were made than were compared", "faint")], screen)


def _run(label: str, run: Mapping[str, Any], screen: Screen) -> Line:
    started = times.parse(run.get("startedOn"))
    when = f" {screen.glyphs.dot} {times.relative(started, screen.now)}" if started else ""
    status = run_status(run)
    return [
        say(label.ljust(_LABEL_COLUMNS), "faint"),
        say(f"run {text.short_id(run['id'])}  ", "strong"),
        say(status, status_role(status)),
        say(f"{when}  {run.get('commandLine') or ''}"),
    ]


def _facts(facts: Sequence[Fact], screen: Screen) -> Iterator[str]:
    if not facts:
        return
    yield ""
    yield compose([say("started with", "heading")], screen)
    rows = [[say(_name(one)), say(_arrow(one, VALUE_CHARACTERS_MAX)), say(_note(one), "faint")] for one in facts]
    yield from text.table(rows[:ROWS_MAX], screen, flexible=1, indent=_INDENT)
    if len(rows) > ROWS_MAX:
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(rows) - ROWS_MAX)} more (--json lists all)"
        yield compose([say(" " * _INDENT + hidden)], screen)


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
                [_different(one) for one in different[:FILES_MAX]], screen, flexible=0, keep="end", indent=_INDENT
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
