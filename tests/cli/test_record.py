"""`snakeprov record`: manual steps become versions with an Activity, like those of jobs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.cli import main
from snakeprov.db import open_database
from snakeprov.server import create_app

from ..recorder.outages import Repository

NOBODY = "http://127.0.0.1:9"
"""Where no server listens."""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: it holds a store and some files."""
    folder = tmp_path / "study"
    folder.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    monkeypatch.chdir(folder)
    connect(folder / ".snakeprov", create=True).close()
    for name, text in {
        "raw.csv": "raw",
        "clean.csv": "clean",
        "clean.py": "print()",
        "out/a": "a",
        "out/b": "",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@contextmanager
def team_server(folder: Path) -> Iterator[Repository]:
    """Serve a store that can be made to fail."""
    store = open_database(folder, create=True)
    with closing(store), closing(LocalBlobs(folder / "blobs")) as blobs, Repository() as server:
        server.set_app(create_app(store, blobs, identify=lambda request: "ada"))
        yield server
        server.shutdown()


def ask(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(say(capfd, *arguments, "--json"))


def say(capfd: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capfd.readouterr()
    found = main(arguments)
    out, err = capfd.readouterr()
    assert found == status, out + err
    return out if status == 0 else err


def test_a_step_by_hand_has_versions_and_links_like_a_job(study: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Paths, URLs and ids are used and executed; the Activity is MANUAL."""
    url = "https://example.org/notes"
    said = ["--used", "raw.csv", "--used", url, "--executed", "clean.py", "--name", "clean in an editor"]

    made = ask(capfd, "record", "clean.csv", *said, "--description", "two rows were wrong")

    assert [(one["path"], one["versionNumber"], one["isNew"]) for one in made] == [("clean.csv", 1, True)]
    told = ask(capfd, "show", "clean.csv")
    activity = told["activity"]
    assert (activity["name"], activity["activityType"]) == ("clean in an editor", "MANUAL")
    assert activity["description"] == "two rows were wrong"
    raw = ask(capfd, "log", "raw.csv")["entity"]["id"]
    script = ask(capfd, "log", "clean.py")["entity"]["id"]
    links = [(one.get("url") or one["reference"]["targetId"], one["wasExecuted"]) for one in activity["used"]]
    assert links == [(raw, False), (script, True), (url, False)]
    (study / "final.csv").write_text("final")
    ask(capfd, "record", "final.csv", "--used", f"{made[0]['entityId']}.1")
    lineage = ask(capfd, "lineage", "final.csv")
    assert {"raw.csv", "clean.csv", "clean.py"} <= {node.get("path") for node in lineage["nodes"]}
    assert "clean in an editor" in say(capfd, "lineage", "final.csv")
    assert "clean in an editor" in say(capfd, "show", "clean.csv")


def test_secrets_of_a_step_are_not_recorded(study: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither in its words nor in URLs, also what the setting `redact` matches."""
    (study / "snakeprov.toml").write_text("redact = ['patient-\\d+']\n")
    words = ["--name", "patient-7 by hand", "--description", "wget --password hunter2"]
    ask(capfd, "record", "clean.csv", "--used", "https://ada:hunter2@example.org/a?sig=hunter2", *words)
    activity = ask(capfd, "show", "clean.csv")["activity"]
    assert (activity["name"], activity["description"]) == ("*** by hand", "wget --password ***")
    assert [used["url"] for used in activity["used"]] == ["https://example.org/a"]


def test_recording_the_same_again_changes_nothing(study: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Other bytes make the next version; the same bytes do only if told so."""
    ask(capfd, "record", "clean.csv", "--used", "raw.csv")

    (again,) = ask(capfd, "record", "clean.csv", "--used", "raw.csv")
    assert (again["versionNumber"], again["isNew"]) == (1, False)
    assert "already" in say(capfd, "record", "clean.csv", "--used", "raw.csv")
    assert ask(capfd, "record", "clean.csv", "--new-version")[0]["versionNumber"] == 2
    (study / "clean.csv").write_text("cleaner")
    assert ask(capfd, "record", "clean.csv", "--used", "raw.csv")[0]["versionNumber"] == 3
    assert [one["versionNumber"] for one in ask(capfd, "log", "raw.csv")["versions"]] == [1]


def test_a_file_of_unknown_origin_gets_one(study: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An input nobody produced, and then somebody tells where it came from: no new version."""
    ask(capfd, "record", "clean.csv", "--used", "raw.csv")

    (made,) = ask(capfd, "record", "raw.csv", "--used", "https://example.org/raw.csv", "--name", "download")

    assert (made["versionNumber"], made["isNew"]) == (1, True)
    assert ask(capfd, "show", "raw.csv")["activity"]["name"] == "download"


def test_directories_and_several_outputs_are_recorded_as_one_step(
    study: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One Activity made all of them."""
    made = ask(capfd, "record", "out", "clean.csv", "--used", "raw.csv")

    assert [one["path"] for one in made] == ["out/", "clean.csv"]
    ids = {ask(capfd, "show", path)["activity"]["id"] for path in ("out", "clean.csv")}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such.csv"], "There is no file"),
        (["clean.csv", "--used", "no-such.csv"], "no-such.csv"),
        (["clean.csv", "--executed", "raw.csv/x"], "There is no file"),
        (["clean.csv", "--used", "/dev/null"], "neither a file nor a directory"),
        ([], "Missing argument"),
        (["clean.csv", "--used", "syn999"], "syn999"),
    ],
)
def test_what_is_not_there_is_said_to_be_so(
    study: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """Nothing is recorded then."""
    capfd.readouterr()
    status = main(["record", *arguments])
    _, err = capfd.readouterr()
    if "syn999" in arguments:  # an id is taken on trust, as Synapse takes it
        assert status == 0
        return
    assert status == 2 and sentence in err and "Traceback" not in err, err
    assert say(capfd, "log", "clean.csv", status=3)


def test_where_there_is_no_repository_one_is_made(study: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A step can be the first thing that is recorded in a folder, or in the folder whose settings say where."""
    shutil.rmtree(study / ".snakeprov")

    assert ask(capfd, "record", "clean.csv")[0]["versionNumber"] == 1

    assert (study / ".snakeprov" / "provenance.sqlite").exists()
    (study / "snakeprov.toml").write_text('store = "kept"\n')
    os.chdir(study / "out")
    assert ask(capfd, "record", "a")[0]["path"] == "out/a"
    assert (study / "kept" / "provenance.sqlite").exists() and not (study / "out" / ".snakeprov").exists()
    assert "There is no snakeprov store" in say(capfd, "record", "a", "--store", "mistyped", status=31)


def test_a_step_waits_while_the_repository_is_out_of_reach(
    study: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept as it was when it was recorded, and pushed once, to the store that `push` names."""
    monkeypatch.setattr("snakeprov.client.session.RETRIES_MAX", 0)
    (study / "snakeprov.toml").write_text(f'store = "{NOBODY}"\nproject = "study"\n')

    main(["record", "clean.csv", "--used", "raw.csv", "--executed", "clean.py", "--name", "first"])
    out, err = capfd.readouterr()
    assert out == "clean.csv  waits to be delivered\n"
    assert "cannot be reached" in err and "The step waits; later: snakeprov push." in err
    (waiting,) = ask(capfd, "record", "out", "--used", "clean.csv", "--used", "syn1.2", "--name", "second")
    assert waiting == {"path": "out", "entityId": None, "versionNumber": None, "isNew": None}
    (study / "clean.csv").write_text("cleaner")
    assert main(["status", "--json"]) == 41
    assert json.loads(capfd.readouterr().out)["pending"] == 2

    (study / "snakeprov.toml").write_text('store = ".snakeprov"\nproject = "study"\n')
    assert ask(capfd, "push", "--store", ".snakeprov")["delivered"] == 2
    assert ask(capfd, "push", "--store", ".snakeprov")["delivered"] == 0

    told = ask(capfd, "show", "clean.csv@1")
    assert (told["activity"]["name"], told["activity"]["activityType"]) == ("first", "MANUAL")
    assert told["version"]["md5"] == hashlib.md5(b"clean", usedforsecurity=False).hexdigest()
    second = ask(capfd, "show", "out")["activity"]
    assert [one["reference"]["targetVersionNumber"] for one in second["used"]] == [1, 2]
    assert [one["versionNumber"] for one in ask(capfd, "log", "clean.csv")["versions"]] == [1]
    assert ask(capfd, "record", "clean.csv", "--used", "raw.csv")[0]["versionNumber"] == 2


def test_what_waits_is_delivered_before_the_next_step(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So versions come in the order in which they were made."""
    monkeypatch.setattr("snakeprov.client.session.RETRIES_MAX", 0)
    with team_server(tmp_path / "team") as server:
        (study / "snakeprov.toml").write_text(f'store = "{server.url}"\n')
        server.way, server.fails_from = "503", 0
        ask(capfd, "record", "clean.csv", "--name", "first")
        server.fails_from = float("inf")
        (study / "clean.csv").write_text("cleaner")

        assert ask(capfd, "record", "clean.csv", "--name", "second")[0]["versionNumber"] == 2

        assert ask(capfd, "show", "clean.csv@1")["activity"]["name"] == "first"


def test_what_waits_for_a_store_is_not_delivered_to_another(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a step for the other store nor by `push`, which says where it waits; `push --store` delivers it."""
    monkeypatch.setattr("snakeprov.client.session.RETRIES_MAX", 0)
    other = tmp_path / "other"
    connect(other, create=True).close()
    (study / "snakeprov.toml").write_text(f'store = "{NOBODY}"\n')
    ask(capfd, "record", "clean.csv", "--name", "first")

    ask(capfd, "record", "raw.csv", "--store", str(other))
    assert say(capfd, "log", "clean.csv", "--store", str(other), status=3)
    (study / "snakeprov.toml").write_text(f'store = "{other}"\n')
    assert main(["push"]) == 0
    out, err = capfd.readouterr()
    assert out == "Nothing waits to be delivered.\n"
    assert f"1 job record waits for {NOBODY}; deliver it with: snakeprov push --store STORE." in err
    assert ask(capfd, "status")["pending"] == 1

    assert ask(capfd, "push", "--store", str(other))["delivered"] == 1
    assert ask(capfd, "show", "clean.csv")["activity"]["name"] == "first"


def test_a_step_does_not_wait_for_a_repository_that_nothing_else_goes_to(
    study: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`push` would deliver it elsewhere: that it was not recorded is said at once."""
    monkeypatch.setattr("snakeprov.client.session.RETRIES_MAX", 0)
    (study / ".snakeprov" / "outbox").mkdir()

    assert "cannot be reached" in say(capfd, "record", "clean.csv", "--store", NOBODY, status=41)

    assert ask(capfd, "status")["pending"] == 0


@pytest.mark.parametrize("umask", [0o002, 0o077])
@pytest.mark.parametrize("folder", [0o2770, 0o775], ids=["shared", "not shared"])
def test_what_is_made_is_for_the_group_only_where_the_folder_says_so(
    study: Path, capfd: pytest.CaptureFixture[str], folder: int, umask: int
) -> None:
    """In a folder with the set-group-ID bit the group can write all but contents; else nobody else can read anything.

    The umask has no say in it, and SQLite, which would make its files for their user alone to write, neither.
    """
    shutil.rmtree(study / ".snakeprov")
    (study / ".snakeprov").mkdir()
    (study / ".snakeprov").chmod(folder)
    for name in ("clean.csv", "large.bin", "raw.csv"):
        (study / name).touch()
        (study / name).chmod(0o644)
    (study / "large.bin").write_bytes(bytes(2_000_000))
    before = os.umask(umask)
    try:
        say(capfd, "record", "clean.csv", "large.bin", "--used", "raw.csv")
    finally:
        os.umask(before)
    modes = {str(path.relative_to(study)): path.stat().st_mode for path in (study / ".snakeprov").rglob("*")}
    assert {".snakeprov/provenance.sqlite", ".snakeprov/blobs/small.sqlite", ".snakeprov/digests.sqlite"} <= set(modes)
    for path, mode in modes.items():
        is_content = "/blobs/" in path and not path.endswith(".sqlite") and stat.S_ISREG(mode)
        expected = 0 if folder == 0o775 else 0o040 if is_content else 0o070 if stat.S_ISDIR(mode) else 0o060
        assert mode & 0o077 == expected, f"{path}: {mode:o}"


def test_a_step_that_waited_is_noted_for_the_store_that_it_is_pushed_to(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """`push --store` may name another store than the settings: their project is not taken from that store."""
    shared = tmp_path / "shared"
    connect(shared, create=True).close()
    (study / "snakeprov.toml").write_text(f'store = "{NOBODY}"\n')
    say(capfd, "record", "clean.csv", "--used", "raw.csv")
    assert ask(capfd, "push", "--store", str(shared))["delivered"] == 1
    note = json.loads((study / ".snakeprov" / "project").read_text())
    assert list(note["stores"]) == [str(shared)]
