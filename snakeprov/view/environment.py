"""The screen of `show --environment`: the software that a job ran in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from snakeprov.view import text
from snakeprov.view.text import Screen, compose, counted, say

_INDENT = 2


def listing(document: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield the lines for the document of an environment (`snakeprov.recorder.environments`)."""
    facts = {
        "Python": document.get("python"),
        "Snakemake": document.get("snakemake"),
        "snakeprov": document.get("snakeprov"),
        "platform": document.get("platform"),
        "deployment": ", ".join(document.get("deploymentMethods") or ()) or "none switched on",
        "modules": " ".join(document.get("envModules") or ()),
    }
    yield from _table("software", facts, screen)
    yield from _table("plugins", document.get("plugins") or {}, screen)
    container = document.get("container") or {}
    yield from _table("container", container, screen)
    conda = document.get("conda") or {}
    yield from _table("conda", {key: value for key, value in conda.items() if key != "packages"}, screen)
    packages = conda.get("packages")
    if packages is not None:
        yield ""
        yield compose([say(counted(len(packages), "package"), "heading")], screen)
        rows = [
            [say(one["name"]), say(one["version"]), say(one.get("build") or "", "faint"), say(one.get("channel") or "")]
            for one in packages
        ]
        yield from text.table(rows, screen, flexible=0, keep="end", indent=_INDENT)
    elif conda:
        yield compose([say("The packages are not known: conda was not switched on, or its folder is gone.")], screen)


def _table(title: str, facts: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    rows = [[say(name), say(str(value))] for name, value in facts.items() if value]
    if not rows:
        return
    if title != "software":
        yield ""
    yield compose([say(title, "heading")], screen)
    yield from text.table(rows, screen, flexible=1, keep="start", indent=_INDENT)
