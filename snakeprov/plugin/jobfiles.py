"""The files of a job as it begins and as it ends: Snakemake's own account of them, and what is there on disk.

The outputs of a job that succeeded are held for their digests, and so are inputs that Snakemake is about to delete and
files that a job is about to change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Set
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from snakeprov.capture.places import Places
from snakeprov.model.held import before_key, input_key, output_key
from snakeprov.model.records import FileFact, Fingerprint, JobStatus
from snakeprov.plugin.holding import Holding
from snakeprov.plugin.observation import FileStatus, LiveJob, look, shown_from, stamp
from snakeprov.plugin.represent import encodable

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

SOURCE_COPY = "sourcecache_entry"
"""Snakemake's flag of a copy in its source cache; the value is the path or URL of the source."""

_STREAM = FileStatus("other")

_RAN: frozenset[JobStatus] = frozenset({"success", "failed", "retried"})
"""Status of jobs that ran to their end, and so may have written logs."""

CLOCK_SKEW_S = 1.0
"""How far the clock of a file system may be behind that of this machine."""


class JobFiles:
    """The files of the jobs of one run. Not thread-safe: Snakemake calls from under its scheduler's lock.

    Attributes:
        places: Gives the recorded form of a path.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self._cache = os.environ.get(CACHE_VARIABLE)
        self._temporary: set[tuple[int, int, int]] = set()

    def path(self, path: str) -> str:
        """Return the text form of one of Snakemake's paths, relative to the working directory."""
        return self.places.path(str.__str__(path))

    def inputs(self, job: Any, live: LiveJob) -> list[FileFact]:
        """Return the inputs of `job` as they are now, or as they were before it changed them."""
        facts = self._files(job.input, live)
        if live.doubtful:
            facts = [
                replace(fact, kind="unknown", fingerprint=None) if str.__str__(one) in live.doubtful else fact
                for one, fact in zip(job.input, facts, strict=True)
            ]
        for number, (fact, seen) in enumerate(zip(facts, live.seen, strict=False)):
            if seen is not None and fact.fingerprint != seen:
                is_shared = any(_names_file(other, fact.path, self.path) for other in live.beside)
                facts[number] = replace(fact, fingerprint_before=seen, is_shared=is_shared)
        if live.holding is not None:
            self._hold_inputs(job, facts, live, live.holding)
        return _as_before(facts, live.before_update) if live.before_update else facts

    def outputs(self, job: Any, live: LiveJob) -> list[FileFact]:
        """Return the outputs of `job` as they are now."""
        facts = self._files(job.output, live)
        if live.holding is not None:
            live.gaps.ask("holding outputs", None, self._hold_outputs, job, facts, live, live.holding)
        return facts

    def stored(self, job: Any, live: LiveJob, holding: Callable[[], Holding]) -> None:
        """Look at the local copies of storage objects, which are about to be uploaded and removed, and hold them."""
        for key_of, files in ((input_key, job.input), (output_key, job.output)):
            for number, one in enumerate(files):
                if one.flags and one.is_storage:
                    path = str.__str__(one)
                    seen = live.stored[path] = look(path)
                    if seen.fingerprint is not None and seen.kind == "file":
                        holding().file(key_of(number), path, seen.fingerprint, vanishes=True, any_time=True)
                    elif seen.kind == "directory":
                        holding().directory(key_of(number), path, vanishes=True)
        if live.holding is not None:
            live.holding.send()

    def _hold_outputs(self, job: Any, facts: list[FileFact], live: LiveJob, holding: Holding) -> None:
        """Hold outputs; put into `facts` what directories hold, and digests that had to be made here."""
        for number, (one, fact) in enumerate(zip(job.output, facts, strict=True)):
            path = str.__str__(one)
            fingerprint = fact.fingerprint
            if fingerprint is not None and path not in live.stored:
                vanishes = "temp" in fact.flags
                if vanishes:
                    self._temporary.add((fingerprint.device, fingerprint.inode, fingerprint.mtime_ns))
                if fact.kind == "file":
                    moved_from_ns = _moved_from(path, fingerprint, live) if path in live.left else None
                    holding.file(output_key(number), path, fingerprint, vanishes=vanishes, moved_from_ns=moved_from_ns)
                elif not (self._cache and fact.symlink_target):
                    listing = holding.directory(output_key(number), path, vanishes=vanishes)
                    facts[number] = replace(fact, listing=listing)
        holding.send()
        _note_digests(facts, holding, output_key)

    def _hold_inputs(self, job: Any, facts: list[FileFact], live: LiveJob, holding: Holding) -> None:
        """Hold temporary inputs that no job of this run has made; of temporary directories note what is in them."""
        temporary = live.gaps.ask("temporary inputs", frozenset(), temporary_inputs, job)
        for number, (one, fact) in enumerate(zip(job.input, facts, strict=True)):
            path = str.__str__(one)
            fingerprint = fact.fingerprint
            if path in temporary and fingerprint is not None and path not in live.stored:
                is_held = (fingerprint.device, fingerprint.inode, fingerprint.mtime_ns) in self._temporary
                if fact.kind == "directory":
                    listing = holding.directory(input_key(number), path, vanishes=not is_held, is_held=is_held)
                    facts[number] = replace(fact, listing=listing)
                elif not is_held:
                    holding.file(input_key(number), path, fingerprint, vanishes=True)
        if temporary:
            holding.send()
        _note_digests(facts, holding, input_key)

    def logs(self, job: Any, live: LiveJob, status: JobStatus) -> list[FileFact]:
        """Return the logs of `job` as they are now; only the paths where it did not write them."""
        if status not in _RAN:
            return [FileFact(path=self.path(one), kind="unknown") for one in job.log]
        return [_if_written(fact, live) for fact in self._files(job.log, live)]

    def benchmark(self, job: Any, live: LiveJob, status: JobStatus) -> FileFact:
        """Return the benchmark file of `job` as it is now; only its path where it did not write it."""
        if status not in _RAN:
            return FileFact(path=self.path(job.benchmark), kind="unknown")
        return _if_written(self._flagged(job.benchmark, str.__str__(job.benchmark), None, live), live)

    def _files(self, files: Any, live: LiveJob) -> list[FileFact]:
        names = _names(files)
        is_plain = not live.streams and not self._cache
        facts = []
        for number, one in enumerate(files):
            name = names.get(number)
            path = str.__str__(one)
            if is_plain and not one.flags:
                seen = look(path)
                facts.append(
                    FileFact(
                        path=self.places.path(path),
                        name=name,
                        kind=seen.kind,
                        fingerprint=seen.fingerprint,
                        symlink_target=seen.symlink_target,
                        mode=seen.mode,
                    )
                )
            else:
                facts.append(self._flagged(one, path, name, live))
        return facts

    def _flagged(self, file: Any, path: str, name: str | None, live: LiveJob) -> FileFact:
        flags = file.flags
        if SOURCE_COPY in flags:
            return self._source(str(flags[SOURCE_COPY]), path, name)
        seen = _STREAM if path in live.streams else live.stored.get(path) or look(path)
        target = seen.symlink_target
        if self._cache and seen.kind == "directory" and target is None:
            target = shown_from(self._cache, path)
        return FileFact(
            path=self.path(path),
            name=name,
            flags=sorted(flag for flag in flags if flag in FLAGS and flags[flag]),
            kind=seen.kind,
            fingerprint=seen.fingerprint,
            storage_query=storage_query(file),
            symlink_target=target,
            mode=seen.mode,
        )

    def _source(self, source: str, copy: str, name: str | None) -> FileFact:
        """Return what `workflow.source_path()` names; a job reads a copy of it that lies in another place each time.

        The copy holds what the source does now if the source has not changed since the copy was made.
        """
        copied = look(copy)
        if "://" in source:
            return FileFact(
                path=self.path(copy), name=name, kind=copied.kind, fingerprint=copied.fingerprint, storage_query=source
            )
        seen, then = look(source).fingerprint, copied.fingerprint
        if seen is None or then is None or seen.size_bytes != then.size_bytes or seen.ctime_ns > then.ctime_ns:
            return FileFact(path=self.path(source), name=name, kind="unknown")
        return FileFact(path=self.path(source), name=name, fingerprint=seen)


