"""Snakemake's Job and Workflow as a JobRecord and a RunRecord: plain facts, nothing interpreted.

Must not know: when it is called, or who takes the records.

What Snakemake cannot be asked (an attribute of another version, a function of the user that raises) is left out and
named in `incomplete` or `missing`; the rest is recorded all the same.
"""

from __future__ import annotations

import getpass
import os
import platform
import random
import shlex
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from snakeprov import __version__
from snakeprov.capture.files import fingerprint
from snakeprov.model.paths import relative_to, to_text
from snakeprov.model.records import CodeFact, FileFact, Fingerprint, JobRecord, JobStatus, RunRecord
from snakeprov.plugin.benchmark import Measured, read_benchmark
from snakeprov.plugin.observe import Sight, look, shown_from
from snakeprov.plugin.planning import storage_query, wildcards_of
from snakeprov.plugin.represent import cut, encodable, represent
from snakeprov.plugin.rulecode import CodeFinder, uri_of
from snakeprov.plugin.software import plugin_versions, snakemake_version
from snakeprov.plugin.updating import before_update

MAX_ERROR_CHARACTERS = 8_192
"""Characters kept of what Snakemake said of a failure."""

MAX_TARGETS = 1_000
"""Targets of the command line that are kept."""

CACHE_VARIABLE = "SNAKEMAKE_OUTPUT_CACHE"
"""Environment variable that names the folder of Snakemake's cache between workflows."""

FLAGS = frozenset(
    {
        "ancient",
        "before_update",
        "directory",
        "ensure",
        "from_queue",
        "nodelocal",
        "pipe",
        "protected",
        "service",
        "temp",
        "touch",
        "update",
    }
)
"""The flags of Snakemake that say something about a file."""

_IDS_AT_ONCE = 100
"""Ids are minted together: alone each costs several times as much, as all that is done once between other things."""

_STREAM = Sight("other")

_T = TypeVar("_T")


class Gaps(list[str]):
    """What could not be captured, in words."""

    def ask(self, what: str, question: Callable[[], _T], default: _T) -> _T:
        """Return the answer to `question`, or `default`, noting that `what` is not known."""
        try:
            return question()
        except Exception as error:
            self.append(cut(f"{what}: {type(error).__name__}: {error}", MAX_ERROR_CHARACTERS))
            return default


class LiveJob(msgspec.Struct):
    """What was seen of a job between its start and its end. Times are seconds since 1970.

    `gaps` are failures of capture; `notes` are what no capture could have known.
    """

    code: list[CodeFact]
    seen: list[Fingerprint | None]
    submitted_s: float
    before_update: dict[str, FileFact] = {}
    group: str | None = None
    reason: str | None = None
    shellcmd: str | None = None
    started_s: float | None = None
    ended_s: float | None = None
    external_id: str | None = None
    was_cached: bool = False
    streams: frozenset[str] = frozenset()
    error: BaseException | None = None
    blame: str | None = None
    logs: list[str] = []
    stored: dict[str, Sight] = {}
    descriptors: dict[str, int] = {}
    gaps: Gaps = msgspec.field(default_factory=Gaps)
    notes: list[str] = []


