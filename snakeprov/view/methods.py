"""The words of `methods`: a paragraph and a table, for a terminal or as Markdown.

Must not know: how they were found.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snakeprov.view import text
from snakeprov.view.text import Screen, compose, say

_COLUMNS = ("step", "jobs", "ran", "tools", "environment", "params")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def terminal(told: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield the lines for a terminal; `told` is what `--json` prints."""
    whole = screen._replace(width=None)
    paragraph = say(told["paragraph"]).text
    for line in [paragraph] if screen.width is None else textwrap.wrap(paragraph, screen.width, break_on_hyphens=False):
        yield compose([say(line)], whole)
    if told["steps"]:
        yield ""
        rows = [[say(cell) for cell in _cells(step)] for step in told["steps"]]
        yield from text.table(rows, whole, titles=_COLUMNS)


def markdown(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of Markdown."""
    yield _escaped(told["paragraph"])
    if told["steps"]:
        yield ""
        yield _row(_COLUMNS)
        yield _row(["---"] * len(_COLUMNS))
        for step in told["steps"]:
            yield _row([_escaped(cell) for cell in _cells(step)])


def _cells(step: Mapping[str, Any]) -> list[str]:
    tools = [f"{one['name']} {one['version']}" for one in step["tools"] if one["version"]]
    unknown = [one["name"] for one in step["tools"] if not one["version"]]
    if unknown:
        tools.append(f"{', '.join(unknown)} (version{'s' * (len(unknown) > 1)} not recorded)")
    params = ", ".join(f"{name}={value}" for name, value in step["params"].items())
    return [step["name"], str(step["jobs"]), step["ran"], ", ".join(tools), step["environment"] or "", params]


def _escaped(value: str) -> str:
    return _MARKDOWN.sub(r"\\\1", say(value).text)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
