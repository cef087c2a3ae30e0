"""The log files of a working directory: only where they are asked for, never on a terminal, never for others."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov.disk import logfile


@pytest.fixture(autouse=True)
def _logger() -> Iterator[None]:
    """Leave the logger of the package as it was."""
    logger = logging.getLogger("snakeprov")
    before = (list(logger.handlers), logger.level, logger.propagate)
    logger.handlers = []
    yield
    for handler in logger.handlers:
        handler.close()
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory with a folder of ours."""
    (tmp_path / ".snakeprov").mkdir(mode=0o700)
    return tmp_path


def said(work: Path, program: str = "command") -> str:
    return (work / ".snakeprov" / "log" / f"{program}.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("level", [None, "", "loud"])
def test_nothing_is_logged_unless_it_is_asked_for(
    work: Path, monkeypatch: pytest.MonkeyPatch, level: str | None
) -> None:
    """Without the variable, or with a value that is no level, there is no file."""
    if level is None:
        monkeypatch.delenv("SNAKEPROV_LOG", raising=False)
    else:
        monkeypatch.setenv("SNAKEPROV_LOG", level)
    logfile.start(work, "command")
    logging.getLogger("snakeprov.disk").error("no")
    assert not (work / ".snakeprov" / "log").exists()


def test_the_log_is_written_for_its_owner_alone(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the level that is asked for, once however often it is started, and without the login in a URL."""
    monkeypatch.setenv("SNAKEPROV_LOG", "info")
    for _ in range(2):
        logfile.start(work, "command")
    logging.getLogger("snakeprov.client.session").info("GET %s", "https://ada:hunter2@example.org/x")
    logging.getLogger("snakeprov.client.session").debug("not this")
    assert said(work).count("\n") == 1
    assert "INFO snakeprov.client.session: GET https://***@example.org/x" in said(work)
    log = work / ".snakeprov" / "log" / "command.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_the_log_is_turned_over(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long log does not fill the disk: the oldest files go."""
    monkeypatch.setenv("SNAKEPROV_LOG", "debug")
    monkeypatch.setattr(logfile, "BYTES_MAX", 1000)
    logfile.start(work, "deliver")
    for number in range(200):
        logging.getLogger("snakeprov.recorder").debug("line %d", number)
    files = sorted(path.name for path in (work / ".snakeprov" / "log").iterdir())
    assert files == ["deliver.log", "deliver.log.1", "deliver.log.2", "deliver.log.3"]
    assert "line 199" in said(work, "deliver")


def test_a_folder_without_records_gets_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a log that cannot be written stop anything."""
    monkeypatch.setenv("SNAKEPROV_LOG", "debug")
    logfile.start(tmp_path, "command")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".snakeprov").mkdir()
    (tmp_path / ".snakeprov" / "log").write_text("in the way")
    logfile.start(tmp_path, "command")


def test_nothing_reaches_the_terminal(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with the file nor without, whatever handlers the root logger has, and on a full disk."""
    code = (
        "import logging, sys; from pathlib import Path; from snakeprov.disk import logfile; "
        "logging.basicConfig(level=logging.DEBUG) if sys.argv[2] == 'root' else None; "
        "logfile.start(Path(sys.argv[1]), 'capture'); logging.getLogger('snakeprov.plugin').info('loud')"
    )
    for level, root in (("", "none"), ("debug", "none"), ("debug", "root")):
        monkeypatch.setenv("SNAKEPROV_LOG", level)
        done = subprocess.run([sys.executable, "-c", code, str(work), root], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("", "")
    log = work / ".snakeprov" / "log" / "capture.log"
    log.unlink()
    log.symlink_to("/dev/full")
    done = subprocess.run([sys.executable, "-c", code, str(work), "none"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
