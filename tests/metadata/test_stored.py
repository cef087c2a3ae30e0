"""Reading the files in which Snakemake keeps what it knows of past jobs."""

from __future__ import annotations

import json
import os
import sqlite3
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snakeprov.metadata import failures, stored
from snakeprov.metadata.past import Reason, read_past

NAME_MAX = 255


def keep(folder: Path, target: str, *, kind: str = "metadata", **values: Any) -> Path:
    """Write a record as Snakemake does: a long name is cut into folders whose names begin with `@`."""
    name = urlsafe_b64encode(target.encode()).decode()
    parts = [name[start : start + NAME_MAX - 1] for start in range(0, len(name), NAME_MAX - 1)]
    path = folder.joinpath(".snakemake", kind, *(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))
    return path


def make(folder: Path, target: str, **values: Any) -> dict[str, Any]:
    """Make an output and its record."""
    path = folder / target
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(target)
    mtime_s = path.stat().st_mtime
    record = {"rule": "one", "input": [], "job_hash": 1, "starttime": mtime_s - 1, "endtime": mtime_s, **values}
    keep(folder, target, **record)
    return record


def past_of(folder: Path) -> Any:
    return read_past(stored.read(folder).records, str(folder), run_id="r", failed_on_s=failures.read(folder).get)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(target=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=400))
def test_every_path_is_read_back_from_the_name_of_its_record(
    tmp_path_factory: pytest.TempPathFactory, target: str
) -> None:
    """However long it is, and in whatever script."""
    folder = tmp_path_factory.mktemp("names")
    keep(folder, target, rule="one", endtime=1.5)

    (record,) = stored.read(folder).records
    assert (record.target, record.rule, record.endtime) == (target, "one", 1.5)


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """A torn record, a record of another shape, a file that is no record."""
    make(tmp_path, "good.txt")
    torn = keep(tmp_path, "torn.txt")
    torn.write_text('{"rule": "on')
    other = keep(tmp_path, "other.txt", rule=["not", "a", "text"])
    stray = torn.with_name("not base64!")
    stray.write_text("{}")

    found = stored.read(tmp_path)
    assert [record.target for record in found.records] == ["good.txt"]
    assert sorted(found.unreadable) == sorted(map(str, (torn, other, stray)))


def test_only_jobs_since_a_moment_are_read_where_that_is_asked_for(tmp_path: Path) -> None:
    """Also a job whose output is older than the job itself, as `cp -p` makes them."""
    keep(tmp_path, "before.txt", rule="one", starttime=1.0, endtime=2.0)
    keep(tmp_path, "after.txt", rule="one", starttime=5.0, endtime=6.0)
    keep(tmp_path, "copied.txt", rule="one", starttime=5.0, endtime=2.0)

    assert {one.target for one in stored.read(tmp_path, since_s=4.0).records} == {"after.txt", "copied.txt"}


def test_a_record_of_an_old_format_without_times_is_left_out(tmp_path: Path) -> None:
    """Nothing tells whether the file is still the one that the job left."""
    make(tmp_path, "old.txt", endtime=None, starttime=None)

    assert past_of(tmp_path).left_out == {Reason.UNDATED: ["old.txt"]}


def test_an_output_that_is_marked_as_incomplete_is_left_out(tmp_path: Path) -> None:
    """The marker lies beside the metadata, which may be that of an earlier run."""
    make(tmp_path, "half.txt")
    keep(tmp_path, "half.txt", kind="incomplete")

    assert past_of(tmp_path).left_out == {Reason.INCOMPLETE: ["half.txt"]}


def test_storage_objects_are_left_out(tmp_path: Path) -> None:
    """They are not on this disk, so nothing can be compared."""
    keep(tmp_path, "s3://bucket/a.csv", rule="one", endtime=1.0)

    assert past_of(tmp_path).left_out == {Reason.REMOTE: ["s3://bucket/a.csv"]}


