"""`snakeprov backfill`: outputs that were there before anybody recorded how they were made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.conftest import Work

SNAKEFILE = """
rule all:
    input: "sum.txt", "parts", "said.txt", "ran.txt"

rule two:
    input: a="in.txt", b="late.txt"
    output: a="out/a.txt", b="out/b.txt", gone=temp("out/gone.txt")
    params: "plain", n=3
    log: "two.log"
    shell: "cat {input} > {output.a}; echo b > {output.b}; echo gone > {output.gone}; echo log > {log}"

rule sum:
    input: "out/a.txt", "out/b.txt", "out/gone.txt"
    output: "sum.txt"
    shell: "cat {input} > {output}; : --password p4ssw0rd-of-the-past"

rule parts:
    output: directory("parts")
    shell: "mkdir -p {output}/deep; echo 1 > {output}/1.txt; echo 2 > {output}/deep/2.txt"

rule said:
    output: "said.txt"
    script: "say.py"

rule ran:
    output: "ran.txt"
    run: open(output[0], "w").write("ran")

rule fails:
    output: "left.txt"
    shell: "echo half > {output}; exit 1"
"""

JOBS = {
    "parts": ["parts/"],
    "ran": ["ran.txt"],
    "said": ["said.txt"],
    "sum": ["sum.txt"],
    "two": ["out/a.txt", "out/b.txt"],
}


def run_untracked(folder: Path, *options: str) -> Path:
    """Run the workflow, and a job that fails and leaves its output behind, without recording anything."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "say.py").write_text("open(snakemake.output[0], 'w').write('said')\n")
    for name in ("in.txt", "late.txt"):
        (folder / name).write_text(f"{name}\n")
    work = Work(folder)
    work.snakemake("all", *options)
    work.snakemake("--keep-incomplete", *options, "left.txt", status=1)
    return folder


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a workflow ran that nobody tracked."""
    return run_untracked(tmp_path_factory.mktemp("past") / "work")


@pytest.fixture
def move_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Work]:
    """Give `move_here(folder)`: a copy of a folder, in another place."""
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)

    def copy(folder: Path) -> Work:
        shutil.copytree(folder, tmp_path / "work", symlinks=True)
        return Work(tmp_path / "work")

    return copy


@pytest.fixture
def work(past: Path, move_here: Callable[[Path], Work]) -> Work:
    """A copy of that folder, in another place."""
    return move_here(past)


def outputs(answer: Any) -> dict[str, list[str]]:
    return {job["rule"]: [path + "/" * (path == "parts") for path in sorted(job["outputs"])] for job in answer["jobs"]}


def read_by(story: Any) -> dict[str, int | None]:
    return {one["path"]: one["versionNumber"] for one in story["job"]["inputs"]}


def test_the_jobs_of_the_past_are_recorded_as_one_run_with_what_is_known(work: Work) -> None:
    """Several outputs are one job; what Snakemake does not keep is not guessed."""
    answer = work.ask("backfill")
    (run,) = work.ask("runs")
    story = work.ask("show", "sum.txt")
    two = work.ask("show", "out/a.txt")

    assert outputs(answer) == JOBS
    assert answer["leftOut"] == {"no longer there": ["out/gone.txt"], "of a job that failed": ["left.txt"]}
    assert (run["status"], run["jobs"]) == ("backfilled", {"backfilled": 5})
    assert story["job"]["status"] == two["job"]["status"] == "backfilled"
    assert two["job"]["shellcmd"].startswith("cat in.txt late.txt > out/a.txt")
    assert read_by(story) == {"out/a.txt": 1, "out/b.txt": 1, "out/gone.txt": None}


def test_a_password_in_a_past_command_is_not_recorded(work: Work) -> None:
    """What Snakemake kept is looked through for secrets before any of it is written."""
    work.ask("backfill")
    kept = b"".join(path.read_bytes() for path in (work.folder / ".snakeprov").rglob("*") if path.is_file())

    assert "--password ***" in work.ask("show", "sum.txt")["job"]["shellcmd"]
    assert b"p4ssw0rd-of-the-past" not in kept


def test_the_database_back_end_of_snakemake_tells_the_same(
    tmp_path_factory: pytest.TempPathFactory, move_here: Callable[[Path], Work]
) -> None:
    """Also after the folder was moved, though the database names it by its old place."""
    offered = subprocess.run([sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True)
    if "--persistence-backend" not in offered.stdout:
        pytest.skip("this version of Snakemake has no database back-end")
    folder = run_untracked(tmp_path_factory.mktemp("database") / "work", "--persistence-backend", "db")
    answer = move_here(folder).ask("backfill")

    assert outputs(answer) == JOBS
    assert answer["leftOut"] == {"no longer there": ["out/gone.txt"], "of a job that failed": ["left.txt"]}


def test_a_second_time_changes_nothing(work: Work) -> None:
    """Neither does a third one after the outbox and the digests were lost."""
    work.ask("backfill")
    before = work.ask("status")
    again = work.ask("backfill")
    shutil.rmtree(work.folder / ".snakeprov" / "outbox")
    third = work.say("backfill")

    assert (again["jobs"], again["recordedOutputs"]) == ([], 6)
    assert third.startswith("Nothing to backfill: all is recorded.\n")
    assert work.ask("status") == before


def test_a_dry_run_writes_nothing_and_says_the_same(work: Work) -> None:
    """There is not even a folder afterwards."""
    said = work.say("backfill", "--dry-run")

    assert not (work.folder / ".snakeprov").exists()
    assert "two  out/a.txt, out/b.txt\n" in said
    assert "Would backfill 5 jobs with 6 outputs.\n" in said
    assert "Left out, of a job that failed: left.txt.\n" in said


def test_only_what_is_as_its_job_left_it_is_taken(work: Work) -> None:
    """A file that was written since is left out, and the others of its job say that it is missing."""
    work.write("out/b.txt", "by hand\n")
    work.write("parts/deep/3.txt", "one more\n")
    answer = work.ask("backfill")

    assert answer["leftOut"]["changed since its job ended"] == ["out/b.txt", "parts"]
    assert outputs(answer)["two"] == ["out/a.txt"]
    assert "2 other outputs are not as the job left them." in work.say("show", "out/a.txt")


def test_an_input_is_tied_to_a_version_only_if_it_is_what_was_read(work: Work) -> None:
    """Other bytes, even with an old time, are not; the same bytes are, even with a new time."""
    times_ns = (work.folder / "in.txt").stat().st_mtime_ns, (work.folder / "in.txt").stat().st_mtime_ns
    work.write("in.txt", "others\n")
    os.utime(work.folder / "in.txt", ns=times_ns)
    os.utime(work.folder / "late.txt")
    work.ask("backfill", "out")

    assert read_by(work.ask("show", "out/a.txt")) == {"in.txt": None, "late.txt": 1}


def test_targets_limit_it_to_files_and_folders(work: Work) -> None:
    """A file in a subfolder may be named from there; what Snakemake knows nothing of is an error."""
    assert outputs(work.ask("backfill", "out/a.txt", "parts")) == {name: JOBS[name] for name in ("two", "parts")}
    complaint = work.say("backfill", "in.txt", status=3)

    assert "Snakemake keeps no metadata of in.txt." in complaint
    assert outputs(work.ask("backfill")) == {name: JOBS[name] for name in ("said", "ran", "sum")}


def test_a_later_real_run_makes_the_next_version(work: Work) -> None:
    """And the run after it reproduces that."""
    work.ask("backfill")
    work.write("in.txt", "new input\n")
    work.write("Snakefile", f"import snakeprov; snakeprov.track(workflow)\n{SNAKEFILE}")
    work.snakemake("sum.txt")

    versions = work.ask("log", "sum.txt")["versions"]
    assert [(one["versionNumber"], one["rule"]) for one in versions] == [(2, "sum"), (1, "sum")]
    assert work.ask("backfill")["jobs"] == []


def test_a_folder_where_snakemake_never_ran_is_refused(work: Work) -> None:
    """The error says where to call it."""
    shutil.rmtree(work.folder / ".snakemake")

    assert "Snakemake keeps no metadata of past jobs in" in work.say("backfill", status=3)
    assert not (work.folder / ".snakeprov").exists()


def test_where_records_go_stays_noted(make_work: Callable[..., Work]) -> None:
    """What the Snakefile alone says of the store is still known to the commands afterwards."""
    work = make_work(
        'import snakeprov; snakeprov.track(workflow, store="elsewhere")\n'
        'rule one:\n  output: "{name}.txt"\n  shell: "echo {wildcards.name} > {output}"\n'
    )
    work.snakemake("seen.txt")
    work.snakemake("unseen.txt", SNAKEPROV_ENABLED="false")

    assert [job["rule"] for job in work.ask("backfill")["jobs"]] == ["one"]
    assert not (work.folder / ".snakeprov" / "provenance.sqlite").exists()
    assert len(work.ask("log", "seen.txt")["versions"]) == len(work.ask("log", "unseen.txt")["versions"]) == 1


def test_a_file_of_the_workflow_s_source_is_itself(make_work: Callable[..., Work]) -> None:
    """As an input, a param and in a command: not the copy that Snakemake makes for each run, which is gone by now."""
    work = make_work(
        'rule one:\n    input: workflow.source_path("data/table.csv")\n    output: "one.txt"\n'
        '    params: workflow.source_path("data/table.csv")\n    shell: "cp {input} {output}; : {params}"\n'
    )
    table = work.write("data/table.csv", "x\n")
    work.snakemake("one.txt")
    work.say("backfill")

    shown = work.ask("show", "one.txt")
    assert read_by(shown) == {"data/table.csv": 1}
    assert shown["job"]["params"] == {"0": str(table)}
    assert shown["job"]["shellcmd"] == f"cp {table} one.txt; : {table}"


def test_backfill_compares_with_its_own_project_alone(
    past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder of the same name has recorded the same outputs in the same store: these are not recorded yet."""
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    first, second = (Work(shutil.copytree(past, tmp_path / who / "work", symlinks=True)) for who in ("ada", "bob"))
    store = ("--store", str(tmp_path / "shared"))
    assert outputs(first.ask("backfill", *store)) == JOBS

    assert outputs(second.ask("backfill", "--dry-run", *store)) == JOBS
    assert not (second.folder / ".snakeprov").exists()
    assert outputs(second.ask("backfill", *store)) == JOBS
    assert outputs(second.ask("backfill", *store)) == {}


def test_backfill_records_in_one_store_what_waits_for_another(work: Work) -> None:
    """What waits for the other store stays there, and is still delivered to it."""
    work.write("snakeprov.toml", "store = 'http://127.0.0.1:9'\n")
    work.say("record", "ran.txt", "--name", "by hand")
    other = ("--store", str(work.folder / "other"))
    assert outputs(work.ask("backfill", *other)) == JOBS
    assert work.ask("status", *other)["pending"] == 1
