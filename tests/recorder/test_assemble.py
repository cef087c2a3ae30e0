"""What becomes of a job: when bytes make a version, what the Activity says, and in which requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from snakeprov.client.batch import to_wire
from snakeprov.model.digest import Digest
from snakeprov.model.records import CodeFact, FileFact, Fingerprint, GitState, JobRecord, ManualStep, RunRecord
from snakeprov.recorder.assemble import assemble
from snakeprov.recorder.catalog import Catalog, Explained
from snakeprov.recorder.context import Context, Policy
from snakeprov.recorder.observed import Observation, Observations
from snakeprov.recorder.plan import Plan
from snakeprov.recorder.summary import Tally

PRINT = Fingerprint(1, 2, 3, 4, 5)


def digest(text: str) -> Digest:
    raw = text.encode()
    return Digest(hashlib.sha256(raw).hexdigest(), hashlib.md5(raw).hexdigest(), len(raw))  # noqa: S324


def fact(path: str, *flags: str, **more: Any) -> FileFact:
    return FileFact(path=path, fingerprint=PRINT, flags=list(flags), **more)


def job(**more: Any) -> JobRecord:
    values: dict[str, Any] = {
        "id": "1" * 32,
        "run_id": "a" * 32,
        "rule": "clean",
        "status": "success",
        "inputs": [fact("data/raw.csv")],
        "outputs": [fact("results/clean.csv")],
    }
    return JobRecord(**values | more)


RUN = RunRecord(
    id="a" * 32,
    project="penguins",
    working_directory="/home/ada/penguins",
    git=GitState(root="/home/ada/penguins", commit="c" * 40, dirty=True),
)


def seen(**contents: str) -> Observations:
    """Observations of files by content; `data__raw` stands for data/raw.csv."""
    return {f"{name.replace('__', '/')}.csv": Observation(digest=digest(text)) for name, text in contents.items()}


class Bench:
    """A project in a store, as the plans leave it: what each request answers is made up here."""

    def __init__(self, *, always: bool = False, keep_bytes_max: int = 1000) -> None:
        self.catalog = Catalog()
        self.tally = Tally()
        self.policy = Policy(always=always, keep_bytes_max=keep_bytes_max)
        self.plan = Plan(self.catalog, project="penguins")
        self._ids = 0

    def do(self, record: JobRecord, observations: Observations, **context: Any) -> list[dict[str, Any]]:
        """Plan one job and carry the plan out; return its requests as they go out."""
        self.plan = Plan(self.catalog, project="penguins")
        assemble(self.plan, record, observations, Context(run=RUN, policy=self.policy, **context), self.tally)
        for number, upload in enumerate(self.plan.uploads):
            upload.body["dataFileHandleId"] = f"handle{number}"
        self.catalog.commit(self.plan.draft, [self._answer() for _ in self.plan.requests])
        return msgspec.json.decode(msgspec.json.encode([to_wire(one) for one in self.plan.requests]), type=list)

    def _answer(self) -> dict[str, Any]:
        self._ids += 1
        return {"id": f"syn{self._ids}", "etag": f"e{self._ids}", "versionNumber": 1000 + self._ids}

    def version(self, path: str) -> Any:
        held = self.catalog.held(path)
        return held and held.version_number


def outcomes(requests: list[dict[str, Any]]) -> dict[str, str]:
    return {one["path"]: one["outcome"] for one in requests[-1]["body"]["files"]}


def activity(requests: list[dict[str, Any]]) -> dict[str, Any]:
    (body,) = (one["body"] for one in requests if one["path"] == "/repo/v1/activity")
    return dict(body)


def test_the_plan_of_a_first_job(golden: Callable[[str, str], None]) -> None:
    """Project, folders, the input's version, the code's, the Activity, the output's version, annotations, the job."""
    record = job(
        wildcards={"island": "Dream"},
        params={"cutoff": 0.5, "frame": {"repr": "DataFrame"}, "flag": True, "n": 3},
        code=[
            CodeFact(role="script", path="scripts/clean.py", fingerprint=PRINT),
            CodeFact(role="snakefile", path="Snakefile", line=12, fingerprint=PRINT),
            CodeFact(role="script", url="https://example.org/remote.py"),
        ],
        container="docker://debian:12",
    )
    observations = seen(data__raw="raw", results__clean="clean") | {
        "scripts/clean.py": Observation(digest=digest("code")),
        "Snakefile": Observation(digest=digest("rules")),
    }
    links = {("scripts/clean.py", None): "https://github.com/ada/penguins/blob/cc/scripts/clean.py"}

    requests = Bench().do(record, observations, permalinks=links)

    golden("first_job_plan.json", json.dumps(requests, indent=1, ensure_ascii=False) + "\n")


