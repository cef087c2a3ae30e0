"""A store in which everything is that can be damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from snakeprov.apps.verify import verify_store
from snakeprov.blobs.local import SMALL_BYTES_MAX
from snakeprov.model.findings import Report
from snakeprov.recorder.outbox import Log
from tests.replaying import jobs_of, replay


class Repository:
    """A store and the files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "provenance.sqlite"
        self.small = folder / "blobs" / "small.sqlite"
        self.digests = folder / "digests.sqlite"
        self.outbox = folder / "outbox" / "waiting.log"
        (self.large,) = (folder / "blobs").glob("[0-9a-f][0-9a-f]/*")

    def verify(self) -> Report:
        return verify_store(self.folder, outbox_folder=self.outbox.parent, digests=self.digests)

    def problems(self) -> list[str]:
        """What is damaged, as `where: problem`, with the folder left out."""
        report = self.verify()
        assert report.damaged == sum(one.is_damage for one in report.findings)
        assert all(one.remedy for one in report.findings)
        return [
            f"{one.where}: {one.problem}".replace(f"{self.folder}/", "") for one in report.findings if one.is_damage
        ]

    def notes(self) -> list[str]:
        return [f"{one.where}: {one.problem}" for one in self.verify().findings if not one.is_damage]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with a few small outputs, a large one, a digest cache and a record that waits."""
    work = tmp_path_factory.mktemp("verified")
    records = jobs_of(work, "a" * 32, ["a.txt", "b.txt"])
    large = jobs_of(work, "c" * 32, ["large.txt"], size_bytes=SMALL_BYTES_MAX + 100)
    replay(work, "a" * 32, records)
    replay(work, "c" * 32, large)
    Log.create(work / ".snakeprov" / "outbox", "waiting", store=".", first=b'{"id": "dddd", "project": "p"}').close()
    return work / ".snakeprov"


@pytest.fixture
def repository(recorded: Path, tmp_path: Path) -> Repository:
    """A copy of it."""
    return Repository(Path(shutil.copytree(recorded, tmp_path / ".snakeprov")))
