"""The screens, each against its golden file: what a person reads, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec.structs import replace

from snakeprov.lineage.graph import Graph
from snakeprov.model.answers import (
    History,
    JobSummary,
    Lineage,
    MadeVersion,
    Page,
    Plan,
    PlannedRule,
    Run,
    Status,
    Story,
)
from snakeprov.model.records import StoredJob
from snakeprov.view import history as history_view
from snakeprov.view import runs as runs_view
from snakeprov.view import story as story_view
from snakeprov.view import tree
from snakeprov.view.text import Screen, width

from ..answers import job_file, told_story

Answered = TypeVar("Answered", bound=msgspec.Struct)

Golden = Callable[[str, str], None]

SIZES = [(80, "80"), (120, "120"), (None, "pipe")]


def joined(lines: Iterable[str]) -> str:
    """Return lines as a command prints them."""
    return "".join(line + "\n" for line in lines)


@pytest.fixture
def penguins(lineage: Callable[..., Lineage]) -> Lineage:
    """The lineage of a report on three species."""
    species = ("adelie", "chinstrap", "gentoo")
    link = "https://github.com/ada/penguins/blob/1a2b3c4d/Snakefile#L30"
    cleanings = [
        (
            "clean",
            [f"results/clean/{name}.csv@1"],
            ["data/penguins.csv@1", "https://example.org/islands.csv"],
            ["workflow/scripts/clean.py@1", f"Snakefile@{2 if name == 'gentoo' else 3}"],
        )
        for name in species
    ]
    table = [f"results/clean/{name}.csv@1" for name in species]
    return lineage(
        "results/report.html@2",
        (
            "report",
            ["results/report.html@2"],
            ["results/figures/bill_length.png@2", "results/table.csv@3"],
            ["workflow/scripts/report.py@1", "Snakefile@3"],
        ),
        (
            "plot",
            ["results/figures/bill_length.png@2"],
            ["results/table.csv@3"],
            ["workflow/scripts/plot.py@1", "Snakefile@3", link],
        ),
        ("summarise", ["results/table.csv@3"], table, ["workflow/scripts/summarise.py@1", "Snakefile@3"]),
        *cleanings,
    )


@pytest.mark.parametrize(("columns", "name"), SIZES)
def test_log_of_a_file(history: History, screen: Screen, golden: Golden, columns: int | None, name: str) -> None:
    """`log PATH` lists the versions, newest first, with what made each and what is special about it."""
    golden(f"log-{name}.txt", joined(history_view.versions(history, screen._replace(width=columns))))


def test_log_says_how_much_it_does_not_show(history: History, screen: Screen) -> None:
    """Where the store has more versions than are listed, the last line counts them."""
    longer = replace(history, total_number_of_results=1003)
    assert list(history_view.versions(longer, screen))[-1] == "… and 1,000 older versions"


def test_log_of_the_last_run(run: Run, screen: Screen, golden: Golden) -> None:
    """`log` names the run and lists what it wrote; what is not new says so, a long path keeps its end."""
    outputs = [
        MadeVersion(
            path="results/figures/bill_length_by_species_and_island.png",
            entity_id="syn15",
            version_number=2,
            sha256="6b" * 32,
            size_bytes=34_567,
            rule="plot",
            outcome="generated",
        ),
        MadeVersion(
            path="results/table.csv",
            entity_id="syn14",
            version_number=3,
            sha256="d4" * 32,
            size_bytes=567,
            rule="summarise",
            outcome="reproduced",
        ),
    ]
    narrow = screen._replace(width=80)
    listed = Page(results=outputs, total_number_of_results=14)
    golden("latest.txt", joined(history_view.latest(run, listed, narrow)))
    none: Page[MadeVersion] = Page(results=[], total_number_of_results=0)
    assert list(history_view.latest(run, none, narrow))[-1] == "This run wrote no files."


@pytest.mark.parametrize(("columns", "name"), SIZES)
def test_show(story: Story, screen: Screen, golden: Golden, columns: int | None, name: str) -> None:
    """`show` tells how a version was made, the important things first."""
    golden(f"show-{name}.txt", joined(story_view.story(story, screen._replace(width=columns))))


def test_show_in_colour(story: Story, screen: Screen, golden: Golden) -> None:
    """On a terminal the same lines are coloured."""
    golden("show-colour.txt", joined(story_view.story(story, screen._replace(width=80, colour=True))))


def test_show_of_a_raw_input(story: Story, screen: Screen, golden: Golden) -> None:
    """A file that no recorded job made says so instead of leaving the reader to guess."""
    golden("show-raw.txt", joined(story_view.story(told_story(story.version), screen)))


def test_show_of_an_activity_that_was_no_job(story: Story, screen: Screen, golden: Golden) -> None:
    """What was recorded by hand is shown from its Activity alone."""
    used = [
        {"reference": {"targetId": "syn7", "targetVersionNumber": 2}, "wasExecuted": False},
        {"url": "https://example.org/tool", "wasExecuted": True},
    ]
    activity = {"id": "9", "name": "curated", "description": "by\nhand", "used": used}
    golden("show-activity.txt", joined(story_view.story(told_story(story.version, activity=activity), screen)))


def with_record(story: Story, record: StoredJob) -> Story:
    assert story.job is not None
    return replace(story, job=replace(story.job, job=record))


def test_show_bounds_what_is_long(story: Story, screen: Screen) -> None:
    """Ten thousand inputs, a command of ten megabytes and a huge param are counted, not printed."""
    assert story.record is not None
    one = story.files[0]
    story.files.extend(replace(one, path=f"part{number}") for number in range(10_000))
    story = with_record(story, replace(story.record, shellcmd="echo x\n" * 1_500_000))
    assert story.record is not None
    story.record.params.update({"list": list(range(100_000)), **{f"p{number}": number for number in range(96)}})
    lines = list(story_view.story(story, screen))
    assert len(lines) <= 100
    assert max(map(len, lines)) < 400
    assert "  … and 9,983 more (--json lists all)" in lines
    assert "  … and 81 more (--json lists all)" in lines
    assert "  … 10,500,000 characters in all (--json has it whole)" in lines


def test_show_of_what_went_wrong(story: Story, screen: Screen) -> None:
    """Says what is missing, unread or changed among a job's facts and files, and that there was no git."""
    job, run = story.record, story.run
    assert job is not None
    assert run is not None
    first, second, *others = job.inputs
    record = replace(
        job,
        status="failed",
        attempt=2,
        incomplete=["reason"],
        error="exit status 1",
        log_excerpt="a\nb\n",
        inputs=[replace(first, changed_while_reading=True), replace(second, changed_while_reading=None), *others],
    )
    unread = job_file("input", "unread.csv@1", sha256=None)
    story.files.extend([unread, replace(unread, path="gone.csv", version_number=None, outcome="missing")])
    story = replace(with_record(story, record), run=replace(run, git=None))
    got = joined(story_view.story(story, screen))
    assert "failed · attempt 2 · 3 minutes ago" in got
    assert got.count("changed while it was read") == 1
    assert got.count("may have changed during the job") == 1
    assert [line.split()[0] for line in got.splitlines() if "identity not proved" in line] == ["unread.csv@1"]
    assert "commit     not under version control" in got
    assert "incomplete reason" in got
    assert "error\n  exit status 1\n\nlog\n  a\n  b\n" in got


