"""`snakeprov checkout`: everything of a run in one folder, and a note of what is not available."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from snakeprov import connect
from snakeprov.model.checkedout import CheckedOut, Item
from snakeprov.view import checkedout
from snakeprov.workdir.checkout import _Layout, check_out

from ..answers import told_run
from ..commands import Run
from .conftest import SCRIPT, SNAKEFILE, Recorded

Golden = Callable[[str, str], None]


def test_a_run_is_put_into_a_folder(
    work: Path, snakeprov: Run, recorded: Recorded, tmp_path: Path, golden: Golden
) -> None:
    """The first run: its code at the commit, its own versions of what it read and wrote."""
    run = recorded.runs[-1]
    answer = snakeprov("checkout", f"run:{run[:8]}", "--to", str(tmp_path / "out"))
    out = tmp_path / "out"
    note = (out / "CHECKOUT.md").read_text()
    told = json.loads((out / "checkout.json").read_text())

    assert (answer.status, answer.err) == (0, "")
    started = next(line for line in note.splitlines() if line.startswith("* started: "))
    command = next(line for line in note.splitlines() if line.startswith("* command: "))
    for text, name in ((answer.out, "checkout.txt"), (note, "checkout.md")):
        for found, shown in (
            (started, "* started: TIME"),
            (command, "* command: COMMAND"),
            (run, "RUN"),
            (run[:8], "RUN"),
            (recorded.commit, "COMMIT"),
            (str(recorded.folder), "/home/ada/penguins"),
            (str(out), "OUT"),
        ):
            text = text.replace(found, shown)
        golden(name, text)
    assert (out / "data/a.csv").read_text() == "z,1\na,2\n"
    assert (out / "results/table.csv").read_text() == "a,2\nz,1\nk,3\n"
    assert (out / "Snakefile").read_text() == SNAKEFILE
    assert (out / "scripts/table.py").read_text() == SCRIPT
    assert (out / "results/parts/link").is_symlink()
    assert (told["code"], told["commit"], told["workingDirectory"]) == ("commit", recorded.commit, ".")
    assert {one["path"] for one in told["missing"]} <= {"results/clean/a.csv", "results/clean/b.csv"}
    assert snakeprov("checkout", f"run:{run}", "--to", str(tmp_path / "json"), "--json").json["folder"] == str(
        tmp_path / "json"
    )


def test_a_run_is_asked_for_in_pages(work: Path, recorded: Recorded, tmp_path: Path, asked: list[str]) -> None:
    """Its jobs and its versions take a request for each thousand, whatever it holds; only bytes come one by one."""
    with connect(work / ".snakeprov") as client:
        run = client.runs.get(recorded.runs[0])
        asked.clear()
        told = check_out(client, run, tmp_path / "out")

    assert len(told.placed) > 2
    assert [one for one in asked if "/blobs/" not in one] == [
        "POST /snakeprov/v1/jobs",
        f"GET /snakeprov/v1/runs/{run.id}/patch",
        "POST /snakeprov/v1/versions",
    ]


def test_the_patch_of_a_run_is_applied(work: Path, snakeprov: Run, recorded: Recorded, tmp_path: Path) -> None:
    """The second run had a changed script and changed data, neither of them committed."""
    told = snakeprov("checkout", recorded.runs[0], "--to", str(tmp_path / "out"), "--json").json

    assert told["code"] == "commit and patch"
    assert (tmp_path / "out/scripts/table.py").read_text() == SCRIPT + "# changed\n"
    assert (tmp_path / "out/data/a.csv").read_text() == "z,1\na,2\nm,9\n"


def test_without_the_git_repository_the_files_that_ran_are_there(
    work: Path, snakeprov: Run, recorded: Recorded, tmp_path: Path
) -> None:
    """The run says where its work tree was; when that is gone, the recorded code files remain."""
    with connect(work / ".snakeprov") as client:
        run = client.runs.get(recorded.runs[0])
    assert run.git is not None
    git = msgspec.structs.replace(run.git, root=str(tmp_path / "gone"))
    run = msgspec.structs.replace(run, git=git, jobs=None)
    with closing(sqlite3.connect(work / ".snakeprov/provenance.sqlite")) as connection:
        from snakeprov.db.checksums import of_values

        row = connection.execute("SELECT * FROM run WHERE id = ?", (run.id,)).fetchone()
        names = [name for _, name, *_ in connection.execute("PRAGMA table_info(run)")]
        values = dict(zip(names, row, strict=True)) | {"record": msgspec.json.encode(run).decode()}
        checksum = of_values(*(values[name] for name in names if name not in ("checksum", "project_id")))
        connection.execute("UPDATE run SET record = ?, checksum = ? WHERE id = ?", (values["record"], checksum, run.id))
        connection.commit()
    told = snakeprov("checkout", recorded.runs[0], "--to", str(tmp_path / "out"), "--json").json

    assert told["code"] == "files"
    assert f"The commit {recorded.commit} is not at hand in {tmp_path}/gone" in told["notes"][0]
    assert (tmp_path / "out/scripts/table.py").read_text() == SCRIPT + "# changed\n"
    assert (tmp_path / "out/Snakefile").exists()
    assert not (tmp_path / "out/.gitignore").exists()


def test_a_folder_that_is_not_empty_is_refused(work: Path, snakeprov: Run, recorded: Recorded, tmp_path: Path) -> None:
    """So are a file and a link; an empty folder will do."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    for name in ("full", "full/x", "link"):
        answer = snakeprov("checkout", recorded.runs[0], "--to", str(tmp_path / name))
        assert (answer.status, answer.out) == (2, "")
        assert "exists and is not an empty folder." in answer.err
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == ["x"]
    (tmp_path / "empty").mkdir()
    assert snakeprov("checkout", recorded.runs[0], "--to", str(tmp_path / "empty")).status == 0


def test_unknown_runs_are_errors(work: Path, snakeprov: Run, tmp_path: Path) -> None:
    """No folder is made for them."""
    for name, status in (("run:ffffffff", 3), ("run:ff", 2)):
        assert snakeprov("checkout", name, "--to", str(tmp_path / "out")).status == status
    assert snakeprov("checkout", "run:ffff").status == 2
    assert not (tmp_path / "out").exists()


def test_a_link_of_the_commit_leads_nothing_out_of_the_folder(
    tmp_path: Path,
) -> None:
    """Where a committed link stands in place of a folder, the folder is made instead."""
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "results").symlink_to(outside)
    layout = _Layout(folder, told_run("1", working_directory="/w"))
    place = layout.place("results/deep/a.csv")
    assert place is not None
    assert layout.clear(place)
    assert not (folder / "results").is_symlink()
    for path in ("../x", "a/../../x", ".", ""):
        assert layout.place(path) is None
    assert layout.place("/etc/passwd") == folder / "outside/etc/passwd"
    assert layout.place("/../../../passwd") is None
    layout.is_work_tree("/w")
    assert layout.place("/w/x") == folder / "x"


def test_hostile_names_mean_nothing_in_the_note() -> None:
    """Neither as Markdown nor as HTML nor to a terminal."""
    item = Item(role="output", path="a`<script>`\x1b[2J\n# head", reason="Its <b>bytes</b> are *not* kept.")
    note = "\n".join(checkedout.note(CheckedOut(run=told_run("r" * 32), folder="/out", missing=[item])))

    assert "\x1b" not in note
    assert "`` a`<script>`\\x1b[2J\\x0a# head ``" in note
    assert "\\<b\\>bytes" in note
    assert sum(line.startswith("#") for line in note.splitlines()) == 2
