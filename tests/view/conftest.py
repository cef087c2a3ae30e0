"""Answers of a store about a small study of penguins, as the screens get them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from snakeprov.model.answers import EntityName, History, JobFile, Outcome, RecordedJob, Role, Run, Story, ToldVersion
from snakeprov.model.records import CodeFact, FileFact, StoredGit, StoredJob
from snakeprov.view.text import Screen

from ..answers import job_file, told_story, told_version

COMMIT = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b"
RUN_ID = "a1b2c3d4e5f60718293a4b5c6d7e8f90"


def sha256(name: str) -> str:
    """Return a digest for a name."""
    return hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture
def screen() -> Screen:
    """A pipe: no width, no colour."""
    return Screen(now=datetime(2026, 11, 22, 12, 0, tzinfo=UTC), zone=UTC)


def at(text: str) -> datetime:
    """Return the moment of a time on the day of the screen."""
    return datetime.fromisoformat(f"2026-11-22T{text}+00:00")


@pytest.fixture
def run() -> Run:
    """A run at a commit with changes."""
    return Run(
        id=RUN_ID,
        project="penguins",
        working_directory="/home/ada/penguins",
        status="success",
        command_line="snakemake --cores 2 --config minimum=3",
        started_on=at("11:56:30.000"),
        ended_on=at("11:56:52.500"),
        host="node1",
        user="ada",
        platform="Linux-6.1-x86_64",
        python_version="3.11.7",
        snakemake_version="9.27.1",
        snakeprov_version="0.1.0",
        git=StoredGit(
            root="/home/ada/penguins",
            commit=COMMIT,
            branch="main",
            remote="https://github.com/ada/penguins.git",
            dirty=True,
        ),
        jobs={"success": 11, "failed": 1},
    )


def _version(number: int, **more: Any) -> ToldVersion:
    facts = {
        "entity_id": "syn14",
        "created_on": "2026-11-22T11:56:50.000Z",
        "created_by": "ada",
        "sha256": sha256(f"table {number}"),
        "md5": "0" * 32,
        "size_bytes": 12_345,
        "bytes_kept": True,
        "activity_id": "12",
        "rule": "summarise",
        "run_id": RUN_ID,
        "commit": COMMIT,
        "dirty": True,
    }
    return told_version(f"results/table.csv@{number}", **{**facts, **more})


@pytest.fixture
def history() -> History:
    """The versions of a table: the first was no job's."""
    return History(
        entity=EntityName(id="syn14", name="table.csv", path="results/table.csv"),
        results=[
            _version(3),
            _version(2, created_on="2026-11-20T11:00:00.000Z", dirty=False, reproduced_by=["31", "44"], size_bytes=999),
            _version(
                1,
                created_on="2026-09-01T11:00:00.000Z",
                activity_id=None,
                rule=None,
                run_id=None,
                commit=None,
                dirty=None,
                bytes_kept=False,
                size_bytes=1_234_567_890,
            ),
        ],
        total_number_of_results=3,
    )


def _file(role: Role, path: str, number: int, outcome: Outcome) -> JobFile:
    digest = sha256(f"{path}@{number}")
    return job_file(role, f"{path}@{number}", outcome, entity_id=f"syn{len(path)}", sha256=digest)


@pytest.fixture
def story(run: Run) -> Story:
    """The story of a file that a job of a rule with a script generated."""
    job = StoredJob(
        id="0f" * 16,
        run_id=RUN_ID,
        rule="summarise",
        status="success",
        kind="shell",
        wildcards={"island": "biscoe"},
        params={"columns": ["bill_length_mm", "body_mass_g"], "method": "mean", "minimum": 3},
        inputs=[FileFact(path="results/clean/adelie.csv", name="adelie"), FileFact(path="results/clean/gentoo.csv")],
        outputs=[FileFact(path="results/table.csv", name="table")],
        code=[
            CodeFact(role="snakefile", path="Snakefile", line=12),
            CodeFact(role="script", path="workflow/scripts/summarise.py"),
        ],
        shellcmd="\n    python workflow/scripts/summarise.py \\\n        --method mean > results/table.csv\n",
        threads=2,
        resources={"_cores": 2, "mem_mb": 1000, "partition": "short"},
        reason="Params have changed since last execution: minimum",
        started_on=at("11:56:49.580"),
        ended_on=at("11:56:50.000"),
    )
    permalink = f"https://github.com/ada/penguins/blob/{COMMIT}/Snakefile#L12"
    files = [
        _file("input", "results/clean/adelie.csv", 2, "used"),
        _file("input", "results/clean/gentoo.csv", 1, "used"),
        _file("code", "Snakefile", 3, "executed"),
        _file("code", "workflow/scripts/summarise.py", 1, "executed"),
        _file("output", "results/table.csv", 3, "generated"),
    ]
    return told_story(
        _version(3),
        activity={"id": "12", "name": "summarise", "used": [{"wasExecuted": True, "url": permalink}]},
        job=RecordedJob(job=job, activity_id="12", files=files),
        run=run,
    )
