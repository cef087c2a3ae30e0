"""The code that a job executed, found by reading it: what defines its rule, the scripts its command runs, modules.

Nothing is run.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import structs

from snakeprov.capture.code import snakefiles
from snakeprov.capture.code.definitions import Definition, definitions
from snakeprov.capture.code.imports import ModuleFinder
from snakeprov.capture.code.snakefiles import Unit
from snakeprov.capture.places import Places
from snakeprov.disk import files
from snakeprov.model.paths import to_os
from snakeprov.model.records import CodeFact, Fingerprint, JobRecord

SNAKEFILES_REMEMBERED_MAX: Final = 1_000
"""Number of parsed Snakefiles kept in memory."""

RULES_REMEMBERED_MAX: Final = 10_000
"""Number of rule definitions kept in memory."""

_Rule = tuple[str, str, str, int]
_SNAKEFILES: Final = frozenset({"snakefile", "workflow"})


class CodeSeeker:
    """Finds the code of jobs that ran in one working directory; each file is read once. Not thread-safe."""

    def __init__(self, working_directory: str) -> None:
        """Prepare for records whose paths are relative to `working_directory` (as the operating system has it)."""
        self._working_directory = working_directory
        self._places = Places(working_directory)
        self._modules = ModuleFinder(working_directory)
        self._units: OrderedDict[tuple[str, Fingerprint], list[Unit] | None] = OrderedDict()
        self._definitions: OrderedDict[_Rule, dict[str, Definition]] = OrderedDict()

    def seek(self, job: JobRecord, is_known: Callable[[str], bool]) -> list[CodeFact]:
        """Return all code of a job: what its record names, and what that leads to. Never raises.

        Args:
            job: The record as it was captured.
            is_known: Whether the file at a path of the record still is what ran.
        """
        defined = self._defined(job)
        code = [_located(fact, defined.get(fact.path or "")) for fact in job.code]
        found = {fact.path for fact in code}
        for fact in (*self._run_by_commands(job, defined), *self._led_to(job, defined, is_known)):
            if fact.path not in found:
                found.add(fact.path)
                code.append(fact)
        return code

    def _defined(self, job: JobRecord) -> dict[str, Definition]:
        """Return what each Snakefile has of the definition of the rule, by path; empty where that cannot be told."""
        own = next((fact for fact in job.code if fact.role == "snakefile"), None)
        if own is None or own.path is None or own.line is None:
            return {}
        key = (job.run_id, job.rule, own.path, own.line)
        if key not in self._definitions:
            if len(self._definitions) >= RULES_REMEMBERED_MAX:
                self._definitions.popitem(last=False)
            listed = ((fact.path, self._read(fact)) for fact in job.code if fact.role in _SNAKEFILES)
            known = {path: units for path, units in listed if path is not None and units is not None}
            self._definitions[key] = definitions(known, own.path, own.line, job.rule)
        return self._definitions[key]

    def _read(self, fact: CodeFact) -> list[Unit] | None:
        """Return what a Snakefile says; None where it cannot be read, or is not what it was when the run began."""
        if fact.path is None or fact.fingerprint is None:
            return None
        key = (fact.path, fact.fingerprint)
        if key not in self._units:
            if len(self._units) >= SNAKEFILES_REMEMBERED_MAX:
                self._units.popitem(last=False)
            self._units[key] = None
            path = self._absolute(fact.path)
            if fact.fingerprint.size_bytes <= snakefiles.SNAKEFILE_CHARS_MAX:
                try:
                    text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
                except OSError:
                    return None
                if files.fingerprint(path) == fact.fingerprint:
                    self._units[key] = snakefiles.read(text)
        return self._units[key]

    def _run_by_commands(self, job: JobRecord, defined: dict[str, Definition]) -> Iterator[CodeFact]:
        """Yield the scripts that the shell commands of a job run, each with what it leads to."""
        commands: list[str] = []
        if job.kind == "shell" and job.shellcmd is not None:
            commands = [job.shellcmd]
        elif job.kind == "run":
            commands = [command for definition in defined.values() for command in definition.commands]
        outputs = {fact.path for fact in job.outputs}
        listed = (fact.path for fact in job.code if fact.role in _SNAKEFILES and fact.url is None)
        own = {self._absolute(path) for path in listed if path is not None} if commands else set()
        for program in (one for command in commands for one in self._modules.scripts(command, own)):
            path = self._places.path(program.path)
            if path not in outputs:  # code that the job writes itself and then runs was not given to it
                yield CodeFact(role="script", path=path)
                yield from self._facts(self._modules.modules(*program))

    def _led_to(
        self, job: JobRecord, defined: dict[str, Definition], is_known: Callable[[str], bool]
    ) -> Iterator[CodeFact]:
        """Yield the local modules and sourced files that the code in the record of a job leads to."""
        for path, definition in defined.items():
            if definition.imports:
                yield from self._facts(self._modules.imported(self._absolute(path), definition.imports))
        for fact in job.code:
            if fact.path is not None and fact.role not in _SNAKEFILES and is_known(fact.path):
                yield from self._facts(self._modules.modules(self._absolute(fact.path)))

    def _facts(self, modules: list[str]) -> Iterator[CodeFact]:
        return (CodeFact(role="module", path=self._places.path(path)) for path in modules)

    def _absolute(self, path: str) -> str:
        return os.path.join(self._working_directory, to_os(path))  # noqa: PTH118  the hot path


def _located(fact: CodeFact, definition: Definition | None) -> CodeFact:
    """Return the fact of a file of code, saying where in it the definition of the rule is."""
    if definition is None:
        return fact
    return structs.replace(
        fact,
        role="module" if fact.role == "workflow" else fact.role,
        line=definition.line,
        end_line=definition.end_line,
        digest=definition.digest,
    )
