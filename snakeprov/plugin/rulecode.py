"""The code that the jobs of a rule execute: found once per rule, fingerprinted when each job starts.

A Snakefile counts as it was when the run began, since Snakemake has parsed it by then; a script as it is when the
job starts. Nothing is ever downloaded: a remote source is named by its URL, and by its cached copy once Snakemake
has made one.
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from snakeprov.capture.places import Places
from snakeprov.disk.files import fingerprint
from snakeprov.model.paths import to_text
from snakeprov.model.records import CodeFact, JobKind
from snakeprov.plugin.problems import Gaps

MAX_SNAKEFILES = 100
"""Included Snakefiles that a job names besides its own."""

Role = Literal["workflow", "script", "notebook", "wrapper", "template", "cwl"]

_WRAPPER_NAMES = ("wrapper.py", "wrapper.R", "wrapper.Rmd", "wrapper.jl")


class Source(msgspec.Struct, frozen=True):
    """One file of code besides the Snakefiles: where it is."""

    role: Role
    path: str | None
    url: str | None

    def fact(self, places: Places) -> CodeFact:
        """Return what is there now."""
        path = self.path
        if path is None:
            return CodeFact(role=self.role, url=self.url)
        return CodeFact(role=self.role, path=places.path(path), url=self.url, fingerprint=fingerprint(path))


class RuleCode(msgspec.Struct, frozen=True):
    """What does not differ between the jobs of a rule.

    Attributes:
        kind: How the rule runs its jobs.
        script: The script, notebook or wrapper as the rule names it.
        snakefiles: The rule's Snakefile with its line, then the others of the workflow.
        sources: The other code; None where wildcards or params are part of its path, so that it differs.
        is_local: Whether all of it is files of this machine, known before a job starts.
        gaps: What Snakemake could not be asked.
    """

    kind: JobKind
    script: str | None
    snakefiles: tuple[CodeFact, ...]
    sources: tuple[Source, ...] | None
    is_local: bool
    gaps: tuple[str, ...]


class CodeFinder:
    """Finds the code of the rules of one workflow. Belongs to one run; not thread-safe."""

    def __init__(self, workflow: Any, places: Places) -> None:
        self._workflow = workflow
        self._places = places
        self._rules: dict[str, RuleCode] = {}
        self._gaps = Gaps()
        self._snakefiles = self._gaps.ask("Snakefiles", {}, self._all_snakefiles)

    def of_rule(self, job: Any) -> RuleCode:
        """Return what is known of the code of the rule of `job`."""
        rule = job.rule
        found = self._rules.get(rule.name)
        if found is None:
            found = self._rules[rule.name] = self._examine(job)
        return found

    def of_job(self, job: Any, code: RuleCode) -> list[CodeFact]:
        """Return the code that `job` is about to execute, as it is now; `code` is that of its rule."""
        sources = code.sources if code.sources is not None else self._sources(job, code.kind)
        if not sources:
            return list(code.snakefiles)
        return [*code.snakefiles, *(source.fact(self._places) for source in sources)]

    def complete(self, job: Any, facts: list[CodeFact]) -> list[CodeFact]:
        """Return `facts` with the copies of remote sources that Snakemake fetched while `job` ran."""
        if None not in [fact.path for fact in facts]:
            return facts
        fetched = {source.url: source for source in self._sources(job, self.of_rule(job).kind) if source.path}
        return [
            fetched[fact.url].fact(self._places) if fact.path is None and fact.url in fetched else fact
            for fact in facts
        ]

    def _examine(self, job: Any) -> RuleCode:
        rule, gaps = job.rule, Gaps(self._gaps)
        kind = _kind_of(rule, gaps)
        named = _named_source(rule, kind)
        varies = named is not None and "{" in _text(named)
        snakefiles = tuple(gaps.ask("Snakefile of the rule", [*self._snakefiles.values()], self._of_rule, rule, gaps))
        sources = None if varies or kind == "template" else gaps.ask("code", (), self._sources, job, kind)
        return RuleCode(
            kind=kind,
            script=_text(named) if named is not None and kind != "cwl" else None,
            snakefiles=snakefiles,
            sources=sources,
            is_local=sources is not None
            and not any(one.path is None or one.url is not None for one in snakefiles)
            and not any(one.path is None or one.url is not None for one in sources),
            gaps=tuple(gaps),
        )

    def _all_snakefiles(self) -> dict[str, CodeFact]:
        return {uri_of(source): self._snakefile(source) for source in self._workflow.included}

    def _of_rule(self, rule: Any, gaps: Gaps) -> list[CodeFact]:
        own = str(rule.snakefile)
        fact = self._snakefiles.get(own) or CodeFact(role="snakefile", path=self._places.path(own))
        others = [other for uri, other in self._snakefiles.items() if uri != own]
        line = gaps.ask("line of the rule", None, self._line, rule, own)
        with_line = CodeFact(role="snakefile", path=fact.path, url=fact.url, line=line, fingerprint=fact.fingerprint)
        return [with_line, *others[:MAX_SNAKEFILES]]

    def _line(self, rule: Any, snakefile: str) -> int | None:
        line: int | None = (self._workflow.linemaps.get(snakefile) or {}).get(rule.lineno)
        return line

    def _snakefile(self, source: Any) -> CodeFact:
        return self._locate("workflow", [source]).fact(self._places)

    def _sources(self, job: Any, kind: JobKind) -> tuple[Source, ...]:
        rule = job.rule
        if kind == "template":
            return (Source("template", str.__str__(job.input.get("template", job.input[0])), None),)
        if kind == "wrapper":
            return (self._wrapper(rule),)
        named = _named_source(rule, kind)
        if named is None:
            return ()
        role: Role = kind if kind in ("notebook", "cwl") else "script"
        return (self._locate(role, [job._path_to_source_file(named)]),)

    def _wrapper(self, rule: Any) -> Source:
        from snakemake import wrapper  # type: ignore[import-untyped]

        source = wrapper.get_path(rule.wrapper, prefix=self._workflow.workflow_settings.wrapper_prefix)
        whole = wrapper.is_script(source)
        return self._locate("wrapper", [source] if whole else [source.join(name) for name in _WRAPPER_NAMES])

    def _locate(self, role: Role, candidates: list[Any]) -> Source:
        return Source(role, *locate(self._workflow, candidates))


_KINDS: tuple[tuple[JobKind, str], ...] = (
    ("template", "template_engine"),
    ("cwl", "cwl"),
    ("wrapper", "wrapper"),
    ("notebook", "notebook"),
    ("script", "script"),
    ("shell", "shellcmd"),
    ("norun", "norun"),
    ("run", "run_func"),
)
"""Kinds of rules, each with the attribute that only they have; `run_func` nearly all have."""


def _kind_of(rule: Any, gaps: Gaps) -> JobKind:
    """Return how `rule` runs its jobs."""
    unknown = len(gaps)
    for kind, attribute in _KINDS:
        if gaps.ask("kind of the rule", None, attrgetter(attribute), rule):
            return "unknown" if kind == "run" and len(gaps) > unknown else kind
    return "unknown"


def _named_source(rule: Any, kind: JobKind) -> Any:
    return getattr(rule, kind) if kind in ("script", "notebook", "wrapper", "cwl") else None


def _text(named: Any) -> str:
    return to_text(str(named)) if isinstance(named, str | Path) else uri_of(named)


class Place(NamedTuple):
    """Where a source file is.

    Attributes:
        path: On this machine; of a remote source its fetched copy, None until there is one.
        url: Of a remote source, without credentials.
    """

    path: str | None
    url: str | None


def locate(workflow: Any, candidates: list[Any]) -> Place:
    """Return the place of the first of `candidates` that is on this machine; else the first one's URL or path."""
    for source in candidates:
        path = _local_path(workflow, source)
        if path is not None and Path(path).exists():
            return Place(path, _url_of(source))
    return Place(_own_path(candidates[0]), _url_of(candidates[0]))


def uri_of(source: Any) -> str:
    """Return the path or URL of a source file, without credentials."""
    try:
        return str(source.get_path_or_uri(secret_free=True))
    except TypeError:  # Snakemake before 9.5 has no such argument
        return _without_credentials(str(source.get_path_or_uri()))


def _local_path(workflow: Any, source: Any) -> str | None:
    own = _own_path(source)
    return own if own is not None else str(workflow.sourcecache._cache_entry(source))


def _own_path(source: Any) -> str | None:
    """Return the path of a source that is a plain file of this machine."""
    path = getattr(source, "path", None)
    return str(path) if path is not None and type(source).__name__ == "LocalSourceFile" else None


def _url_of(source: Any) -> str | None:
    return None if _own_path(source) is not None else _without_credentials(uri_of(source))


def _without_credentials(url: str) -> str:
    from snakeprov.model.credentials import strip_credentials

    return strip_credentials(url)
