"""The screens of `why` and `diff` where what was recorded is hostile, large, or hardly anything."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from snakeprov.lineage.causes import Step, Trace
from snakeprov.lineage.changes import Change, Difference, FileVersion, Side
from snakeprov.lineage.rundifference import compare_runs
from snakeprov.lineage.textdifference import text_difference
from snakeprov.lineage.unrecorded import Unrecorded
from snakeprov.model.answers import MadeVersion, RecordedJob
from snakeprov.view import causes, clauses, rundifference
from snakeprov.view.text import Screen

from ..answers import job_record, told_run

HOSTILE = "\x1b[2J\x1b]0;evil\x07<script>\n\u202e" + "x" * 1_000_000
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def side(number: int, *, origin: Any = "job", path: str = "r.txt", rule: str | None = "fit", **facts: Any) -> Side:
    return Side(path=path, entity_id=f"syn{path[:9]}", version_number=number, origin=origin, rule=rule, **facts)


def why(
    *found: Change,
    same_bytes: bool | None = False,
    circumstances: tuple[Change, ...] = (),
    unproved: tuple[Change, ...] = (),
    unrecorded: tuple[Unrecorded, ...] = (),
    **new: Any,
) -> Trace:
    return Trace(
        difference=Difference(
            old=side(1, commit="1a2b3c4" + "0" * 33),
            new=side(2, commit="5d6e7f8" + "0" * 33, **new),
            same_bytes=same_bytes,
            causes=found,
            circumstances=circumstances,
            unproved=unproved,
            unrecorded=unrecorded,
        )
    )


def param(name: str, old: Any, new: Any) -> Change:
    return Change(kind="param", name=name, action="changed", old=old, new=new)


@pytest.mark.parametrize("columns", [None, 80])
def test_hostile_names_and_values_reach_no_terminal(screen: Screen, columns: int | None) -> None:
    """Whatever a name, a value or a line of code holds: no control character is printed, no line is without end."""
    old, new = (FileVersion(path=HOSTILE, entity_id="syn1", version_number=number) for number in (1, 2))
    code = text_difference(b"\x1b[2J" + b"x" * 100_000, b"\xff\x9b\r")
    found = [
        Change(kind="rule", name="", action="changed", old=HOSTILE, new=HOSTILE),
        param(HOSTILE, HOSTILE, {HOSTILE: [HOSTILE]}),
        Change(kind="code", name=HOSTILE, action="changed", old=old, new=new, role=HOSTILE, difference=code),
        Change(kind="input", name=HOSTILE, action="changed", old=old, new=new),
        Change(kind="input", name=HOSTILE, action="added", new=new),
    ]
    sides = {"path": HOSTILE, "rule": HOSTILE, "reason": HOSTILE[:50], "commit": HOSTILE, "run_id": HOSTILE}
    difference = Difference(old=side(1, **sides), new=side(2, **sides), same_bytes=False, causes=tuple(found))
    trace = Trace(difference=difference, upstream=(Step(distance=1, difference=difference),), truncated=True)
    run = told_run(HOSTILE, command_line=HOSTILE[:50], config={HOSTILE: HOSTILE})
    output = MadeVersion(
        path=HOSTILE, rule=HOSTILE, entity_id="syn1", version_number=1, sha256="a", outcome="generated"
    )
    runs = compare_runs(
        run,
        replace(run, id="b", config={}),
        old_outputs=[output],
        new_outputs=[replace(output, sha256="b")],
    )
    shown = screen._replace(width=columns)
    for lines in (
        causes.why(trace, shown, again=trace, count=2),
        causes.first(difference.new, shown, again=None, count=0),
        causes.diff(trace, shown, content=code),
        rundifference.lines(runs, shown),
    ):
        told = list(lines)
        assert not any(CONTROLS.search(line) or "\n" in line for line in told)
        assert max(map(len, told)) < 10_000


def test_many_changes_are_counted(screen: Screen) -> None:
    """A sentence names the first causes, a section the first rows; how many more there are is said."""
    trace = why(*(param(f"p{number:02d}", 1, 2) for number in range(30)))
    told = list(causes.why(trace, screen, again=None, count=0))
    assert told[0].endswith("params.p03 changed 1 -> 2 and 26 more.")
    assert told[-1] == "  … and 10 more (--json lists all)"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_order_of_jobs_does_not_change_how_two_runs_differ(order: tuple[int, int]) -> None:
    """A param that is the config's value in one job, and another in the next, is not taken for the config's."""

    def jobs(run_id: str, seed: int) -> list[RecordedJob]:
        of = [job_record(id=f"{run_id}{n}", wildcards={"s": str(n)}, params={"seed": seed + n}) for n in order]
        return [RecordedJob(job=job, files=[]) for job in of]

    old, new = told_run("old", config={"seed": 1}), told_run("new", config={"seed": 5})
    found = compare_runs(old, new, old_outputs=[], new_outputs=[], old_jobs=jobs("a", 1), new_jobs=jobs("b", 5))

    assert "config.seed (1 -> 5) and params.seed of rule fit (changed in 2 jobs, not all alike)" in (
        rundifference.sentence(found)
    )


def test_many_changed_inputs_are_drawn_together() -> None:
    """An aggregate with hundreds of changed inputs takes few words."""
    found = [
        Change(
            kind="input",
            name=f"s{number}",
            action="changed",
            old=FileVersion(path=f"s{number}", version_number=1),
            new=FileVersion(path=f"s{number}", version_number=2),
        )
        for number in range(300)
    ]
    assert clauses.why(why(*found)) == "r.txt@2 differs from @1 because 300 inputs changed (s0 and 299 more)."


def test_where_nothing_recorded_differs_that_is_said() -> None:
    """Other bytes of the same: not deterministic, or what else changed; the same bytes: nothing changed."""
    assert clauses.why(why()) == (
        "r.txt@2 differs from @1 although nothing that was recorded differs: rule fit may not be deterministic."
    )
    host = Change(kind="circumstance", name="host", action="changed", old="a", new="b")
    assert clauses.why(why(circumstances=(host,))) == (
        "r.txt@2 differs from @1 although its inputs, params and code are the same; what differs is that host changed "
        "a -> b."
    )
    found = clauses.why(
        why(
            circumstances=(host,),
            unproved=(
                Change(kind="param", name="f", action="unknown", old="<f, not comparable>", new="<f, not comparable>"),
                Change(kind="input", name="big.bin", action="unknown"),
            ),
            unrecorded=(
                Unrecorded(kind="files", names=("a.sh", "b.sh")),
                Unrecorded(kind="software", names=("the versions of the programs that it ran",)),
            ),
        )
    )
    assert found == (
        "r.txt@2 differs from @1 although its inputs, params and code are the same; what differs is that host changed "
        "a -> b; what could explain it, too: params.f is not comparable, input big.bin has no digest, git has changes "
        "in a.sh and b.sh (1a2b3c4 -> 5d6e7f8) and the versions of the programs that it ran are not recorded."
    )
    assert clauses.why(why(param("k", 1, 2), same_bytes=True)) == (
        "r.txt@2 has the same bytes as @1: nothing changed in the result, although params.k changed 1 -> 2."
    )


def test_the_shell_command_is_a_cause_only_where_nothing_explains_it() -> None:
    """A command that changed with a param is no second cause; alone it is one."""
    command = Change(kind="command", name="shell command", action="changed", old="a", new="b")
    assert clauses.own_causes(why(command)) == ["the shell command changed"]
    assert clauses.own_causes(why(param("k", 1, 2), command)) == ["params.k changed 1 -> 2"]


def test_of_an_activity_without_a_job_only_what_it_says_is_told() -> None:
    """A step recorded by hand, or of a run that may not be seen, has a name at most."""
    assert (
        clauses.first(side(1, origin="activity", rule="curated"))
        == "r.txt@1 is the first version: first made by curated."
    )
    unnamed = side(1, origin="activity", rule=None, activity_id="7")
    assert clauses.first(unnamed).endswith("first made by activity 7.")
    assert "what is recorded of the activities is the same" in clauses.why(why(origin="activity", rule="curated"))
