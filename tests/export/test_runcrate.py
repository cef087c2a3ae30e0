"""Crates read by another's program: runcrate, in an environment of its own, since it wants old libraries."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..commands import Run
from .conftest import Recorded

REQUIREMENT = "runcrate==0.6.2"

REQUIRED_VARIABLE = "SNAKEPROV_TEST_RUNCRATE_REQUIRED"
"""Set where it is a failure that runcrate cannot be installed."""

INSTALL_TIMEOUT_S = 300
REPORT_TIMEOUT_S = 60


@pytest.fixture(scope="session")
def runcrate(request: pytest.FixtureRequest) -> Path:
    """Give the program, which is installed once; skip where it cannot be."""
    assert request.config.cache is not None
    place = Path(request.config.cache.mkdir("runcrate")) / f"{REQUIREMENT}-{sys.version_info.minor}"
    place.mkdir(exist_ok=True)
    program = place.absolute() / "venv" / "bin" / "runcrate"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(place / "venv")],
                [str(program.with_name("python")), "-m", "pip", "install", "--quiet", REQUIREMENT],
            ):
                if problem := run(command):
                    message = f"{REQUIREMENT} cannot be installed here, so nothing is read with it. {problem}"
                    pytest.fail(message, pytrace=False) if os.environ.get(REQUIRED_VARIABLE) else pytest.skip(message)
            (place / "complete").touch()
    return program


def run(command: list[str]) -> str | None:
    """Run a command; return what went wrong, if anything did."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)} did not end within {INSTALL_TIMEOUT_S} s."
    return f"{' '.join(command)} failed:\n{done.stderr}" if done.returncode else None


@pytest.mark.parametrize("profile", ["process", "workflow", "provenance"])
def test_runcrate_reports_the_actions(
    runcrate: Path, recorded: Recorded, snakeprov: Run, tmp_path: Path, profile: str
) -> None:
    """It reads each profile, and tells the actions with what they used and made."""
    out = tmp_path / "crate"
    assert snakeprov("export", "results/table.csv@1", "--profile", profile, "-o", str(out)).status == 0
    done = subprocess.run([str(runcrate), "report", str(out)], capture_output=True, text=True, timeout=REPORT_TIMEOUT_S)
    actions = [block.splitlines() for block in done.stdout.strip().split("\n\n")]

    assert done.returncode == 0, done.stderr
    assert len(actions) == {"process": 3, "workflow": 1, "provenance": 4}[profile]
    assert any(line.strip().startswith("results/table.csv") for line in actions[0 if profile != "process" else -1])
    assert ("  step: " in done.stdout) == (profile == "provenance")
