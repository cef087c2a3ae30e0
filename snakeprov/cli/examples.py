"""The examples at the end of a command's help; a test runs them all."""

from __future__ import annotations

from typing import Final

_ALIGNED_COLUMNS_MAX: Final = 40
"""Longer commands do not push the purposes of the others to the right."""


def examples(*lines: tuple[str, str]) -> str:
    """Return examples as the epilog of a command: what follows `snakeprov`, and what it is for.

    >>> print(examples(("log", "what the last run wrote"), ("log a.csv", "its versions"))[2:])
    Examples:
      snakeprov log        # what the last run wrote
      snakeprov log a.csv  # its versions
    """
    columns = max((len(line) for line, _ in lines if len(line) <= _ALIGNED_COLUMNS_MAX), default=0)
    told = [f"  snakeprov {line:<{columns}}  # {purpose}" for line, purpose in lines]
    # click leaves the lines of a paragraph alone that begins so.
    return "\n".join(["\b", "Examples:", *told])
