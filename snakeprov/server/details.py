"""/snakeprov/v1/details: what is known of many versions and many jobs, in one answer.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Any

import msgspec

from snakeprov.model.provenance import Reference
from snakeprov.server import jobs as job_resource
from snakeprov.server import meanings, runs, wire
from snakeprov.server.call import Answer, Call, entity_number
from snakeprov.server.refusals import bad_request
from snakeprov.store import access, details, jobs, lineage
from snakeprov.store import meanings as meaning_store
from snakeprov.store import runs as run_store
from snakeprov.store.details import VersionDetails
from snakeprov.store.jobs import JobRow
from snakeprov.store.lineage import Version
from snakeprov.store.meanings import MeaningRow
from snakeprov.store.tables import STORED
from snakeprov.store.trash import recorded_path

VERSIONS_MAX = 1000
JOBS_MAX = 1000

URLS_MAX = 100_000
"""Maximum number of URLs in an answer, for all its jobs."""


class DetailsBody(msgspec.Struct):
    """Which versions and which jobs."""

    versions: list[Reference] = []
    jobs: list[str] = []


def read(call: Call) -> Answer:
    """POST /details: in the order asked, without what there is not or may not be seen."""
    body = call.read(DetailsBody)
    for what, asked, most in (("versions", body.versions, VERSIONS_MAX), ("jobs", body.jobs, JOBS_MAX)):
        if len(asked) > most:
            raise bad_request(f"{len(asked)} {what} are asked for; at most {most} are allowed.")
    wanted = [(entity_number(one.target_id), one.target_version_number or 0) for one in body.versions]
    return 200, {"versions": _versions(call, list(dict.fromkeys(wanted))), "jobs": _jobs(call, body.jobs)}


def _versions(call: Call, wanted: list[Version]) -> list[dict[str, Any]]:
    known = details.versions(call.tx, wanted)
    readable = access.readable_projects(call.tx, {one.project_id for one in known.values()}, call.user.reader)
    found = (known[version] for version in wanted if version in known)
    told = [one for one in found if one.project_id in readable]
    meant = meaning_store.of(call.tx, [(one.entity_id, one.number) for one in told if one.meaning])
    return [_version(one, meant.get((one.entity_id, one.number))) for one in told]


def _version(row: VersionDetails, meaning: MeaningRow | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "entityId": f"syn{row.entity_id}",
        "versionNumber": row.number,
        "projectId": f"syn{row.project_id}",
        "path": recorded_path(row.path) or row.name,
        "createdOn": wire.time(row.created_on),
        "bytesKept": row.file_kind == STORED,
    }
    known = {
        "createdBy": row.created_by,
        "activityId": None if row.activity_id is None else str(row.activity_id),
        "fileHandleId": None if row.file_handle_id is None else str(row.file_handle_id),
        "contentType": row.content_type,
        "sizeBytes": row.size_bytes,
        "md5": row.md5,
        "sha256": row.sha256,
        "meaning": None if meaning is None else meanings.body(meaning),
    }
    return body | {name: value for name, value in known.items() if value is not None}


def _jobs(call: Call, ids: list[str]) -> list[dict[str, Any]]:
    known = details.jobs(call.tx, list(dict.fromkeys(ids)))
    visible = {run_id for run_id in {row.run_id for row in known.values()} if _may_see(call, run_id)}
    rows = [known[id_] for id_ in dict.fromkeys(ids) if id_ in known and known[id_].run_id in visible]
    files = jobs.files_of(call.tx, [row.number for row in rows])
    urls = _urls(call, rows)
    return [
        {
            "job": msgspec.Raw(row.record.encode()),
            **({} if row.activity_id is None else {"activityId": str(row.activity_id)}),
            "files": [job_resource.file_body(file) for file in files.get(row.number, ())],
            "urls": urls.get(row.activity_id or 0, []),
        }
        for row in rows
    ]


def _may_see(call: Call, run_id: str) -> bool:
    run = run_store.owner(call.tx, run_id)
    return run is not None and runs.is_visible(call, run)


def _urls(call: Call, rows: list[JobRow]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    ids = [row.activity_id for row in rows if row.activity_id is not None]
    for usage in lineage.urls_used_by(call.tx, ids, limit=URLS_MAX):
        url: dict[str, Any] = {"url": usage.url, "wasExecuted": bool(usage.was_executed)}
        found.setdefault(usage.activity_id, []).append(url | ({} if usage.name is None else {"name": usage.name}))
    return found
