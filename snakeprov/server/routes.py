"""The table of resources: which method on which path is which function, and what it does to the store.

Must not know: falcon's requests and responses.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from snakeprov.server import (
    acl,
    activities,
    affected,
    batch,
    bundles,
    children,
    contents,
    current,
    details,
    entities,
    evidence,
    filehandles,
    generated,
    history,
    jobs,
    legacy,
    lineage,
    localfiles,
    lookup,
    messages,
    plans,
    profiles,
    pruning,
    requirements,
    runs,
    search,
    status,
    trash,
    uploads,
    versions,
)
from snakeprov.server import annotations as annotation_resource
from snakeprov.server.call import Answer, Call

Handler = Callable[[Call], Answer]


class Access(Enum):
    """What a handler does to the store, and so which transaction it is given."""

    READS = "reads"
    WRITES = "writes"
    OWN = "own"
    """It opens transactions itself, because it also moves bytes. It cannot be part of a batch."""


class Route(NamedTuple):
    """One row of the table."""

    method: str
    template: str
    handler: Handler
    access: Access


R, W, OWN = Access.READS, Access.WRITES, Access.OWN

ROUTES = (
    Route("GET", "/", status.greet, R),
    Route("GET", "/repo/v1", status.greet, R),
    Route("GET", "/file/v1", status.greet, R),
    Route("GET", "/auth/v1", status.greet, R),
    Route("GET", "/repo/v1/userProfile", profiles.own, R),
    Route("GET", "/repo/v1/userProfile/{id}", profiles.read, R),
    Route("GET", "/repo/v1/user/{id}/team", profiles.teams, R),
    Route("GET", "/repo/v1/userGroupHeaders", profiles.headers, R),
    Route("POST", "/repo/v1/message", messages.send, R),
    Route("POST", "/repo/v1/entity", entities.create, W),
    Route("POST", "/repo/v1/entity/bundle", bundles.create_legacy, W),
    Route("PUT", "/repo/v1/entity/bundle", bundles.update_legacy, W),
    Route("POST", "/repo/v1/entity/bundle2/create", bundles.create, W),
    Route("POST", "/repo/v1/entity/child", children.child, R),
    Route("POST", "/repo/v1/entity/children", children.children, R),
    Route("GET", "/repo/v1/entity/md5/{md5}", children.with_md5, R),
    Route("GET", "/repo/v1/entity/{id}", entities.read, R),
    Route("PUT", "/repo/v1/entity/{id}", entities.update, W),
    Route("DELETE", "/repo/v1/entity/{id}", trash.remove, W),
    Route("PUT", "/repo/v1/entity/{id}/bundle", bundles.update_legacy, W),
    Route("PUT", "/repo/v1/entity/{id}/bundle2", bundles.update, W),
    Route("POST", "/repo/v1/entity/{id}/bundle2", bundles.read, R),
    Route("POST", "/repo/v1/entity/{id}/version/{version}/bundle2", bundles.read, R),
    Route("GET", "/repo/v1/entity/{id}/type", children.header, R),
    Route("GET", "/repo/v1/entity/{id}/path", children.path, R),
    Route("GET", "/repo/v1/entity/{id}/acl", acl.read, R),
    Route("PUT", "/repo/v1/entity/{id}/acl", acl.replace, W),
    Route("POST", "/repo/v1/entity/{id}/acl", acl.create, W),
    Route("DELETE", "/repo/v1/entity/{id}/acl", acl.remove, W),
    Route("GET", "/repo/v1/entity/{id}/permissions", acl.told, R),
    Route("GET", "/repo/v1/entity/{id}/benefactor", acl.benefactor, R),
    Route("GET", "/repo/v1/entity/{id}/accessRequirement", requirements.listing, R),
    Route("POST", "/repo/v1/entity/{id}/lockAccessRequirement", requirements.lock, W),
    Route("GET", "/repo/v1/entity/{id}/wikiheadertree", requirements.wiki, R),
    Route("GET", "/repo/v1/entity/{id}/annotations", legacy.read, R),
    Route("PUT", "/repo/v1/entity/{id}/annotations", legacy.replace, W),
    Route("GET", "/repo/v1/entity/{id}/version/{version}/annotations", legacy.read_version, R),
    Route("GET", "/repo/v1/entity/{id}/annotations2", annotation_resource.read, R),
    Route("PUT", "/repo/v1/entity/{id}/annotations2", annotation_resource.replace, W),
    Route("GET", "/repo/v1/entity/{id}/generatedBy", generated.read, R),
    Route("PUT", "/repo/v1/entity/{id}/generatedBy", generated.connect, W),
    Route("DELETE", "/repo/v1/entity/{id}/generatedBy", generated.disconnect, W),
    Route("GET", "/repo/v1/entity/{id}/version", versions.listing, R),
    Route("PUT", "/repo/v1/entity/{id}/version", versions.create, W),
    Route("DELETE", "/repo/v1/entity/{id}/version/{version}", trash.remove_version, W),
    Route("GET", "/repo/v1/entity/{id}/version/{version}", entities.read_version, R),
    Route("GET", "/repo/v1/entity/{id}/version/{version}/annotations2", annotation_resource.read_version, R),
    Route("GET", "/repo/v1/entity/{id}/version/{version}/generatedBy", generated.read, R),
    Route("PUT", "/repo/v1/entity/{id}/version/{version}/generatedBy", generated.connect, W),
    Route("DELETE", "/repo/v1/entity/{id}/version/{version}/generatedBy", generated.disconnect, W),
    Route("POST", "/repo/v1/activity", activities.create, W),
    Route("GET", "/repo/v1/activity/{id}", activities.read, R),
    Route("PUT", "/repo/v1/activity/{id}", activities.update, W),
    Route("DELETE", "/repo/v1/activity/{id}", activities.remove, W),
    Route("GET", "/repo/v1/activity/{id}/generated", activities.generated, R),
    Route("GET", "/file/v1/entity/{id}/uploadDestination", uploads.destination, R),
    Route("POST", "/file/v1/file/multipart", uploads.start, W),
    Route("POST", "/file/v1/file/multipart/{id}/presigned/url/batch", uploads.urls, R),
    Route("PUT", "/file/v1/file/multipart/{id}/add/{part}", uploads.add, W),
    Route("PUT", "/file/v1/file/multipart/{id}/complete", uploads.complete, OWN),
    Route("GET", "/file/v1/fileHandle/{id}", filehandles.read, R),
    Route("POST", "/file/v1/fileHandle/batch", filehandles.batch, R),
    Route("POST", "/file/v1/filehandles/copy", filehandles.copy, W),
    Route("POST", "/file/v1/externalFileHandle", filehandles.create_external, W),
    Route("GET", "/snakeprov/v1", status.about, R),
    Route("GET", "/snakeprov/v1/status", status.read, R),
    Route("POST", "/snakeprov/v1/localFiles", localfiles.register, OWN),
    Route("POST", "/snakeprov/v1/prune", pruning.prune, OWN),
    Route("POST", "/snakeprov/v1/lookup", lookup.at_paths, R),
    Route("POST", "/snakeprov/v1/evidence", evidence.read, R),
    Route("POST", "/snakeprov/v1/details", details.read, R),
    Route("GET", "/snakeprov/v1/files", lookup.files, R),
    Route("GET", "/snakeprov/v1/versions", contents.listing, R),
    Route("GET", "/snakeprov/v1/current", current.listing, R),
    Route("GET", "/snakeprov/v1/paths", lookup.paths, R),
    Route("GET", "/snakeprov/v1/runs", runs.listing, R),
    Route("PUT", "/snakeprov/v1/runs/{id}", runs.put, W),
    Route("GET", "/snakeprov/v1/runs/{id}", runs.read, R),
    Route("GET", "/snakeprov/v1/runs/{id}/jobs", runs.jobs_of, R),
    Route("GET", "/snakeprov/v1/runs/{id}/outputs", runs.outputs_of, R),
    Route("PUT", "/snakeprov/v1/runs/{id}/plan", plans.put, W),
    Route("GET", "/snakeprov/v1/runs/{id}/plan", plans.read, R),
    Route("POST", "/snakeprov/v1/jobs", jobs.create, W),
    Route("GET", "/snakeprov/v1/jobs/{id}", jobs.read, R),
    Route("GET", "/snakeprov/v1/activity/{id}/job", jobs.of_activity, R),
    Route("GET", "/snakeprov/v1/entity/{id}/history", history.listing, R),
    Route("GET", "/snakeprov/v1/entity/{id}/version/{version}/story", history.story, R),
    Route("POST", "/snakeprov/v1/stories", history.stories, R),
    Route("GET", "/snakeprov/v1/lineage", lineage.graph, R),
    Route("POST", "/snakeprov/v1/search", search.results, R),
    Route("POST", "/snakeprov/v1/affected", affected.versions, R),
)

BATCH = Route("POST", "/snakeprov/v1/batch", batch.run, W)
"""Apart from the others: a batch cannot hold a batch."""