class Translator:
    """Translates the jobs of one run. Not thread-safe: Snakemake calls from under its scheduler's lock."""

    def __init__(self, workflow: Any, *, run_id: str, directory: str) -> None:
        self._workflow = workflow
        self._run_id = run_id
        self._directory = directory
        self._code = CodeFinder(workflow, directory)
        self._deployed_by: list[str] = Gaps().ask("deployment methods", lambda: _deployment_methods(workflow), [])
        self._prefixes: dict[int, tuple[Any, str]] = {}  # with the environment, so that its id stays its own
        self._cache = os.environ.get(CACHE_VARIABLE)
        self._random = random.Random(os.urandom(32))  # noqa: S311  unique, not secret; asks the system once
        self._ids: list[str] = []

    def path(self, path: str) -> str:
        """Return the text form of one of Snakemake's paths, relative to the working directory."""
        return relative_to(to_text(str.__str__(path)), self._directory)

    def begin(self, job: Any, *, group: Any = None, now_s: float) -> LiveJob:
        """Return what is known of `job` as it is handed out, in the group job `group` if it is a member of one.

        Costs one `stat` for each input and code file, and the reading of files that are to be updated.
        """
        gaps = Gaps()
        return LiveJob(
            code=gaps.ask("code", lambda: self._code.of_job(job), []),
            seen=gaps.ask("inputs at the start", lambda: _seen(job), []),
            submitted_s=now_s,
            before_update=gaps.ask("files before their update", lambda: before_update(job, self.path), {}),
            group=None if group is None else encodable(str(group.groupid)),
            streams=frozenset() if group is None else _streams(group),
            gaps=gaps,
        )

    def record(self, job: Any, live: LiveJob, status: JobStatus) -> JobRecord:
        """Return the record of `job`, whose files are looked at now."""
        rule = job.rule
        gaps = live.gaps
        code = self._code.of_rule(job)
        return JobRecord(
            id=self._mint(),
            run_id=self._run_id,
            rule=encodable(rule.name),
            status=status,
            snakemake_id=gaps.ask("job number", lambda: int(job.jobid), None),
            kind=code.kind,
            wildcards=gaps.ask("wildcards", lambda: wildcards_of(job), {}),
            params=gaps.ask("params", lambda: _params(job.params), {}),
            inputs=gaps.ask("inputs", lambda: self._inputs(job, live), []),
            outputs=gaps.ask("outputs", lambda: self._outputs(job, live), []),
            code=gaps.ask("fetched code", lambda: self._code.complete(job, live.code), live.code),
            shellcmd=gaps.ask("shellcmd", lambda: _shellcmd(job, live), None),
            script=code.script if code.sources is not None else _place_of(live.code),
            log_paths=gaps.ask("log", lambda: [self.path(one) for one in job.log], []),
            benchmark_path=gaps.ask("benchmark", lambda: self.path(job.benchmark), None) if rule.benchmark else None,
            benchmark=gaps.ask("benchmark's numbers", lambda: _measured(job, status), []) if rule.benchmark else [],
            threads=gaps.ask("threads", lambda: int(job.threads), None),
            resources=gaps.ask("resources", lambda: _resources(job.resources), {}),
            priority=gaps.ask("priority", lambda: int(job.priority), None),
            reason=gaps.ask("reason", lambda: _reason(job, live), None),
            attempt=gaps.ask("attempt", lambda: int(job.attempt), 1),
            group=live.group,
            external_job_id=live.external_id,
            is_checkpoint=bool(rule.is_checkpoint),
            started_on=_moment(live.started_s),
            submitted_on=_moment(live.submitted_s),
            ended_on=_moment(live.ended_s),
            incomplete=list(gaps),
            **self._environment(job, gaps),
        )

    def bare(self, job: Any, status: JobStatus, problem: str) -> JobRecord:
        """Return a record of what is left to say of a job that could not be translated."""
        name = getattr(getattr(job, "rule", None), "name", None)
        rule = encodable(name) if isinstance(name, str) else "unknown"
        return JobRecord(id=self._mint(), run_id=self._run_id, rule=rule, status=status, incomplete=[problem])

    def _mint(self) -> str:
        if not self._ids:
            self._ids = [f"{self._random.getrandbits(128):032x}" for _ in range(_IDS_AT_ONCE)]
        return self._ids.pop()

    def _inputs(self, job: Any, live: LiveJob) -> list[FileFact]:
        facts = self._files(job.input, live)
        for fact, before in zip(facts, live.seen, strict=False):
            seen = live.before_update.get(fact.path)
            if seen is not None:
                fact.flags = sorted({*fact.flags, *seen.flags})
                fact.kind, fact.fingerprint, fact.digest = seen.kind, seen.fingerprint, seen.digest
            elif before is not None and fact.fingerprint != before:
                fact.changed_while_reading = True
        named = {fact.path for fact in facts} if live.before_update else set()
        # A rule does not name among its inputs what it updates, but that is what the new version comes from.
        return facts + [
            fact for path, fact in live.before_update.items() if fact.kind != "missing" and path not in named
        ]

    def _outputs(self, job: Any, live: LiveJob) -> list[FileFact]:
        return self._files(job.output, live)

    def _files(self, files: Any, live: LiveJob) -> list[FileFact]:
        names = _names(files)
        stored = live.stored
        facts = []
        for number, one in enumerate(files):
            path = str.__str__(one)
            flags = one.flags
            if not flags and not live.streams and not self._cache:
                kind, fingerprint, target = look(path)
                facts.append(
                    FileFact(
                        path=self.path(path),
                        name=names.get(number),
                        kind=kind,
                        fingerprint=fingerprint,
                        symlink_target=target,
                    )
                )
                continue
            said = sorted(flag for flag in flags if flag in FLAGS and flags[flag])
            sight = _STREAM if path in live.streams else stored.get(path) or look(path)
            facts.append(
                FileFact(
                    path=self.path(path),
                    name=names.get(number),
                    flags=said,
                    kind=sight.kind,
                    fingerprint=sight.fingerprint,
                    storage_query=storage_query(one),
                    symlink_target=sight.symlink_target,
                )
            )
            if self._cache and sight.kind == "directory" and sight.symlink_target is None:
                facts[-1].symlink_target = shown_from(self._cache, path)
        return facts

    def _environment(self, job: Any, gaps: Gaps) -> dict[str, Any]:
        rule = job.rule
        environment: dict[str, Any] = {}
        if rule.conda_env is not None:
            environment |= gaps.ask("conda environment", lambda: self._conda(job.conda_env_spec), dict[str, str]())
            if "conda" in self._deployed_by:
                environment["conda_prefix"] = gaps.ask("conda prefix", lambda: self._prefix(job.conda_env), None)
        if rule.container_img is not None:
            environment |= gaps.ask("container", lambda: self._container(job), dict[str, str]())
        if rule.env_modules is not None:
            environment["env_modules"] = _texts(gaps.ask("env modules", lambda: rule.env_modules.names, ()))
        return environment

    def _conda(self, spec: Any) -> dict[str, str]:
        if hasattr(spec, "name"):
            return {"conda_env_name": encodable(str(spec.name))}
        file = getattr(spec, "file", None)
        if file is None:
            return {"conda_env_path": self._place(str(spec.path))} if spec is not None else {}
        # Before Snakemake 9.5 the file is a path, since then one of Snakemake's source files.
        return {"conda_env_path": self._place(str.__str__(file) if isinstance(file, str) else uri_of(file))}

    def _prefix(self, environment: Any) -> str | None:
        """Return where a conda environment lies; asking Snakemake looks at the disk."""
        if environment is None:
            return None
        if id(environment) not in self._prefixes:
            address = str(environment.address)
            text = encodable(address) if environment.name else to_text(os.path.abspath(address))  # noqa: PTH100
            self._prefixes[id(environment)] = (environment, text)
        return self._prefixes[id(environment)][1]

    def _container(self, job: Any) -> dict[str, str]:
        url = job.container_img_url
        if url is None:
            return {}
        image = job.container_img  # None unless containers are switched on
        if "://" not in str(url):
            place = self.path(str(url))
            return {"container": place, "container_path": place}
        return {"container": encodable(str(url))} | ({} if image is None else {"container_path": self.path(image.path)})

    def _place(self, uri: str) -> str:
        return encodable(uri) if "://" in uri else self.path(uri)


