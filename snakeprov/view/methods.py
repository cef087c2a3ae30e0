"""The text of `methods`: a paragraph and a table, for a terminal or as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from snakeprov.model.methods import Methods, Step
from snakeprov.view import text
from snakeprov.view.text import Line, Screen, say

COLUMNS = ("step", "jobs", "ran", "tools", "environment", "params")
_LABEL_COLUMNS = 13
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def terminal(told: Methods, screen: Screen) -> Iterator[str]:
    """Yield the lines for a terminal."""
    yield from text.sentence(told.paragraph, screen)
    if not told.steps:
        return
    yield ""
    rows = [[say(cell) for cell in cells(step)] for step in told.steps]
    lines = list(text.table(rows, screen._replace(width=None, colour=False), titles=COLUMNS))
    if screen.width is None or max(map(text.width, lines)) <= screen.width:
        yield from text.table(rows, screen, titles=COLUMNS)
    else:
        yield from _list(rows, screen)


def _list(rows: Sequence[Line], screen: Screen) -> Iterator[str]:
    """Yield the steps one below the other, for a screen on which a table does not fit."""
    for number, row in enumerate(rows):
        if number:
            yield ""
        for title, cell in zip(COLUMNS, row, strict=True):
            if cell.text:
                yield from text.fact(title, [cell], screen, columns=_LABEL_COLUMNS)


def markdown(told: Methods) -> Iterator[str]:
    """Yield the lines of Markdown."""
    yield _escaped(told.paragraph)
    if told.steps:
        yield ""
        yield _row(COLUMNS)
        yield _row(["---"] * len(COLUMNS))
        for step in told.steps:
            yield _row([_escaped(cell) for cell in cells(step)])


def cells(step: Step) -> list[str]:
    """Return the row of a step, for `COLUMNS`."""
    tools = [f"{one.name} {one.version}" for one in step.tools if one.version]
    unknown = [one.name for one in step.tools if not one.version]
    if unknown:
        tools.append(f"{', '.join(unknown)} (version{'s' * (len(unknown) > 1)} not recorded)")
    params = ", ".join(f"{name}={value}" for name, value in step.params.items())
    return [step.name, str(step.jobs), step.ran, ", ".join(tools), step.environment or "", params]


def _escaped(value: str) -> str:
    return _MARKDOWN.sub(r"\\\1", say(value).text)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
