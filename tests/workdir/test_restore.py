"""`snakeprov restore`: a version comes back whole, and nothing that is there is lost by it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from snakeprov import connect
from snakeprov.disk import replacing
from snakeprov.disk.tree import digest_directory
from snakeprov.errors import CorruptStoreError, RemoteError
from snakeprov.model.manifest import Entry, read_manifest

from ..commands import Run
from .conftest import Recorded, run

Golden = Callable[[str, str], None]

FIRST = "z,1\na,2\n"


def test_an_old_version_comes_back(work: Path, snakeprov: Run) -> None:
    """What was there is recorded, so it may go, and is named; the file keeps its permissions."""
    (work / "data/a.csv").chmod(0o640)
    answer = snakeprov("restore", "data/a.csv@1")

    assert (answer.status, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "data/a.csv@1 was restored to data/a.csv.",
        "The previous content is data/a.csv@2, which can be restored too.",
    ]
    assert (work / "data/a.csv").read_text() == FIRST
    assert (work / "data/a.csv").stat().st_mode & 0o777 == 0o640
    assert snakeprov("restore", "data/a.csv@1").out == "data/a.csv is data/a.csv@1 already; nothing was changed.\n"


def test_the_latest_version_comes_back_with_its_time(work: Path, snakeprov: Run) -> None:
    """So what was made from it is not made again; an older one is new, and has it made again."""
    recorded_ns = (work / "results/table.csv").stat().st_mtime_ns
    (work / "results/table.csv").unlink()
    answer = snakeprov("restore", "results/table.csv", "--json").json

    assert (work / "results/table.csv").stat().st_mtime_ns == recorded_ns
    assert (answer["restored"], answer["versionNumber"], answer["to"]) == (True, 2, str(work / "results/table.csv"))
    snakeprov("restore", "results/table.csv@1")
    assert (work / "results/table.csv").stat().st_mtime_ns > recorded_ns


def test_what_is_not_recorded_is_not_overwritten(work: Path, snakeprov: Run) -> None:
    """Unless that is wanted; the error says what to do."""
    (work / "data/a.csv").write_text("a week of work\n")
    answer = snakeprov("restore", "data/a.csv@1")

    assert (answer.status, answer.out) == (2, "")
    assert answer.err.splitlines() == [
        f"snakeprov: error: {work}/data/a.csv has a content that is not recorded; it would be lost.",
        "Move it away, write elsewhere with -o, or overwrite it with --force.",
    ]
    assert (work / "data/a.csv").read_text() == "a week of work\n"
    forced = snakeprov("restore", "data/a.csv@1", "--force", "--json")
    assert (forced.status, forced.json["lost"]) == (0, True)
    assert (work / "data/a.csv").read_text() == FIRST


def test_what_is_recorded_without_bytes_is_not_overwritten(work: Path, snakeprov: Run) -> None:
    """A content whose bytes are nowhere else would be lost as well."""
    present = (work / "data/a.csv").read_bytes()
    forget(work, "data/a.csv", 2)
    answer = snakeprov("restore", "data/a.csv@1")

    assert answer.status == 2
    assert "has the content of data/a.csv@2, whose bytes are not kept; it would be lost." in answer.err
    assert (work / "data/a.csv").read_bytes() == present


def test_it_can_go_elsewhere(work: Path, snakeprov: Run, tmp_path: Path) -> None:
    """Into a folder under its name, or under another name; folders on the way are made."""
    assert snakeprov("restore", "data/a.csv@1", "-o", f"{tmp_path}/").status == 0
    assert snakeprov("restore", "data/a.csv@1", "-o", "new/folder/old.csv").status == 0

    assert (tmp_path / "a.csv").read_text() == (work / "new/folder/old.csv").read_text() == FIRST


def test_links_and_other_kinds_are_not_replaced(work: Path, snakeprov: Run) -> None:
    """A link is only replaced by force, and what it leads to stays; a folder never is."""
    (work / "elsewhere").write_text("not to be touched")
    (work / "link").symlink_to("elsewhere")
    refused = snakeprov("restore", "data/a.csv@1", "-o", "link")
    forced = snakeprov("restore", "data/a.csv@1", "-o", "link", "--force")
    folder = snakeprov("restore", "results/parts", "-o", "data/b.csv", "--force")

    assert (refused.status, forced.status, folder.status) == (2, 0, 2)
    assert "is a symbolic link, which the file would replace." in refused.err
    assert "is a file; a directory cannot take its place." in folder.err
    assert (work / "elsewhere").read_text() == "not to be touched"
    assert (work / "link").read_text() == FIRST and not (work / "link").is_symlink()


def test_a_directory_comes_back_as_it_was(work: Path, snakeprov: Run) -> None:
    """Files that were added go, others come; links, empty folders and what can be run are as they were."""
    before = digest_directory(str(work / "results/parts"), digest)
    assert snakeprov("restore", "results/parts@1").status == 0
    assert (work / "results/parts/deep/all.csv").read_text() == "a,2\nz,1\nk,3\n"
    assert os.access(work / "results/parts/deep/all.csv", os.X_OK)
    (work / "results/parts/added").write_text("by hand")
    refused = snakeprov("restore", "results/parts")

    assert refused.status == 2
    assert "has a content that is not recorded; it would be lost." in refused.err
    assert (work / "results/parts/added").exists()
    assert snakeprov("restore", "results/parts", "--force").status == 0
    assert digest_directory(str(work / "results/parts"), digest).content == before.content
    assert sorted(path.name for path in (work / "results").iterdir()) == ["parts", "table.csv"]


def test_a_directory_of_which_a_file_is_not_kept_is_not_overwritten(work: Path, snakeprov: Run) -> None:
    """The manifest is kept, the file in it is not: it would be lost."""
    content = (work / "results/parts/deep/all.csv").read_bytes()
    remove_blob(work, content)
    answer = snakeprov("restore", "results/parts@1")

    assert answer.status == 2
    assert "is results/parts/@2, but of its files that would go deep/all.csv is not kept." in answer.err
    assert (work / "results/parts/deep/all.csv").read_bytes() == content


def test_what_was_not_kept_is_told_how_to_make(work: Path, snakeprov: Run, recorded: Recorded, golden: Golden) -> None:
    """Commit, inputs with versions, environment and command; the exit status is 5, and no folder is made."""
    answer = snakeprov("restore", "results/clean/a.csv")
    told = snakeprov("restore", "results/clean/a.csv", "--json")

    assert (answer.status, answer.err, told.status) == (5, "", 5)
    assert not (work / "results/clean").exists()
    remake = told.json["remake"]
    golden(
        "remake.txt",
        answer.out.replace(recorded.commit, "COMMIT")
        .replace(str(recorded.folder), "/home/ada/penguins")
        .replace(recorded.runs[0][:8], "RUN")
        .replace(", ".join(f"{name} {value}" for name, value in remake["environment"].items()), "ENVIRONMENT"),
    )
    assert told.json["restored"] is False
    assert (remake["commit"], remake["dirty"], remake["patchKept"]) == (recorded.commit, True, True)
    assert [(one["path"], one["versionNumber"], one["bytesKept"]) for one in remake["files"]] == [
        ("data/a.csv", 2, True),
        ("Snakefile", 1, True),
    ]
    assert set(remake["environment"]) >= {"Snakemake", "Python"}


def test_a_raw_input_that_is_not_kept_cannot_be_made(work: Path, snakeprov: Run) -> None:
    """Nothing is invented."""
    forget(work, "data/a.csv", 1)
    answer = snakeprov("restore", "data/a.csv@1")

    assert answer.status == 5
    assert "No recorded job made it, so it cannot be made again" in answer.out
    assert json.loads(snakeprov("restore", "data/a.csv@1", "--json").out)["remake"]["command"] is None


def test_unknown_names_are_errors(work: Path, snakeprov: Run) -> None:
    """A path, a version."""
    for path, said in (("nothing.csv", "nothing.csv is not recorded"), ("data/a.csv@7", "has no version 7")):
        answer = snakeprov("restore", path)
        assert (answer.status, answer.out) == (3, "")
        assert said in answer.err


def test_damaged_bytes_replace_nothing(work: Path, snakeprov: Run) -> None:
    """What the store gives is compared with the digest before it is put into place."""
    with closing(sqlite3.connect(work / ".snakeprov/blobs/small.sqlite")) as connection, connection:
        connection.execute("UPDATE blob SET content = ? WHERE content = ?", (b"other bytes", FIRST.encode()))
    present = (work / "data/a.csv").read_text()
    answer = snakeprov("restore", "data/a.csv@1")

    assert answer.status not in (0, 5)
    assert "damaged" in answer.err
    assert (work / "data/a.csv").read_text() == present
    assert sorted(path.name for path in (work / "data").iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("path", ["data/a.csv@1", "results/parts@1"])
def test_a_full_disk_loses_nothing(work: Path, snakeprov: Run, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there still is, and nothing half lies about."""
    before = digest_directory(str(work), digest_but_own)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    answer = snakeprov("restore", path)

    assert (answer.status, answer.out) == (6, "")
    assert "could not be written: no space is left on the device." in answer.err
    assert [one for one in digest_directory(str(work), digest_but_own).entries if ".snakeprov" not in one.path] == [
        one for one in before.entries if ".snakeprov" not in one.path
    ]


