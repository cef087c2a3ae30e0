"""Turn Snakemake's metadata of outputs that still exist into records of the jobs that made them.

Nothing is guessed. An output is taken only if it is what the job left: its modification time is the recorded one, and
nothing says that the job failed. An input is tied to its bytes only if they are what was read: their checksum is the
recorded one or, where Snakemake kept none, they are older than the job. All else is recorded as unknown.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import structs

from snakeprov.capture.places import Places
from snakeprov.metadata.ondisk import FileOnDisk
from snakeprov.metadata.stored import Stored
from snakeprov.model.paths import to_text
from snakeprov.model.records import FileFact, JobKind, JobRecord

START_GAP_S: Final = 10.0
"""Outputs of one job are marked as begun one right after the other; a longer gap separates two jobs."""

LOG_GAP_S: Final = 1.0
"""A job writes its log before its outputs are seen to be there, give or take the clock of the file system."""

TEXT_CHARACTERS_MAX: Final = 100_000
"""So much is kept of a text from Snakemake's metadata."""

INTEGER_LIMIT: Final = 2**63
"""Integers from here on have no place in JSON."""

UNKNOWN: Final = (
    "Known only from Snakemake's metadata, which does not tell wildcards, threads, resources, reason, host and user, "
    "the names and the order of inputs, outputs and params, nor which version of the code ran."
)

_NAMED_CODE: Final = re.compile(r"\s*(script|notebook|wrapper|template_engine|cwl):\s*(\S.*?)\s*", re.DOTALL)
_KINDS: Final[dict[str, JobKind]] = {
    "script": "script",
    "notebook": "notebook",
    "wrapper": "wrapper",
    "template_engine": "template",
    "cwl": "cwl",
}
_COPY: Final = re.compile(r"\A.*/snakemake-runtime-cache/[^/]+/file(?=/)", re.DOTALL)
_COPY_IN_TEXT: Final = re.compile(r"(?:/[^\s/'\"]+)+/snakemake-runtime-cache/[^\s/'\"]+/file(?=/)")
"""What stands before the absolute path of a source in the path of its copy (`workflow.source_path()`); in a command."""

_STREAMS: Final = ("<pipe>", "<service>")


class Reason(StrEnum):
    """Why an output is not taken in."""

    GONE = "no longer there"
    CHANGED = "changed since its job ended"
    INCOMPLETE = "of a job that did not end"
    FAILED = "of a job that failed"
    REMOTE = "in remote storage"
    UNDATED = "kept by Snakemake without times"


@dataclass
class Past:
    """The jobs that were found, in the order in which they ended, and the outputs left out, by reason."""

    jobs: list[JobRecord] = field(default_factory=list)
    left_out: dict[Reason, list[str]] = field(default_factory=dict)


def read_past(
    records: Iterable[Stored],
    working_directory: str,
    *,
    run_id: str,
    is_wanted: Callable[[str], bool] = lambda path: True,
    failed_on_s: Callable[[str], float | None] = lambda target: None,
) -> Past:
    """Return the jobs with outputs that are unchanged since the job wrote them.

    Args:
        records: What Snakemake keeps of each output.
        working_directory: Absolute, as the operating system has it; relative paths start there.
        run_id: The run that the records of the jobs will belong to.
        is_wanted: Whether an output, named by its path as it is recorded, was asked for; of a job of which one was,
            all outputs are taken.
        failed_on_s: When the job that makes an output last failed, in seconds since 1970, if that is known.
    """
    reader = _Reader(working_directory, run_id)
    past = Past()
    for group in _jobs(map(_with_sources, records)):
        paths = [reader.path(one.target) for one in group]
        if not any(map(is_wanted, paths)):
            continue
        kept = []
        for path, one in zip(paths, group, strict=True):
            reason = reader.objection(one, failed_on_s(one.target))
            if reason is None:
                kept.append(one)
            else:
                past.left_out.setdefault(reason, []).append(path)
        if kept:
            past.jobs.append(reader.job(kept, left_out=len(group) - len(kept)))
    past.jobs.sort(key=lambda job: (job.ended_on or _EPOCH, job.started_on or _EPOCH, job.id))
    for left_out in past.left_out.values():
        left_out.sort()
    return past


def _with_sources(one: Stored) -> Stored:
    """Return Snakemake's record of an output, with sources in place of their copies, which are gone after each run."""
    return structs.replace(
        one,
        input=None if one.input is None else [_COPY.sub("", path) for path in one.input],
        input_checksums={_COPY.sub("", path): digest for path, digest in (one.input_checksums or {}).items()},
        params=[_COPY_IN_TEXT.sub("", value) if isinstance(value, str) else value for value in one.params or ()],
        shellcmd=None if one.shellcmd is None else _COPY_IN_TEXT.sub("", one.shellcmd),
    )


def _jobs(records: Iterable[Stored]) -> Iterator[list[Stored]]:
    """Yield the records of each job's outputs together."""
    groups: dict[tuple[Any, ...], list[Stored]] = {}
    for one in records:
        lists = (tuple(map(str, part or ())) for part in (one.input, one.log, one.params))
        groups.setdefault((one.rule, one.job_hash, one.shellcmd, one.code, *lists), []).append(one)
    for group in groups.values():
        group.sort(key=lambda one: (one.starttime or 0, one.target))
        job = group[:1]
        for one in group[1:]:
            if (one.starttime or 0) - (job[-1].starttime or 0) > START_GAP_S:
                yield job
                job = []
            job.append(one)
        yield job