def test_other_bytes_make_the_next_version() -> None:
    """The second run wrote something else."""
    bench = Bench()
    bench.do(job(), seen(data__raw="raw", results__clean="one"))
    before = bench.version("results/clean.csv")

    requests = bench.do(job(id="2" * 32), seen(data__raw="raw", results__clean="two"))

    (put,) = (one for one in requests if one["query" if "query" in one else "path"] and "newVersion" in str(one))
    assert put["method"] == "PUT" and put["query"]["newVersion"] == "true"
    assert bench.version("results/clean.csv") != before
    assert outcomes(requests)["results/clean.csv"] == "generated"
    assert bench.tally.versions == 2


def test_the_same_bytes_again_are_reproduced() -> None:
    """No new version, no new file handle; the job says what it reproduced."""
    bench = Bench()
    bench.do(job(), seen(data__raw="raw", results__clean="one"))
    before = bench.version("results/clean.csv")

    requests = bench.do(job(id="2" * 32), seen(data__raw="raw", results__clean="one"))

    assert [one["path"] for one in requests] == ["/repo/v1/activity", f"/snakeprov/v1/jobs/{'2' * 32}"]
    assert bench.version("results/clean.csv") == before
    assert outcomes(requests)["results/clean.csv"] == "reproduced"
    assert (bench.tally.versions, bench.tally.reproduced, bench.plan.uploads) == (1, 1, [])


def test_versions_always_makes_one_each_time() -> None:
    """As the setting says, and as Synapse's own client does."""
    bench = Bench(always=True)
    bench.do(job(), seen(data__raw="raw", results__clean="one"))

    requests = bench.do(job(id="2" * 32), seen(data__raw="raw", results__clean="one"))

    assert outcomes(requests) == {"data/raw.csv": "used", "results/clean.csv": "generated"}
    assert bench.tally.versions == 2


def test_an_input_that_changed_is_a_new_version_of_itself() -> None:
    """It is pinned as it was read, and nothing claims to have generated it."""
    bench = Bench()
    bench.do(job(), seen(data__raw="raw", results__clean="one"))
    before = bench.version("data/raw.csv")

    requests = bench.do(job(id="2" * 32), seen(data__raw="raw, corrected", results__clean="two"))

    assert bench.version("data/raw.csv") != before
    assert "generatedBy" not in requests[0]["query"]
    assert "targetVersionNumber" in activity(requests)["used"][0]["reference"]


def test_an_input_that_did_not_change_is_pinned_to_the_version_it_has() -> None:
    """No request but the reference."""
    bench = Bench()
    bench.do(job(), seen(data__raw="raw", results__clean="one"))
    held = bench.catalog.held("data/raw.csv")

    requests = bench.do(job(id="2" * 32), seen(data__raw="raw", results__clean="two"))

    assert held is not None
    assert activity(requests)["used"][0]["reference"] == {
        "targetId": held.entity_id,
        "targetVersionNumber": held.version_number,
    }


