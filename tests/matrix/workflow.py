"""A working directory in which Snakemake really runs, recorded as a user's would be; and what was recorded.

Must not know: which row is tested.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from snakeprov.apps.connect import connect
from snakeprov.client import Client
from snakeprov.model import answers
from snakeprov.model.answers import JobFile, RecordedJob
from snakeprov.model.entities import File
from snakeprov.model.records import FileFact
from snakeprov.model.times import now
from tests.matrix import accounts
from tests.matrix.accounts import Read

RUN_TIMEOUT_S = 180

TRACK = "import snakeprov; snakeprov.track(workflow)\n"
"""First line of every Snakefile."""

JOBS_MAX = 10_000
GENERATED = ("generated", "reproduced")

Job = RecordedJob


def facts(job: Job, role: Literal["input", "output"]) -> dict[str, FileFact]:
    """Return what the record says of the inputs or outputs of a job, by path."""
    return {fact.path: fact for fact in (job.job.inputs if role == "input" else job.job.outputs)}


def version(job: Job, role: str, path: str) -> JobFile:
    """Return which version a file was to a job."""
    (found,) = {one.path: one for one in job.files if (one.role, one.path) == (role, path)}.values()
    return found


@dataclass(kw_only=True)
class Run:
    """One call of Snakemake, and what was recorded of it.

    Attributes:
        told: The run as the store tells of it; None where it was not recorded.
        jobs: Its jobs, in the order they ended.
        reads: What its jobs themselves say that they read and wrote.
    """

    status: int
    stdout: str
    stderr: str
    directory: Path
    told: answers.Run | None = None
    jobs: list[Job] = field(default_factory=list)
    reads: Counter[Read] = field(default_factory=Counter)

    @property
    def record(self) -> answers.Run:
        """The run, which must have been recorded."""
        assert self.told is not None
        return self.told

    def counts(self, *statuses: str) -> Counter[str]:
        """Return how many jobs of each rule were recorded, with any status or with one of these."""
        return Counter(one.job.rule for one in self.jobs if not statuses or one.job.status in statuses)

    def all(self, rule: str) -> list[Job]:
        """Return what was recorded of a rule's jobs."""
        return [one for one in self.jobs if one.job.rule == rule]

    def job(self, rule: str, **wildcards: str) -> Job:
        """Return what was recorded of the only job of `rule` with these wildcards."""
        (found,) = (one for one in self.all(rule) if wildcards.items() <= one.job.wildcards.items())
        return found

    def agrees(self) -> None:
        """Assert that what was recorded of a run that succeeded is what all others say of it."""
        assert self.status == 0, self.stderr
        assert self.record.status == "success"
        assert self.record.missing == []
        assert [one.job.incomplete for one in self.jobs if one.job.incomplete] == []
        self.counts_agree()
        self.files_agree()

    def counts_agree(self) -> None:
        """Assert that each job, and each attempt, that Snakemake's log tells of was recorded exactly once."""
        assert self.counts() == accounts.started(self.stderr)
        assert self.counts("success", "cached", "touched").total() == accounts.finished(self.stderr)
        assert len({one.job.id for one in self.jobs}) == len(self.jobs)

    def files_agree(self) -> None:
        """Assert that the jobs read and wrote the bytes that they themselves say, and that the disk has."""
        recorded = Counter(self._recorded())
        assert self.reads - recorded == Counter()
        metadata = accounts.noted(self.directory)
        for one in self.jobs:
            for fact in one.job.outputs:
                noted = metadata.get(fact.path)
                if noted is None or one.job.status not in ("success", "cached"):
                    continue
                assert one.job.rule == noted["rule"]
                recorded_inputs = {file.path for file in one.job.inputs}
                # What a job updates is not among the inputs of its rule, but it was used.
                updated = {file.path for file in one.job.outputs if "update" in file.flags}
                assert set(noted["input"]) | (updated & recorded_inputs) == recorded_inputs
                assert one.job.shellcmd == noted["shellcmd"]
        for read in recorded:
            path = self.directory / read.path
            if read.role == "output" and path.is_file():
                assert accounts.sha256(path) == read.sha256, read

    def _recorded(self) -> Iterator[Read]:
        for one in self.jobs:
            for file in one.files:
                if file.role == "input" or (file.role == "output" and file.outcome in GENERATED):
                    yield Read(file.role, one.job.rule, file.path, file.sha256 or "")


class Place:
    """A working directory."""

    def __init__(
        self, folder: Path, snakefile: str, files: Mapping[str, str] | None = None, *, store: Path | None = None
    ) -> None:
        """Write a Snakefile, tracked, and other files, by path; `store` is the store, if not the usual one."""
        self.folder = folder
        self._store = store or folder / ".snakeprov"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write("Snakefile", TRACK + snakefile)
        for path, text in (files or {}).items():
            self.write(path, text)

    def write(self, path: str, text: str) -> Path:
        """Write a file."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def read(self, path: str) -> str:
        """Return what a file holds."""
        return (self.folder / path).read_text(encoding="utf-8")

    def run(self, *arguments: str, cores: int = 2, **variables: str) -> Run:
        """Run Snakemake and return what came of it and what was recorded, of this run alone."""
        began, reads = now(), accounts.witnessed(self.folder)
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", str(cores), "--scheduler", "greedy", *arguments],
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        run = Run(status=done.returncode, stdout=done.stdout, stderr=done.stderr, directory=self.folder)
        run.reads = accounts.witnessed(self.folder) - reads
        # What a killed run left may be delivered meanwhile; runs of its own jobs began later.
        new = self.run_ids(since=began)
        return self.recorded(run, new[-1]) if new else run

    def made(self, *targets: str) -> None:
        """Make files, unless they are there."""
        wanted = [target for target in targets if not (self.folder / target).exists()]
        if wanted:
            assert self.run(*wanted).status == 0

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment without anything that would configure Snakemake or snakeprov."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_"))}
        return {**kept, "XDG_CONFIG_HOME": str(self.folder / "no-config"), **variables}

    def client(self) -> Client:
        """Return a client for the store of this directory, to be closed."""
        return connect(self._store)

    def run_ids(self, *, since: datetime | None = None) -> list[str]:
        """Return the ids of the runs recorded here, of all or of those that began later, newest first."""
        if not self._store.exists():
            return []
        with self.client() as client:
            runs = client.runs.list(limit=JOBS_MAX).results
        return [one.id for one in runs if since is None or (one.started_on is not None and one.started_on >= since)]

    def recorded(self, run: Run, run_id: str) -> Run:
        """Fill `run` with what was recorded under an id, and return it."""
        with self.client() as client:
            run.told = client.runs.get(run_id)
            ids = [one.id for one in client.runs.jobs(run_id, limit=JOBS_MAX).results]
            run.jobs = [client.jobs.get(one) for one in ids]
        return run

    def story(self, path: str, version: int | None = None) -> answers.Story:
        """Return all that is known of a version of the file at `path`, the newest unless told."""
        with self.client() as client:
            (match,) = client.provenance.find(path, project=self.folder.name).results
            return client.provenance.story(match.entity_id, version or match.version_number)

    def kept(self, path: str, version: int | None = None) -> bytes:
        """Return the bytes that were kept of a version of the file at `path`, the newest unless told."""
        with self.client() as client:
            (match,) = client.provenance.find(path, project=self.folder.name).results
            file = client.entities.get(match.entity_id, version_number=version)
            assert isinstance(file, File)
            return client.files.download(str(file.data_file_handle_id))
