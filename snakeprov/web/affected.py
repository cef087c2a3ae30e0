"""Everything that came from a version, a rule, a run or a commit."""

from __future__ import annotations

import shlex
from typing import Final

from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.model.answers import AffectedVersions
from snakeprov.view import affected, text
from snakeprov.view.affected import OnDisk
from snakeprov.web import urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

VERSIONS_MAX: Final = 2000
"""Versions that a page looks at."""

SHOWN_MAX: Final = 100
"""Versions of one rule that a page lists."""


def of_version(visit: Visit, entity_id: str, number: str) -> Response:
    """Return what came from a version."""
    client = visit.client
    try:
        told = client.provenance.story(entity_id, int(number))
        answer = client.provenance.affected([(entity_id, int(number))], limit=VERSIONS_MAX)
    except (NotFoundError, BadRequestError):
        return visit.unknown(f"There is no version {entity_id}.{number[:20]}.")
    label = f"{told.entity.recorded_path}@{number}"
    address = urls.version(entity_id, int(number))
    return _page(visit, answer, label, address, f"snakeprov affected {shlex.quote(label)}")


def of_jobs(visit: Visit) -> Response:
    """Return what came from the jobs of a rule, a run or a commit."""
    asked = {name: value for name in ("rule", "run", "commit") if (value := visit.request.query.get(name))}
    if not asked:
        return visit.unknown("Nothing to start from is named.", hint="Open the page of a file, and go on from there.")
    label = " and ".join(f"{name} {value}" for name, value in asked.items())
    try:
        run_id = visit.client.runs.get(asked["run"]).id if "run" in asked else None
        answer = visit.client.provenance.affected(
            rule=asked.get("rule"), run_id=run_id, commit=asked.get("commit"), limit=VERSIONS_MAX
        )
    except (NotFoundError, BadRequestError):
        return visit.unknown(f"No job of {label} is recorded.")
    if answer.near is not None:
        near = [(name, urls.query("/affected", **{**asked, "rule": name})) for name in answer.near]
        return visit.unknown(
            f"No job of {label} is recorded.", hint="Did you mean one of these?" if near else "", near=near
        )
    options = " ".join(f"--{name} {shlex.quote(value)}" for name, value in asked.items())
    return _page(visit, answer, label, urls.run(run_id) if run_id else "", f"snakeprov affected {options}")


def _page(visit: Visit, answer: AffectedVersions, label: str, address: str, command: str) -> Response:
    groups = affected.by_rule([OnDisk(one, False) for one in answer.versions])
    return visit.page(
        "affected.html",
        title=f"Affected: {text.shorten(label, 100, keep='end')}",
        label=label,
        address=address,
        sentence=affected.came_from(answer.versions, [label], truncated=answer.truncated) + ".",
        groups=[
            (group, [(one.version, affected.state_of(one)) for one in made[:SHOWN_MAX]], len(made))
            for group, made in groups.items()
        ],
        truncated=answer.truncated,
        command=command,
    )