def _as_before(facts: list[FileFact], before: dict[str, FileFact]) -> list[FileFact]:
    """Return the inputs of a job as they were before it changed them.

    A rule does not name among its inputs what it updates, but that is what the new version comes from.
    """
    named = {fact.path for fact in facts}
    return [
        *(_changed(fact, before[fact.path]) if fact.path in before else fact for fact in facts),
        *(fact for path, fact in before.items() if fact.kind != "missing" and path not in named),
    ]


def _changed(fact: FileFact, before: FileFact) -> FileFact:
    """Return an input as it was before its job changed it."""
    return replace(
        fact,
        flags=sorted({*fact.flags, *before.flags}),
        kind=before.kind,
        fingerprint=before.fingerprint,
        fingerprint_before=None,
        digest=before.digest,
    )


def _note_digests(facts: list[FileFact], holding: Holding, key_of: Callable[[int], str]) -> None:
    """Put into `facts` the digests of files that had to be digested here."""
    for number, fact in enumerate(facts) if holding.digests else ():
        digest = holding.digests.get(key_of(number))
        if digest is not None:
            facts[number] = replace(fact, digest=digest)


def _if_written(fact: FileFact, live: LiveJob) -> FileFact:
    """Return a log as the job left it, or only its path where the file is older than the job."""
    seen = fact.fingerprint
    if seen is not None and seen.mtime_ns < (live.submitted_s - CLOCK_SKEW_S) * 1e9:
        return FileFact(path=fact.path, name=fact.name, kind="unknown")
    return fact


