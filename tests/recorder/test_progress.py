"""The line that says how far a long delivery is."""

from __future__ import annotations

import io
import sys
import time

import pytest

from snakeprov.recorder import progress


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