def test_a_file_of_unknown_origin_learns_it_when_the_very_bytes_are_made() -> None:
    """It was read before its rule was ever seen to run; then the rule runs and writes the same."""
    bench = Bench()
    bench.do(job(rule="later", inputs=[fact("results/clean.csv")], outputs=[]), seen(results__clean="one"))
    before = bench.version("results/clean.csv")

    requests = bench.do(job(id="2" * 32), seen(data__raw="raw", results__clean="one"))

    assert any(one["method"] == "PUT" and one["path"].endswith("/generatedBy") for one in requests)
    assert bench.version("results/clean.csv") == before
    assert outcomes(requests)["results/clean.csv"] == "generated"
    assert (bench.tally.versions, bench.tally.adopted) == (0, 1)


@pytest.mark.parametrize(
    ("ended", "is_manual", "is_its"),
    [(-1, False, True), (0, False, True), (1, False, False), (1, True, True), (None, False, False)],
)
def test_bytes_that_were_read_belong_to_a_job_that_had_ended_by_then(
    ended: int | None, is_manual: bool, is_its: bool
) -> None:
    """Though its record came later; a manual step is told afterwards, whenever it was."""
    read_on = datetime(2026, 1, 1, 12, tzinfo=UTC)
    bench = Bench()
    bench.do(job(rule="reader", inputs=[fact("results/clean.csv")], outputs=[]), seen(results__clean="one"))
    explanations = {("results/clean.csv", digest("one").sha256): Explained(first_read=read_on)}
    ended_on = None if ended is None else read_on + timedelta(seconds=ended)

    step = ManualStep() if is_manual else None
    made = job(id="2" * 32, ended_on=ended_on, step=step, kind="shell" if step is None else "manual")
    bench.do(made, seen(data__raw="raw", results__clean="one"), explanations=explanations)

    assert bench.tally.adopted == is_its


def test_a_job_uses_what_an_earlier_job_of_the_same_plan_made() -> None:
    """The reference points to an answer that is still to come."""
    catalog = Catalog()
    plan = Plan(catalog, project="penguins")
    context = Context(run=RUN, policy=Policy(always=False, keep_bytes_max=1000))
    contents = seen(data__raw="raw", results__clean="one", results__final="two")
    assemble(plan, job(), contents, context, Tally())
    made = len([one for one in plan.requests if one.path == "/repo/v1/entity"])
    second = job(id="2" * 32, inputs=[fact("results/clean.csv")], outputs=[fact("results/final.csv")])
    assemble(plan, second, contents, context, Tally())

    last = [to_wire(one) for one in plan.requests if one.path == "/repo/v1/activity"][-1]

    assert last["body"]["used"][0]["reference"] == {"targetId": None, "targetVersionNumber": None}
    assert [bind["key"] for bind in last["bind"]] == ["id", "versionNumber"]
    assert len([one for one in plan.requests if one.path == "/repo/v1/entity"]) == made + 1


@pytest.mark.parametrize("status", ["failed", "retried", "interrupted", "submitted", "unknown"])
def test_a_job_that_did_not_succeed_generates_nothing(status: str) -> None:
    """Its Activity says what it used; its outputs are nobody's versions."""
    bench = Bench()
    requests = bench.do(job(status=status), seen(data__raw="raw", results__clean="half"))

    assert outcomes(requests) == {"data/raw.csv": "used"}
    assert bench.catalog.held("results/clean.csv") is None
    assert bench.tally.versions == 0
    assert bench.tally.failed == (status in ("failed", "interrupted"))


def test_a_touched_output_is_known_but_generated_by_nobody() -> None:
    """`--touch` changes times, not bytes."""
    bench = Bench()
    requests = bench.do(job(status="touched"), seen(data__raw="raw", results__clean="one"))

    assert outcomes(requests)["results/clean.csv"] == "touched"
    assert not any("generatedBy" in one.get("query", {}) for one in requests)


