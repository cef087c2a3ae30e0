"""What the tests of several rooms share: golden files, which change only with `--update-golden`, and lineages."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from snakeprov.client.transport import HttpRequest, Response
from snakeprov.client.wsgi import Application
from snakeprov.model.answers import Edge, Lineage, Node

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Tests that run in the background inherit that, and so would every Snakemake that they start and then interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what the tests got into the golden files")
    parser.addoption("--matrix-table", action="store_true", help="write what the matrix came to into docs/matrix.md")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Give `check(name, text)`: assert that `text` is what `golden/<name>` beside the test file holds."""
    folder = Path(request.path).parent / "golden"

    def check(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--update-golden"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name} does not exist: make it with --update-golden and read it"
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: see --update-golden"

    return check


def build_lineage(
    root: str,
    *activities: tuple[str, Sequence[str], Sequence[str], Sequence[str]],
    commit: str | None = "1a2b3c4d5e6f",
    truncated: bool = False,
) -> Lineage:
    """Return an answer of the lineage resource.

    Args:
        root: The file that was asked for, `path@version`.
        activities: For each its rule, and the files it generated, used and executed; a URL is one with "://".
        commit: The commit of every activity.
        truncated: Whether the repository had more.
    """
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []

    def thing(name: str) -> str:
        if "://" in name:
            return nodes.setdefault(name, Node(id=f"url:{name}", kind="url", label=name, url=name)).id
        path, _, number = name.rpartition("@")
        node = Node(
            id=f"syn{path}.{number}",
            kind="entity",
            label=path,
            entity_id=f"syn{path}",
            version_number=int(number),
            path=path,
            is_latest=True,
        )
        return nodes.setdefault(name, node).id

    start = thing(root)
    for number, (rule, generated, used, executed) in enumerate(activities, start=1):
        name = f"activity:{number}"
        nodes[name] = Node(
            id=name,
            kind="activity",
            label=rule,
            activity_id=str(number),
            rule=rule,
            status="success",
            ended_on="2026-11-22T11:57:00.000Z",
            commit=commit,
            dirty=True if commit else None,
        )
        edges += [Edge(thing(one), name, "generatedBy") for one in generated]
        edges += [Edge(name, thing(one), "used") for one in used]
        edges += [Edge(name, thing(one), "executed") for one in executed]
    return Lineage(root=start, nodes=list(nodes.values()), edges=edges, truncated=truncated)


@pytest.fixture
def lineage() -> Callable[..., Lineage]:
    """Give `build_lineage`."""
    return build_lineage


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Method and path of every request to an embedded store, in order, from now on."""
    found: list[str] = []
    send = Application.send

    def noted(self: Application, request: HttpRequest) -> Response:
        found.append(f"{request.method} {urlsplit(request.url).path}")
        return send(self, request)

    monkeypatch.setattr(Application, "send", noted)
    return found
