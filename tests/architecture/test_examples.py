"""The examples in docstrings."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import snakeprov

PACKAGE = Path(snakeprov.__file__).parent

MODULES = sorted(
    ".".join(("snakeprov", *file.relative_to(PACKAGE).with_suffix("").parts))
    for file in PACKAGE.rglob("*.py")
    if ">>>" in file.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_give_what_they_say(name: str) -> None:
    """Each is run as it stands."""
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    examples = doctest.DocTestFinder().find(importlib.import_module(name))

    results = [runner.run(example, out=report.append) for example in examples]

    assert sum(result.attempted for result in results) > 0
    assert not report, "".join(report)
