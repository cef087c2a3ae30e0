"""The ways to switch recording on, and the calls of Snakemake that record nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from snakemake_runs import WORKFLOWS, place, run

TRACK = "import snakeprov; snakeprov.track(workflow)\n"


def small(directory: Path, line: str = TRACK) -> Path:
    """Copy the small workflow to `directory`, with `line` at the top of its Snakefile."""
    place("small", directory)
    snakefile = directory / "Snakefile"
    snakefile.write_text(line + snakefile.read_text())
    return directory


@pytest.mark.parametrize("line", ["", TRACK], ids=["plugin", "plugin and line"])
def test_the_logger_plugin_records_each_job_once(tmp_path: Path, line: str) -> None:
    """`--logger snakeprov` records a workflow that says nothing of it, and nothing twice where it does."""
    outcome = run(small(tmp_path, line), "--logger", "snakeprov", "--logger-snakeprov-project", "flights")
    assert outcome.status == 0, outcome.stderr
    assert outcome.counts() == {"first": 1, "last": 1, "all": 1}
    assert outcome.run["project"] == "flights"
    assert outcome.job("first")["submittedOn"] <= outcome.job("first")["startedOn"]


def test_a_life_of_a_workflow(tmp_path: Path) -> None:
    """A first run, nothing to do, a forced rule, --touch and -q all are each recorded as what they are."""
    directory = small(tmp_path)
    assert run(directory).counts() == {"first": 1, "last": 1, "all": 1}

    idle = run(directory)
    assert (idle.status, idle.runs) == (0, []), "a run that had nothing to do leaves no trace"

    forced = run(directory, "--forcerun", "last")
    assert forced.job("last")["reason"].startswith("Forced execution")
    assert forced.run["status"] == "success"

    touched = run(directory, "--touch", "--forceall")
    assert {job["status"] for job in touched.jobs} == {"touched"}
    assert touched.run["executor"] == "touch"

    quiet = run(directory, "--forceall", "-q", "all")
    assert quiet.counts() == {"first": 1, "last": 1, "all": 1}
    assert "snakeprov" not in quiet.stderr


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--lint"], ["--summary"]])
def test_a_call_that_runs_nothing_records_nothing(tmp_path: Path, arguments: list[str]) -> None:
    """No record is made and no file written by a dry-run or by a call that only prints something."""
    directory = small(tmp_path)
    before = sorted(path.name for path in directory.iterdir())
    outcome = run(directory, *arguments, recorder="real")
    assert outcome.runs == outcome.jobs == []
    assert "snakeprov:" not in outcome.stderr
    assert sorted({path.name for path in directory.iterdir()} - {".snakemake"}) == before


def test_enabled_false_switches_recording_off(tmp_path: Path) -> None:
    """The setting `enabled` turns the line in the Snakefile into nothing."""
    outcome = run(small(tmp_path), variables={"SNAKEPROV_ENABLED": "false"})
    assert (outcome.status, outcome.runs) == (0, [])


def test_something_else_than_the_workflow_is_warned_of_once(tmp_path: Path) -> None:
    """A Snakefile that tracks something else runs, unrecorded, with one clear sentence; its children say nothing."""
    line = (
        "import snakeprov; snakeprov.track('mine')\n"
        + "rule code:\n    output: 'code.txt'\n    run: open(output[0], 'w').close()\n"
    )
    outcome = run(small(tmp_path, line), "code.txt")
    assert outcome.status == 0
    assert outcome.runs == []
    assert outcome.stderr.count("snakeprov:") == 1
    assert (
        "snakeprov: nothing of this run is recorded, the workflow goes on: track() was given 'mine' (str); expected is "
        "Snakemake's own variable 'workflow'." in outcome.stderr
    )


def test_something_else_than_the_workflow_ends_a_strict_run(tmp_path: Path) -> None:
    """With strict=True the same is an error of the Snakefile, and no job runs."""
    line = "import snakeprov; snakeprov.track('mine', strict=True)\n"
    outcome = run(small(tmp_path, line))
    assert outcome.status == 1
    assert "NotAWorkflowError" in outcome.stderr
    assert not (tmp_path / "last.txt").exists()


def test_a_wrong_setting_is_left_out_and_told_in_the_last_line(tmp_path: Path) -> None:
    """A misspelt setting is named with its nearest match; the others hold and the run is recorded."""
    line = "import snakeprov; snakeprov.track(workflow, projct='a', project='flights')\n"
    outcome = run(small(tmp_path, line))
    assert outcome.status == 0
    assert outcome.run["project"] == "flights"
    (line,) = [line for line in outcome.stderr.splitlines() if "projct" in line]
    assert f"Unknown setting 'projct' in track() in {tmp_path / 'Snakefile'}. Did you mean 'project'?" in line
    assert line.startswith("snakeprov: ") and outcome.stderr.count("snakeprov: ") == 1, "it is told in the last line"


def test_a_wrong_setting_ends_a_strict_run_before_its_first_job(tmp_path: Path) -> None:
    """With strict=True a misspelt setting fails the call at once."""
    outcome = run(small(tmp_path, "import snakeprov; snakeprov.track(workflow, projct='a', strict=True)\n"))
    assert outcome.status == 1
    assert "Unknown setting 'projct'" in outcome.stderr
    assert not (tmp_path / "last.txt").exists()


def test_a_broken_settings_file_costs_the_records_not_the_run(tmp_path: Path) -> None:
    """A settings file that cannot be parsed is told of at the end of the run, which is not affected."""
    (tmp_path / "snakeprov.toml").write_text("project = ")
    outcome = run(small(tmp_path))
    assert (outcome.status, outcome.runs) == (0, [])
    said = "snakeprov: nothing of this run is recorded; the workflow is not affected. The settings"
    assert outcome.stderr.count(said) == outcome.stderr.count("snakeprov: ") == 1
    assert outcome.stderr.index(said) > outcome.stderr.index("3 of 3 steps")


def test_a_workdir_in_the_snakefile_is_where_paths_are_relative_to(tmp_path: Path) -> None:
    """With `workdir:` the record's directory is the one jobs run in, and the Snakefile lies outside of it."""
    (tmp_path / "elsewhere").mkdir()
    outcome = run(small(tmp_path, TRACK + "workdir: 'elsewhere'\n"), "--config", "a=1", "middle.txt")
    assert outcome.status == 1, "in.txt is not there"
    (tmp_path / "elsewhere" / "in.txt").write_text("1\n")
    outcome = run(tmp_path, "middle.txt")
    assert outcome.run["workingDirectory"] == str(tmp_path / "elsewhere")
    assert outcome.run["snakefile"] == str(tmp_path / "Snakefile")
    assert outcome.job("first")["inputs"][0]["path"] == "in.txt"


