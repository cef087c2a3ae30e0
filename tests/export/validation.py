"""roc-validator with the JSON-LD contexts in its cache, so that it needs no network.

That of RO-Crate 1.1 is made from the later one that comes with the library `rocrate`, which has every term used here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from requests import Request
from requests_cache import CachedResponse, CachedSession
from requests_cache.models import CachedRequest
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

TERMS_OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
    "cite-as": "https://www.w3.org/ns/iana/link-relations/relation#cite-as",
}
"""The terms that RO-Crate 1.1 defines otherwise than the version that the library brings."""

TERMS = "https://w3id.org/ro/terms/workflow-run"
RUN_TERMS = (
    *("ParameterConnection", "ContainerImage", "DockerImage", "SIFImage", "connection", "sourceParameter"),
    *("targetParameter", "md5", "sha1", "sha256", "sha512", "environment", "registry", "tag", "containerImage"),
    "resourceUsage",
)
ACCEPTED = "application/ld+json, application/json;q=0.9"


def contexts() -> dict[str, bytes]:
    """Return the contexts by the URLs under which crates name them."""
    crate = json.loads((files("rocrate") / "data" / "ro-crate.jsonld").read_text(encoding="utf-8"))
    crate["@context"] |= TERMS_OF_1_1
    run = {"@context": {term: f"{TERMS}#{term}" for term in RUN_TERMS}}
    found = {"https://w3id.org/ro/crate/1.1/context": crate, f"{TERMS}/context": run}
    return {url: json.dumps(context).encode() for url, context in found.items()}


def warm(cache: Path) -> None:
    """Put the contexts into the cache of the validator; `cache` is its path without `.sqlite`."""
    session = CachedSession(cache_name=str(cache), backend="sqlite", allowable_codes=[200])
    for url, content in contexts().items():
        for headers in ({}, dict(session.headers), {"Accept": ACCEPTED}):
            request = session.prepare_request(Request("GET", url, headers=headers))
            response = CachedResponse(
                status_code=200,
                url=url,
                headers={"Content-Type": "application/ld+json"},  # type: ignore[arg-type]
                created_at=datetime.now(UTC),
                request=CachedRequest.from_request(request),
                encoding="utf-8",
            )
            response._content = content
            session.cache.save_response(response, session.cache.create_key(request))
    session.close()


def findings(crate: Path, profile: str, *, cache: Path) -> dict[str, set[str]]:
    """Return what the validator finds in a crate: the messages of what is `required` and of what is `recommended`."""
    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=f"{profile}-run-crate-0.5",
        requirement_severity=Severity.RECOMMENDED,
        cache_path=cache,
        offline=True,
    )
    found: dict[str, set[str]] = {"required": set(), "recommended": set()}
    for issue in services.validate(settings).get_issues(Severity.RECOMMENDED):
        found[issue.severity.name.lower()].add(f"{issue.message}")
    return found


def graph(crate: Path) -> dict[str, Any]:
    """Return the entities of a crate by their ids."""
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    return {entity["@id"]: entity for entity in metadata["@graph"]}
