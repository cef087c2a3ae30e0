"""One run with most of what Snakemake offers, compared with Snakemake's own account of it."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from snakemake_runs import Outcome, place, run


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(place("kitchen_sink", tmp_path_factory.mktemp("kitchen sink")))


def metadata_of(directory: Path) -> dict[str, Any]:
    """Return Snakemake's own metadata, by output path."""
    return {
        base64.urlsafe_b64decode(path.name).decode(): json.loads(path.read_text())
        for path in (directory / ".snakemake" / "metadata").iterdir()
        if path.is_file()
    }


def roles(job: dict[str, Any]) -> list[tuple[str, str]]:
    return [(code["role"], code["path"]) for code in job["code"] if code["role"] != "workflow"]


def line_of(directory: Path, rule: str) -> int:
    lines = (directory / "Snakefile").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if re.match(rf"(rule|checkpoint) {rule}:", line))


def test_every_job_is_recorded_exactly_once(outcome: Outcome) -> None:
    """The records count the same jobs of each rule as Snakemake's log says were run."""
    assert outcome.status == 0, outcome.stderr
    said = re.findall(r"^\s*(?:local)?(?:rule|checkpoint) (\w+):$", outcome.stderr, re.MULTILINE)
    assert outcome.counts() == Counter(said)
    assert len({job["id"] for job in outcome.jobs}) == len(outcome.jobs) == 22
    assert {job["status"] for job in outcome.jobs} == {"success"}
    assert all(re.fullmatch("[0-9a-f]{32}", job["id"]) for job in outcome.jobs)


def test_nothing_is_incomplete(outcome: Outcome) -> None:
    """Of none of these jobs, nor of the run, something could not be captured."""
    assert [job["incomplete"] for job in outcome.jobs if job.get("incomplete")] == []
    assert "missing" not in outcome.run


def test_records_agree_with_the_metadata_of_snakemake(outcome: Outcome) -> None:
    """Rule, inputs and shell command of each output are those that Snakemake itself noted."""
    recorded = {fact["path"]: job for job in outcome.jobs for fact in job["outputs"]}
    noted = metadata_of(outcome.directory)
    assert len(noted) >= 18
    for path, facts in noted.items():
        job = recorded[path]
        assert job["rule"] == facts["rule"]
        assert sorted({fact["path"] for fact in job["inputs"]}) == sorted(set(facts["input"]))
        assert job.get("shellcmd") == facts["shellcmd"]


def test_fingerprints_are_those_of_the_files_on_disk(outcome: Outcome) -> None:
    """Each output that was kept has the size, times and inode that it still has after the run."""
    seen = 0
    for job in outcome.jobs:
        for fact in job["outputs"]:
            path = outcome.directory / fact["path"]
            if path.is_file():
                now = path.stat()
                expected = [now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns]
                assert fact["fingerprint"] == expected, fact["path"]
                seen += 1
    assert seen >= 16


def test_a_job_is_described_in_full(outcome: Outcome) -> None:
    """Names, params of any kind, log, benchmark, threads, resources, environment and times of a shell job are there."""
    job = outcome.job("shell", sample="a")
    assert job["kind"] == "shell"
    assert job["snakemakeId"] > 0
    assert [(fact["path"], fact.get("name")) for fact in job["inputs"]] == [
        ("data/one.txt", None),
        ("data/two.txt", "named"),
        ("data/one.txt", "many"),
        ("data/two.txt", "many"),
    ]
    assert [(fact["path"], fact["name"]) for fact in job["outputs"]] == [
        ("results/shell/a.txt", "main"),
        ("results/shell/a.other", "other"),
    ]
    assert job["params"] == {
        "0": "positional",
        "number": 3,
        "path": "data",
        "members": ["a", "b"],
        "weird": "nan",
        "function": "for a",
        "listed": ["x", "y"],
    }
    assert job["shellcmd"].startswith("cat data/one.txt data/two.txt data/one.txt data/two.txt > results/shell/a.txt")
    assert [log["path"] for log in job["logs"]] == ["logs/a.log"]
    assert job["benchmarkFile"]["path"] == "benchmarks/a.tsv"
    assert job["threads"] == 2
    assert job["resources"]["mem_mb"] == 100
    assert not [name for name in job["resources"] if name.startswith("_")]
    assert job["priority"] == 7
    named = {"conda": "envs/tool.yaml", "container": "docker://debian:12", "modules": "tool/1.0"}
    assert job["declaredEnvironments"] == named, "named by the rule; no deployment method was switched on"
    assert not {"condaEnvPath", "container", "envModules"} & job.keys()
    assert job["reason"] == "Missing output files: results/shell/a.txt"
    assert job["submittedOn"] <= job["startedOn"] <= job["endedOn"]
    assert "group" not in job, "a group is inactive in a local run"


def test_code_is_named_with_the_line_of_the_rule(outcome: Outcome) -> None:
    """Script, wrapper, template and Snakefile of each rule are found, and lines are those of the file as written."""
    directory = outcome.directory
    for rule in ("shell", "script", "run", "part", "odd"):
        own = outcome.jobs[[job["rule"] for job in outcome.jobs].index(rule)]["code"][0]
        assert (own["path"], own["line"]) == ("Snakefile", line_of(directory, rule))
    script = outcome.job("script")
    assert roles(script) == [("snakefile", "Snakefile"), ("script", "scripts/count.py")]
    assert script["script"] == "scripts/count.py"
    assert script["code"][-1]["fingerprint"][2] == os.stat(directory / "scripts/count.py").st_size  # noqa: PTH116
    assert roles(outcome.job("wrapper"))[1:] == [("wrapper", "wrappers/upper/wrapper.py")]
    assert outcome.job("wrapper")["declaredEnvironments"] == {"conda": "wrappers/upper/environment.yaml"}
    assert roles(outcome.job("template"))[1:] == [("template", "templates/hello.txt")]
    assert roles(outcome.job("common")) == [("snakefile", "rules/common.smk")]
    assert roles(outcome.job("other_made")) == [("snakefile", "module/Snakefile")]
    assert outcome.job("other_made")["code"][0]["line"] == 6
    assert [code["path"] for code in outcome.job("common")["code"][1:]] == ["Snakefile", "module/Snakefile"]


