"""Commands of snakeprov, run in the process of a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from snakeprov.cli import main


class Answer(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on stdout, as JSON."""
        return json.loads(self.out)


Run = Callable[..., Answer]


def runner(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return `snakeprov(*arguments)`, which runs a command, and tells what only that printed."""

    def call(*arguments: str) -> Answer:
        capfd.readouterr()
        status = main(arguments)
        out, err = capfd.readouterr()
        return Answer(status, out, err)

    return call
