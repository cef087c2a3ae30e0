"""The words for a methods section: only what was recorded is said."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from snakeprov.export.commands import programs
from snakeprov.export.material import Activity, Made, Material, Use
from snakeprov.export.methods import methods
from snakeprov.model.answers import Meaning, Run, Version
from snakeprov.model.records import CodeFact, StoredGit

from ..answers import job_record, told_run

RUN = told_run("r", snakemake_version="9.27.1", python_version="3.11.7", git_problem="not asked")
UNKNOWN = told_run("r", git_problem="not asked")
GIT = StoredGit(root="/w", commit="c" * 40, remote="https://example.org/study.git", describe="v1.2", dirty=True)


def material(job: dict[str, Any], *, run: Run = RUN, **facts: Any) -> Material:
    """A result of one job."""
    result = Version(entity_id="syn1", version_number=1, path="out.bam")
    script = Version(entity_id="syn2", version_number=1, path="scripts/fit.R")
    activity = Activity(
        id="job_1",
        name="fit",
        run_id="r",
        job=job_record(**job),
        used=(Use(role="code", version_id="syn2.1"),),
        made=(Made(version_id="syn1.1"),),
    )
    return Material(
        store="urn:x#",
        targets=("syn1.1",),
        versions={one.id: one for one in (result, script)},
        activities=(activity,),
        runs={"r": run},
        **facts,
    )


def test_versions_come_from_the_environment_that_was_recorded() -> None:
    """A program has the version of the package of its name, R that of r-base; others have none."""
    conda = {"packages": [{"name": "bwa", "version": "0.7.17"}, {"name": "r-base", "version": "4.3.1"}]}
    job = {
        "kind": "shell",
        "shellcmd": "bwa mem a b | samtools sort > out.bam; Rscript x.R",
        "conda_env_path": "envs/map.yaml",
        "environment_digest": "d",
    }
    told = methods(material(job, environments={"d": {"conda": conda}}))

    assert "with bwa 0.7.17, Rscript 4.3.1 and samtools (version not recorded) in envs/map.yaml." in told.paragraph
    assert told.steps[0].environment == "envs/map.yaml"


def test_tools_of_unknown_version_are_told_together() -> None:
    """The words stand once, however many there are."""
    conda = {"packages": [{"name": "bwa", "version": "0.7.17"}]}
    job = {
        "kind": "shell",
        "shellcmd": "sort a | uniq | bwa mem",
        "conda_env_path": "e.yaml",
        "environment_digest": "d",
    }
    told = methods(material(job, environments={"d": {"conda": conda}})).paragraph

    assert "with bwa 0.7.17, and sort and uniq (versions not recorded) in e.yaml." in told


def test_a_script_in_an_environment_does_not_have_snakemakes_python() -> None:
    """The version of Snakemake's own Python is given only for scripts that ran in it."""
    code = [CodeFact(role="script", path="scripts/fit.py")]
    for environment, version in (({}, "3.11.7"), ({"container": "docker://debian:12"}, None)):
        (step,) = methods(material({"kind": "script", "code": code, **environment})).steps
        assert [(tool.name, tool.version) for tool in step.tools] == [("Python", version)]


@pytest.mark.parametrize(
    ("command", "path", "tools"),
    [
        ("python scripts/fit.py", "scripts/fit.py", [("python", None)]),
        ("./scripts/fit.py", "scripts/fit.py", [("fit.py", None), ("Python", None)]),
        ("Rscript fit.R", "fit.R", [("Rscript", None)]),
    ],
)
def test_a_script_that_a_shell_runs(command: str, path: str, tools: list[tuple[str, None]]) -> None:
    """Its interpreter is named once, and its version is not known: the shell finds it, not Snakemake."""
    job = {"kind": "shell", "shellcmd": command, "code": [CodeFact(role="script", path=path)]}
    (step,) = methods(material(job)).steps
    assert [(tool.name, tool.version) for tool in step.tools] == tools


def test_the_commit_is_told_with_its_tag_and_remote_and_what_was_not_committed() -> None:
    """So that a reader finds the code, and knows that it is not all of it."""
    told = methods(material({"kind": "shell"}, run=replace(RUN, git=GIT))).paragraph

    assert f"its code is at commit {'c' * 40} (v1.2) of https://example.org/study.git with uncommitted changes." in told