class _Reader:
    def __init__(self, working_directory: str, run_id: str) -> None:
        self._working_directory = working_directory
        self._directory = to_text(working_directory)
        self._places = Places(working_directory)
        self._run_id = run_id
        self._files: dict[str, FileOnDisk] = {}

    def path(self, target: str) -> str:
        return target if "://" in target else self._places.path(target)

    def objection(self, one: Stored, failed_on_s: float | None) -> Reason | None:
        """Return why an output is not taken in, or None."""
        if "://" in one.target:
            return Reason.REMOTE
        if one.incomplete:
            return Reason.INCOMPLETE
        if one.endtime is None or one.rule is None:
            return Reason.UNDATED
        file = self._file(one.target)
        if file.kind == "missing":
            return Reason.GONE
        if failed_on_s is not None and failed_on_s >= int(one.endtime):
            return Reason.FAILED
        return None if file.was_left_at(one.endtime) else Reason.CHANGED

    def job(self, outputs: Sequence[Stored], *, left_out: int) -> JobRecord:
        """Return the record of the job that made `outputs`, which are unchanged since."""
        first = max(outputs, key=lambda one: one.endtime or 0)
        end_s = first.endtime or 0.0
        start_s = min((one.starttime for one in outputs if one.starttime is not None), default=None)
        if start_s is not None and start_s > end_s:  # Snakemake did not know it either
            start_s = None
        notes = [UNKNOWN]
        if left_out:
            notes.append(f"{left_out} other output{'s are' if left_out > 1 else ' is'} not as the job left them.")
        declared = {"container": first.container_img_url} if first.container_img_url else {}
        if declared or first.conda_env is not None:
            named = [
                name
                for name, is_named in (("a conda environment", first.conda_env), ("a container", declared))
                if is_named
            ]
            notes.append(f"Its rule names {' and '.join(named)}; whether it was active is not known.")
        kind, script = _code(first)
        return JobRecord(
            id=self._id(outputs),
            run_id=self._run_id,
            rule=first.rule or "unknown",
            status="backfilled",
            kind=kind,
            params={str(number): _value(value) for number, value in enumerate(first.params or ())},
            inputs=list(self._inputs(first, end_s if start_s is None else start_s, notes)),
            outputs=[self._fact(one.target) for one in outputs],
            shellcmd=_cut(first.shellcmd),
            script=script,
            logs=[self._log(one, start_s, end_s) for one in first.log or ()],
            external_job_id=first.external_jobid,
            declared_environments=declared,
            started_on=_moment(start_s),
            ended_on=_moment(end_s),
            incomplete=notes,
        )

    def _inputs(self, job: Stored, bound_s: float, notes: list[str]) -> Iterator[FileFact]:
        for target in job.input or ():
            if target in _STREAMS:
                notes.append(f"It read a {target.strip('<>')}.")
            elif "://" in target:
                yield FileFact(path=target, kind="unknown", storage_query=target)
            elif self._is_what_was_read(target, bound_s, (job.input_checksums or {}).get(target)):
                yield self._fact(target)
            else:
                yield FileFact(path=self.path(target), kind="unknown")

    def _log(self, target: str, start_s: float | None, end_s: float) -> FileFact:
        """Return the present state of a log that was last written while its job ran; for others only the path."""
        file = self._file(target)
        seen = file.fingerprint
        if start_s is not None and seen is not None and start_s <= seen.mtime_ns / 1e9 <= end_s + LOG_GAP_S:
            return self._fact(target)
        return FileFact(path=self.path(target), kind="unknown")

    def _is_what_was_read(self, target: str, bound_s: float, checksum: object) -> bool:
        file = self._file(target)
        if file.kind == "file" and isinstance(checksum, str):
            algorithm, colon, expected = checksum.rpartition(":")
            if not colon or algorithm == "sha256":
                digest = file.digest()
                return digest is not None and digest.sha256 == expected
        return file.kind in ("file", "directory") and file.newest_s() <= bound_s

    def _fact(self, target: str) -> FileFact:
        file = self._file(target)
        return FileFact(
            path=self.path(target),
            flags=["directory"] if file.kind == "directory" else [],
            kind=file.kind,
            fingerprint=file.fingerprint,
            symlink_target=None if file.symlink_target is None else to_text(file.symlink_target),
        )

    def _file(self, target: str) -> FileOnDisk:
        file = self._files.get(target)
        if file is None:
            path = os.path.join(self._working_directory, target)  # noqa: PTH118  once for each file
            file = self._files[target] = FileOnDisk(path)
        return file

    def _id(self, outputs: Sequence[Stored]) -> str:
        """Return an id that is the same whenever the same outputs of the same job are found here."""
        parts = [self._directory, outputs[0].rule, *sorted(f"{one.endtime} {one.target}" for one in outputs)]
        return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _code(job: Stored) -> tuple[JobKind, str | None]:
    """Return the kind of a job, and the script as the rule names it."""
    if job.shellcmd is not None:
        return "shell", None
    named = _NAMED_CODE.fullmatch(job.code or "")
    if named is None:
        return ("run", None) if job.code else ("unknown", None)
    literal = _value(named[2])
    return _KINDS[named[1]], literal if isinstance(literal, str) else _cut(named[2])


def _value(written: object) -> Any:
    """Return the value that a `repr` stands for where JSON has one like it, else the text itself."""
    if not isinstance(written, str):
        return written
    try:
        value = ast.literal_eval(written)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return _cut(written)
    if isinstance(value, int) and abs(value) >= INTEGER_LIMIT:
        return _cut(written)
    return value if isinstance(value, str | int | float | bool) or value is None else _cut(written)


def _cut(text: str | None) -> str | None:
    return text if text is None else text[:TEXT_CHARACTERS_MAX]


_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
