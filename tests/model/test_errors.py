"""The error tree is what its own documentation says."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from snakeprov import errors

_LINE = re.compile(r"^(?P<indent>[│ ├└─]*)(?P<name>[A-Z]\w+) +(?P<status>\d+) {3}\S")
_INDENT_WIDTH = 4


def _documented() -> dict[str, tuple[str, int]]:
    """Return name -> (name of the parent, exit status), as the module's docstring draws the tree."""
    tree: dict[str, tuple[str, int]] = {}
    ancestors = ["Exception"]
    for line in (errors.__doc__ or "").splitlines():
        match = _LINE.match(line)
        if match:
            depth = len(match["indent"]) // _INDENT_WIDTH
            tree[match["name"]] = (ancestors[depth], int(match["status"]))
            ancestors[depth + 1 :] = [match["name"]]
    return tree


def _defined() -> dict[str, type[errors.SnakeprovError]]:
    classes: list[tuple[str, Any]] = inspect.getmembers(errors, inspect.isclass)
    return {name: cls for name, cls in classes if cls.__module__ == errors.__name__}


def test_documented_tree_is_the_tree() -> None:
    """Every error class stands in the docstring's tree under its first base and with its exit status, and no other."""
    actual = {name: (cls.__bases__[0].__name__, cls.exit_status) for name, cls in _defined().items()}

    assert _documented() == actual


@pytest.mark.parametrize("name", sorted(_defined()))
def test_every_error_says_what_failed_and_what_to_do(name: str) -> None:
    """An error keeps its message and hint apart and shows both."""
    cls: Any = _defined()[name]
    extra = {"status": 404, "reason": "gone"} if issubclass(cls, errors.ApiError) else {}
    error = cls("It failed.", hint="Do this.", **extra)

    assert (error.message, error.hint, str(error)) == ("It failed.", "Do this.", "It failed. Do this.")
    assert str(cls("It failed.", **extra)) == "It failed."
    assert isinstance(error, errors.SnakeprovError)


def test_provenance_error_is_a_value_error() -> None:
    """Code that expects Synapse's ValueError for a bad id catches ours."""
    assert issubclass(errors.ProvenanceError, ValueError)