@pytest.mark.parametrize(("columns", "name"), SIZES)
def test_lineage(penguins: Lineage, screen: Screen, golden: Golden, columns: int | None, name: str) -> None:
    """`lineage` draws the tree down to the raw inputs, and lists the code apart from the data."""
    wide = screen._replace(width=columns)
    golden(f"lineage-{name}.txt", joined(tree.lineage(Graph.of(penguins), wide, direction="upstream")))


def test_lineage_in_ascii(penguins: Lineage, screen: Screen, golden: Golden) -> None:
    """A terminal that knows only ASCII gets the same tree in ASCII."""
    lines = joined(tree.lineage(Graph.of(penguins), screen._replace(width=60, unicode=False), direction="upstream"))
    assert lines.isascii()
    golden("lineage-ascii.txt", lines)


def test_lineage_downstream(penguins: Lineage, screen: Screen, golden: Golden) -> None:
    """Downstream the tree shows what came from a file, and no list of code."""
    graph = Graph.of(replace(penguins, root="syndata/penguins.csv.1"))
    golden("lineage-downstream.txt", joined(tree.lineage(graph, screen, direction="downstream")))


def test_lineage_of_what_nobody_used(lineage: Callable[..., Lineage], screen: Screen) -> None:
    """A final result has no lineage downstream, and the screen says so."""
    graph = Graph.of(lineage("a@1", ("make", ["a@1"], [], [])))
    assert list(tree.lineage(graph, screen, direction="downstream"))[-1] == "No recorded job used it."