def run_record(workflow: Any, *, run_id: str, project: str, directory: str, executor: str | None) -> RunRecord:
    """Return what is known of a run when it begins."""
    gaps = Gaps()
    return RunRecord(
        id=run_id,
        project=project,
        working_directory=directory,
        command_line=gaps.ask("command line", _command_line, None),
        snakefile=gaps.ask("Snakefile", lambda: _snakefile(workflow, directory), None),
        config=gaps.ask("config", lambda: _config(workflow.config), {}),
        targets=gaps.ask("targets", lambda: _sorted_texts(workflow.dag_settings.targets, MAX_TARGETS), []),
        host=gaps.ask("host", lambda: encodable(platform.node()), None),
        user=gaps.ask("user", lambda: encodable(getpass.getuser()), None),
        platform=gaps.ask("platform", platform.platform, None),
        python_version=platform.python_version(),
        snakemake_version=gaps.ask("Snakemake's version", snakemake_version, None),
        snakeprov_version=__version__,
        plugin_versions=gaps.ask("plugins", plugin_versions, {}),
        executor=executor,
        deployment_methods=gaps.ask("deployment methods", lambda: _deployment_methods(workflow), []),
        missing=list(gaps),
    )


def _deployment_methods(workflow: Any) -> list[str]:
    return sorted(one.item_to_choice() for one in workflow.deployment_settings.deployment_method)


