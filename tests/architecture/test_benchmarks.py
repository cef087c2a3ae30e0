"""The benchmarks run to their end. What they measure is read by people, and asserted nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ["lineage", "--sizes", "200"],
        ["replay", "--jobs", "3", "--inputs", "3"],
        ["exports", "--jobs", "3"],
        ["hashing", "--size-mib", "1", "--rounds", "1"],
    ],
    ids=lambda command: command[0],
)
def test_a_benchmark_runs_to_its_end(command: list[str]) -> None:
    """With as little to do as it takes."""
    script = ROOT / "tests" / "benchmarks" / f"{command[0]}.py"
    done = subprocess.run([sys.executable, script, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
