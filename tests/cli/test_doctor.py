"""`snakeprov doctor`: what a bug report needs, without secrets."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import snakeprov as package
from snakeprov.cli import snakeprov as group
from snakeprov.model.diagnosis import Diagnosis
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.outbox import Log

Run = Callable[..., Any]


def test_doctor_tells_versions_store_and_what_waits(study: Any, snakeprov: Run) -> None:
    """On a healthy store there is no problem, locks work, and each version is the one that runs."""
    found = snakeprov("doctor", "--json").json
    assert found["versions"]["snakeprov"] == package.__version__
    assert found["versions"]["Python"] == platform.python_version()
    assert found["versions"]["SQLAlchemy"] and found["git"]
    assert (found["storeKind"], found["journalMode"], found["locksWork"]) == ("folder", "wal", True)
    assert (found["problem"], found["pending"], found["failed"]) == (None, 0, 0)
    said = snakeprov("doctor").out
    for fact in (package.__version__, found["git"], "locks      work", "journal    wal", "waiting    0 job records"):
        assert fact in said
    assert not list((study.folder / ".snakeprov").glob(".lock-*"))


def test_doctor_counts_what_waits(study_folder: Path, snakeprov: Run) -> None:
    """Also for a store that is not there yet."""
    log = Log.create(study_folder / ".snakeprov" / "outbox", "d" * 32, store=".", first=b"{}")
    log.append(Kind.JOB, b"{}")
    log.close()
    found = snakeprov("doctor", "--json").json
    assert found["pending"] == 1
    assert found["problem"].startswith("There is no store in ")


@pytest.mark.parametrize("broken", ["damaged", "config", "nowhere"])
def test_doctor_works_where_nothing_else_does(study: Any, snakeprov: Run, broken: str) -> None:
    """Whatever is wrong is a line of the report."""
    more: list[str] = []
    if broken == "damaged":
        study.client.close()
        for path in study.store.glob("provenance.sqlite*"):
            path.unlink()
        (study.store / "provenance.sqlite").write_bytes(b"no database" * 1000)
    elif broken == "config":
        Path("snakeprov.toml").write_text("keep_bytes_max = [")
    else:
        more = ["--store", "nowhere"]
    answer = snakeprov("doctor", "--json", *more)
    assert answer.status == 0
    assert answer.json["problem"]
    assert answer.json["versions"]["snakeprov"] == package.__version__
    assert "\nproblem " in snakeprov("doctor", *more).out


def test_doctor_tells_no_secrets(study: Any, snakeprov: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the values of variables and settings, nor the login in a URL, nor the name of the home."""
    monkeypatch.setenv("SNAKEPROV_TOKEN", "spt_secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("snakeprov.toml").write_text('redact = ["secretpattern"]\n')
    for more in ([], ["--json"], ["--store", "http://ada:hunter2@127.0.0.1:1"]):
        said = snakeprov("doctor", *more).out
        assert "SNAKEPROV_TOKEN" in said
        assert "redact" in said or "--store" in more
        for secret in ("spt_secret", "hunter2", "secretpattern", str(tmp_path)):
            assert secret not in said
    assert "~/penguins" in snakeprov("doctor").out


def test_doctor_tells_that_a_folder_takes_no_locks_only_where_it_tried(
    study: Any, snakeprov: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no file can be made, nothing is claimed."""
    if os.geteuid() == 0:
        monkeypatch.setattr("tempfile.NamedTemporaryFile", _refuse)
    else:
        study.store.chmod(0o500)
    assert snakeprov("doctor", "--json").json["locksWork"] is None
    assert "not tried" in snakeprov("doctor").out
    study.store.chmod(0o700)


def _refuse(*arguments: Any, **options: Any) -> Any:
    raise PermissionError


def test_every_key_of_the_json_is_documented(study: Any, snakeprov: Run) -> None:
    """Its page names each key."""
    page = (Path(__file__).parents[2] / "docs" / "commands" / "doctor.md").read_text(encoding="utf-8")
    keys = snakeprov("doctor", "--json").json
    assert len(keys) == len(Diagnosis.__struct_fields__)
    assert {key for key in keys if f"`{key}`" not in page} == set()
    assert "doctor" in group.list_commands(None)  # type: ignore[arg-type]
