"""Builds stores as large as one likes through the client, shaped like those of real pipelines, in bounded memory.

Each sample goes through five steps that all run one script of the step and the Snakefile; the first reads a reference
that all share. Every two thousand samples are merged by a job that reads them all, and one file is rewritten in place
again and again, by a job that reads it too. A report is made of everything that was merged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from snakeprov import connect
from snakeprov.client import Client
from snakeprov.client.batch import Ref, Request
from snakeprov.model.entities import File, Folder, Project
from snakeprov.model.records import FileFact, GitState, JobRecord, RunRecord

STEPS = ("trim", "align", "sort", "call", "annotate")
SAMPLES_A_BATCH = 100
SAMPLES_A_MERGE = 2000
REWRITES_A_BATCH = 2
BATCHES_A_RUN = 50
REFERENCE = "resources/genome.fa"
LOG = "results/progress.txt"
REPORT = "results/report.html"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Held(NamedTuple):
    """A version, as it is or as it will be when the batch has been answered."""

    path: str
    entity_id: str | Ref
    number: int | Ref
    sha256: str


class Builder:
    """Fills a store."""

    def __init__(self, folder: Path) -> None:
        self.client: Client = connect(folder, create=True)
        self.activities = 0
        self._requests: list[Request] = []
        self._handles: list[dict[str, Any]] = []
        self._needing: list[dict[str, Any]] = []
        self._folders: dict[str, str] = {}
        self._run_id = ""

    def build(self, activities: int, *, tell: Callable[[int], None] = lambda _: None) -> None:
        """Make a store of about so many activities."""
        self._folders[""] = str(self.client.entities.create(Project(name="big")).id)
        raws = (REFERENCE, "Snakefile", *(f"scripts/{step}.py" for step in STEPS), LOG)
        shared = dict(zip(raws, self._settle([self._file(path, path) for path in raws]), strict=True))
        merged: list[Held] = []
        waiting: list[Held] = []
        log, sample, batch = shared[LOG], 0, 0
        while self.activities < activities:
            if batch % BATCHES_A_RUN == 0:
                self._run(batch)
            last = [self._sample(sample + number, shared) for number in range(SAMPLES_A_BATCH)]
            for number in range(REWRITES_A_BATCH):
                log = self._rewrite(log, f"{batch}.{number}")
            *last, log = self._settle([*last, log])
            waiting, sample, batch = [*waiting, *last], sample + SAMPLES_A_BATCH, batch + 1
            if len(waiting) >= SAMPLES_A_MERGE or self.activities >= activities:
                path = f"results/merged/{sample}.vcf"
                merged += self._settle([self._job("merge", path, path, used=waiting, ran=[shared["Snakefile"]])])
                waiting = []
            tell(self.activities)
        self._settle([self._job("report", REPORT, REPORT, used=merged, ran=[shared["Snakefile"]])])
        self.client.close()

    def _sample(self, number: int, shared: dict[str, Held]) -> Held:
        name = f"S{number:06d}"
        held = self._file(f"data/{name}.fastq", name)
        for place, step in enumerate(STEPS):
            used = [held, shared[REFERENCE]] if step == "align" else [held]
            held = self._job(
                step,
                f"results/{step}/{name}.dat",
                f"{step} {name}",
                used=used,
                ran=[shared[f"scripts/{step}.py"], shared["Snakefile"]],
                wildcards={"sample": name, "lane": str(number % 8)},
                params={"alpha": round(0.001 * (number % 1000), 3), "mode": "fast" if place % 2 else "exact"},
            )
        return held

    def _rewrite(self, log: Held, content: str) -> Held:
        activity = self._activity("log", [log], [])
        body = {
            "concreteType": "org.sagebionetworks.repo.model.FileEntity",
            "id": log.entity_id,
            "name": "progress.txt",
            "parentId": self._folder("results"),
            "etag": self.client.entities.get(str(log.entity_id)).etag if not isinstance(log.entity_id, Ref) else "",
        }
        if isinstance(log.number, Ref):
            body["etag"] = Ref(log.number.result, "etag")
        sha256 = self._content(body, LOG, content)
        query = {"newVersion": "true", "generatedBy": activity}
        place = self._add(Request("PUT", f"/repo/v1/entity/{log.entity_id}", body, query))
        made = Held(LOG, log.entity_id, Ref(place, "versionNumber"), sha256)
        self._record("log", activity, [log], made, {}, {})
        return made

    def _job(
        self,
        rule: str,
        path: str,
        content: str,
        *,
        used: Sequence[Held],
        ran: Sequence[Held],
        wildcards: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
    ) -> Held:
        activity = self._activity(rule, used, ran)
        made = self._file(path, content, generated_by=activity)
        self._record(rule, activity, [*used, *ran], made, wildcards or {}, params or {})
        return made

    def _activity(self, rule: str, used: Sequence[Held], ran: Sequence[Held]) -> Ref:
        items = [
            {
                "concreteType": "org.sagebionetworks.repo.model.provenance.UsedEntity",
                "wasExecuted": executed,
                "reference": {"targetId": one.entity_id, "targetVersionNumber": one.number},
            }
            for executed, group in ((False, used), (True, ran))
            for one in group
        ]
        self.activities += 1
        return Ref(self._add(Request("POST", "/repo/v1/activity", {"name": rule, "used": items})), "id")

    def _record(
        self, rule: str, activity: Ref, read: Sequence[Held], made: Held, wildcards: dict[str, str], params: Any
    ) -> None:
        ended = _BEGAN + timedelta(seconds=self.activities)
        job = JobRecord(
            id=f"{self.activities:032x}",
            run_id=self._run_id,
            rule=rule,
            status="success",
            kind="script",
            wildcards=wildcards,
            params=params,
            inputs=[FileFact(path=one.path) for one in read[:100]],
            outputs=[FileFact(path=made.path)],
            shellcmd=f"python scripts/{rule}.py {' '.join(one.path for one in read[:20])}",
            threads=4,
            resources={"mem_mb": 4000, "disk_mb": 1000, "tmpdir": "/tmp"},  # noqa: S108
            reason="Missing output files",
            started_on=ended - timedelta(seconds=9),
            ended_on=ended,
        )
        files = [
            {
                "role": role,
                "path": one.path,
                "outcome": outcome,
                "entityId": one.entity_id,
                "versionNumber": one.number,
                "sha256": one.sha256,
            }
            for role, outcome, group in (("input", "used", read), ("output", "generated", [made]))
            for one in group
        ]
        body = {"job": job, "activityId": activity, "files": files}
        self._add(Request("PUT", f"/snakeprov/v1/jobs/{job.id}", body))

    def _file(self, path: str, content: str, *, generated_by: Ref | None = None) -> Held:
        folder, _, name = path.rpartition("/")
        body = {"concreteType": "org.sagebionetworks.repo.model.FileEntity", "name": name}
        body["parentId"] = self._folder(folder)
        sha256 = self._content(body, path, content)
        query = {} if generated_by is None else {"generatedBy": generated_by}
        place = self._add(Request("POST", "/repo/v1/entity", body, query))
        return Held(path, Ref(place, "id"), Ref(place, "versionNumber"), sha256)

    def _content(self, body: dict[str, Any], path: str, content: str) -> str:
        """Arrange for the file handle of a file that is nowhere; return the digest it is said to have."""
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        file = {"path": f"/big/{path}", "fileName": path.rpartition("/")[2], "sha256": sha256, "md5": sha256[:32]}
        self._handles.append(file | {"sizeBytes": len(content), "keep": False, "contentType": "text/plain"})
        self._needing.append(body)
        return sha256

    def _folder(self, path: str) -> str:
        if path not in self._folders:
            parent, _, name = path.rpartition("/")
            folder = Folder(name=name, parent_id=self._folder(parent))
            self._folders[path] = str(self.client.entities.create(folder).id)
        return self._folders[path]

    def _run(self, batch: int) -> None:
        self._run_id = hashlib.md5(str(batch).encode(), usedforsecurity=False).hexdigest()
        git = GitState(root="/big", commit=hashlib.sha1(str(batch).encode(), usedforsecurity=False).hexdigest())
        run = RunRecord(
            id=self._run_id,
            project="big",
            working_directory="/big",
            status="success",
            git=git,
            user="ada",
            host=f"node{batch % 7}",
            started_on=_BEGAN + timedelta(seconds=self.activities),
        )
        self.client.runs.put(run)

    def _add(self, request: Request) -> int:
        self._requests.append(request)
        return len(self._requests) - 1

    def _settle(self, wanted: Sequence[Held]) -> list[Held]:
        """Send what has gathered; return versions as they are now."""
        answer = self.client.session.post("/snakeprov/v1/localFiles", {"files": self._handles})
        for body, handle in zip(self._needing, answer["results"], strict=True):
            body["dataFileHandleId"] = handle["fileHandleId"]
        results = self.client.send(self._requests)
        self._requests, self._handles, self._needing = [], [], []

        def known(value: Any) -> Any:
            return results[value.result][value.key] if isinstance(value, Ref) else value

        return [Held(one.path, known(one.entity_id), known(one.number), one.sha256) for one in wanted]


def file_of(client: Client, path: str) -> tuple[str, int]:
    """Return the entity at a path and the number of its latest version."""
    (match,) = client.provenance.find(path).results
    assert isinstance(client.entities.get(match.entity_id), File)
    return match.entity_id, match.version_number
