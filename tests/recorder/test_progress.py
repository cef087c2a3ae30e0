"""The line that says how far a long delivery is."""

from __future__ import annotations

import io
import sys
import threading
import time
from pathlib import Path

import pytest

from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.files import digest_file, fingerprint
from snakeprov.model.records import FileFact
from snakeprov.recorder import progress
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.progress import LARGE_BYTES, Reading, Readings


class Terminal(io.StringIO):
    """What standard error is when somebody looks at it."""

    def isatty(self) -> bool:
        return True


def look(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *, after_s: float = 0.05) -> io.StringIO:
    """Put `stderr` in the place of standard error; the line comes after `after_s`."""
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(progress, "AFTER_S", after_s)
    monkeypatch.setattr(progress, "EVERY_S", 0.01)
    return stderr


def test_a_long_delivery_says_how_far_it_is_and_wipes_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time anew, and nothing is left of it."""
    terminal = look(monkeypatch, Terminal())
    steps = iter(range(10_000))

    with progress.shown(lambda: f"step {next(steps)}"):
        deadline_s = time.monotonic() + 10
        while "step 2" not in terminal.getvalue() and time.monotonic() < deadline_s:
            time.sleep(0.01)

    assert "\r\x1b[Kstep 0 … \r\x1b[Kstep 1 … " in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_short_delivery_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one that fails."""
    terminal = look(monkeypatch, Terminal(), after_s=5)
    with pytest.raises(KeyboardInterrupt), progress.shown(lambda: "soon"):
        raise KeyboardInterrupt

    assert terminal.getvalue() == ""


def test_what_is_no_terminal_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file holds no progress."""
    log = look(monkeypatch, io.StringIO())
    with progress.shown(lambda: "now"):
        time.sleep(0.1)

    assert log.getvalue() == ""


def test_a_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that took two rows could not be wiped."""
    monkeypatch.setenv("COLUMNS", "40")
    terminal = look(monkeypatch, Terminal())
    with progress.shown(lambda: "x" * 200):
        deadline_s = time.monotonic() + 10
        while "…" not in terminal.getvalue() and time.monotonic() < deadline_s:
            time.sleep(0.01)

    assert all(len(line) <= 40 for line in terminal.getvalue().split("\r\x1b[K"))


def test_the_name_of_a_file_does_not_act_on_the_terminal() -> None:
    """What is read is named as it can be shown."""
    reading = Reading("a\x1b[2J.bam", 2_000_000_000, 1_000_000_000)
    assert progress.ReadingClock().hear(reading, now_s=0) == "reading a?[2J.bam, 1.0 of 2.0 GB"


def test_a_large_file_is_told_of_while_it_is_read(tmp_path: Path) -> None:
    """By name, with its size; one that is not large is not, and nothing is told when it has been read."""
    large = tmp_path / "genome.bam"
    with large.open("wb") as file:
        file.truncate(LARGE_BYTES)
    small = tmp_path / "notes.txt"
    small.write_bytes(b"x")
    cache = DigestCache(None)
    digester = Digester(str(tmp_path), cache)
    seen: list[Reading] = []

    def look() -> None:
        while not is_over.wait(0.001):
            if (reading := digester.readings.now()) is not None:
                seen.append(reading)

    is_over = threading.Event()
    thread = threading.Thread(target=look)
    thread.start()
    for path in (small, large):
        fact = FileFact(path=path.name, fingerprint=fingerprint(str(path)))
        assert digester.has_digest(fact, digest_file(str(path)).sha256)
    is_over.set()
    thread.join()

    assert {(one.name, one.size_bytes) for one in seen} == {("genome.bam", LARGE_BYTES)}
    assert [one.done_bytes for one in seen] == sorted(one.done_bytes for one in seen)
    assert seen[-1].done_bytes <= LARGE_BYTES
    assert digester.readings.now() is None
    cache.close()


def test_files_that_are_read_at_the_same_time_count_together() -> None:
    """Nobody can tell how much of each is read; once none is read, the next counts alone."""
    readings = Readings()
    with readings.of("/w/a.bam", LARGE_BYTES), readings.of("/w/b.bam", 2 * LARGE_BYTES):
        both = readings.now()
        assert both is not None and (both.name, both.size_bytes) == ("a.bam and 1 more", 3 * LARGE_BYTES)
    with readings.of("/w/c.bam", LARGE_BYTES):
        alone = readings.now()
        assert alone is not None and (alone.name, alone.size_bytes) == ("c.bam", LARGE_BYTES)