def test_bytes_of_temp_files_and_of_large_files_are_not_kept() -> None:
    """They are recorded with their digest all the same."""
    bench = Bench(keep_bytes_max=5)
    record = job(outputs=[fact("results/small.csv"), fact("results/large.csv"), fact("results/temp.csv", "temp")])
    bench.do(record, seen(data__raw="raw", results__small="12345", results__large="123456", results__temp="1"))

    kept = {one.content.file_name: one.content.keep for one in bench.plan.uploads if one.content}
    assert kept == {"raw.csv": True, "small.csv": True, "large.csv": False, "temp.csv": False}
    assert bench.tally.without_bytes == 1


def test_a_file_whose_bytes_could_not_be_read_is_recorded_by_where_it_was() -> None:
    """Unknown stays unknown: no digest is made up, and the line at the end will say so."""
    bench = Bench()
    requests = bench.do(job(), seen(data__raw="raw"))

    (handle,) = (one for one in requests if one["path"] == "/file/v1/externalFileHandle")
    assert handle["body"]["externalURL"] == "file:///home/ada/penguins/results/clean.csv"
    assert "contentMd5" not in handle["body"]
    assert bench.tally.unread == 1


def test_a_directory_is_one_file_and_what_is_in_it_has_the_same_maker() -> None:
    """What is in it is kept; a later job that reads one of its files is linked to the job that made it."""
    catalog = Catalog()
    plan = Plan(catalog, project="penguins")
    context = Context(run=RUN, policy=Policy(always=False, keep_bytes_max=1000))
    part = digest("part")
    tree = Observation(digest=digest("manifest"), manifest=b"manifest", members={"1.csv": part})
    contents: Observations = {"parts": tree, "parts/1.csv": Observation(digest=part)} | seen(data__raw="raw")
    assemble(plan, job(outputs=[fact("parts", "directory", kind="directory")]), contents, context, Tally())
    second = job(id="2" * 32, inputs=[fact("parts/1.csv")], outputs=[])
    assemble(plan, second, contents, context, Tally())

    kept = [one.content for one in plan.uploads if one.content is not None and one.content.path.endswith("parts/1.csv")]
    assert [one.keep for one in kept] == [True, True]
    names = {one.body["name"]: one for one in plan.requests if one.path == "/repo/v1/entity" and not one.path_ref}
    assert names["1.csv"].query == names["parts/"].query != {}


def test_storage_objects_are_urls_until_somebody_makes_them() -> None:
    """An input that only the storage knows is a UsedURL; one that a rule wrote is an entity."""
    bench = Bench()
    stored = FileFact(path=".snakemake/storage/s3/b/a.csv", fingerprint=PRINT, storage_query="s3://b/a.csv")
    contents = {stored.path: Observation(digest=digest("a"))} | seen(results__clean="x")

    first = bench.do(job(inputs=[stored]), contents)
    bench.do(job(id="2" * 32, inputs=[], outputs=[stored]), contents)
    second = bench.do(job(id="3" * 32, inputs=[stored]), contents)

    assert activity(first)["used"][0]["url"] == "s3://b/a.csv"
    assert "reference" in activity(second)["used"][0]


def test_the_file_with_which_snakemake_marks_a_directory_is_no_input() -> None:
    """A workflow that lists a directory names Snakemake's own file in it: it has no version, and nobody used it."""
    bench = Bench()
    marker = fact("parts/.snakemake_timestamp")
    observations = seen(data__raw="raw", results__clean="clean") | {marker.path: Observation(digest=digest(""))}
    requests = bench.do(job(inputs=[fact("data/raw.csv"), marker]), observations)
    assert outcomes(requests) == {"data/raw.csv": "used", "results/clean.csv": "generated"}
    assert len(activity(requests)["used"]) == 1
    assert bench.catalog.held(marker.path) is None


