"""Which module answers which paths. A module is imported when one of its paths is first needed.

A command in a shell asks two or three services; loading all would take longer than their answers.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from snakeprov.server.services import Service, Services

_ENTITY = "/repo/v1/entity"

_MODULES: dict[str, tuple[str, ...]] = {
    "entities": (_ENTITY,),
    "children": (_ENTITY,),
    "trash": (_ENTITY,),
    "versions": (_ENTITY,),
    "activities": ("/repo/v1/activity",),
    "generated": (_ENTITY,),
    "annotations": (_ENTITY,),
    "legacy": (_ENTITY,),
    "bundles": (_ENTITY,),
    "acl": (_ENTITY,),
    "requirements": (_ENTITY,),
    "uploads": ("/file/v1/entity", "/file/v1/file", "/snakeprov/v1/upload"),
    "filehandles": ("/file/v1/externalFileHandle", "/file/v1/fileHandle", "/file/v1/filehandles"),
    "downloads": ("/file/v1/fileHandle", "/snakeprov/v1/blobs", "/snakeprov/v1/download"),
    "profiles": ("/repo/v1/user", "/repo/v1/userGroupHeaders", "/repo/v1/userProfile"),
    "messages": ("/repo/v1/message",),
    "runs": ("/snakeprov/v1/runs",),
    "plans": ("/snakeprov/v1/runs",),
    "jobs": ("/snakeprov/v1/jobs",),
    "lookup": ("/snakeprov/v1/lookup",),
    "fileversions": ("/snakeprov/v1/versions",),
    "stories": ("/snakeprov/v1/stories",),
    "evidence": ("/snakeprov/v1/evidence",),
    "lineage": ("/snakeprov/v1/lineage",),
    "search": ("/snakeprov/v1/search",),
    "affected": ("/snakeprov/v1/affected",),
    "status": ("/", "/auth/v1", "/file/v1", "/repo/v1", "/snakeprov/v1", "/snakeprov/v1/status"),
    "openapi": ("/snakeprov/v1/openapi.json",),
    "batch": ("/snakeprov/v1/batch",),
    "localfiles": ("/snakeprov/v1/localFiles",),
    "pruning": ("/snakeprov/v1/prune",),
}
"""The resources of each module that declares services, in the order of the reference."""

RESOURCES = frozenset(resource for resources in _MODULES.values() for resource in resources)
"""Every resource."""


def resource_of(path: str) -> str:
    """Return the resource that a path, or the template of one, belongs to: its first three steps.

    >>> resource_of("/repo/v1/entity/syn12/version/3"), resource_of("/")
    ('/repo/v1/entity', '/')
    """
    return "/" + "/".join(path.lstrip("/").split("/")[:3])


def services_of(resource: str) -> Iterator[Service]:
    """Yield the services of a resource; import the modules that declare them."""
    for module, resources in _MODULES.items():
        if resource in resources:
            yield from (one for one in _declared(module) if resource_of(one.template) == resource)


def all_services() -> tuple[Service, ...]:
    """Return every service, in the order of the reference; import every module."""
    return tuple(one for module in _MODULES for one in _declared(module))


def _declared(module: str) -> list[Service]:
    service: Services = importlib.import_module(f"snakeprov.server.{module}").service
    return service.declared