def test_outputs_of_one_job_are_one_job_and_those_of_two_are_two(tmp_path: Path) -> None:
    """Also where two runs happened to give two jobs of a rule the same hash."""
    made = make(tmp_path, "a.txt")
    make(tmp_path, "b.txt", starttime=made["starttime"] + 0.01)
    make(tmp_path, "c.txt", job_hash=2)
    make(tmp_path, "d.txt", starttime=made["starttime"] - 3600)

    outputs = [sorted(fact.path for fact in job.outputs) for job in past_of(tmp_path).jobs]
    assert sorted(outputs) == [["a.txt", "b.txt"], ["c.txt"], ["d.txt"]]


def test_a_job_has_the_same_id_whenever_it_is_found(tmp_path: Path) -> None:
    """So a store that got it once takes it for known."""
    make(tmp_path, "a.txt")
    first, second = past_of(tmp_path), past_of(tmp_path)

    assert first.jobs[0].id == second.jobs[0].id
    assert len(first.jobs[0].id) == 32


def test_a_file_that_went_through_an_archive_of_whole_seconds_is_recognised(tmp_path: Path) -> None:
    """But not one whose seconds differ."""
    for name, shift_s in (("same.txt", 0), ("other.txt", 1)):
        made = make(tmp_path, name, job_hash=shift_s, endtime=1000.25)
        os.utime(tmp_path / name, (1000 + shift_s, 1000 + shift_s))
        assert made["endtime"] == 1000.25

    past = past_of(tmp_path)
    assert [job.outputs[0].path for job in past.jobs] == ["same.txt"]
    assert past.left_out == {Reason.CHANGED: ["other.txt"]}


def test_a_link_is_taken_while_what_it_points_to_is_no_newer(tmp_path: Path) -> None:
    """Its own time is the recorded one; the target may have been replaced behind it."""
    for name in ("kept", "changed"):
        target, link = tmp_path / f"{name}.data", tmp_path / f"{name}.txt"
        target.write_text(name)
        link.symlink_to(target.name)
        mtime_s = link.lstat().st_mtime
        keep(tmp_path, link.name, rule="link", job_hash=len(name), starttime=mtime_s - 1, endtime=mtime_s)
    os.utime(tmp_path / "changed.data", (4e9, 4e9))

    past = past_of(tmp_path)
    (job,) = past.jobs
    assert (job.outputs[0].path, job.outputs[0].symlink_target) == ("kept.txt", "kept.data")
    assert past.left_out == {Reason.CHANGED: ["changed.txt"]}


def test_params_are_kept_as_far_as_they_can_be(tmp_path: Path) -> None:
    """Plain values come back, everything else stays the text that Snakemake wrote."""
    make(tmp_path, "a.txt", params=["'text'", "3", "[1, 2]", "inf", "9" * 30, "<object at 0x7f>"])

    assert list(past_of(tmp_path).jobs[0].params.values()) == [
        "text", 3, "[1, 2]", "inf", "9" * 30, "<object at 0x7f>"
    ]  # fmt: skip


def test_a_database_of_several_folders_gives_only_its_own(tmp_path: Path) -> None:
    """The folder `.snakemake` is its namespace; a damaged database is named, not raised."""
    (tmp_path / ".snakemake").mkdir()
    path = tmp_path / ".snakemake" / "metadata.db"
    columns = [name for name in stored.Stored.__struct_fields__ if name != "target"]
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE snakemake_metadata (namespace, target, {', '.join(columns)})")
        for namespace, target in ((str(tmp_path / ".snakemake"), "own.txt"), ("/elsewhere/.snakemake", "other.txt")):
            connection.execute(
                "INSERT INTO snakemake_metadata (namespace, target, rule, input, incomplete, endtime)"
                " VALUES (?, ?, 'one', '[\"in.txt\"]', 0, 1.5)",
                (namespace, target),
            )

    (record,) = stored.read(tmp_path).records
    assert (record.target, record.input, record.incomplete) == ("own.txt", ["in.txt"], False)
    path.write_bytes(b"this is no database" * 100)
    (complaint,) = stored.read(tmp_path).unreadable
    assert complaint == f"{path} (file is not a database)"
