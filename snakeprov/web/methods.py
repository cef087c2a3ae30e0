"""The methods section of a paper for a version: a paragraph and a table of the steps, to copy."""

from __future__ import annotations

import shlex
from typing import Final

from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.export import gather
from snakeprov.export.methods import methods
from snakeprov.view import methods as view
from snakeprov.view import text
from snakeprov.web import render, urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

DEPTH_MAX: Final = 1000
NODES_MAX: Final = 2000
"""Of a file that came from more files and jobs only the command writes the text: that takes long."""

_TOO_LARGE: Final = (
    f"It came from more than {text.number(NODES_MAX)} files and jobs: let the command write its methods text."
)


def show(visit: Visit, entity_id: str, number: str) -> Response:
    """Return the methods text of a version."""
    client = visit.client
    try:
        told = client.provenance.story(entity_id, int(number))
        reach = client.provenance.lineage(entity_id, int(number), depth=DEPTH_MAX, limit=NODES_MAX)
        written = None if reach.truncated else methods(gather.results(client, [(entity_id, int(number))]))
    except (NotFoundError, BadRequestError):
        return visit.unknown(f"There is no version {entity_id}.{number[:20]}.")
    label = f"{told.entity.recorded_path}@{number}"
    return visit.page(
        "methods.html",
        title=f"Methods of {render.short(label)}",
        label=label,
        address=urls.version(entity_id, int(number)),
        paragraph=_TOO_LARGE if written is None else written.paragraph,
        columns=view.COLUMNS,
        rows=[] if written is None else [view.cells(step) for step in written.steps],
        markdown="" if written is None else render.safe_lines("\n".join(view.markdown(written))),
        command=f"snakeprov methods {shlex.quote(label)}",
    )
