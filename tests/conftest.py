"""What the tests of several rooms share: golden files, which change only with `--update-golden`, and lineages."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Lineage = dict[str, Any]


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
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[dict[str, str]] = []

    def thing(name: str) -> str:
        if "://" in name:
            return str(nodes.setdefault(name, {"id": f"url:{name}", "kind": "url", "label": name, "url": name})["id"])
        path, _, number = name.rpartition("@")
        node = {
            "id": f"syn{path}.{number}",
            "kind": "entity",
            "label": path,
            "entityId": f"syn{path}",
            "versionNumber": int(number),
            "path": path,
            "isLatest": True,
        }
        return str(nodes.setdefault(name, node)["id"])

    start = thing(root)
    for number, (rule, generated, used, executed) in enumerate(activities, start=1):
        name = f"activity:{number}"
        nodes[name] = {
            "id": name,
            "kind": "activity",
            "label": rule,
            "activityId": str(number),
            "rule": rule,
            "status": "success",
            "endedOn": "2026-11-22T11:57:00.000Z",
            **({"commit": commit, "dirty": True} if commit else {}),
        }
        edges += [{"source": thing(one), "target": name, "kind": "generatedBy"} for one in generated]
        edges += [{"source": name, "target": thing(one), "kind": "used"} for one in used]
        edges += [{"source": name, "target": thing(one), "kind": "executed"} for one in executed]
    return {"root": start, "nodes": list(nodes.values()), "edges": edges, "truncated": truncated}


@pytest.fixture
def lineage() -> Callable[..., Lineage]:
    """Give `build_lineage`."""
    return build_lineage
