"""A small study, recorded in a real store through the client, and the commands run on it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from snakeprov import connect
from snakeprov.client.files import Content
from snakeprov.model.activity import Activity
from snakeprov.model.digest import Digest
from snakeprov.model.entities import File, Folder, Project
from snakeprov.model.paths import to_names, to_os, to_text
from snakeprov.model.records import CodeFact, FileFact, GitState, JobRecord, RunRecord

from ..commands import Run, call

COMMIT = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b"


class Version(NamedTuple):
    """An entity version that was recorded."""

    path: str
    entity_id: str
    number: int
    sha256: str


class Study:
    """A working directory and its store; what is written is recorded through the client, as real files."""

    def __init__(
        self,
        folder: Path,
        *,
        project: str = "penguins",
        store: Path | str | None = None,
        ids: Mapping[tuple[str, ...], str] | None = None,
        jobs: int = 0,
    ) -> None:
        """Make the folder a store, or use that at `store`, which holds `ids` and so many `jobs`."""
        self.folder = folder
        self.store = store or folder / ".snakeprov"
        self.project = project
        self.client = connect(self.store, create=True)
        self.ids = dict(ids or {})
        self.jobs = jobs

    def run(self, name: str, *, ago: timedelta = timedelta(minutes=3), **facts: Any) -> RunRecord:
        """Record a run; its id begins with `name`."""
        started = datetime.now(UTC) - ago
        git = GitState(root=str(self.folder), commit=COMMIT, branch="main", remote="git@host:ada/penguins", dirty=True)
        run = RunRecord(
            id=(name + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())[:32],
            project=self.project,
            working_directory=str(self.folder),
            started_on=started,
            snakemake_version="9.27.1",
            **{
                "status": "success",
                "command_line": "snakemake --cores 2",
                "ended_on": started + timedelta(seconds=20),
                "git": git,
                **facts,
            },
        )
        self.client.runs.put(run)
        return run

    def file(self, path: str, content: bytes, *, generated_by: str | None = None) -> Version:
        """Write a file and record it: a new entity, or the next version where its bytes are other ones."""
        place = self.folder / to_os(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        digest = Digest(
            sha256=hashlib.sha256(content).hexdigest(),
            md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            size_bytes=len(content),
        )
        (stored,) = self.client.files.store([Content(to_text(place), "content", digest, True)])
        names = to_names(path)
        file = File(name=names[-1], parent_id=self._folder(names[:-1]), data_file_handle_id=stored.file_handle_id)
        if names not in self.ids:
            recorded = self.client.entities.create(file, generated_by=generated_by)
        else:
            old = self.client.entities.get(self.ids[names])
            assert isinstance(old, File)
            old.data_file_handle_id = stored.file_handle_id
            recorded = self.client.entities.update(old, generated_by=generated_by)
        assert recorded.id is not None and recorded.version_number is not None
        self.ids[names] = recorded.id
        return Version(path, recorded.id, recorded.version_number, digest.sha256)

    def _folder(self, names: tuple[str, ...]) -> str:
        if names not in self.ids and not names:
            found = self.client.entities.find_child(None, self.project)
            self.ids[()] = found or str(self.client.entities.create(Project(name=self.project)).id)
        elif names not in self.ids:
            parent_id = self._folder(names[:-1])
            self.ids[names] = str(self.client.entities.create(Folder(name=names[-1], parent_id=parent_id)).id)
        return self.ids[names]

    def job(
        self,
        run: RunRecord,
        rule: str,
        outputs: Mapping[str, bytes],
        *,
        used: Sequence[Version] = (),
        executed: Sequence[Version] = (),
        **facts: Any,
    ) -> list[Version]:
        """Record a job of `run` and the files it wrote."""
        self.jobs += 1
        references = [
            {"reference": {"targetId": one.entity_id, "targetVersionNumber": one.number}} for one in (*used, *executed)
        ]
        activity = Activity(name=rule, used=references[: len(used)], executed=references[len(used) :])
        activity_id = str(self.client.activities.create(activity)["id"])
        made = [self.file(path, content, generated_by=activity_id) for path, content in outputs.items()]
        job = JobRecord(
            id=f"{self.jobs:04x}" + run.id[4:],
            run_id=run.id,
            rule=rule,
            **{
                "status": "success",
                "started_on": run.started_on,
                "ended_on": run.ended_on,
                "inputs": [FileFact(path=one.path) for one in used],
                "outputs": [FileFact(path=one.path) for one in made],
                "code": [CodeFact(role="snakefile", path=one.path, line=12) for one in executed],
                **facts,
            },
        )
        roles = [("input", "used", used), ("code", "executed", executed), ("output", "generated", made)]
        files = [
            {
                "role": role,
                "path": one.path,
                "entityId": one.entity_id,
                "versionNumber": one.number,
                "sha256": one.sha256,
                "outcome": outcome,
            }
            for role, outcome, versions in roles
            for one in versions
        ]
        body = {"job": msgspec.to_builtins(job), "activityId": activity_id, "files": files}
        self.client.session.put(f"/snakeprov/v1/jobs/{job.id}", body)
        return made


@pytest.fixture
def snakeprov() -> Run:
    """Give `snakeprov(*arguments)`: run the command in this process."""
    return call


@pytest.fixture
def study_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, which is the current folder; no store is there or anywhere in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    folder = tmp_path / "penguins"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def make_study() -> type[Study]:
    """Give `Study`."""
    return Study


@pytest.fixture(scope="session")
def recorded_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two runs of a workflow: raw data -> clean (two species) -> table -> figure; the second changed the table."""
    study = Study(tmp_path_factory.mktemp("recorded"))
    first = study.run("aaaa", ago=timedelta(days=2))
    raw = study.file("data/penguins.csv", b"species,mass\nadelie,3700\n")
    snakefile = study.file("Snakefile", b"rule clean: ...\n")
    clean = [
        study.job(first, "clean", {f"results/clean/{species}.csv": species.encode()}, used=[raw], executed=[snakefile])[
            0
        ]
        for species in ("adelie", "gentoo")
    ]
    study.job(first, "summarise", {"results/table.csv": b"mean 1\n"}, used=clean, executed=[snakefile])
    second = study.run("bbbb")
    (table,) = study.job(
        second,
        "summarise",
        {"results/table.csv": b"mean 2\n"},
        used=clean,
        executed=[snakefile],
        wildcards={"island": "biscoe"},
        params={"minimum": 3},
        shellcmd="sort > results/table.csv",
        threads=2,
        resources={"mem_mb": 100},
        reason="Params have changed",
    )
    study.job(second, "plot", {"results/figure.png": b"png"}, used=[table], executed=[snakefile])
    study.client.close()
    return study


@pytest.fixture
def study(study_folder: Path, recorded_study: Study) -> Iterator[Study]:
    """A copy of `recorded_study` to ask and to go on with, in the current folder."""
    shutil.copytree(recorded_study.folder, study_folder, dirs_exist_ok=True)
    study = Study(study_folder, ids=recorded_study.ids, jobs=recorded_study.jobs)
    yield study
    study.client.close()