def test_bytes_that_are_not_the_recorded_ones_are_refused(tmp_path: Path) -> None:
    """Whatever gave them."""
    with pytest.raises(RemoteError, match="not what was recorded"), replacing.written(tmp_path / "a") as temporary:
        replacing.fill(temporary, [b"other"], sha256="0" * 64, md5=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out", "a\\x00b", "", "."])
def test_no_path_of_a_manifest_leads_out(path: str) -> None:
    """A manifest that names such a path is refused before anything is written."""
    content = json.dumps({"manifestVersion": 1, "entries": [{"path": path, "type": "directory"}]}).encode()
    if path == "a\\x00b":
        content = content.replace(b"\\\\x00", b"\\u0000")
    with pytest.raises(CorruptStoreError):
        read_manifest(content)


def test_links_in_a_directory_are_made_and_never_followed(tmp_path: Path) -> None:
    """A link may lead anywhere, as it did; nothing is written through it."""
    entries = [Entry(path="out", type="symlink", target=str(tmp_path / "elsewhere")), Entry(path="f", type="other")]
    impossible = replacing.replace_directory(tmp_path / "made", entries, lambda sha256: [])

    assert os.readlink(tmp_path / "made/out") == str(tmp_path / "elsewhere")  # noqa: PTH115
    assert [entry.path for entry in impossible] == ["f"]
    assert not (tmp_path / "elsewhere").exists()


def digest(path: str) -> Any:
    from snakeprov.disk.files import digest_file

    return digest_file(path)


def digest_but_own(path: str) -> Any:
    from snakeprov.disk.files import digest_bytes

    return digest_bytes(b"") if "/.snakeprov/" in path or "/.git/" in path else digest(path)


def forget(work: Path, path: str, number: int) -> None:
    """Have a version recorded without its bytes, as if it had been too large to keep."""
    with connect(work / ".snakeprov") as client:
        (match,) = client.provenance.find(path).results
        sha256 = client.provenance.story(match.entity_id, number).version.sha256
    from snakeprov.db import open_database
    from snakeprov.db.statements import change
    from snakeprov.db.tables import EXTERNAL, file_handle

    store = open_database(work / ".snakeprov")
    with store.write() as tx:
        tx.connection.execute(
            change(file_handle, file_handle.c.sha256 == sha256, kind=EXTERNAL, external_url="file:///gone")
        )
    store.close()
    with closing(sqlite3.connect(work / ".snakeprov/blobs/small.sqlite")) as connection, connection:
        connection.execute("DELETE FROM blob WHERE sha256 = ?", (bytes.fromhex(sha256),))


def remove_blob(work: Path, content: bytes) -> None:
    with closing(sqlite3.connect(work / ".snakeprov/blobs/small.sqlite")) as connection, connection:
        connection.execute("DELETE FROM blob WHERE content = ?", (content,))


def test_a_file_comes_back_with_its_permissions(work: Path, snakeprov: Run) -> None:
    """A program can be run, what was private stays private, and the umask takes away what it always does."""
    script = work / "scripts" / "table.py"
    script.chmod(0o775)
    (work / "data" / "a.csv").write_text("private,1\n")
    (work / "data" / "a.csv").chmod(0o600)
    run(work)
    script.write_text(script.read_text() + "# another\n")
    script.chmod(0o644)
    (work / "data" / "a.csv").write_text("public,2\n")
    (work / "data" / "a.csv").chmod(0o644)
    run(work)
    before = os.umask(0o027)
    try:
        for path, number in (("data/a.csv", 3), ("data/a.csv", 4), ("scripts/table.py", 3)):
            assert snakeprov("restore", f"{path}@{number}", "-o", f"old/{path}@{number}").status == 0
    finally:
        os.umask(before)

    modes = {one.name: one.stat().st_mode & 0o777 for one in (work / "old").rglob("*@*")}
    assert modes == {"a.csv@3": 0o600, "a.csv@4": 0o640, "table.py@3": 0o644 & ~0o027}


@pytest.mark.parametrize(
    ("present", "recorded", "restored"),
    [(0o600, 0o644, 0o600), (0o600, 0o755, 0o700), (0o644, 0o755, 0o755), (0o444, 0o640, 0o640), (0o640, None, 0o640)],
)
def test_a_file_that_is_replaced_is_not_opened_to_others(
    tmp_path: Path, present: int, recorded: int | None, restored: int
) -> None:
    """Who could not read or write what was there cannot do so with what takes its place."""
    place = tmp_path / "a"
    place.write_text("before")
    place.chmod(present)
    with replacing.written(place) as temporary:
        replacing.fill(temporary, [b"after"], sha256=hashlib.sha256(b"after").hexdigest(), md5=None, mode=recorded)
        replacing.take_mode(place, temporary, mode=recorded)

    assert place.stat().st_mode & 0o777 == restored