def test_an_input_named_twice_is_used_once() -> None:
    """As a set, like Synapse's."""
    requests = Bench().do(job(inputs=[fact("data/raw.csv"), fact("data/raw.csv", name="again")]), seen(data__raw="raw"))

    assert len(activity(requests)["used"]) == 1


def test_a_pipe_links_who_wrote_it_to_who_read_it() -> None:
    """It has no bytes that could be read again, and is not complained of; each run makes another version."""
    bench = Bench()
    pipe = FileFact(path="results/stream", flags=["pipe"], kind="missing")
    bench.do(job(outputs=[pipe]), seen(data__raw="raw"))

    requests = bench.do(job(id="2" * 32, inputs=[FileFact(path="results/stream", kind="missing")], outputs=[]), {})
    held = bench.catalog.held("results/stream")

    assert held is not None and held.activity_id is not None
    assert activity(requests)["used"][0]["reference"]["targetId"] == held.entity_id
    assert bench.tally.unread == 0


def test_an_output_that_was_never_seen_is_a_version_without_digest() -> None:
    """A temp() file or directory inside a group on a cluster: its maker and its reader are linked through it."""
    bench = Bench()
    unseen = [
        FileFact(path="results/mid", flags=["temp"], kind="missing"),
        FileFact(path="results/parts", flags=["directory", "temp"], kind="missing"),
        FileFact(path=".snakemake/storage/s3/b/a.csv", kind="missing", storage_query="s3://b/a.csv"),
    ]
    requests = bench.do(job(outputs=unseen), seen(data__raw="raw"))
    inputs = [FileFact(path="results/mid", kind="missing"), FileFact(path="results/parts", kind="missing")]
    reading = bench.do(job(id="2" * 32, inputs=inputs, outputs=[]), {})

    held = [bench.catalog.held(path) for path in ("results/mid", "results/parts/", "s3:/b/a.csv")]
    assert all(one is not None and one.activity_id is not None and one.sha256 is None for one in held)
    assert [one["reference"]["targetId"] for one in activity(reading)["used"]] == [
        one.entity_id for one in held[:2] if one is not None
    ]
    handles = [one["body"] for one in requests if one["path"] == "/file/v1/externalFileHandle"]
    assert handles[2]["externalURL"] == "s3://b/a.csv"
    assert bench.tally.unread == 0


def test_a_touched_output_that_is_not_there_is_no_version() -> None:
    """`--touch` leaves out what does not exist."""
    bench = Bench()
    bench.do(job(status="touched", outputs=[FileFact(path="absent", kind="missing")]), seen(data__raw="raw"))

    assert bench.catalog.held("absent") is None


def test_an_input_that_was_never_there_is_named_but_is_no_version() -> None:
    """An optional input, or a FIFO of somebody else."""
    inputs = [FileFact(path="absent", kind="missing"), FileFact(path="fifo", kind="other")]
    requests = Bench().do(job(inputs=inputs, outputs=[]), {})

    assert outcomes(requests) == {"absent": "used", "fifo": "used"}
    assert activity(requests)["used"] == []


def test_a_rule_that_only_names_its_inputs_is_a_job_but_no_activity() -> None:
    """`rule all` does nothing."""
    requests = Bench().do(job(rule="all", kind="norun", outputs=[]), seen(data__raw="raw"))

    assert [one["path"] for one in requests][-1] == f"/snakeprov/v1/jobs/{'1' * 32}"
    assert "/repo/v1/activity" not in [one["path"] for one in requests]
    assert "activityId" not in requests[-1]["body"]


def test_annotations_are_bounded() -> None:
    """Synapse takes at most 100 keys and 500 characters."""
    record = job(params={str(number): "x" * 1000 for number in range(200)})
    requests = Bench().do(record, seen(data__raw="raw", results__clean="x"))

    (put,) = (one for one in requests if one["path"].endswith("/annotations2"))
    annotations = put["body"]["annotations"]
    assert len(annotations) <= 100
    assert max(len(one["value"][0]) for one in annotations.values()) == 500
