"""/snakeprov/v1/current: the files of a project at their current versions.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Any

from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Answer, Call, shown
from snakeprov.server.refusals import not_found
from snakeprov.store import current, lookup
from snakeprov.store.access import READ
from snakeprov.store.current import CurrentRow
from snakeprov.store.tables import STORED

PAGE_DEFAULT = 1000
PAGE_MAX = 10_000


def listing(call: Call) -> Answer:
    """GET /current?project=[&under=&after=&limit=]: by path; `next` is where to go on.

    Left out are files whose place something newer took: a folder with files in it, or a file where their folder was.
    """
    name = call.text("project")
    project = lookup.project_id(call.tx, name)
    if project is None:
        raise not_found(f"There is no project called {shown(name)}.")
    permissions.check(call, project, project_id=project, permission=READ)
    limit = call.number("limit", default=PAGE_DEFAULT, least=1, most=PAGE_MAX)
    under, after = call.query.get("under", ""), call.query.get("after", "")
    rows = current.page(call.tx, project, under=under, after=after, limit=limit + 1)
    gone = current.superseded(call.tx, project, rows[:limit])
    there = [row for row in rows[:limit] if row.path not in gone]
    told = meanings.told(call.tx, [(row.id, row.number) for row in there])
    results = [{**_file(row), **told.get((row.id, row.number), {})} for row in there]
    answer: dict[str, Any] = {"projectId": f"syn{project}", "results": results}
    if len(rows) > limit:
        answer["next"] = rows[limit - 1].path
    return 200, answer


def _file(row: CurrentRow) -> dict[str, Any]:
    return {
        "path": row.path,
        "entityId": f"syn{row.id}",
        "versionNumber": row.number,
        "createdOn": wire.time(row.created_on),
        "sha256": row.sha256,
        "md5": row.md5,
        "sizeBytes": row.size_bytes,
        "bytesKept": row.file_handle_kind == STORED,
        "role": None,
    }
