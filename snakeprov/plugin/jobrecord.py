"""Translates Snakemake's Job to the JSON of a JobRecord: plain facts, nothing interpreted.

Between two jobs Snakemake does so much that whatever is called here has left the processor's caches and costs ten times
what it costs in a loop. So what counts is how much takes part: answers are written down as they are, nobody makes a
JobRecord of them unless something in it has to be changed, and what does not arise for the jobs of a rule is not asked.

What Snakemake cannot be asked (an attribute of another version, a function of the user that raises) is left out and
named in `incomplete`; the rest is recorded all the same.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from snakeprov.capture.places import Places
from snakeprov.model.held import Tell
from snakeprov.model.records import CodeFact, JobRecord, JobStatus
from snakeprov.plugin.deployment import Deployment, has_environment
from snakeprov.plugin.holding import Holding
from snakeprov.plugin.jobfiles import JobFiles, before_update, look_at_start, streams_of
from snakeprov.plugin.observation import LiveJob
from snakeprov.plugin.outcome import Measured, read_benchmark
from snakeprov.plugin.problems import Gaps
from snakeprov.plugin.represent import Redact, encodable, represent
from snakeprov.plugin.rulecode import CodeFinder, RuleCode

_IDS_AT_ONCE = 100
"""Ids are minted together: alone each costs several times as much, as all that is done once between other things."""

DEFAULT_PREFIX = "set -euo pipefail; "
"""What Snakemake puts before every command unless the workflow says something else."""

_FINAL: Final = frozenset({"success", "cached"})
"""Status of jobs whose files are held: they are final now, and may be gone in a moment."""

_encode = msgspec.json.Encoder().encode


class Question(NamedTuple):
    """What fills one field of the record of a job, by its name on the wire; `what` names it in words."""

    field: str
    what: str
    ask: Callable[[Translator, Any, LiveJob], Any]


class RuleFacts(msgspec.Struct, frozen=True):
    """What does not differ between the jobs of a rule.

    Attributes:
        name: Its name.
        code: What its jobs execute.
        snakefiles: That as JSON, where it is nothing but Snakefiles, which count as they were when the run began.
        texts: What to read from each of its jobs, where the value can hold a secret.
        numbers: What else to read from each.
        gaps: What Snakemake could not be asked of the rule.
    """

    name: str
    code: RuleCode
    snakefiles: msgspec.Raw | None
    texts: tuple[Question, ...]
    numbers: tuple[Question, ...]
    has_environment: bool
    has_log: bool
    has_benchmark: bool
    is_checkpoint: bool
    gaps: Gaps


class Translator:
    """Translates the jobs of one run. Not thread-safe: Snakemake calls from under its scheduler's lock.

    Attributes:
        files: Looks at the files of the jobs.
        represent: Makes JSON of the values of params and resources.
    """

    def __init__(self, workflow: Any, *, run_id: str, places: Places, redact: Redact, tell: Tell) -> None:
        """Prepare for a run; `redact` takes the secrets out of what is digested of large params."""
        self._run_id = run_id
        self._tell = tell
        self.represent = partial(represent, redact=redact)
        self._code = CodeFinder(workflow, places)
        self.files = JobFiles(places)
        self._deployment = Deployment(workflow, self.files.path)
        self._shell = Gaps().ask("shell", None, _shell_class)
        self._rules: dict[str, RuleFacts] = {}
        self._random = random.Random(os.urandom(32))  # noqa: S311  unique, not secret; asks the system once
        self._ids: list[str] = []
        self._copies = Gaps().ask("source cache", b"", _copies, workflow)

    def begin(self, job: Any, *, group: Any = None, now_s: float) -> LiveJob:
        """Return what is known of `job` as it is handed out, in the group job `group` if it is a member of one.

        Costs one `stat` for each input and code file; files that are to be updated are held.
        """
        gaps = Gaps()
        live = LiveJob(code=[], submitted_s=now_s, gaps=gaps)
        if group is not None:
            live.group, live.streams = encodable(str(group.groupid)), streams_of(group)
        are_flagged = True
        try:
            rule = self._rule_of(job)
            if rule.snakefiles is None:
                live.code = self._code.of_job(job, rule.code)
            are_flagged = look_at_start(job, live)
            live.is_plain = rule.code.is_local and not are_flagged
        except Exception as error:
            gaps.note("code and inputs at the start", error)
        if are_flagged:
            live.before_update = gaps.ask(
                "files before their update", {}, before_update, job, self.files.path, lambda: self.holding(live)
            )
        return live

    def holding(self, live: LiveJob) -> Holding:
        """Return what holds the files of a job."""
        if live.holding is None:
            live.holding = Holding(self._mint(), self._tell)
        return live.holding

    def record(self, job: Any, live: LiveJob, status: JobStatus) -> tuple[bytes, bytes]:
        """Return the record of `job`, whose files are looked at now: two JSON objects that `payload_of` makes one.

        The first has what can hold secrets, the second what cannot (see `snakeprov.capture.secrets.redactor`).
        """
        rule = self._rule_of(job)
        gaps = live.gaps
        if status in _FINAL:
            self.holding(live)
        facts: dict[str, Any] = {
            "id": live.holding.job_id if live.holding is not None else self._mint(),
            "runId": self._run_id,
            "status": status,
            "kind": rule.code.kind,
            "code": live.code if rule.snakefiles is None else rule.snakefiles,
            "isCheckpoint": rule.is_checkpoint,
            "submittedOn": live.submitted_s,
            "startedOn": live.started_s,
            "endedOn": live.ended_s,
        }
        _answer(rule.numbers, facts, self, job, live)
        if rule.snakefiles is None and not rule.code.is_local:
            facts["code"] = gaps.ask("fetched code", live.code, self._code.complete, job, live.code)
        if rule.has_log:
            facts["logs"] = gaps.ask("log", [], self.files.logs, job, live, status)
        if rule.has_benchmark:
            facts["benchmarkFile"] = gaps.ask("benchmark", None, self.files.benchmark, job, live, status)
        if rule.has_benchmark and status == "success":
            facts["benchmark"] = gaps.ask("benchmark's numbers", [], _measured, job)
        texts: dict[str, Any] = {"rule": rule.name}
        script = rule.code.script if rule.code.sources is not None else _place_of(live.code)
        for name, value in (("script", script), ("group", live.group), ("externalJobId", live.external_id)):
            if value is not None:
                texts[name] = value
        _answer(rule.texts, texts, self, job, live)
        if rule.has_environment:
            texts |= self._deployment.of_job(job, gaps)
        gaps += rule.gaps
        if gaps:
            texts["incomplete"] = gaps
        return self._with_sources(_encode(texts)), _encode(facts)

    def _with_sources(self, texts: bytes) -> bytes:
        """Return texts with the source's path for that of its copy, whose folder has another name in each run."""
        return texts.replace(self._copies, b"") if self._copies and self._copies in texts else texts

    def as_it_runs(self, command: str) -> str:
        """Return a shell command with what `shell.prefix()` and `shell.suffix()` put around it.

        Snakemake's own prefix (`set -euo pipefail`) is left out: it is the same for every command.
        """
        prefix, suffix = getattr(self._shell, "_process_prefix", None), getattr(self._shell, "_process_suffix", None)
        if not suffix and (not prefix or prefix == DEFAULT_PREFIX):
            return command
        return " ".join((prefix or "", command, suffix or "")).strip()

    def bare(self, job: Any, status: JobStatus, problem: str) -> JobRecord:
        """Return a record of what is left to say of a job that could not be translated."""
        name = getattr(getattr(job, "rule", None), "name", None)
        rule = encodable(name) if isinstance(name, str) else "unknown"
        return JobRecord(id=self._mint(), run_id=self._run_id, rule=rule, status=status, incomplete=[problem])

    def _rule_of(self, job: Any) -> RuleFacts:
        name = job.rule.name
        found = self._rules.get(name)
        if found is None:
            found = self._rules[name] = self._examine(job)
        return found

    def _examine(self, job: Any) -> RuleFacts:
        rule = job.rule
        code = self._code.of_rule(job)
        gaps = Gaps(code.gaps)
        return RuleFacts(
            name=encodable(rule.name),
            code=code,
            snakefiles=msgspec.Raw(_encode(code.snakefiles)) if code.sources == () else None,
            texts=tuple(one for one, concerns in TEXTS if _may(concerns, rule)),
            numbers=tuple(one for one, concerns in FACTS if _may(concerns, rule)),
            has_environment=_may(has_environment, rule),
            has_log=_may(lambda one: one.log, rule),
            has_benchmark=_may(lambda one: one.benchmark, rule),
            is_checkpoint=gaps.ask("whether it is a checkpoint", False, lambda: rule.is_checkpoint is True),
            gaps=gaps,
        )

    def _mint(self) -> str:
        if not self._ids:
            self._ids = [f"{self._random.getrandbits(128):032x}" for _ in range(_IDS_AT_ONCE)]
        return self._ids.pop()


