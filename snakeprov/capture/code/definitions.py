"""Extracts the definition of a rule from the Snakefiles of a workflow; nothing is run.

The definition of a rule is the rule itself and, over all Snakefiles of the workflow, the functions, variables and
imports that it names, with what these name in turn. Comments, docstrings and layout are not part of it.

| what | counts as named by a rule |
|---|---|
| names in its directives, in its `run:` block and in f-strings | yes, but for attributes and keywords |
| `{name}` in `shell:` | yes: Snakemake fills in global variables |
| the rule or the module that `use rule` builds on | yes |
| other rules, `ruleorder:`, `onsuccess:`, `configfile:` and the like | no |

Where a name is bound more than once, every binding counts: which of them ran is not known.
"""

from __future__ import annotations

import builtins
import fnmatch
import hashlib
import keyword
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from snakeprov.capture.code.snakefiles import Unit


class Definition(NamedTuple):
    """What one Snakefile has of the definition of a rule.

    Attributes:
        line, end_line: The lines of the rule; in another Snakefile those of the first thing that it names.
        digest: sha256 of all that it has of the definition.
        imports: The import statements among it.
        commands: The shell commands in its calls of `shell()`.
    """

    line: int
    end_line: int
    digest: str
    imports: tuple[str, ...]
    commands: tuple[str, ...]


def definitions(snakefiles: Mapping[str, list[Unit]], own: str, line: int, rule: str) -> dict[str, Definition]:
    """Return what each Snakefile has of the definition of a rule, by path; empty where the rule is not found.

    Args:
        snakefiles: Units of all Snakefiles of the workflow, by path.
        own: The path of the Snakefile that has the rule.
        line: The line at which the rule begins.
        rule: The name of the rule.
    """
    start = [unit for unit in snakefiles.get(own, ()) if unit.is_rule and unit.first <= line <= unit.last][-1:]
    if not start:
        return {}
    found: dict[str, set[Unit]] = {own: set(start)}
    waiting = [(own, unit) for unit in start]
    for path, units in snakefiles.items():
        changing = [unit for unit in units if any(fnmatch.fnmatchcase(rule, name) for name in unit.changes)]
        found.setdefault(path, set()).update(changing)
        waiting += [(path, unit) for unit in changing]
    binding = _Binding(snakefiles)
    while waiting:
        path, unit = waiting.pop()
        for name in unit.names:
            for place, one in binding.of(name, path):
                if one not in found.setdefault(place, set()):
                    found[place].add(one)
                    waiting.append((place, one))
    return {path: _definition(units, start[0] if path == own else None) for path, units in found.items() if units}


class _Binding:
    """Where names are bound."""

    def __init__(self, snakefiles: Mapping[str, list[Unit]]) -> None:
        self._units: dict[str, dict[str, list[Unit]]] = {}
        for path, units in snakefiles.items():
            for unit in units:
                for name in unit.binds:
                    self._units.setdefault(name, {}).setdefault(path, []).append(unit)
        self._modules = _modules(snakefiles)

    def of(self, name: str, path: str) -> Iterator[tuple[str, Unit]]:
        """Yield what binds `name` for the Snakefile at `path`: there, or else in any that it may share names with."""
        bound = self._units.get(name, {})
        if not bound and not hasattr(builtins, name) and not keyword.iskeyword(name):
            bound = self._units.get("*", {})
        own = self._modules.get(path)
        places = [path] if path in bound else [one for one in bound if self._modules.get(one) == own]
        yield from ((place, unit) for place in places for unit in bound[place])


def _modules(snakefiles: Mapping[str, list[Unit]]) -> dict[str, str]:
    """Return the Snakefile of the module that a Snakefile belongs to, by path: a module has names of its own."""

    def named(path: str, names: Iterable[str]) -> list[str]:
        places = (posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) for name in names)
        return [place for place in places if place in snakefiles]

    roots = [root for path, units in snakefiles.items() for unit in units for root in named(path, unit.loads)]
    found: dict[str, str] = {}
    for root in roots:
        waiting = [root]
        while waiting:
            path = waiting.pop()
            if found.get(path) != root:
                found[path] = root
                waiting += [one for unit in snakefiles[path] for one in named(path, unit.includes)]
    return found


def _definition(units: Iterable[Unit], rule: Unit | None) -> Definition:
    ordered = sorted(units, key=lambda unit: unit.first)
    shown = rule or ordered[0]
    said = "\n".join(unit.text for unit in ordered)
    return Definition(
        line=shown.first,
        end_line=shown.last,
        digest=hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest(),
        imports=tuple(unit.imports for unit in ordered if unit.imports),
        commands=tuple(command for unit in ordered for command in unit.commands),
    )