def test_lineage_folds_a_wide_fan(lineage: Callable[..., Lineage], screen: Screen, golden: Golden) -> None:
    """Three hundred inputs of one rule take four rows."""
    parts = [("align", [f"bam/s{n}.bam@1"], [f"fastq/s{n}.fq@1"], ["Snakefile@1"]) for n in range(300)]
    answer = lineage("all.vcf@1", ("call", ["all.vcf@1"], [f"bam/s{n}.bam@1" for n in range(300)], []), *parts)
    golden("lineage-folded.txt", joined(tree.lineage(Graph.of(answer), screen, direction="upstream")))


def test_a_deep_lineage_stays_on_the_screen(lineage: Callable[..., Lineage], screen: Screen) -> None:
    """A chain of a thousand activities is drawn as deep as the screen is wide, and the rest is announced."""
    chain = [(f"r{n}", [f"results/f{n}.txt@1"], [f"results/f{n + 1}.txt@1"], []) for n in range(1000)]
    graph = Graph.of(lineage("results/f0.txt@1", *chain))
    narrow = list(tree.lineage(graph, screen._replace(width=80), direction="upstream"))
    assert max(map(width, narrow[:-1])) <= 80
    assert len(narrow) < 30
    assert narrow[-2].startswith("Deeper levels do not fit this screen")
    assert len(list(tree.lineage(graph, screen, direction="upstream"))) == 1001


def test_a_bounded_lineage_says_so(lineage: Callable[..., Lineage], screen: Screen) -> None:
    """Where the store had more, or `--depth` ended the search, the last line says so."""
    cut = Graph.of(lineage("b@1", ("make", ["b@1"], ["a@1"], []), truncated=True))
    lines = list(tree.lineage(cut, screen, direction="upstream"))
    assert lines[1] == "└─ a@1  …"
    assert lines[-1] == "There is more than the 3 files and activities looked at: ask for a file further down."
    lines = list(tree.lineage(cut, screen, direction="upstream", depth=1))
    assert lines[-1] == "… marks where --depth 1 ended the search."


def test_runs(run: Run, screen: Screen, golden: Golden) -> None:
    """`runs` lists what was run, when, and how it ended."""
    other = replace(run, id="ffee" * 8, status="failed", git=None, command_line="/opt/bin/snakemake -n")
    answer = Page(results=[run, other], total_number_of_results=22)
    golden("runs.txt", joined(runs_view.runs(answer, screen._replace(width=100))))


def test_run(run: Run, screen: Screen, golden: Golden) -> None:
    """`run` shows the run's facts and its jobs; a job that failed says why."""
    times = {"started_on": "2026-11-22T11:56:30.000Z", "ended_on": "2026-11-22T11:56:31.300Z"}
    output = job_file("output", "results/clean/adelie.csv@1", "reproduced")
    jobs = [
        JobSummary(
            id="7a5b" * 8,
            rule="clean",
            status="success",
            wildcards={"species": "adelie"},
            attempt=1,
            outputs=[output, output],
            **times,
        ),
        JobSummary(
            id="9c3e" * 8,
            rule="plot",
            status="failed",
            wildcards={},
            attempt=2,
            error="exit status 1\nin shell",
            outputs=[],
            **times,
        ),
    ]
    answer = Page(results=jobs, total_number_of_results=12)
    golden("run.txt", joined(runs_view.run(run, answer, screen._replace(width=100))))