def _copies(workflow: Any) -> bytes:
    """Return what stands before the absolute path of a source in the path of its copy, as it is in JSON."""
    return _encode(f"{workflow.sourcecache.runtime_cache_path}/file")[1:-1]


def payload_of(record: tuple[bytes, bytes]) -> bytes:
    """Return a record of `Translator.record` as one JSON object, for `snakeprov.model.records.decode_job`."""
    texts, facts = record
    return texts[:-1] + b"," + facts[1:]


def _measured(job: Any) -> list[Measured]:
    return read_benchmark(str.__str__(job.benchmark))


def _place_of(code: list[CodeFact]) -> str | None:
    """Return where the script lies whose path depends on the job."""
    return next(
        (fact.path or fact.url for fact in code if fact.role not in ("snakefile", "workflow", "template")), None
    )


def _shell_class() -> Any:
    from snakemake.shell import shell  # type: ignore[import-untyped]

    return shell


def wildcards_of(job: Any) -> dict[str, str]:
    """Return the wildcards of a job, by name."""
    wildcards = {}
    for name, value in (job.wildcards_dict or {}).items():
        wildcards[encodable(name)] = encodable(str(value))
    return wildcards


def _shellcmd(own: Translator, job: Any, live: LiveJob) -> str:
    return encodable(own.as_it_runs(live.shellcmd if live.shellcmd is not None else job.shellcmd))


