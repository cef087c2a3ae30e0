"""Which logs are kept with their bytes: small ones in which no secret is known to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snakeprov.capture.secrets.names import MARK
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.disk.files import digest_file
from snakeprov.model.records import JobRecord
from snakeprov.recorder.digesting import LOG_BYTES_MAX, KeptLogs

PHRASE = "correct horse battery"


def is_kept(place: Path, content: bytes, *, redactor: Redactor | None = None, **fields: Any) -> bool:
    """Return whether a log with a content is kept; the record of its job has some fields."""
    place.write_bytes(content)
    job = JobRecord(id="1", run_id="a", rule="r", status="success", **fields)
    return KeptLogs(redactor).may_keep(job, str(place), digest_file(str(place)))


@pytest.mark.parametrize(
    ("content", "is_known_clean"),
    [(b"all is well\n", True), (b"\xff\xfe", True), (f"token: {PHRASE}\n".encode(), False), (b"", True)],
)
def test_a_log_is_kept_if_no_secret_is_in_it(tmp_path: Path, content: bytes, is_known_clean: bool) -> None:
    """Nor are bytes that are not text."""
    assert is_kept(tmp_path / "log", content, redactor=Redactor(values=[PHRASE])) == is_known_clean


def test_without_the_secrets_of_the_run_only_an_empty_log_is_kept(tmp_path: Path) -> None:
    """Nobody can tell what is in it."""
    assert not is_kept(tmp_path / "log", b"all is well\n")
    assert is_kept(tmp_path / "log", b"")


@pytest.mark.parametrize(("size", "is_small"), [(LOG_BYTES_MAX, True), (LOG_BYTES_MAX + 1, False)])
def test_a_large_log_is_not_kept(tmp_path: Path, size: int, is_small: bool) -> None:
    """Its digest is enough to tell whether it is the one."""
    assert is_kept(tmp_path / "log", b"x\n" * (size // 2) + b"x" * (size % 2), redactor=Redactor()) == is_small


@pytest.mark.parametrize(
    ("command", "is_clean"), [(f"fetch --token {MARK}", False), (f"fetch {MARK}x", False), ("echo ****", True)]
)
def test_the_log_of_a_job_from_which_a_secret_was_taken_is_not_kept(
    tmp_path: Path, command: str, is_clean: bool
) -> None:
    """It may repeat the secret in a spelling that is not known; more stars are no mark."""
    assert is_kept(tmp_path / "log", b"all is well\n", redactor=Redactor(), shellcmd=command) == is_clean


def test_a_log_that_is_gone_is_not_kept(tmp_path: Path) -> None:
    """Nor is anything raised."""
    place = tmp_path / "log"
    place.write_text("x")
    digest = digest_file(str(place))
    place.unlink()
    job = JobRecord(id="1", run_id="a", rule="r", status="success")

    assert not KeptLogs(Redactor()).may_keep(job, str(place), digest)
