"""The methods section of a paper for a version: a paragraph and a table of the steps, to copy."""

from __future__ import annotations

import shlex

from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.export import gather
from snakeprov.export.methods import methods
from snakeprov.view import methods as view
from snakeprov.web import render, urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit


def show(visit: Visit, entity_id: str, number: str) -> Response:
    """Return the methods text of a version."""
    client = visit.client
    try:
        told = client.provenance.story(entity_id, int(number))
        written = methods(gather.results(client, [(entity_id, int(number))]))
    except (NotFoundError, BadRequestError):
        return visit.unknown(f"There is no version {entity_id}.{number[:20]}.")
    label = f"{told.entity.recorded_path}@{number}"
    return visit.page(
        "methods.html",
        title=f"Methods of {render.short(label)}",
        label=label,
        address=urls.version(entity_id, int(number)),
        paragraph=written.paragraph,
        columns=view.COLUMNS,
        rows=[view.cells(step) for step in written.steps],
        markdown=render.safe_lines("\n".join(view.markdown(written))),
        truncated=written.truncated,
        command=f"snakeprov methods {shlex.quote(label)}",
    )