def test_kinds_are_told_apart(outcome: Outcome) -> None:
    """A record says how the rule runs its jobs."""
    expected = {"shell": "shell", "script": "script", "run": "run", "wrapper": "wrapper", "template": "template"}
    assert {rule: outcome.job(rule)["kind"] for rule in expected} == expected
    assert outcome.job("all")["kind"] == "norun"
    assert outcome.job("split")["isCheckpoint"] is True


def test_flags_and_kinds_of_files(outcome: Outcome) -> None:
    """Flags that matter are kept; directories and pipes are told from files."""
    assert outcome.job("protect")["outputs"][0]["flags"] == ["protected"]
    assert not stat.S_IMODE((outcome.directory / "results/protected.txt").stat().st_mode) & stat.S_IWUSR
    assert outcome.job("touch")["outputs"][0]["flags"] == ["touch"]
    assert outcome.job("shadow")["outputs"][0]["flags"] == ["ensure"]
    assert outcome.job("script")["inputs"][0]["flags"] == ["ancient"]
    tree = outcome.job("tree")["outputs"][0]
    assert (tree["kind"], tree["flags"]) == ("directory", ["directory"])
    assert tree["listing"], "what was in it when the job ended"
    assert [fact["path"] for fact in outcome.job("multi")["outputs"]] == ["results/multi.one", "results/multi.two"]


def test_both_ends_of_a_pipe_are_recorded_without_opening_it(outcome: Outcome) -> None:
    """Writer and reader of a pipe are in the same group; the pipe is neither a file nor missing."""
    stream, drink = outcome.job("stream"), outcome.job("drink")
    assert stream["group"] == drink["group"]
    assert stream["outputs"][0]["kind"] == drink["inputs"][0]["kind"] == "other"


def test_outputs_are_held(outcome: Outcome) -> None:
    """The bytes of every output are there after its job, also of temp() files that Snakemake deleted."""
    assert outcome.held["results/part_x.txt"] == "x\n"
    made = [fact for job in outcome.jobs if job["status"] == "success" for fact in job.get("outputs", ())]
    files = {fact["path"] for fact in made if fact.get("kind", "file") == "file"}
    assert files <= outcome.held.keys()
    assert any(path.startswith("results/tree/") for path in outcome.held)
    assert not (outcome.directory / "results/part_x.txt").exists()
    job = outcome.job("part", part="x")
    assert job["outputs"][0]["flags"] == ["temp"]
    assert job["inputs"][0]["path"] == "results/parts/x.txt"
    taken = outcome.job("aggregate")["inputs"][0]
    assert taken["fingerprint"] == job["outputs"][0]["fingerprint"]


def test_odd_paths_are_kept_as_they_are(outcome: Outcome) -> None:
    """Spaces, quotes and letters outside ASCII come through."""
    job = outcome.job("odd")
    assert job["inputs"][0]["path"] == "data/sp ace.txt"
    assert job["outputs"][0]["path"] == "results/odd ü'name.txt"


def test_the_run_is_described(outcome: Outcome) -> None:
    """The run's record names its place, command, configuration, versions, executor and end."""
    first, last = outcome.runs
    assert first["status"] == "running" if "status" in first else True
    assert last["status"] == "success"
    assert first["id"] == last["id"] == outcome.jobs[0]["runId"]
    assert last["project"] == outcome.directory.name
    assert last["workingDirectory"] == str(outcome.directory)
    assert last["snakefile"] == "Snakefile"
    assert last["commandLine"] == "snakemake --cores 2"
    assert last["config"] == {"notebook": False, "threshold": 0.5}
    assert last["executor"] == "local"
    assert re.match(r"\d+\.\d+", last["snakemakeVersion"])
    assert last["startedOn"] < last["endedOn"]
    assert last["host"] and last["user"] and last["platform"] and last["pythonVersion"]
    assert "deploymentMethods" not in last, "no deployment method was switched on"


def test_the_end_line_is_the_only_thing_printed(outcome: Outcome) -> None:
    """One line at the end of stderr is all that a user sees, and stdout stays Snakemake's."""
    assert outcome.stderr.rstrip().endswith("snakeprov: collected")
    assert outcome.stderr.count("snakeprov:") == 1
    assert "snakeprov" not in outcome.stdout


needs_jupyter = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("nbconvert", "ipykernel")),
    reason="notebooks need nbconvert and ipykernel, which are not installed here",
)


@needs_jupyter
def test_a_notebook_is_recorded(tmp_path: Path) -> None:
    """A notebook rule is of that kind, and executed its notebook file."""
    outcome = run(place("kitchen_sink", tmp_path), "results/notebook.txt", "--config", "notebook=true")
    assert outcome.status == 0, outcome.stderr
    job = outcome.job("notebook")
    assert job["kind"] == "notebook"
    assert roles(job) == [("snakefile", "Snakefile"), ("notebook", "notebooks/write.py.ipynb")]
    assert outcome.run["targets"] == ["results/notebook.txt"]