def test_a_remote_on_the_machine_of_the_run_is_not_told() -> None:
    """A folder from which the workflow was cloned helps no reader."""
    run = replace(RUN, git=replace(GIT, remote="/srv/git/study"))
    told = methods(material({"kind": "shell"}, run=run)).paragraph

    assert f"its code is at commit {'c' * 40} (v1.2) with uncommitted changes." in told


def test_a_commit_that_several_runs_share_is_told_once() -> None:
    """With what was not committed in some of them."""
    made = material({"kind": "shell"})
    again = replace(made.activities[0], id="job_2", run_id="other", name="plot")
    clean, dirty = replace(RUN, git=replace(GIT, dirty=False)), replace(RUN, git=GIT)
    both = replace(made, activities=(*made.activities, again), runs={"r": clean, "other": dirty})
    told = methods(both).paragraph

    assert f"its code is at commit {'c' * 40} (v1.2) of https://example.org/study.git, in part with unco" in told
    assert told.count("cccc") == 10


def test_what_is_unknown_is_said_to_be_so() -> None:
    """Neither a version of Snakemake, nor a commit, nor what was run is made up."""
    told = methods(material({}, run=UNKNOWN)).paragraph

    assert "with Snakemake (version not recorded); the commit of its code was not recorded." in told
    assert methods(material({}, run=UNKNOWN)).steps[0].tools == ()


def test_code_that_was_not_under_version_control_is_said_to_be_so() -> None:
    """Of a recorded run whose repository git could read; else the commit was not recorded."""
    told = methods(material({"kind": "shell"}, run=told_run("r"))).paragraph
    unasked = methods(material({"kind": "shell"}, run=told_run("r", git_problem="git is not installed"))).paragraph

    assert "its code was not under version control." in told
    assert "the commit of its code was not recorded." in unasked


def test_raw_inputs_are_told_and_nothing_else_is_called_so() -> None:
    """Files that nobody is known to have made, and addresses; neither an image, nor what another run made."""
    made = material({"kind": "shell", "container": "docker://debian:12"})
    files = [
        Version(entity_id="syn3", version_number=2, path="data/a.txt", sha256="a" * 64),
        Version(entity_id="syn4", version_number=1, path="work/b.txt", activity_id="9"),
        Version(entity_id="syn5", version_number=1, path="c.txt", meaning=Meaning(kind="edited")),
    ]
    used = [Use(role="input", version_id=one.id) for one in files]
    used += [Use(role="input", url=url) for url in ("docker://debian:12", "https://example.org/d.csv")]
    activity = replace(made.activities[0], used=tuple(used))
    versions = {**made.versions, **{one.id: one for one in files}}
    told = methods(replace(made, activities=(activity,), versions=versions))

    assert [one.name for one in told.inputs] == ["data/a.txt", "https://example.org/d.csv"]
    assert (told.inputs[0].version_number, told.inputs[0].sha256) == (2, "a" * 64)
    assert (
        "The raw inputs were data/a.txt and https://example.org/d.csv; where the files came from was" in told.paragraph
    )


def test_jobs_that_failed_are_left_out() -> None:
    """Nothing came of them."""
    assert methods(material({"status": "failed"})).steps == ()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (None, []),
        ("", []),
        ("for x in a b; do gzip $x; done", ["gzip"]),
        ("A=1 B=2 /usr/bin/env python3 x.py", ["python3"]),
        ("set -euo pipefail\nbwa index \\\n ref.fa 2> log\n", ["bwa"]),
        ("echo 'unfinished", []),
        ("python - <<'END'\nimport os\nEND\nsort x", ["python", "sort"]),
        ("$(which bwa) mem", []),
        ("${BWA_HOME}/bin/bwa mem", ["bwa"]),
        ("{ sort a; uniq b; } > c", ["sort", "uniq"]),
        ("(sort a) && join a b || true", ["sort", "join"]),
        ("mkdir -p out && cp a out", []),
        ("conda activate x; module load bwa/0.7; bwa mem", ["bwa"]),
        ("$tool x", []),
        ("x" * 200_000, []),
    ],
)
def test_programs_of_a_command(command: str | None, expected: list[str]) -> None:
    """Those that begin a command; what only the shell can tell, builtins and trivial programs are left out."""
    assert programs(command) == expected
