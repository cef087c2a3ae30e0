"""The main job: one line in a Snakefile, and every output is a version that knows how it was made."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.endtoend.conftest import Work

LINE = "import snakeprov; snakeprov.track(workflow)\n"

SNAKEFILE = """
rule all:
    input: "results/final.txt"

rule clean:
    input: "data/raw.txt"
    output: temp("results/clean.txt")
    shell: "sort {input} > {output}"

rule final:
    input: raw="data/raw.txt", clean="results/clean.txt"
    output: "results/final.txt"
    params: cutoff=config.get("cutoff", 1), names=["a", "b"]
    threads: 2
    script: "scripts/final.py"
"""

SCRIPT = """
with open(snakemake.output[0], "w") as out:
    out.write(open(snakemake.input.clean).read() * int(snakemake.params.cutoff))
"""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """The workflow above, tracked by the one line, committed to git."""
    made = make_work(LINE + SNAKEFILE, data__raw_txt="", scripts__final_py="")
    made.write("data/raw.txt", "b\na\n")
    made.write("scripts/final.py", SCRIPT)
    (made.folder / "data" / "raw_txt").unlink()
    (made.folder / "scripts" / "final_py").unlink()
    made.write(".gitignore", "results/\n.snakemake/\n")
    return made


def test_the_story_of_a_result_before_and_after_a_parameter_changed(work: Work) -> None:
    """Run, ask; change a parameter, run, ask: version 2 stands above version 1, which still has its old story."""
    commit = work.commit()
    work.git("remote", "add", "origin", "https://ada:secret@github.com/ada/penguins.git")

    said = work.snakemake()
    first = work.ask("log", "results/final.txt")
    work.snakemake("--config", "cutoff=2")
    log = work.ask("log", "results/final.txt")
    old, new = (work.ask("show", f"results/final.txt@{number}") for number in (1, 2))

    assert "snakeprov: recorded 3 jobs: 2 new versions (run" in said
    (version,) = first["versions"]
    assert version["sha256"] == sha256("a\nb\n")
    assert (version["rule"], version["commit"], version["dirty"]) == ("final", commit, False)
    assert (version["sizeBytes"], version["bytesKept"], version["reproducedBy"]) == (4, True, [])
    assert [one["versionNumber"] for one in log["versions"]] == [2, 1]
    superseded = version | {"isLatest": False, "latestVersionNumber": 2}
    assert log["versions"][1] == superseded
    assert log["versions"][0]["sha256"] == sha256("a\nb\n" * 2)
    assert [(old["job"]["params"]["cutoff"]), new["job"]["params"]["cutoff"]] == [1, 2]
    assert old["version"] == superseded
    assert old["run"]["id"] != new["run"]["id"]
    assert old["run"]["git"] == {
        "commit": commit,
        "branch": "main",
        "describe": None,
        "remote": "https://github.com/ada/penguins.git",
        "dirty": False,
    }
    assert "secret" not in str(old)


def test_the_activity_says_what_was_used_and_executed(work: Work) -> None:
    """Each input at its version, the script and the Snakefile at the commit, and all that Snakemake knows."""
    commit = work.commit()
    work.git("remote", "add", "origin", "git@github.com:ada/penguins.git")
    work.snakemake()

    story = work.ask("show", "results/final.txt")
    used: list[Any] = [one for one in story["activity"]["used"] if not one["wasExecuted"]]
    executed = {one.get("url") for one in story["activity"]["used"] if one["wasExecuted"]}
    job = story["job"]

    assert [one["path"] for one in job["inputs"]] == ["data/raw.txt", "results/clean.txt"]
    assert [one["sha256"] for one in job["inputs"]] == [sha256("b\na\n"), sha256("a\nb\n")]
    assert [one["reference"]["targetId"] for one in used] == [one["entityId"] for one in job["inputs"]]
    assert [one["reference"]["targetVersionNumber"] for one in used] == [1, 1]
    line = LINE.count("\n") + SNAKEFILE[: SNAKEFILE.index("rule final")].count("\n") + 1
    assert executed == {
        None,
        f"https://github.com/ada/penguins/blob/{commit}/scripts/final.py",
        f"https://github.com/ada/penguins/blob/{commit}/Snakefile#L{line}",
    }
    assert (job["rule"], job["status"], job["threads"], job["attempt"]) == ("final", "success", 2, 1)
    assert job["params"] == {"cutoff": 1, "names": ["a", "b"]}
    assert job["script"] == "scripts/final.py"
    assert job["startedOn"] <= job["endedOn"]
    assert job["reason"].startswith("Missing output files")
    assert story["run"]["commandLine"].endswith("--scheduler greedy")


def test_lineage_goes_down_to_the_raw_inputs_and_up_to_the_results(work: Work) -> None:
    """Also through an intermediate that is gone; downstream from a raw input to every result."""
    work.snakemake()

    up = work.ask("lineage", "results/final.txt")
    down = work.ask("lineage", "data/raw.txt", "--downstream")

    labels = {node["label"] for node in up["nodes"] if node["kind"] == "entity"}
    assert labels == {"results/final.txt", "results/clean.txt", "data/raw.txt", "Snakefile", "scripts/final.py"}
    assert {edge["kind"] for edge in up["edges"]} == {"used", "executed", "generatedBy"}
    assert not up["truncated"]
    assert {node["label"] for node in down["nodes"] if node["kind"] == "entity"} >= {
        "data/raw.txt",
        "results/clean.txt",
        "results/final.txt",
    }
    assert not (work.folder / "results" / "clean.txt").exists()


def test_the_same_bytes_again_are_reproduced(work: Work) -> None:
    """A forced re-run makes no new version; the version says what reproduced it."""
    work.snakemake()
    said = work.snakemake("--forceall")

    (version,) = work.ask("log", "results/final.txt")["versions"]
    runs = work.ask("runs")

    assert "0 new versions, 2 reproduced" in said
    assert len(version["reproducedBy"]) == 1
    assert [run["jobs"] for run in runs] == [{"success": 3}, {"success": 3}]


def test_versions_always_makes_one_each_time(work: Work) -> None:
    """The setting, given where the workflow is tracked."""
    work.write("Snakefile", LINE.replace("workflow)", "workflow, versions='always')") + SNAKEFILE)
    work.snakemake()
    work.snakemake("--forceall")

    assert [one["versionNumber"] for one in work.ask("log", "results/final.txt")["versions"]] == [2, 1]


def test_an_input_that_changed_between_runs_is_a_new_version_of_its_own(work: Work) -> None:
    """Old activities keep pointing at the old one."""
    work.snakemake()
    work.write("data/raw.txt", "c\n")
    work.snakemake()

    log = work.ask("log", "data/raw.txt")
    old, new = (work.ask("show", f"results/final.txt@{number}")["job"]["inputs"][0] for number in (1, 2))

    assert [(one["versionNumber"], one["activityId"]) for one in log["versions"]] == [(2, None), (1, None)]
    assert (old["versionNumber"], new["versionNumber"]) == (1, 2)


@pytest.mark.parametrize(("line", "arguments"), [("", ["--logger", "snakeprov"]), (LINE, ["--logger", "snakeprov"])])
def test_the_logger_plugin_does_the_same_and_both_record_once(work: Work, line: str, arguments: list[str]) -> None:
    """Without touching the Snakefile, and with both entrances at once."""
    work.write("Snakefile", line + SNAKEFILE)
    work.snakemake(*arguments)

    (run,) = work.ask("runs")

    assert run["jobs"] == {"success": 3}
    assert len(work.ask("log", "results/final.txt")["versions"]) == 1


def test_a_dirty_tree_is_recorded_as_such_with_its_patch(work: Work) -> None:
    """The commit reads dirty, what differs is kept, and the file that differs gets no permalink."""
    work.commit()
    work.git("remote", "add", "origin", "https://github.com/ada/penguins.git")
    work.write("scripts/final.py", SCRIPT + "# a change that is not committed\n")
    work.snakemake()

    story = work.ask("show", "results/final.txt")
    urls = [one["url"] for one in story["activity"]["used"] if "url" in one]

    assert story["run"]["git"]["dirty"] is True
    assert "+dirty" in work.say("log", "results/final.txt")
    assert [url.split("/")[-1].split("#")[0] for url in urls] == ["Snakefile"]
    from snakeprov import connect

    with connect(work.folder / ".snakeprov") as client:
        assert b"+# a change that is not committed" in client.runs.patch(story["run"]["id"])


def test_results_that_git_does_not_know_do_not_make_the_code_dirty(work: Work) -> None:
    """What was not committed matters only where it is code that ran."""
    work.write(".gitignore", "")
    work.commit()
    work.snakemake()

    assert work.ask("show", "results/final.txt")["run"]["git"]["dirty"] is False


def test_without_version_control_the_code_itself_is_kept(work: Work) -> None:
    """The record says so, and what ran can be read."""
    work.snakemake()

    story = work.ask("show", "results/final.txt")
    code = work.ask("log", "scripts/final.py")["versions"][0]

    assert story["run"]["git"] is None
    assert "not under version control" in work.say("show", "results/final.txt")
    assert code["bytesKept"] is True
    assert code["sha256"] == sha256(SCRIPT)


def test_the_folder_stays_out_of_version_control(work: Work) -> None:
    """git sees nothing of `.snakeprov/`."""
    work.snakemake()
    work.commit()

    assert ".snakeprov" not in work.git("ls-files")


def test_a_dry_run_and_calls_that_only_print_write_nothing(work: Work) -> None:
    """Neither a store nor a folder."""
    for arguments in (["--dry-run"], ["--lint"], ["--summary"], ["--dag"]):
        subprocess.run(
            work.command(*arguments), cwd=work.folder, env=work.environment(), capture_output=True, check=False
        )

    assert not (work.folder / ".snakeprov").exists()


def test_a_workflow_with_nothing_to_do_records_nothing(work: Work) -> None:
    """The second run finds everything up to date."""
    work.snakemake()
    said = work.snakemake()

    assert "snakeprov" not in said
    assert len(work.ask("runs")) == 1
