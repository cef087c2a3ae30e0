"""The description of the API, and the reference that is made from it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from snakeprov.server import openapi, operations, reference
from snakeprov.server.routes import BATCH, ROUTES, Route

from .api import Api

ROUTES_ALL = (*ROUTES, BATCH)
REFERENCE = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_service_is_described_and_nothing_else() -> None:
    """The table of descriptions has each handler of the table of routes, and no other."""
    assert {route.handler for route in ROUTES_ALL} == set(operations.OPERATIONS)


@pytest.mark.parametrize("route", ROUTES_ALL, ids=lambda route: f"{route.method} {route.template}")
def test_a_description_has_the_body_that_the_service_reads(route: Route) -> None:
    """The type that a handler decodes its body into is the one that is told; without one, it reads none."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(route.handler)))
    read = [
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "call.read"
        and node.args
        and isinstance(node.args[0], ast.Name)
    ]
    body = operations.OPERATIONS[route.handler].body

    assert read == ([] if body is None else [body.__name__])


@pytest.mark.parametrize("route", ROUTES_ALL, ids=lambda route: f"{route.method} {route.template}")
def test_what_snakeprovs_own_services_answer_is_one_of_the_types_that_clients_decode(route: Route) -> None:
    """So the description cannot say anything else than what is sent and read."""
    answer = operations.OPERATIONS[route.handler].answer
    if route.template.startswith("/snakeprov/v1"):
        assert getattr(answer, "__origin__", answer).__module__ == "snakeprov.model.answers"


def test_the_description_is_served(api: Api) -> None:
    """It is OpenAPI 3.1, names each operation once, describes itself, and refers only to what it holds."""
    document = api.get(openapi.PATH)
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]

    assert document["openapi"] == "3.1.0"
    assert len(ids) == len(set(ids)) > len(ROUTES_ALL)
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