def _reason(own: Translator, job: Any, live: LiveJob) -> str | None:
    return encodable(live.reason if live.reason is not None else str(job.dag.reason(job))) or None


def _params(own: Translator, params: Any) -> dict[str, Any]:
    if not params:
        return {}
    named: dict[str, Any] = {}
    spans = {start: (name, start + 1 if end is None else end, end) for name, (start, end) in params._get_names()}
    number = 0
    while number < len(params):
        if number not in spans:
            named[str(number)] = own.represent(params[number])
            number += 1
            continue
        name, stop, end = spans[number]
        named[encodable(name)] = own.represent(params[number] if end is None else list(params[number:stop]))
        number = max(stop, number + 1)
    return named


def _resources(own: Translator, job: Any, live: LiveJob) -> dict[str, Any]:
    resources = live.resources if live.resources is not None else job.resources
    represented = {}
    for name, value in resources.items():
        if name[0] != "_":
            represented[name] = own.represent(value)
    return represented


def _number(own: Translator, job: Any, live: LiveJob) -> int:
    return int(live.number if live.number is not None else job.jobid)


def _threads(own: Translator, job: Any, live: LiveJob) -> int:
    return int(live.threads if live.threads is not None else job.threads)


def _priority(own: Translator, job: Any, live: LiveJob) -> int:
    said = live.priority  # the highest is said in words
    return said if type(said) is int else int(job.priority)


def _answer(questions: tuple[Question, ...], fields: dict[str, Any], own: Translator, job: Any, live: LiveJob) -> None:
    """Put the answers into `fields`; one that is missing costs no other."""
    for field, what, ask in questions:
        try:
            fields[field] = ask(own, job, live)
        except Exception as error:
            live.gaps.note(what, error)


def _may(is_so: Callable[[Any], object], rule: Any) -> bool:
    """Return whether something is so of a rule, or may be: in doubt it is looked up for each of its jobs."""
    try:
        return bool(is_so(rule))
    except Exception:
        return True


def _always(rule: Any) -> bool:
    return True


_Questions = tuple[tuple[Question, Callable[[Any], object]], ...]
"""Questions, each with the rules that it concerns: for most jobs half of them do not arise."""

TEXTS: _Questions = (
    (Question("wildcards", "wildcards", lambda own, job, live: wildcards_of(job)), _always),
    (Question("params", "params", lambda own, job, live: _params(own, job.params)), lambda rule: rule.params),
    (Question("shellcmd", "shellcmd", _shellcmd), lambda rule: rule.shellcmd),
    (Question("resources", "resources", _resources), _always),
    (Question("reason", "reason", _reason), _always),
)

FACTS: _Questions = (
    (Question("snakemakeId", "job number", _number), _always),
    (Question("inputs", "inputs", lambda own, job, live: own.files.inputs(job, live)), _always),
    (Question("outputs", "outputs", lambda own, job, live: own.files.outputs(job, live)), _always),
    (Question("threads", "threads", _threads), _always),
    (Question("priority", "priority", _priority), _always),
    (Question("attempt", "attempt", lambda own, job, live: int(job.attempt)), lambda rule: rule.restart_times),
)
