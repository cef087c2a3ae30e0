"""What an Activity used, in Synapse's wire form.

Source: Synapse's JSON schemas `provenance/Used`, `UsedEntity`, `UsedURL` and `Reference`.
"""

from __future__ import annotations

import msgspec

USED_ENTITY = "org.sagebionetworks.repo.model.provenance.UsedEntity"
USED_URL = "org.sagebionetworks.repo.model.provenance.UsedURL"


class Reference(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One version of one entity. Without a version number: the version that is current when it is stored."""

    target_id: str
    target_version_number: int | None = None


class UsedEntity(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    tag_field="concreteType",
    tag=USED_ENTITY,
):
    """An entity version that was read (`was_executed` false) or run as code (true)."""

    reference: Reference
    was_executed: bool = False


class UsedURL(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    tag_field="concreteType",
    tag=USED_URL,
):
    """Something outside the store that was read or run, by its URL."""

    url: str
    name: str | None = None
    was_executed: bool = False


Used = UsedEntity | UsedURL