def _streams(group: Any) -> frozenset[str]:
    """Return the paths of the pipes and sockets through which the members of a group talk."""
    return frozenset(str.__str__(path) for member in group for path in member.pipe_or_service_output)


def _seen(job: Any) -> list[Fingerprint | None]:
    """Return the fingerprints of the inputs; none of a rule that only names them, since nothing reads them."""
    return [] if job.rule.norun else [fingerprint(str.__str__(one)) for one in job.input]


def _names(files: Any) -> dict[int, str]:
    names = {}
    for name, (start, end) in files._get_names():
        for number in range(start, start + 1 if end is None else end):
            names[number] = encodable(name)
    return names


def _measured(job: Any, status: JobStatus) -> list[Measured]:
    return read_benchmark(str.__str__(job.benchmark)) if status == "success" else []


def _place_of(code: list[CodeFact]) -> str | None:
    """Return where the script lies whose path depends on the job."""
    return next((fact.path or fact.url for fact in code if fact.role not in ("snakefile", "module", "template")), None)


def _shellcmd(job: Any, live: LiveJob) -> str | None:
    if not job.rule.shellcmd:
        return None
    return encodable(live.shellcmd if live.shellcmd is not None else job.shellcmd)


def _reason(job: Any, live: LiveJob) -> str | None:
    return encodable(live.reason if live.reason is not None else str(job.dag.reason(job))) or None


def _params(params: Any) -> dict[str, Any]:
    if not params:
        return {}
    named: dict[str, Any] = {}
    spans = {start: (name, start + 1 if end is None else end, end) for name, (start, end) in params._get_names()}
    number = 0
    while number < len(params):
        if number not in spans:
            named[str(number)] = represent(params[number])
            number += 1
            continue
        name, stop, end = spans[number]
        named[encodable(name)] = represent(params[number] if end is None else list(params[number:stop]))
        number = max(stop, number + 1)
    return named


def _resources(resources: Any) -> dict[str, Any]:
    return {name: represent(value) for name, value in resources.items() if not name.startswith("_")}


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _texts(values: Iterable[object]) -> list[str]:
    return [encodable(str(value)) for value in values]


def _sorted_texts(values: Iterable[object], max_values: int) -> list[str]:
    return sorted(to_text(str(value)) for value in values)[:max_values]


def _config(config: object) -> dict[str, Any]:
    represented = represent(config)
    return represented if isinstance(represented, dict) else {"config": represented}


def _command_line() -> str:
    return encodable(shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]))  # noqa: PTH119


def _snakefile(workflow: Any, directory: str) -> str:
    uri = uri_of(next(iter(workflow.included)))
    return encodable(uri) if "://" in uri else relative_to(to_text(uri), directory)
