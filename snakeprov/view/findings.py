"""The screen of `fsck`: what was checked, and what is damaged."""

from __future__ import annotations

from collections.abc import Iterator

from snakeprov.model.findings import Report
from snakeprov.view import text
from snakeprov.view.text import Screen, compose, counted, say

_LABEL_COLUMNS = 11


def store(report: Report, screen: Screen, *, folder: str) -> Iterator[str]:
    """Yield the lines of `fsck`.

    Args:
        report: What was checked and found.
        screen: Where the lines will be shown.
        folder: The store.
    """
    damaged = report.damaged
    yield compose([say(folder, "strong")], screen._replace(width=None))
    yield ""
    contents = f"{counted(report.contents, 'content')} ({text.size(report.content_bytes)})"
    checked = [counted(report.rows, "row"), contents]
    if report.outboxes:
        checked.append(counted(report.outboxes, "outbox file"))
    yield _fact("checked", ", ".join(checked), screen)
    for finding in report.findings:
        yield ""
        yield _fact("damaged" if finding.is_damage else "note", finding.where, screen, bad=finding.is_damage)
        yield _fact("", finding.problem, screen)
        yield _fact("", finding.remedy, screen)
    hidden = damaged - sum(finding.is_damage for finding in report.findings)
    if hidden > 0:
        yield ""
        yield _fact("", f"{screen.glyphs.ellipsis} and {text.number(hidden)} more", screen)
    yield ""
    yield compose([say(_verdict(damaged), "bad" if damaged else "good")], screen)


def _verdict(damaged: int) -> str:
    return f"{counted(damaged, 'thing is', 'things are')} damaged or missing." if damaged else "Nothing is damaged."


def _fact(label: str, value: str, screen: Screen, *, bad: bool = False) -> str:
    pieces = [say(label.ljust(_LABEL_COLUMNS), "bad" if bad else "faint"), say(value)]
    return compose(pieces, screen._replace(width=None))