def _names_file(job: Any, path: str, path_of: Callable[[str], str]) -> bool:
    """Return whether a job has a file among its inputs or outputs."""
    return any(path_of(one) == path for files in (job.input, job.output) for one in files)


def streams_of(group: Any) -> frozenset[str]:
    """Return the paths of the pipes and sockets through which the members of a group talk."""
    return frozenset(str.__str__(path) for member in group for path in member.pipe_or_service_output)


def look_at_end(job: Any, live: LiveJob) -> None:
    """Take inode and time of the outputs of a job that reads something, before Snakemake touches them."""
    if live.seen:
        for one in job.output:
            path = str.__str__(one)
            with suppress(OSError, ValueError):
                status = os.lstat(path)
                live.left[path] = (status.st_ino, status.st_mtime_ns)


def _moved_from(path: str, fingerprint: Fingerprint, live: LiveJob) -> int | None:
    """Return the time of modification of the input that an output is, if the job did no more than rename it."""
    inode, mtime_ns = live.left.get(path, (0, 0))
    for seen in live.seen if inode == fingerprint.inode else ():
        if seen is not None and (seen.inode, seen.mtime_ns) == (inode, mtime_ns):
            is_same = (seen.device, seen.size_bytes) == (fingerprint.device, fingerprint.size_bytes)
            return mtime_ns if is_same else None
    return None


def temporary_inputs(job: Any) -> Set[str]:
    """Return the paths of the inputs that Snakemake deletes once no job needs them any more."""
    return frozenset(
        str.__str__(one)
        for dependency, files in getattr(job.dag, "dependencies", {}).get(job, {}).items()
        for one in dependency.output
        if one.flags and "temp" in one.flags and one in files
    )


def look_at_start(job: Any, live: LiveJob) -> bool:
    """Take the fingerprints of the inputs, none of a rule that only names them; return whether a file has flags."""
    are_flagged = False
    reads = not job.rule.norun
    for one in job.input:
        if one.flags:
            are_flagged = True
        if reads:
            live.seen.append(None if SOURCE_COPY in one.flags else stamp(str.__str__(one)))
    for one in job.output:
        if one.flags:
            are_flagged = True
    return are_flagged


def _names(files: Any) -> dict[int, str]:
    names: dict[int, str] = {}
    if not files._names:
        return names
    for name, (start, end) in files._get_names():
        for number in range(start, start + 1 if end is None else end):
            names[number] = encodable(name)
    return names


def before_update(job: Any, path_of: Callable[[str], str], holding: Callable[[], Holding]) -> dict[str, FileFact]:
    """Return, by path, what is there now of the files that `job`, or one after it, is to update; they are held.

    A file that is too large to be read at once may be changed before it is digested; then its digest is known only if
    it was read before.
    """
    facts = {}
    for files, flag in ((job.input, "before_update"), (job.output, "update")):
        for one in files:
            if one.flags and flag in one.flags:
                fact = _seen(str.__str__(one), path_of, holding)
                facts[fact.path] = fact
    if facts:
        held = holding()
        held.send()
        for path, digest in ((path, held.digests.get(before_key(path))) for path in facts):
            if digest is not None:
                facts[path] = replace(facts[path], digest=digest)
    return facts


def _seen(path: str, path_of: Callable[[str], str], holding: Callable[[], Holding]) -> FileFact:
    seen = look(path)
    recorded, listing = path_of(path), None
    if seen.fingerprint is not None and seen.kind == "file":
        holding().file(before_key(recorded), path, seen.fingerprint, changes=True)
    elif seen.kind == "directory":
        listing = holding().directory(before_key(recorded), path)
    return FileFact(
        path=recorded,
        flags=["before_update"],
        kind=seen.kind,
        fingerprint=seen.fingerprint,
        listing=listing,
        symlink_target=seen.symlink_target,
    )


def storage_query(file: Any) -> str | None:
    """Return the query of a storage object, in the form that Snakemake shows; None of any other file."""
    if not file.is_storage:
        return None
    stored = file.storage_object
    return encodable(str(getattr(stored, "print_query", None) or stored.query))
