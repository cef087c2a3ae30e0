"""/snakeprov/v1/current: the files of a project at their current versions.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from snakeprov.db import current, lookup
from snakeprov.db.access import READ
from snakeprov.db.current import CurrentRow
from snakeprov.db.tables import STORED
from snakeprov.model.answers import CurrentFiles, Version
from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Call
from snakeprov.server.queries import Query
from snakeprov.server.refusals import not_found, shown
from snakeprov.server.services import Services

service = Services("Questions")


class CurrentQuery(Query, frozen=True):
    """The files of a project; the page begins after the path `after`."""

    project: str
    under: str = ""
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000


@service("GET", "/snakeprov/v1/current")
def listing(call: Call, query: CurrentQuery) -> CurrentFiles:
    """The files of a project at their current versions, by path; `next` is what to give as `after` to go on.

    Left out are files whose place something newer took: a folder with files in it, or a file where their folder was.
    """
    project = lookup.project_id(call.tx, query.project)
    if project is None:
        raise not_found(f"There is no project called {shown(query.project)}.")
    permissions.check(call, project, project_id=project, permission=READ)
    limit = query.limit
    rows = current.page(call.tx, project, under=query.under, after=query.after, limit=limit + 1)
    gone = current.superseded(call.tx, project, rows[:limit])
    there = [row for row in rows[:limit] if row.path not in gone]
    told = meanings.told(call.tx, [(row.id, row.number) for row in there])
    results = [_file(row, told.get((row.id, row.number), meanings.NOTHING)) for row in there]
    following = rows[limit - 1].path if len(rows) > limit else None
    return CurrentFiles(project_id=wire.entity_id(project), results=results, next=following)


def _file(row: CurrentRow, told: meanings.Told) -> Version:
    return Version(
        path=row.path,
        entity_id=wire.entity_id(row.id),
        version_number=row.number,
        created_on=wire.time(row.created_on),
        sha256=row.sha256,
        md5=row.md5,
        size_bytes=row.size_bytes,
        bytes_kept=row.file_handle_kind == STORED,
        role=told.role,
        meaning=told.meaning,
    )
