"""Commands of snakeprov, run in the process of a test."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
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


def call(*arguments: str, folder: Path | None = None, variables: Mapping[str, str] | None = None) -> Answer:
    """Run a command, in a folder and with environment variables if they are given; return what it printed."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        if folder is not None:
            patch.chdir(folder)
        for name, value in (variables or {}).items():
            patch.setenv(name, value)
        status = main(arguments)
    return Answer(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]
