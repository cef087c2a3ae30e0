"""The screen of `show --environment`: the software that a job ran in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from snakeprov.view import text
from snakeprov.view.text import Screen, compose, counted, say

PACKAGES_UNKNOWN: Final = "The packages are not known: conda was not switched on, or its folder is gone."

_INDENT = 2


def listing(document: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield the lines for the document of an environment (`snakeprov.recorder.circumstances`)."""
    for number, (title, rows) in enumerate(tables(document)):
        if number:
            yield ""
        yield compose([say(title, "heading")], screen)
        is_list = title.endswith(("package", "packages"))
        role: text.Role = "faint" if is_list else ""
        lines = [[say(cell, role if column == 2 else "") for column, cell in enumerate(row)] for row in rows]
        keep: Literal["start", "end"] = "end" if is_list else "start"
        yield from text.table(lines, screen, flexible=0 if is_list else 1, keep=keep, indent=_INDENT)
    if not are_packages_known(document):
        yield compose([say(PACKAGES_UNKNOWN)], screen)


def tables(document: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Yield what the document of an environment has, each table with its title; the packages are the last."""
    conda = document.get("conda") or {}
    several = {
        "software": {
            "Python": document.get("python"),
            "Snakemake": document.get("snakemake"),
            "snakeprov": document.get("snakeprov"),
            "platform": document.get("platform"),
            "deployment": ", ".join(document.get("deploymentMethods") or ()) or "none switched on",
            "modules": " ".join(document.get("envModules") or ()),
        },
        "plugins": document.get("plugins") or {},
        "container": document.get("container") or {},
        "conda": {key: value for key, value in conda.items() if key != "packages"},
    }
    for title, facts in several.items():
        rows: list[tuple[str, ...]] = [(name, str(value)) for name, value in facts.items() if value]
        if rows:
            yield title, rows
    packages = conda.get("packages")
    if packages is not None:
        rows = [(one["name"], one["version"], one.get("build") or "", one.get("channel") or "") for one in packages]
        yield counted(len(packages), "package"), rows


def are_packages_known(document: Mapping[str, Any]) -> bool:
    """Return whether the packages are listed of what was active."""
    conda = document.get("conda")
    return not conda or conda.get("packages") is not None
