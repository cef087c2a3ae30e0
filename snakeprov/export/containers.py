"""Container images, as RO-Crate describes them.

Source: Process Run Crate 0.5, "Representing Container Images".
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

TERMS: Final = "https://w3id.org/ro/terms/workflow-run#"
_REGISTRY: Final = "docker.io"
_DOCKER: Final = re.compile(r"(?:docker|oras|shub)://(?P<rest>.+)")
_PARTS: Final = re.compile(
    r"(?:(?P<registry>[^/]*[.:][^/]*|localhost)/)?(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?(?:@sha256:(?P<sha256>[0-9a-f]{64}))?"
)


def image(reference: str | None) -> tuple[str, dict[str, Any]] | None:
    """Return the id and the properties of the image that a job names; None without one.

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
