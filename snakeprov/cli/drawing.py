"""Draw a lineage: collect what the drawing shows, and write it to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakeprov.cli import output
from snakeprov.disk.replacing import complete
from snakeprov.disk.shortage import in_words
from snakeprov.errors import SnakeprovError, UsageError
from snakeprov.lineage import fold
from snakeprov.lineage.graph import Direction, Graph
from snakeprov.view import labels, text
from snakeprov.view.details import Known, jobs_of, versions_of

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Lineage

HEAD_BYTES = 500
"""Bytes read of a file to recognise a drawing by snakeprov."""


class Drawn(NamedTuple):
    """A drawing, and a sentence that says what it shows."""

    text: str
    sentence: str


def drawing(answer: Lineage, form: str, *, direction: Direction, depth: int) -> Drawn:
    """Return a drawing as `dot`, `mermaid` or `svg` of what the lineage resource answered when asked for `depth`."""
    from snakeprov.view import dot, mermaid, svg

    graph = Graph.of(answer)
    nodes = fold.sort(graph, direction)
    folded = fold.fold(nodes)
    sentence = labels.sentence(nodes, graph, direction)
    remarks = labels.remarks(folded, truncated=graph.truncated, reason=f"--depth {depth} ended the search there")
    if form == "svg":
        lines = svg.lineage(folded, sentence, remarks, direction=direction)
    else:
        lines = (dot if form == "dot" else mermaid).lineage(folded, sentence, remarks)
    return Drawn("".join(line + "\n" for line in lines), sentence)


def page(client: Client, answer: Lineage, *, direction: Direction, depth: int) -> Drawn:
    """Return the page of what the lineage resource answered, with what the store knows of each file and job.

    Raises:
        RemoteError: The store refused or failed.
    """
    from snakeprov.client import contents
    from snakeprov.view import page

    graph = Graph.of(answer)
    nodes = fold.sort(graph, direction)
    sentence = labels.sentence(nodes, graph, direction)
    remarks = labels.page_remarks(nodes, truncated=graph.truncated)
    known = Known({}, {})
    if not client.provenance.is_stepwise:
        known = Known.of(*contents.known(client, versions_of(nodes), jobs_of(nodes)))
    return Drawn(page.lineage(nodes, sentence, remarks, direction=direction, depth=depth, known=known), sentence)


def write(drawn: Drawn, out: str) -> None:
    """Write a drawing to a file and say so. Never replace a file that is not a drawing by snakeprov.

    Raises:
        UsageError: There is such a file, or a folder, or there is no folder for it.
        SnakeprovError: It cannot be written.
    """
    path = Path(out)
    try:
        _check_free(path)
        size_bytes = _replace(path, drawn.text.encode())
    except OSError as error:
        raise SnakeprovError(
            f"The drawing cannot be written to {out} ({in_words(error)}).", hint="Write it somewhere else with -o."
        ) from error
    output.write_lines([drawn.sentence, text.say(f"Drawn in {out} ({text.size(size_bytes)}).").text])


def _check_free(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", hint="Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", hint="Make it first.")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{path} is not a regular file.", hint="Leave out -o to write to the standard output.")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head and labels.MARK.encode() not in head:
        raise UsageError(
            f"{path} exists and is not a drawing by snakeprov.", hint="Choose another name, or move it out of the way."
        )


def _replace(path: Path, content: bytes) -> int:
    """Put a file in its place whole; return its size."""
    with complete(path) as temporary, temporary.open("xb") as file:
        file.write(content)
    return len(content)
