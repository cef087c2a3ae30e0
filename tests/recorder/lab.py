"""A working directory in which jobs and people write files, recorded by the real recorder into a real store.

No Snakemake runs: each job does at once what a test says, and its record is made from what is on disk then.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from uuid import uuid4

from msgspec.structs import replace

from snakeprov.apps.target import target_of
from snakeprov.capture.git.reader import GitReader
from snakeprov.client import Client
from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.files import fingerprint, from_stat
from snakeprov.disk.tree import list_directory, listing_digest
from snakeprov.model.answers import Meaning
from snakeprov.model.records import CodeFact, FileFact, GitState, JobRecord, JobStatus, RunRecord
from snakeprov.recorder.catalog import Catalog
from snakeprov.recorder.circumstances import CodeLinks
from snakeprov.recorder.context import Policy, Prepared
from snakeprov.recorder.deliver import Deliverer
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.observed import Observation
from snakeprov.recorder.summary import Tally

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

Tree = Mapping[str, str]


@dataclass
class Job:
    """What a job does.

    Attributes:
        rule: Its rule.
        reads: The files and directories that it reads, directories with a slash at the end.
        writes: What it writes: texts, or trees of texts for directories.
        appends: What it adds to files that it reads.
        leaves: What it writes besides, though no rule names it; None: it removes that.
        temp: Which of its outputs are temporary.
        code: The script that it runs, if any.
        status: How it ends.
    """

    rule: str
    reads: Sequence[str] = ()
    writes: Mapping[str, str | Tree] = field(default_factory=dict)
    appends: Mapping[str, str] = field(default_factory=dict)
    leaves: Mapping[str, str | None] = field(default_factory=dict)
    temp: Sequence[str] = ()
    code: str | None = None
    status: JobStatus = "success"


class Lab:
    """The working directory, its clock, and the store that everything is recorded in.

    Attributes:
        folder: The working directory.
        client: The store.
        tally: Of the last run.
        span: When the last job began and ended, in seconds.
    """

    def __init__(
        self, client: Client, folder: Path, *, project: str = "lab", keep_bytes_max: int = 10**6, upload: bool = True
    ) -> None:
        self.folder = folder
        self._project = project
        self.client = client
        self.tally = Tally()
        self.span = (0, 0)
        self._policy = Policy(always=False, keep_bytes_max=keep_bytes_max, upload=upload)
        self._always = Policy(always=True, keep_bytes_max=keep_bytes_max, upload=upload)
        self._catalog = Catalog()
        self._seconds = 0
        self._runs = 0
        self._jobs: dict[str, str] = {}
        self._makers: dict[str, str] = {}
        self._used: dict[str, list[tuple[str, int]]] = {}

    def write(self, path: str, text: str) -> None:
        """Write a file, as a job or a person does."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        moment = (BEGAN + timedelta(seconds=self._tick())).timestamp()
        os.utime(place, (moment, moment))

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def remove(self, path: str) -> None:
        place = self.folder / path
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)

    def rename(self, path: str, new: str) -> None:
        (self.folder / path).rename(self.folder / new)

    def run(
        self,
        *jobs: Job,
        more: Iterable[Job] = (),
        together: bool = True,
        afresh: bool = True,
        dirty: bool | None = None,
        always: bool = False,
        unreadable: Sequence[str] = (),
        late: bool = False,
    ) -> str:
        """Do some jobs, one after the other, and record them; return the name of the run: `run1`, `run2`, …

        Args:
            jobs: What to do.
            together: Deliver all of them at once, rather than one by one.
            afresh: By a process that knows nothing of the store yet.
            dirty: Whether the tree was dirty; None: there is no git.
            always: Make a version each time.
            unreadable: Files whose bytes the recorder cannot read.
            late: Whether the recorder comes to the files of all jobs only when the last one has ended.
        """
        self._runs += 1
        self._digester = Digester(str(self.folder), DigestCache(None))
        name = f"run{self._runs}"
        git = None if dirty is None else GitState(root=str(self.folder), commit="c" * 40, dirty=dirty)
        record = RunRecord(id=uuid4().hex, project=self._project, working_directory=str(self.folder), git=git)
        if afresh:
            self._catalog = Catalog()
        deliverer = Deliverer(
            self.client,
            record,
            policy=self._always if always else self._policy,
            links=CodeLinks(GitReader()),
            catalog=self._catalog,
            target_of=target_of,
        )
        done = (self._do(job, record.id, name) for job in chain(jobs, more))
        prepared = [self._look_at(one) for one in (list(done) if late else done)]
        for one in prepared:
            one.observations.update({path: Observation(problem="Permission denied") for path in unreadable})
        for batch in [prepared] if together else [[one] for one in prepared]:
            reasons = self._deliver(deliverer, batch)
            assert reasons == [None] * len(batch), reasons
        self.tally = deliverer.tally
        return name

    def versions(self, path: str) -> list[tuple[str | None, str | None]]:
        """Return of each version of a file who first made it (`a run1`) and what its bytes mean (`again @1`)."""
        id_ = self.id_of(path)
        numbers = [(id_, number) for number in range(1, self.client.entities.get(id_).version_number + 1)]
        told = self.client.provenance.versions(numbers)
        return [(self._maker(one.activity_id), _said(one.meaning, path)) for one in told]

    def makings(self, path: str) -> list[list[str]]:
        """Return of each version of a file every job that made it."""
        versions = reversed(self.client.provenance.history(self.id_of(path)).results)
        return [[self._jobs[one.job_id or ""] for one in version.makings] for version in versions]

    def lineage(self, path: str, number: int) -> set[str]:
        """Return the versions that a version comes from, itself too: `a.txt@1`."""
        answer = self.client.provenance.lineage(self.id_of(path), number, depth=1000, limit=10_000)
        assert not answer.truncated
        return {f"{node.path}@{node.version_number}" for node in answer.nodes if node.kind == "entity"}

    def recorded_lineage(self, path: str, number: int) -> set[str]:
        """Return the same from records alone: what the first maker of a version used, else what its bytes mean."""
        found: set[str] = set()
        left = [(self.id_of(path), number)]
        while left:
            version = left.pop()
            (told,) = self.client.provenance.versions([version])
            name = f"{told.path}@{told.version_number}"
            if name in found:
                continue
            found.add(name)
            activity_id, meaning = told.activity_id, told.meaning
            if activity_id is not None:
                left += self._used_by(activity_id)
            elif meaning is not None:
                left.append((meaning.entity_id, meaning.version_number))
        return found

    def outputs(self) -> dict[str, list[tuple[str, int, str]]]:
        """Return path, version and outcome of each file that a job wrote, by the name of the job."""
        found: dict[str, list[tuple[str, int, str]]] = {}
        for id_, name in self._jobs.items():
            files = self.client.jobs.get(id_).files
            written = [one for one in files if one.role == "output"]
            found.setdefault(name, []).extend((one.path, one.version_number, one.outcome) for one in written)
        return found

    def id_of(self, path: str) -> str:
        found = self.client.provenance.lookup(self._project, [path]).found
        (match,) = (one for one in found if one.kind == "file")
        return match.entity_id

    def latest(self, path: str) -> int:
        return len(self.versions(path))

    def _deliver(self, deliverer: Deliverer, batch: Sequence[Prepared]) -> list[str | None]:
        return [receipt.reason for receipt in deliverer.deliver(batch)]

    def _look_at(self, record: JobRecord) -> Prepared:
        return Prepared(0, record, self._digester.observe(record, HeldFiles()))

    def _do(self, job: Job, run_id: str, run: str) -> JobRecord:
        began = self._tick()
        before = {self._fact(path).path: self._fact(path).fingerprint for path in job.reads}
        for path, left in job.leaves.items():
            self.remove(path) if left is None else self.write(path, left)
        for path, text in job.appends.items():
            self.write(path, self.read(path) + text)
        for path, content in job.writes.items():
            if isinstance(content, str):
                self.write(path, content)
                continue
            shutil.rmtree(self.folder / path, ignore_errors=True)
            (self.folder / path).mkdir(parents=True)
            for name, text in content.items():
                self.write(f"{path}{name}", text)
        self.span = (began, self._tick())
        id_ = uuid4().hex
        self._jobs[id_] = f"{job.rule} {run}"
        inputs = [self._fact(path) for path in job.reads]
        changed = [before.get(fact.path) != fact.fingerprint for fact in inputs]
        inputs = [
            replace(fact, fingerprint_before=before.get(fact.path)) if has_changed else fact
            for fact, has_changed in zip(inputs, changed, strict=True)
        ]
        return JobRecord(
            id=id_,
            run_id=run_id,
            rule=job.rule,
            status=job.status,
            kind="shell",
            inputs=inputs,
            outputs=[self._fact(path, *(["temp"] if path in job.temp else [])) for path in job.writes],
            code=[] if job.code is None else [self._code(job.code)],
            started_on=BEGAN + timedelta(seconds=began),
            ended_on=BEGAN + timedelta(seconds=self.span[1]),
        )

    def _fact(self, path: str, *flags: str) -> FileFact:
        if path.endswith("/"):
            place = str(self.folder / path)
            seen, listing = from_stat(os.stat(place)), listing_digest(list_directory(place))  # noqa: PTH116
            named = path.rstrip("/")
            return FileFact(
                path=named, kind="directory", fingerprint=seen, listing=listing, flags=["directory", *flags]
            )
        seen = fingerprint(str(self.folder / path))
        return FileFact(path=path, fingerprint=seen, kind="file" if seen else "missing", flags=list(flags))

    def _code(self, path: str) -> CodeFact:
        return CodeFact(role="script", path=path, fingerprint=fingerprint(str(self.folder / path)))

    def _used_by(self, activity_id: str) -> list[tuple[str, int]]:
        if activity_id not in self._used:
            used = self.client.activities.get(activity_id)["used"]
            references = [one["reference"] for one in used]
            self._used[activity_id] = [(one["targetId"], one["targetVersionNumber"]) for one in references]
        return self._used[activity_id]

    def _maker(self, activity_id: str | None) -> str | None:
        if activity_id is None:
            return None
        if activity_id not in self._makers:
            self._makers[activity_id] = self._jobs[self._job_of(activity_id)]
        return self._makers[activity_id]

    def _job_of(self, activity_id: str) -> str:
        job = self.client.jobs.of_activity(activity_id)
        assert job is not None
        return job.job.id

    def _tick(self) -> int:
        self._seconds += 1
        return self._seconds


def _said(meaning: Meaning | None, path: str) -> str | None:
    if meaning is None:
        return None
    where = "" if meaning.path == path else meaning.path
    return f"{meaning.kind} {where}@{meaning.version_number}" + (" while" if meaning.while_job_id is not None else "")
