"""Entities of an RO-Crate that others refer to, such as people, software and values; each is added once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.model.file import File
from rocrate.model.person import Person
from rocrate.model.softwareapplication import SoftwareApplication
from rocrate.rocrate import ROCrate

from snakeprov.export.vocabulary import moment, safe, short_hash, value_type
from snakeprov.model.answers import Run
from snakeprov.model.records import JobRecord

TERMS: Final = "https://w3id.org/ro/terms/workflow-run#"
_REGISTRY: Final = "docker.io"
_DOCKER: Final = re.compile(r"(?:docker|oras|shub)://(?P<rest>.+)")
_PARTS: Final = re.compile(
    r"(?:(?P<registry>[^/]*[.:][^/]*|localhost)/)?(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?(?:@sha256:(?P<sha256>[0-9a-f]{64}))?"
)


class Entities:
    """Entities of one crate, by their ids."""

    def __init__(self, crate: ROCrate) -> None:
        self._crate = crate
        # The library takes long to find that it has none of an id.
        self._added: dict[str, Entity] = {}

    def __contains__(self, id_: str) -> bool:
        return id_ in self._added

    def add(self, kind: type[Entity], id_: str, facts: Mapping[str, Any]) -> Entity:
        """Return the entity of an id, adding it if needed; facts that are None are left out."""
        if id_ not in self._added:
            properties = {name: value for name, value in facts.items() if value not in (None, [])}
            self._added[id_] = self._crate.add(kind(self._crate, id_, properties=properties))
        return self._added[id_]

    def web_file(self, url: str, name: str | None) -> Entity:
        """Return the entity of a file that lies in the web."""
        if url not in self._added:
            self._added[url] = self._crate.add(File(self._crate, url, properties={"name": name or url}))
        return self._added[url]

    def example(self, entity: Entity, tool: Entity, side: str, name: str, kind: str, *, id_: str) -> None:
        """Say that an entity is an example of the formal parameter `id_`, an input or an output (`side`) of a tool."""
        if id_ not in self._added:
            facts = {"@type": "FormalParameter", "name": name, "additionalType": kind}
            tool.append_to(side, self.add(ContextEntity, id_, facts))
        reference = {"@id": id_}
        if reference not in entity.properties().get("exampleOfWork", []):
            entity.append_to("exampleOfWork", reference)

    def value(self, scope: str, name: str, value: Any, *, of: Entity, described: bool = False) -> Entity:
        """Return a value of a param or of the config, as an example of a formal parameter."""
        type_ = value_type(value)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        owner = of.id.lstrip("#") if described else scope
        id_ = f"#param_{safe(owner)}_{safe(name)}_{type_}"
        entity = self.add(
            ContextEntity,
            f"#value_{safe(scope)}_{safe(name)}_{short_hash(text)}",
            {"@type": "PropertyValue", "name": name, "value": text},
        )
        self.example(entity, of, "input", name, type_, id_=id_)
        return entity

    def software(self, name: str, version: str | None, *, url: str) -> Entity:
        """Return the entity of a program at a version."""
        facts = {"name": name, "softwareVersion": version, "url": url}
        return self.add(SoftwareApplication, f"#{safe(name)}_{safe(version or 'unknown')}", facts)

    def person(self, user: str) -> Entity:
        """Return the entity of a user."""
        return self.add(Person, f"#user_{quote(user, safe='')}", {"name": user})

    def agent(self, run: Run | None) -> dict[str, Any]:
        """Return the property `agent` of a run: the user. Empty if the user is unknown."""
        return {"agent": self.person(run.user)} if run is not None and run.user else {}


def times(record: JobRecord | Run) -> dict[str, Any]:
    """Return when a job or a run began and ended."""
    return {"startTime": moment(record.started_on), "endTime": moment(record.ended_on)}


def image(reference: str | None) -> tuple[str, dict[str, Any]] | None:
    """Return the id and the properties of the container image that a job names; None without one.

    Source: Process Run Crate 0.5, "Representing Container Images".

    >>> image("docker://quay.io/biocontainers/bwa:0.7.17")[1]["registry"]
    'quay.io'
    >>> image("docker://debian:12")[1]["name"], image(None)
    ('debian', None)
    """
    if not reference:
        return None
    docker = _DOCKER.match(reference)
    parts = _PARTS.fullmatch(docker["rest"]) if docker else None
    facts: dict[str, Any] = {"@type": "ContainerImage", "name": reference}
    if parts is None:
        facts["additionalType"] = {"@id": TERMS + "SIFImage"}
    else:
        found = {name: parts[name] for name in ("name", "tag", "sha256") if parts[name]}
        facts |= {"additionalType": {"@id": TERMS + "DockerImage"}, "registry": parts["registry"] or _REGISTRY, **found}
    return f"#image_{quote(reference, safe='')}", facts
