"""Outputs that were there before, delivered to Synapse."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from snakeprov.cli import main
from tests.synapse.conftest import Synapse


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory in which one job ran, of two inputs, one of which was replaced since."""
    work = tmp_path / "work"
    (work / ".snakemake" / "metadata").mkdir(parents=True)
    for name in ("in.txt", "out.txt", "replaced.txt"):
        (work / name).write_text(name)
    mtime_s = (work / "out.txt").stat().st_mtime
    checksums = {"in.txt": f"sha256:{hashlib.sha256(b'in.txt').hexdigest()}", "replaced.txt": "sha256:0"}
    inputs = ["in.txt", "replaced.txt"]
    note_job(work, "out.txt", ended_s=mtime_s, rule="one", input=inputs, shellcmd="cat", input_checksums=checksums)
    monkeypatch.chdir(work)
    return work


def note_job(work: Path, output: str, *, ended_s: float, **record: object) -> None:
    """Keep of the job that wrote an output what Snakemake keeps."""
    name = urlsafe_b64encode(output.encode()).decode()
    (work / ".snakemake" / "metadata" / name).write_text(
        json.dumps({**record, "starttime": ended_s - 1, "endtime": ended_s})
    )


def test_the_past_is_delivered_to_synapse_once(synapse: Synapse, folder: Path) -> None:
    """Only the input that is what was read is used; a second time writes nothing."""
    assert main(["backfill", "--store", "synapse"]) == 0
    client = synapse.connect()
    project = client.entities.find_child(None, folder.name)
    output = client.entities.find_child(project, "out.txt")
    assert output is not None
    activity = client.entities.generated_by(output)
    assert activity is not None
    used = [one["reference"]["targetId"] for one in activity["used"]]
    assert used == [client.entities.find_child(project, "in.txt")]

    synapse.requests.clear()
    assert main(["backfill", "--store", "synapse"]) == 0
    questions = ("/child", "/bundle2")
    assert not [one for one in synapse.requests if not one.startswith("GET") and not one.endswith(questions)]


def test_outputs_of_refused_jobs_are_not_counted_as_backfilled(
    synapse: Synapse, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Synapse takes no folders nested as deeply as these."""
    deep = folder / "/".join("d" * 60) / "x"
    deep.parent.mkdir(parents=True)
    deep.write_text("x")
    note_job(folder, str(deep.relative_to(folder)), ended_s=deep.stat().st_mtime, rule="deep", input=[])

    assert main(["backfill", "--store", "synapse"]) == 40

    out, err = capfd.readouterr()
    assert "Backfilled 1 job with 1 output (run" in out
    assert "levels deep" in err
