"""Every command's help has examples, and they work."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from snakeprov.cli import snakeprov as group

Run = Callable[..., Any]

COMMANDS = group.list_commands(click.Context(group))

TAKEN_ONLY = {"serve", "ui", "backfill"}
"""Commands whose examples are not run: servers do not end, and `backfill` needs what Snakemake has left."""


def examples_of(name: str) -> list[list[str]]:
    """Return the arguments in the examples of a command's help."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    lines = (command.epilog or "").splitlines()
    assert lines[:2] == ["\b", "Examples:"]
    return [shlex.split(line, comments=True)[1:] for line in lines[2:]]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_work(study: Any, snakeprov: Run, name: str) -> None:
    """Each in the order of the help, in one folder."""
    Path("results/table.csv").write_bytes(b"mean 2\n")
    if name == "token":
        snakeprov("user", "add", "ada")
    for arguments in examples_of(name):
        assert arguments[0] == name
        if name in TAKEN_ONLY:
            command = group.get_command(click.Context(group), name)
            assert command is not None
            command.make_context(name, arguments[1:])
            continue
        answer = snakeprov(*arguments)
        assert (answer.status, answer.err) == (0, ""), (arguments, answer.err)
        assert answer.out or "-o" in arguments


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_fits_80_columns(snakeprov: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And ends with the examples."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = snakeprov(name, "--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("    snakeprov ")
