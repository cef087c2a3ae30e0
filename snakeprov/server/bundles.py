"""/repo/v1/entity/bundle, /bundle2: an entity and what belongs to it, in one request.

Must not know: how rows are kept.
Source: Synapse's JSON schemas `entitybundle/v2/*`; `entity/bundle` is the form of 2012, with annotations of that time.

Unlike Synapse, the bundle of a version has that version's activity, not that of the current one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from snakeprov.db import activities, entities
from snakeprov.db import filehandles as stored_handles
from snakeprov.db.access import DOWNLOAD, UPDATE
from snakeprov.db.entities import EntityRow
from snakeprov.db.tables import FILE
from snakeprov.model.annotations import AnnotationsValue
from snakeprov.model.entities import Body
from snakeprov.server import acl, children, legacy, permissions, wire
from snakeprov.server import annotations as annotation_resource
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.activities import readable as readable_activity
from snakeprov.server.annotations import AnnotationsBody
from snakeprov.server.call import Call, entity_number
from snakeprov.server.entities import CREATOR, NewVersion, change, check_etag, existing, insert
from snakeprov.server.refusals import bad_request
from snakeprov.server.services import Access, Services
from snakeprov.server.synapseanswers import LegacyAnnotations
from snakeprov.server.wire import EntityBody

service = Services("Bundles")


_BUNDLE = (
    "the design has bundles with annotations in their old form; today's clients know `bundle2` only. Both are here, "
    f"and add to the annotations that there are. For `generatedBy`: {CREATOR}"
)


class BundleBody(msgspec.Struct, rename="camel"):
    """An entity with its annotations, and its access list where it is a project."""

    entity: EntityBody | None = None
    annotations: AnnotationsBody | None = None
    access_control_list: acl.AclBody | None = None


class LegacyBundleBody(msgspec.Struct, rename="camel"):
    """The same, with annotations in the form of 2012."""

    entity: EntityBody | None = None
    annotations: LegacyAnnotations | None = None
    access_control_list: acl.AclBody | None = None


class BundleRequest(msgspec.Struct, rename="camel"):
    """What a bundle is to hold. Anything else that Synapse knows is left out of the bundle."""

    include_entity: bool = False
    include_annotations: bool = False
    include_permissions: bool = False
    include_entity_path: bool = False
    include_has_children: bool = False
    include_access_control_list: bool = False
    include_benefactor_acl: bool = msgspec.field(name="includeBenefactorACL", default=False)
    include_file_handles: bool = False
    include_file_name: bool = False
    include_restriction_information: bool = False
    include_activity: bool = False


@service("POST", "/repo/v1/entity/bundle2/create", answer=synapse.Bundle, status=201, note=CREATOR)
def create(call: Call, query: NewVersion, body: BundleBody) -> Body:
    """Makes an entity with its annotations."""
    row = _create(call, query, body, None if body.annotations is None else body.annotations.annotations)
    return _answer(call, row, body)


@service("PUT", "/repo/v1/entity/{id}/bundle2", answer=synapse.Bundle, note=CREATOR)
def update(call: Call, query: NewVersion, body: BundleBody) -> Body:
    """Changes an entity and adds to its annotations; never forces a version."""
    row = _update(
        call, call.entity_id(), query, body, None if body.annotations is None else body.annotations.annotations
    )
    return _answer(call, row, body)


@service("POST", "/repo/v1/entity/bundle", answer=synapse.LegacyBundle, status=201, note=_BUNDLE)
def create_legacy(call: Call, query: NewVersion, body: LegacyBundleBody) -> Body:
    """Makes an entity with its annotations."""
    row = _create(call, query, body, None if body.annotations is None else legacy.to_current(body.annotations))
    return _answer(call, row, body)


@service("PUT", ("/repo/v1/entity/bundle", "/repo/v1/entity/{id}/bundle"), answer=synapse.LegacyBundle, note=_BUNDLE)
def update_legacy(call: Call, query: NewVersion, body: LegacyBundleBody) -> Body:
    """Changes an entity, which is the one in the body or in the path, and adds annotations."""
    if "id" in call.route:
        id_ = call.entity_id()
    elif body.entity is not None and body.entity.id is not None:
        id_ = entity_number(body.entity.id)
    else:
        raise bad_request("The bundle needs an entity with its id.")
    row = _update(call, id_, query, body, None if body.annotations is None else legacy.to_current(body.annotations))
    return _answer(call, row, body)


@service(
    "POST",
    ("/repo/v1/entity/{id}/bundle2", "/repo/v1/entity/{id}/version/{version}/bundle2"),
    answer=synapse.Bundle,
    access=Access.READS,
    note="for a version Synapse gives the activity of the current one; here it is that version's. "
    "What snakeprov has not got (tables, wikis, DOIs, threads) is left out.",
)
def read(call: Call, body: BundleRequest) -> Body:
    """An entity and what belongs to it."""
    row = existing(call, call.entity_id(), number=call.version() if "version" in call.route else None)
    return _bundle(call, row, body)


def _create(
    call: Call, query: NewVersion, body: BundleBody | LegacyBundleBody, noted: dict[str, AnnotationsValue] | None
) -> EntityRow:
    if body.entity is None:
        raise bad_request("The bundle needs an entity.")
    row = insert(call, body.entity, query)
    if noted is not None:
        annotation_resource.put(call, row, noted)
    if body.access_control_list is not None:
        acl.put(call, row, body.access_control_list)
    return existing(call, row.id)


def _update(
    call: Call,
    id_: int,
    query: NewVersion,
    body: BundleBody | LegacyBundleBody,
    noted: dict[str, AnnotationsValue] | None,
) -> EntityRow:
    row = existing(call, id_, need=UPDATE)
    if body.entity is not None:
        if body.entity.id is not None and entity_number(body.entity.id) != id_:
            raise bad_request(f"The body has the entity {body.entity.id}, the path syn{id_}.")
        row = change(call, id_, body.entity, query)
    if noted is not None:
        if body.entity is None:
            # Nothing else says which state of the entity this was made for.
            etag = None if body.annotations is None else body.annotations.etag
            if etag is None:
                raise bad_request("An update needs the etag of the entity as it was read.")
            check_etag(row, etag)
        annotation_resource.put(call, row, {**annotation_resource.of(call, row), **noted})
    if body.access_control_list is not None:
        acl.put(call, row, body.access_control_list)
    return existing(call, id_)


def _answer(call: Call, row: EntityRow, sent: BundleBody | LegacyBundleBody) -> Body:
    """Return what Synapse answers to a bundle: the parts that it held."""
    asked = BundleRequest(include_entity=True, include_access_control_list=sent.access_control_list is not None)
    bundle = _bundle(call, row, asked)
    if isinstance(sent.annotations, LegacyAnnotations):
        bundle["annotations"] = legacy.body_of(call, row)
    elif sent.annotations is not None:
        bundle["annotations"] = annotation_resource.body_of(call, row)
    return bundle


def _bundle(call: Call, row: EntityRow, asked: BundleRequest) -> Body:
    bundle: Body = {"entityType": row.kind}
    for is_asked, name, part in (
        (asked.include_entity, "entity", _entity),
        (asked.include_annotations, "annotations", annotation_resource.body_of),
        (asked.include_permissions, "permissions", _permissions),
        (asked.include_entity_path, "path", children.path_of),
        (asked.include_has_children, "hasChildren", _has_children),
        (asked.include_access_control_list, "accessControlList", acl.own_of),
        (asked.include_benefactor_acl, "benefactorAcl", acl.benefactor_of),
        (asked.include_file_handles, "fileHandles", _file_handles),
        (asked.include_file_name, "fileName", _file_name),
        (asked.include_restriction_information, "restrictionInformation", _restrictions),
        (asked.include_activity, "activity", _activity),
    ):
        make: Callable[[Call, EntityRow], Any] = part
        if is_asked and (value := make(call, row)) is not None:
            bundle[name] = value
    return bundle


def _entity(call: Call, row: EntityRow) -> Body:
    return wire.entity(row)


def _permissions(call: Call, row: EntityRow) -> Body:
    return permissions.told(call, project_id=row.project_id, created_by=row.created_by)


def _has_children(call: Call, row: EntityRow) -> bool:
    return row.kind != FILE and entities.count_children(call.tx, row.id) > 0


def _file_handles(call: Call, row: EntityRow) -> list[Body]:
    """Return the file handle of a version. None of it tells Synapse's client that it may not download."""
    handle = None if row.file_handle_id is None else stored_handles.get(call.tx, row.file_handle_id)
    if handle is None or not permissions.may(call, row.project_id, DOWNLOAD):
        return []
    return [wire.file_handle(call.server.content_md5s.complete(handle))]


def _file_name(call: Call, row: EntityRow) -> str | None:
    handle = None if row.file_handle_id is None else stored_handles.get(call.tx, row.file_handle_id)
    return None if handle is None else handle.file_name


def _restrictions(call: Call, row: EntityRow) -> synapse.Restrictions:
    """Return that nothing but the access list restricts an entity: snakeprov has no access requirements."""
    return synapse.Restrictions(object_id=row.id, restriction_level="OPEN", has_unmet_access_requirement=False)


def _activity(call: Call, row: EntityRow) -> Body | None:
    if row.activity_id is None:
        return None
    found = readable_activity(call, row.activity_id)
    return wire.activity(found, activities.usages(call.tx, found.id))
