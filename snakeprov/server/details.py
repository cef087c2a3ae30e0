"""/snakeprov/v1/details: what is known of many versions and many jobs, in one answer.

Must not know: how rows are kept.
"""

from __future__ import annotations

import msgspec

from snakeprov.db import access, details, lineage
from snakeprov.db import meanings as meaning_store
from snakeprov.db import runs as run_store
from snakeprov.db.details import VersionDetails
from snakeprov.db.meanings import MeaningRow
from snakeprov.db.tables import STORED
from snakeprov.db.trash import recorded_path
from snakeprov.model.answers import Details, RecordedJob, Version
from snakeprov.model.provenance import Reference
from snakeprov.server import jobs as job_resource
from snakeprov.server import meanings, runs, wire
from snakeprov.server.call import Call, entity_number
from snakeprov.server.refusals import bad_request
from snakeprov.server.services import Access, Services

service = Services("Questions")

VERSIONS_MAX = 1000
JOBS_MAX = 1000


class DetailsBody(msgspec.Struct):
    """Which versions and which jobs."""

    versions: list[Reference] = []
    jobs: list[str] = []


@service("POST", "/snakeprov/v1/details", access=Access.READS)
def read(call: Call, body: DetailsBody) -> Details:
    """What is known of many versions and jobs: those that the user may see, in the order asked."""
    for what, asked, most in (("versions", body.versions, VERSIONS_MAX), ("jobs", body.jobs, JOBS_MAX)):
        if len(asked) > most:
            raise bad_request(f"{len(asked)} {what} are asked for; at most {most} are allowed.")
    wanted = [(entity_number(one.target_id), one.target_version_number or 0) for one in body.versions]
    return Details(versions=_versions(call, list(dict.fromkeys(wanted))), jobs=_jobs(call, body.jobs))


def _versions(call: Call, wanted: list[lineage.Version]) -> list[Version]:
    known = details.versions(call.tx, wanted)
    readable = access.readable_projects(call.tx, {one.project_id for one in known.values()}, call.user.reader)
    found = (known[version] for version in wanted if version in known)
    told = [one for one in found if one.project_id in readable]
    meant = meaning_store.of(call.tx, [(one.entity_id, one.number) for one in told if one.meaning])
    return [_version(one, meant.get((one.entity_id, one.number))) for one in told]


def _version(row: VersionDetails, meaning: MeaningRow | None) -> Version:
    return Version(
        entity_id=wire.entity_id(row.entity_id),
        version_number=row.number,
        project_id=wire.entity_id(row.project_id),
        path=recorded_path(row.path) or row.name,
        created_on=wire.time(row.created_on),
        created_by=row.created_by,
        bytes_kept=row.file_kind == STORED,
        activity_id=wire.optional_id(row.activity_id),
        file_handle_id=wire.optional_id(row.file_handle_id),
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        md5=row.md5,
        sha256=row.sha256,
        mode=row.mode,
        meaning=None if meaning is None else meanings.body(meaning),
    )


def _jobs(call: Call, ids: list[str]) -> list[RecordedJob]:
    known = details.jobs(call.tx, list(dict.fromkeys(ids)))
    visible = {run_id for run_id in {row.run_id for row in known.values()} if _may_see(call, run_id)}
    rows = [known[id_] for id_ in dict.fromkeys(ids) if id_ in known and known[id_].run_id in visible]
    return job_resource.with_files(call, rows)


def _may_see(call: Call, run_id: str) -> bool:
    run = run_store.owner(call.tx, run_id)
    return run is not None and runs.is_visible(call, run)
