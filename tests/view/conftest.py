"""Answers of a repository about a small study of penguins, as the screens get them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from snakeprov.view.text import Screen

COMMIT = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b"
RUN_ID = "a1b2c3d4e5f60718293a4b5c6d7e8f90"


def sha256(name: str) -> str:
    """Return a digest for a name."""
    return hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture
def screen() -> Screen:
    """A pipe: no width, no colour."""
    return Screen(now=datetime(2026, 11, 22, 12, 0, tzinfo=UTC), zone=UTC)


@pytest.fixture
def run() -> dict[str, Any]:
    """An answer of the run resource."""
    return {
        "id": RUN_ID,
        "project": "penguins",
        "workingDirectory": "/home/ada/penguins",
        "status": "success",
        "commandLine": "snakemake --cores 2 --config minimum=3",
        "startedOn": "2026-11-22T11:56:30.000Z",
        "endedOn": "2026-11-22T11:56:52.500Z",
        "host": "node1",
        "user": "ada",
        "platform": "Linux-6.1-x86_64",
        "pythonVersion": "3.11.7",
        "snakemakeVersion": "9.27.1",
        "snakeprovVersion": "0.1.0",
        "git": {
            "root": "/home/ada/penguins",
            "commit": COMMIT,
            "branch": "main",
            "remote": "https://github.com/ada/penguins.git",
            "dirty": True,
        },
        "jobs": {"success": 11, "failed": 1},
    }


def _version(number: int, **more: Any) -> dict[str, Any]:
    return {
        "versionNumber": number,
        "createdOn": "2026-11-22T11:56:50.000Z",
        "createdBy": "ada",
        "sha256": sha256(f"table {number}"),
        "md5": "0" * 32,
        "sizeBytes": 12_345,
        "bytesKept": True,
        "activityId": "12",
        "rule": "summarise",
        "runId": RUN_ID,
        "commit": COMMIT,
        "dirty": True,
        "reproducedBy": [],
        **more,
    }


@pytest.fixture
def history() -> dict[str, Any]:
    """An answer of the history resource."""
    return {
        "entity": {"id": "syn14", "name": "table.csv", "path": "results/table.csv"},
        "versions": [
            _version(3),
            _version(2, createdOn="2026-11-20T11:00:00.000Z", dirty=False, reproducedBy=["31", "44"], sizeBytes=999),
            _version(
                1,
                createdOn="2026-09-01T11:00:00.000Z",
                activityId=None,
                rule=None,
                runId=None,
                commit=None,
                dirty=None,
                bytesKept=False,
                sizeBytes=1_234_567_890,
            ),
        ],
        "totalNumberOfResults": 3,
    }


def _file(role: str, path: str, number: int, outcome: str) -> dict[str, Any]:
    return {
        "role": role,
        "path": path,
        "entityId": f"syn{len(path)}",
        "versionNumber": number,
        "sha256": sha256(f"{path}@{number}"),
        "outcome": outcome,
    }


@pytest.fixture
def story(run: dict[str, Any]) -> dict[str, Any]:
    """An answer of the story resource: of a file that a job of a rule with a script generated."""
    job = {
        "id": "0f" * 16,
        "runId": RUN_ID,
        "rule": "summarise",
        "status": "success",
        "recordVersion": 1,
        "kind": "shell",
        "wildcards": {"island": "biscoe"},
        "params": {"columns": ["bill_length_mm", "body_mass_g"], "method": "mean", "minimum": 3},
        "inputs": [{"path": "results/clean/adelie.csv", "name": "adelie"}, {"path": "results/clean/gentoo.csv"}],
        "outputs": [{"path": "results/table.csv", "name": "table"}],
        "code": [
            {"role": "snakefile", "path": "Snakefile", "line": 12},
            {"role": "script", "path": "workflow/scripts/summarise.py"},
        ],
        "shellcmd": "\n    python workflow/scripts/summarise.py \\\n        --method mean > results/table.csv\n",
        "script": None,
        "threads": 2,
        "resources": {"_cores": 2, "mem_mb": 1000, "partition": "short"},
        "reason": "Params have changed since last execution: minimum",
        "startedOn": "2026-11-22T11:56:49.580Z",
        "endedOn": "2026-11-22T11:56:50.000Z",
    }
    permalink = f"https://github.com/ada/penguins/blob/{COMMIT}/Snakefile#L12"
    return {
        "entity": {"id": "syn14", "name": "table.csv", "path": "results/table.csv"},
        "version": _version(3),
        "activity": {
            "id": "12",
            "name": "summarise",
            "used": [
                {
                    "concreteType": "org.sagebionetworks.repo.model.provenance.UsedURL",
                    "wasExecuted": True,
                    "url": permalink,
                }
            ],
        },
        "job": {
            "job": job,
            "activityId": "12",
            "files": [
                _file("input", "results/clean/adelie.csv", 2, "used"),
                _file("input", "results/clean/gentoo.csv", 1, "used"),
                _file("code", "Snakefile", 3, "executed"),
                _file("code", "workflow/scripts/summarise.py", 1, "executed"),
                _file("output", "results/table.csv", 3, "generated"),
            ],
        },
        "run": run,
    }
