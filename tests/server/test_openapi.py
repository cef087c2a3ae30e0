"""The description of the API, and the reference that is made from it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from snakeprov import server
from snakeprov.server import openapi, reference, routes
from snakeprov.server.openapi import served
from snakeprov.server.routes import all_services
from snakeprov.server.services import Access, Service

from .api import Api

SERVICES = all_services()
REFERENCE = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_service_that_is_declared_is_served_once() -> None:
    """No module is forgotten that declares some, and no method of a path has two handlers."""
    names = [f"snakeprov.server.{found.name}" for found in pkgutil.iter_modules(server.__path__)]
    modules = [importlib.import_module(name) for name in names]
    declared = {id(one) for module in modules if hasattr(module, "service") for one in module.service.declared}
    routed = [(one.method, one.template) for one in SERVICES]

    assert {id(one) for one in SERVICES} == declared
    by_resource = [one for resource in routes.RESOURCES for one in routes.services_of(resource)]
    assert sorted(by_resource, key=id) == sorted(SERVICES, key=id)
    assert len(routed) == len(set(routed))


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: f"{one.method} {one.template}")
def test_a_service_says_what_it_does_and_takes_only_what_it_declares(service: Service) -> None:
    """It has a sentence; beside the call its handler takes a body, a query or both; only changes open a writer."""
    assert service.told[0].endswith((".", "one", "it"))
    assert set(inspect.signature(service.handler).parameters) <= {"call", "query", "body"}
    if service.method == "GET":
        assert service.access in (Access.READS, Access.DOWNLOADS, Access.SIGNED)


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: f"{one.method} {one.template}")
def test_what_snakeprovs_own_services_answer_is_one_of_the_types_that_clients_decode(service: Service) -> None:
    """So the description cannot say anything else than what is sent and read."""
    if service.template.startswith("/snakeprov/v1") and not service.access.moves_bytes and service.handler != served:
        assert getattr(service.answer, "__origin__", service.answer).__module__ == "snakeprov.model.answers"


def test_the_description_is_served(api: Api) -> None:
    """It is OpenAPI 3.1, names each operation once, describes itself, and refers only to what it holds."""
    document = api.get(openapi.PATH)
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]

    assert document["openapi"] == "3.1.0"
    assert len(ids) == len(set(ids)) == len(SERVICES)
    assert openapi.PATH in document["paths"]
    for reference_ in references(document):
        assert resolve(document, reference_) is not None


def test_every_operation_tells_its_errors_and_parameters(api: Api) -> None:
    """Each has the error shape for each refusal, and a parameter for each place in its path."""
    document = api.get(openapi.PATH)
    shape = resolve(document, "#/components/schemas/ErrorResponse")
    assert set(shape["required"]) == {"concreteType", "reason"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert {"400", "401", "403", "404", "412"} <= set(operation["responses"])
            named = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
            assert named == {step[1:-1] for step in path.split("/") if step.startswith("{")}


def test_the_reference_is_up_to_date() -> None:
    """docs/api.md is what `python -m snakeprov.server.reference` prints."""
    assert REFERENCE.read_text(encoding="utf-8") == reference.markdown()


def test_the_reference_has_every_service_once_and_its_links_lead_somewhere(api: Api) -> None:
    """No path is left out by the sections or is in two of them, and every link is to a heading."""
    text = REFERENCE.read_text(encoding="utf-8")
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    services = [heading for heading in headings if re.fullmatch("[A-Z]+ /.*", heading)]
    described = [
        f"{method.upper()} {path}"
        for path, operations_ in api.get(openapi.PATH)["paths"].items()
        for method in operations_
    ]
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]

    assert sorted(services) == sorted(described)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= set(anchors)
    assert max(map(len, text.splitlines())) <= 120


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for item in node.values() for found in references(item)]


def resolve(document: Any, pointer: str) -> Any:
    for step in pointer.removeprefix("#/").split("/"):
        document = document.get(step, {})
    return document or None
