"""Every key that a command prints is documented, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..commands import Run
from .conftest import Recorded

DOCS = Path(__file__).parents[2] / "docs" / "commands"

BY_NAME = {"counts", "environment"}
"""The keys of these are values."""


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("verify", ["."]),
        ("fsck", []),
        ("restore", ["data/a.csv@1"]),
        ("restore", ["results/clean/a.csv"]),
        ("prune", ["--keep-last", "1"]),
        ("checkout", ["--to", "out"]),
    ],
)
def test_every_key_is_documented(
    work: Path, snakeprov: Run, recorded: Recorded, name: str, arguments: list[str]
) -> None:
    """In the table of the command, as code."""
    (work / "results/parts/first.csv").write_text("changed")
    run = [recorded.runs[0]] if name == "checkout" else []
    answer = snakeprov(name, "--json", *run, *arguments).json
    documented = set(re.findall(r"`(\w+)`", (DOCS / f"{name}.md").read_text(encoding="utf-8")))

    assert set(keys(answer)) - documented == set()


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            if key not in BY_NAME:
                yield from keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from keys(one)
