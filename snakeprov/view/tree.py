"""The screen of `lineage`: a tree of files, what made each, and the code that ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snakeprov.lineage.graph import GUESSES, Direction, Graph
from snakeprov.lineage.tree import Code, Row, code, rows
from snakeprov.model import meant
from snakeprov.model.answers import Node
from snakeprov.view import text
from snakeprov.view.history import status_role
from snakeprov.view.text import Line, Piece, Screen, compose, counted, say

NAME_COLUMNS_MIN = 16
"""Columns that a name has at least; where the rails leave less, the tree is not drawn deeper."""

RULE_COLUMNS_MAX = 24
"""The notes behind the rules are aligned at most this far to the right."""

CODE_ROWS_MAX = 40
"""More files of code than this are only counted."""


def lineage(graph: Graph, screen: Screen, *, direction: Direction, depth: int | None = None) -> Iterator[str]:
    """Yield the lines of `lineage`.

    Args:
        graph: What the lineage resource answered.
        screen: Where the lines will be shown.
        direction: The direction that it was asked for.
        depth: The number of activities that the user wanted looked through, if any was named.
    """
    described, labels = code(graph) if direction == "upstream" else ([], {})
    every = list(rows(graph, direction=direction))
    makers = _aligned([_maker(row, labels, screen) for row in every])
    room = _room(makers, screen)
    deepest = None if room is None else max((room - NAME_COLUMNS_MIN) // len(screen.glyphs.bar), 1)
    drawn = [place for place, row in enumerate(every) if deepest is None or len(row.rails) <= deepest]
    names = [_name(every[place], screen, room=room) for place in drawn]
    column = max(map(text.line_width, names))
    for place, name in zip(drawn, names, strict=True):
        blank = Piece(" " * (column - text.line_width(name)))
        yield compose([*name, blank, say("  "), *makers[place]], screen)
    yield from _endings(every, screen, graph=graph, direction=direction, depth=depth, deepest=deepest)
    yield from _code(described, screen)


def _name(row: Row, screen: Screen, *, room: int | None) -> list[Piece]:
    glyphs = screen.glyphs
    rails = "".join(glyphs.bar if follows else glyphs.blank for follows in row.rails[:-1])
    if row.rails and row.link in GUESSES:
        rails += glyphs.guess_tee if row.rails[-1] else glyphs.guess_corner
    elif row.rails:
        rails += glyphs.tee if row.rails[-1] else glyphs.corner
    if row.folded:
        return [say(rails, "faint"), say(f"{glyphs.ellipsis} and {text.number(row.folded)} more like these")]
    node = row.node
    number = f"@{node.version_number}" if node.version_number is not None else ""
    label = node.path or node.url or node.label
    if room is not None:
        left = max(room - text.width(rails) - len(number), 1)
        label = text.shorten(say(label).text, left, keep="path", ellipsis=glyphs.ellipsis)
    role: text.Role = "strong" if not row.rails else "rule" if node.kind == "activity" else ""
    return [say(rails, "faint"), say(label, role), say(number, "version")]


def _maker(row: Row, labels: dict[str, str], screen: Screen) -> Line:
    """Return what made a file (an arrow and a rule, or else that it is a raw input), and a note on that."""
    glyphs = screen.glyphs
    if row.node.kind == "activity":
        status = row.node.status or ""
        # A job that succeeded may have made the very bytes that were there before.
        made = "no new version" if status == "success" else "generated nothing"
        return [say(""), say(status, status_role(status)), say(made, "faint")]
    notes: list[Piece] = []
    if row.executed:
        notes.append(say("executed", "faint"))
    if row.mark == "repeated":
        notes.append(say("see above", "faint"))
    elif row.activity is not None and not row.folded:
        notes.append(say(text.short_commit(row.activity.commit, dirty=row.activity.dirty), "commit"))
        if row.activity.status not in (None, "success"):
            notes.append(say(row.activity.status, status_role(row.activity.status or "")))
    if row.makings > 1 and not row.folded:
        notes.append(say(f"made {row.makings}{glyphs.times}", "faint"))
    meaning = row.node.meaning
    if row.activity is not None and not row.folded and meaning is not None and meaning.kind == "again":
        notes.append(say(meant.said(meaning, path=row.node.path or ""), "faint"))
    if not row.is_proved and not row.folded:
        notes.append(say(meant.NOT_PROVED, "raw"))
    if row.mark == "unexplored" and row.activity is not None:
        notes.append(say(glyphs.ellipsis, "faint"))
    return [*_made(row, labels, screen), *_spaced([note for note in notes if note.text])]


def _made(row: Row, labels: dict[str, str], screen: Screen) -> list[Piece]:
    if row.activity is not None:
        arrow = say(f"{screen.glyphs.arrow} ", "faint")
        return [arrow, say(labels.get(row.activity.id, row.activity.label), "rule")]
    if row.node.meaning is not None and not row.folded:
        more = f" {screen.glyphs.ellipsis}" if row.mark == "unexplored" else ""
        return [say(""), say(meant.said(row.node.meaning, path=row.node.path or "") + more, "raw")]
    if row.mark == "unexplored":
        return [say(""), say(screen.glyphs.ellipsis, "faint")]
    raw = meant.unmade(row.node.role)
    return [say(""), say(raw + "s" if row.folded else raw if row.mark == "raw" else "", "raw")]


def _spaced(notes: Sequence[Piece]) -> list[Piece]:
    return [piece for place, note in enumerate(notes) for piece in ([say("  "), note] if place else [note])]


def _aligned(makers: Sequence[Line]) -> list[Line]:
    """Align what follows the rules; a rule much longer than the others does not push the others' notes away."""
    widths = [text.line_width(maker[:2]) for maker in makers]
    column = max((wide for wide, maker in zip(widths, makers, strict=True) if len(maker) > 2), default=0)
    column = min(column, RULE_COLUMNS_MAX)
    return [
        [*maker[:2], say(" " * max(column - wide, 0) + "  "), *maker[2:]] if len(maker) > 2 else maker
        for wide, maker in zip(widths, makers, strict=True)
    ]


