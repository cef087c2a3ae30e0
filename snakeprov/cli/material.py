"""Collect the files, or the run, to export or describe, from the names that the user typed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from snakeprov.errors import UsageError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.export.material import Material
    from snakeprov.places import Place

RUN = "run:"
"""Begins the name of a run."""


def material_of(client: Client, place: Place, typed: Sequence[str], *, project: str | None) -> Material:
    """Return the results that are named with all that they came from, or the one run that is named.

    Raises:
        NotRecordedError: There is no such file, version or run.
        UsageError: A run is named together with something else.
    """
    from snakeprov.cli import target
    from snakeprov.export import gather

    runs = [one for one in typed if one.startswith(RUN)]
    if runs and len(typed) > 1:
        raise UsageError(f"{runs[0]} is a run, and something else is named with it.", hint="Name one run, or files.")
    if runs:
        return gather.run(client, target.find_run(client, runs[0]).id)
    found = [target.find(client, place, one, project=project) for one in typed]
    for one in found:
        target.ask(client, one, partial(client.provenance.story, one.entity_id, one.number))
    return gather.results(client, list(dict.fromkeys((one.entity_id, one.number) for one in found)))