def test_a_run_of_many_jobs(run: Run, screen: Screen, golden: Golden) -> None:
    """What failed comes first, without the command; many jobs of one rule share a line, with their median time."""
    jobs = [
        JobSummary(
            id=f"{number:032x}",
            rule="trim_adapters" if number % 2 else "count",
            status="success",
            wildcards={"sample": f"patient_{number:03d}_left_ventricle_biopsy"},
            attempt=1,
            started_on="2026-11-22T11:56:30.000Z",
            ended_on=f"2026-11-22T11:56:{31 + number}.300Z",
            outputs=[job_file("output", f"results/counts/patient_{number:03d}.tsv@1", "generated")],
        )
        for number in range(17)
    ]
    error = "CalledProcessError in file 'Snakefile', line 3:\nCommand 'set -e; x' returned non-zero exit status 3."
    jobs[9] = replace(jobs[9], status="failed", error=error, outputs=[])
    jobs[11] = replace(jobs[11], rule="merge", wildcards={})
    answer = Page(results=jobs, total_number_of_results=17)
    golden("run-folded.txt", joined(runs_view.run(run, answer, screen._replace(width=80), is_folded=True)))


def test_a_run_that_goes_on_says_how_far_it_is(run: Run, screen: Screen) -> None:
    """The jobs of its DAG that are done are counted against all that it has to do; reused ones are not to be done."""
    rules = [
        PlannedRule(rule="count", state=state, jobs=jobs, output="a", runs=[])
        for state, jobs in (("executed", 139), ("failed", 2), ("notReached", 762), ("reused", 30))
    ]
    plan = Plan(results=[], jobs_left_out=0, rules=rules)
    going, nothing = replace(run, status="running", ended_on=None), Page[JobSummary](results=[])

    assert " 139 of 903 jobs done (2 failed)" in next(runs_view.run(going, nothing, screen, plan=plan))
    for other in (replace(plan, jobs_left_out=1), replace(plan, rules=[]), None):
        assert "done" not in next(runs_view.run(going, nothing, screen, plan=other))
    assert "done" not in next(runs_view.run(run, nothing, screen, plan=plan))


def test_status(screen: Screen, golden: Golden) -> None:
    """`status` says what is held and what waits; only what waits is alarming."""
    answer = Status(
        entities=12,
        versions=1400,
        activities=1,
        jobs=9,
        runs=3,
        stored_bytes=1_234_567,
        schema_version="1",
        journal_mode="wal",
        notes=[],
    )
    place = {"store": "/home/ada/penguins/.snakeprov", "project": "penguins"}
    golden("status-calm.txt", joined(runs_view.status(answer, screen, **place, pending=0, failed=0)))
    noted = replace(answer, notes=["The file system is NFS: one writer at a time."])
    waiting = runs_view.status(noted, screen, **place, pending=2, failed=1, reasons=["No such activity."])
    golden("status-waiting.txt", joined(waiting))


@pytest.mark.parametrize("evil", ["a\x1b[2Jb", "a\nb", "a\u202eb", "a\x9bb"])
def test_no_name_reaches_the_terminal_raw(story: Story, run: Run, history: History, screen: Screen, evil: str) -> None:
    """Wherever a text from a record is shown, what would act on the terminal in it is escaped."""
    words = ("role", "outcome", "kind", "concreteType")

    def poison(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: value[key] if key.endswith("On") or key in words else poison(value[key]) for key in value}
        if isinstance(value, list):
            return [poison(one) for one in value]
        return value + evil if isinstance(value, str) else value

    def poisoned(answer: Answered) -> Answered:
        """Return an answer of a store that lies, as it is decoded; what can only be a word is one."""
        plain = poison(msgspec.to_builtins(answer))
        for one in (plain, plain.get("run") or {}, (plain.get("job") or {}).get("job") or {}):
            if "status" in one:
                one["status"] = "success"
        plain.pop("jobs", None)
        return msgspec.convert(plain, type(answer))

    assert story.record is not None
    told = poisoned(story)
    summary = JobSummary(id=evil, rule=evil, status="failed", wildcards={evil: evil}, attempt=1, outputs=[], error=evil)
    held = {"entities": 0, "versions": 0, "activities": 0, "jobs": 0, "runs": 0, "stored_bytes": 0}
    status = Status(**held, schema_version=evil, journal_mode=evil, notes=[evil])
    lines = [
        *story_view.story(told, screen),
        *history_view.versions(poisoned(history), screen),
        *runs_view.run(poisoned(run), Page(results=[summary], total_number_of_results=1), screen),
        *runs_view.status(status, screen, store=evil, project=evil, pending=0, failed=1, reasons=[evil]),
    ]
    assert not [line for line in lines if any(character in line for character in "\x1b\n\u202e\x9b")]