def _room(makers: Sequence[Line], screen: Screen) -> int | None:
    """Return the columns that rails and names may take, so that what made a file still fits beside them."""
    if screen.width is None:
        return None
    return max(screen.width - 2 - max(map(text.line_width, makers)), NAME_COLUMNS_MIN)


def _endings(
    every: Sequence[Row],
    screen: Screen,
    *,
    graph: Graph,
    direction: Direction,
    depth: int | None,
    deepest: int | None,
) -> Iterator[str]:
    """Yield notes on what the tree does not show."""
    cut = next((row for row in every if deepest is not None and len(row.rails) == deepest + 1), None)
    notes = []
    if direction == "downstream" and len(every) == 1 and every[0].mark != "unexplored":
        notes.append("No recorded job used it.")
    if cut is not None:
        notes.append("Deeper levels do not fit this screen: use a wider one, or ask for a file further down.")
    if graph.truncated and depth is not None and max(graph.distances(direction).values()) >= depth:
        notes.append(f"{screen.glyphs.ellipsis} marks where --depth {depth} ended the search.")
    elif graph.truncated:
        shown = counted(len(graph.nodes), "file or activity", "files and activities")
        notes.append(f"There is more than the {shown} looked at: ask for a file further down.")
    for note in notes:
        yield ""
        yield from text.sentence(note, screen, "faint")


def _code(described: Sequence[Code], screen: Screen) -> Iterator[str]:
    if not described:
        return
    yield ""
    yield compose([say("code", "heading")], screen)
    shown = [[_versioned(one.node), say(", ".join(one.labels), "rule")] for one in described[:CODE_ROWS_MAX]]
    yield from text.table(shown, screen, flexible=1, indent=2)
    if len(described) > CODE_ROWS_MAX:
        hidden = counted(len(described) - CODE_ROWS_MAX, "file")
        yield compose([say(f"  {screen.glyphs.ellipsis} and {hidden} more")], screen)


def _versioned(node: Node) -> Piece:
    number = f"@{node.version_number}" if node.version_number is not None else ""
    return say((node.path or node.url or node.label) + number)
