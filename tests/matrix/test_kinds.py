"""How a rule says what its jobs do."""

from __future__ import annotations

import pytest

from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Place, Run

SNAKEFILE = f"""
SEEN = {SEEN!r}
MADE = {MADE!r}

rule all:
    input: "shell.txt"

rule shell:
    input: "data/a.txt"
    output: "shell.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Place(tmp_path_factory.mktemp("kinds"), SNAKEFILE, {"data/a.txt": "a\n"}).run()


@row("kinds: shell")
def test_shell(run: Run) -> None:
    """A shell job has the command as it ran."""
    run.agrees()
    assert "cat data/a.txt > shell.txt" in run.job("shell")["job"]["shellcmd"]