def test_outputs_from_the_cache_between_workflows_are_told_from_made_ones(tmp_path: Path) -> None:
    """The first workflow makes the file, the second takes it from the cache."""
    cache = tmp_path / "cache"
    cache.mkdir()
    statuses = []
    for name in ("one", "two"):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "Snakefile").write_text(
            TRACK + "rule made:\n    output: 'made.txt'\n    cache: True\n    shell: 'echo made > {output}'\n"
        )
        outcome = run(directory, "--cache", variables={"SNAKEMAKE_OUTPUT_CACHE": str(cache)})
        assert outcome.status == 0, outcome.stderr
        (job,) = outcome.jobs
        assert job["outputs"][0]["symlinkTarget"].startswith(str(cache))
        statuses.append(job["status"])
    assert statuses == ["success", "cached"]


def test_a_submitted_group_has_a_record_for_each_member(tmp_path: Path) -> None:
    """Jobs that a cluster runs as a group are recorded one by one, with the group's and the cluster's number."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic", reason="needs the cluster-generic executor")
    (tmp_path / "Snakefile").write_text(
        TRACK
        + "rule first:\n    output: temp('first.txt')\n    group: 'pair'\n    shell: 'echo 1 > {output}'\n"
        + "rule second:\n    input: 'first.txt'\n    output: 'second.txt'\n    group: 'pair'\n"
        + "    shell: 'cat {input} > {output}'\n"
    )
    submit = tmp_path / "submit"
    submit.write_text('#!/bin/sh\nsh "$1" > submitted.log 2>&1 &\necho 4711\n')
    submit.chmod(0o755)
    arguments = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", str(submit), "--jobs", "1"]
    outcome = run(tmp_path, *arguments, "--seconds-between-status-checks", "1", "second.txt")
    assert outcome.status == 0, outcome.stderr + (tmp_path / "submitted.log").read_text()
    assert outcome.counts() == {"first": 1, "second": 1}
    for rule in ("first", "second"):
        job = outcome.job(rule)
        assert (job["group"], job["status"]) == ("pair", "success")
        assert "startedOn" not in job, "when a cluster began a job is not known here"
    assert outcome.run["executor"] == "cluster-generic"


def test_several_workflows_in_one_process_keep_apart(tmp_path: Path) -> None:
    """Two executions through Snakemake's Python interface have a run each, with their own jobs."""
    for name in ("one", "two"):
        small(tmp_path / name)
    script = tmp_path / "twice.py"
    script.write_text(
        """
import runpy, sys
from pathlib import Path
import msgspec
from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, ResourceSettings
from snakeprov.model.records import decode_job
from snakeprov.plugin import recording

class Collector:
    shortfall = 0
    reason = ""
    def start(self, run): self.rules, self.run = [], run
    def hold(self, message, descriptors=()): return True
    def append(self, job): self.append_encoded(msgspec.json.encode(job))
    def append_encoded(self, payload):
        job = decode_job(payload)
        self.rules.append((job.rule, job.run_id == self.run.id))
    def finish(self, run, *, is_shown): print(sorted(self.rules), run.working_directory); return self
    def line(self, **_): return "done"

recording.open_recorder = lambda settings, directory, **more: Collector()
for name in sys.argv[1:]:
    with SnakemakeApi(OutputSettings()) as api:
        workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path(name) / "Snakefile", workdir=Path(name))
        workflow.dag().execute_workflow(executor="local")
"""
    )
    names = [str(tmp_path / "one"), str(tmp_path / "two")]
    done = subprocess.run([sys.executable, script, *names], capture_output=True, text=True, timeout=120, check=False)
    expected = "[('all', True), ('first', True), ('last', True)]"
    assert done.stdout.splitlines() == [f"{expected} {name}" for name in names], done.stderr


def test_the_line_costs_nothing_in_child_processes() -> None:
    """`track` in a process that runs one job for another loads nothing beyond the standard library."""
    script = (
        "import sys, snakeprov\n"
        "class Workflow: is_main_process = False\n"
        "snakeprov.track(Workflow())\n"
        "heavy = {'msgspec', 'requests', 'falcon', 'sqlalchemy', 'git', 'snakemake', 'snakeprov.settings'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert WORKFLOWS.is_dir()
