"""Records that nobody honest wrote: whatever a store says, nothing is written outside of its target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from snakeprov import connect
from snakeprov.capture.git import export
from snakeprov.client.files import Content
from snakeprov.db import open_database
from snakeprov.db.statements import change
from snakeprov.db.tables import entity, job_file, revision
from snakeprov.errors import CorruptStoreError
from snakeprov.model.digest import Digest
from snakeprov.model.manifest import read_manifest

from ..commands import Run
from .conftest import Recorded, git

HOSTILE_PATHS = [
    "../escaped.txt",
    "data/../../escaped.txt",
    "{outside}/escaped.txt",
    ".git/hooks/post-checkout",
    "data/.snakeprov/outbox/x.log",
    "link/escaped.txt",
]

DIGEST = {"sha256": hashlib.sha256(b"x").hexdigest(), "md5": "9dd4e461268c8034f5c8564e155c67a6", "sizeBytes": 1}

HOSTILE_MEMBERS = [
    "../escaped.txt",
    "/escaped.txt",
    "a/../../escaped.txt",
    "",
    ".",
    "a\0b",
    ".git/config",
    "x/.snakeprov/y",
]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the working directory in which nothing may appear, and a link to it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def move(work: Path, outside: Path) -> Callable[[str], str]:
    """Give `move(path)`: have data/a.csv recorded under another path, as only its store's owner can; return its id."""
    (work / "link").symlink_to(outside)

    def moved(path: str) -> str:
        path = path.format(outside=outside)
        with written_directly(work) as connection:
            number = connection.execute(select(entity.c.id).where(entity.c.path == "data/a.csv")).scalar_one()
            connection.execute(change(entity, entity.c.id == number, path=path))
            connection.execute(change(job_file, job_file.c.entity_id == number, path=path))
        return f"syn{number}"

    return moved


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_recorded_path_chooses_no_place(
    work: Path, outside: Path, move: Callable[[str], str], snakeprov: Run, recorded: Recorded, path: str
) -> None:
    """`restore` writes where the user said or inside the working directory; `checkout` only into its folder."""
    entity_id = move(path)
    (work / "data" / "a.csv").unlink()
    (work / ".git" / "hooks").mkdir(exist_ok=True)
    refused = snakeprov("restore", f"{entity_id}.1")
    elsewhere = snakeprov("restore", f"{entity_id}.1", "-o", "chosen.csv")
    checked_out = snakeprov("checkout", f"run:{recorded.runs[-1]}", "--to", "co")

    assert (refused.status, refused.err.splitlines()[1]) == (2, "Say with -o where to put it.")
    assert elsewhere.status == 0 and (work / "chosen.csv").exists()
    assert checked_out.status in (0, 4), checked_out.err
    assert not list(outside.iterdir()) and not list(work.parent.glob("escaped*"))
    assert not (work / ".git" / "hooks" / "post-checkout").exists()
    assert not [one for one in (work / "co").rglob("*") if ".git" in one.parts or ".snakeprov" in one.parts]


def test_a_commit_is_no_option_of_git(work: Path) -> None:
    """What a run says of its commit reaches git only if it is an id."""
    commit = git(work, "rev-parse", "HEAD")

    assert export.has_commit(work, commit)
    assert not any(export.has_commit(work, one) for one in (f"--index-output={work}/x", "HEAD", commit[:10], ""))


@pytest.mark.parametrize("path", HOSTILE_MEMBERS)
def test_a_manifest_names_only_members(path: str) -> None:
    """A manifest with a member elsewhere is damaged."""
    with pytest.raises(CorruptStoreError):
        read_manifest(manifest({"path": path, "type": "file", **DIGEST}))


def test_members_do_not_lie_below_links_or_twice() -> None:
    """Nor below a link or a file, nor twice at one path."""
    link, file = {"path": "a", "type": "symlink", "target": "/"}, {"path": "a", "type": "file", **DIGEST}
    for first, second in ((link, {**file, "path": "a/b"}), (file, {**file, "path": "a/b"}), (file, file)):
        with pytest.raises(CorruptStoreError):
            read_manifest(manifest(first, second))


def manifest(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"manifestVersion": 1, "entries": entries}).encode()


@pytest.mark.parametrize("form", ["crate", "crate.zip"])
def test_a_crate_holds_no_member_that_leads_out(work: Path, outside: Path, snakeprov: Run, form: str) -> None:
    """A directory with a hostile manifest goes into a crate without its members."""
    content = manifest({"path": "../../../escaped.txt", "type": "file", **DIGEST})
    replace_manifest(work, "results/parts/", content)
    answer = snakeprov("export", "results/parts", "-o", form)

    assert answer.status in (0, 4), answer.err
    assert (work / form).exists()
    assert not list(work.parent.rglob("escaped*"))
    assert snakeprov("restore", "results/parts", "-o", "parts").status != 0
    assert not (work / "parts").exists()


def replace_manifest(work: Path, path: str, content: bytes) -> None:
    """Have the store keep another manifest for a directory."""
    digest = Digest(
        hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content)
    )
    (work / "made-up").write_bytes(content)
    with connect(work / ".snakeprov") as client:
        (stored,) = client.files.store([Content(str(work / "made-up"), "parts", digest, True)])
    with written_directly(work) as connection:
        number = connection.execute(select(entity.c.id).where(entity.c.path == path)).scalar_one()
        handle = int(stored.file_handle_id)
        connection.execute(change(revision, revision.c.entity_id == number, file_handle_id=handle))
        connection.execute(change(job_file, job_file.c.entity_id == number, sha256=digest.sha256))


@contextmanager
def written_directly(work: Path) -> Iterator[Any]:
    """Give the database of a store, with checksums that fit what is written."""
    store = open_database(work / ".snakeprov")
    try:
        with store.write() as tx:
            yield tx.connection
    finally:
        store.close()


def test_what_tools_keep_is_never_lost(work: Path, snakeprov: Run) -> None:
    """A directory that contains a store is not replaced, even by force: that is recorded nowhere."""
    (work / "results" / "parts" / "deep" / ".git").mkdir()
    answer = snakeprov("restore", "results/parts", "--force")

    assert answer.status == 2
    assert "contains deep/.git, which is never recorded and would be lost." in answer.err
    assert (work / "results" / "parts" / "deep" / ".git").is_dir()
