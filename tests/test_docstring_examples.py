"""The examples in docstrings are run: what they show is what the code does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import snakeprov

PACKAGE = Path(snakeprov.__file__).parent


def _modules_with_examples() -> list[str]:
    names = [one.name for one in pkgutil.walk_packages([str(PACKAGE)], "snakeprov.")]
    return [name for name in names if ">>> " in _source(name)]


def _source(name: str) -> str:
    path = PACKAGE.parent.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


MODULES = _modules_with_examples()


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_show(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), raise_on_error=False)
    assert result.attempted > 0, "the module has an example that doctest does not find"
    assert result.failed == 0


def test_the_examples_are_found() -> None:
    assert len(MODULES) > 50
