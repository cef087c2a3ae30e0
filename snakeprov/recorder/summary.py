"""What a run's recording came to, as the one line that ends a workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from snakeprov.errors import ApiError, SnakeprovError

EDITED_PATHS_MAX: Final = 10
"""Files that are named, of those that were edited by hand."""

UNREAD_NAMED_MAX: Final = 3
"""Files that the line at the end of a run names, of those that could not be read."""


EDITED_PATHS_SHOWN_MAX = 3
"""More of them than this are only counted at the end of a run."""


class Tally(msgspec.Struct):
    """How many of what a plan records, for the line at the end of a run.

    Attributes:
        jobs: Jobs.
        failed: Those of them that failed or were interrupted.
        versions: Versions made by them.
        reproduced: Versions that they wrote again, byte for byte.
        reused: Outputs that were taken from the cache between workflows.
        adopted: Versions that were there before and turned out to be what a job makes.
        without_bytes: Versions whose bytes are not kept.
        gone: Versions whose digest is known, and whose bytes were moved, changed or deleted before they could be kept.
        unread: Files that could not be read, or that had changed before they were.
        unread_paths: The first of them, and why.
        put_back: Files that were found with the content of an earlier version of theirs.
        edited: Files that were found with other bytes than their job wrote, which no recorded job did.
        edited_paths: Some of these, each once.
        changed: Such files that changed while a job ran, which may have done it.
        changed_paths: Some of these, each once, with the rule of the job.
    """

    jobs: int = 0
    failed: int = 0
    versions: int = 0
    reproduced: int = 0
    reused: int = 0
    adopted: int = 0
    without_bytes: int = 0
    gone: int = 0
    unread: int = 0
    unread_paths: list[str] = []
    put_back: int = 0
    edited: int = 0
    edited_paths: list[str] = []
    changed: int = 0
    changed_paths: list[str] = []

    def merge(self, other: Tally) -> None:
        """Count what another has counted as well."""
        for name, value in msgspec.structs.asdict(other).items():
            setattr(self, name, getattr(self, name) + value)
        self.edited_paths = list(dict.fromkeys(self.edited_paths))[:EDITED_PATHS_MAX]
        self.changed_paths = list(dict.fromkeys(self.changed_paths))[:EDITED_PATHS_MAX]
        self.unread_paths = self.unread_paths[:UNREAD_NAMED_MAX]

    def edit(self, path: str, while_rule: str | None) -> None:
        """Count a file that somebody edited, or that changed while a job of a rule ran."""
        if while_rule is None:
            self.merge(Tally(edited=1, edited_paths=[path]))
        else:
            self.merge(Tally(changed=1, changed_paths=[f"{path} ({while_rule})"]))

    def miss(self, path: str, why: str) -> None:
        """Count a file that could not be read."""
        self.merge(Tally(unread=1, unread_paths=[f"{path} ({why})"]))


class Summary(msgspec.Struct):
    """What a run's recording came to.

    Attributes:
        run_id: The run.
        tally: What was recorded.
        pending: Job records that wait in the outbox.
        rejected: Job records that the store refused.
        lost: Job records that could be kept nowhere.
        recovered: Job records of earlier runs that were delivered now.
        elsewhere: Job records of earlier runs that wait for other stores, by store.
        problems: Each reason once, in words.
        restart: How the process ended that delivered first, where another had to take over: what of `tally` it
            delivered is known of `jobs` alone. Empty where it did not have to.
    """

    run_id: str
    tally: Tally = msgspec.field(default_factory=Tally)
    pending: int = 0
    rejected: int = 0
    lost: int = 0
    recovered: int = 0
    elsewhere: dict[str, int] = {}
    problems: list[str] = []
    restart: str = ""

    @property
    def shortfall(self) -> int:
        """How many things were not recorded as they should be."""
        return self.pending + self.rejected + self.lost + self.tally.unread or len(self.problems)

    @property
    def reason(self) -> str:
        """The first thing that was not recorded as it should be, in words; empty where all was."""
        if self.pending + self.rejected:
            return f"{_count(self.pending + self.rejected, 'job record')} could not be delivered"
        if self.lost:
            return f"{_count(self.lost, 'job record')} lost"
        return self._unread() if self.tally.unread else "".join(self.problems[:1])

    def _unread(self) -> str:
        paths = self.tally.unread_paths
        named = ", ".join([*paths, *(["…"] if self.tally.unread > len(paths) else [])])
        return f"{_count(self.tally.unread, 'file')} not recorded in full: {named}"

    def line(self, *, program: str = "snakeprov") -> str:
        """Return the summary as the one line that ends a workflow; `program` is how commands are called there."""
        line = f"snakeprov: {self._recorded(program)}."
        if self.tally.edited and not self.restart:
            written = "its job wrote it" if self.tally.edited == 1 else "their jobs wrote them"
            edited = _listed(self.tally.edited, self.tally.edited_paths)
            line += f" {_count(self.tally.edited, 'input')} edited by hand since {written}: {edited}."
        if self.tally.changed and not self.restart:
            changed = _listed(self.tally.changed, self.tally.changed_paths)
            ran = "a job" if self.tally.changed == 1 else "jobs"
            line += f" {_count(self.tally.changed, 'input')} changed while {ran} ran: {changed}."
        if self.recovered:
            line += f" Delivered {_count(self.recovered, 'job record')} of earlier runs."
        waiting = self.pending + self.rejected
        if waiting:
            line += f" {_count(waiting, 'job record')} could not be delivered and wait; later: {program} push."
        if self.lost:
            line += f" {_count(self.lost, 'job record')} lost."
        if self.elsewhere:
            line += f" {waiting_elsewhere(self.elsewhere, program=program)}"
        if self.restart:
            line += f" The process that delivers had to be started again ({self.restart})."
        if self.problems:
            line += f" Problem: {' '.join(self.problems)}"
        return line

    def _recorded(self, program: str) -> str:
        tally = self.tally
        if not tally.jobs:
            return "nothing was recorded"
        failed = f" ({tally.failed} failed)" if tally.failed and not self.restart else ""
        jobs = f"recorded {_count(tally.jobs, 'job')}{failed}"
        parts = [jobs if self.restart else f"{jobs}: {_count(tally.versions, 'new version')}"]
        if tally.reproduced and not self.restart:
            parts.append(f"{tally.reproduced} reproduced")
        if tally.reused and not self.restart:
            parts.append(f"{tally.reused} reused from the cache")
        if tally.adopted and not self.restart:
            parts.append(f"{_count(tally.adopted, 'earlier version')} traced to a job")
        if tally.put_back and not self.restart:
            parts.append(f"{_count(tally.put_back, 'input')} put back to an earlier version")
        if tally.without_bytes and not self.restart:
            parts.append(f"{tally.without_bytes} too large to keep")
        if tally.gone and not self.restart:
            parts.append(f"{tally.gone} moved or changed before the bytes could be kept")
        if tally.unread:
            parts.append(self._unread())
        return f"{', '.join(parts)} (run {self.run_id[:8]}; see: {program} log)"


def waiting_elsewhere(jobs: Mapping[str, int], *, program: str = "snakeprov") -> str:
    """Return in a sentence how many job records wait for other stores, and how they are delivered.

    >>> waiting_elsewhere({"https://prov.example.org": 2})
    '2 job records wait for https://prov.example.org; deliver them with: snakeprov push --store STORE.'
    """
    told = ", ".join(
        f"{_count(number, 'job record')} {'waits' if number == 1 else 'wait'} for {store}"
        for store, number in jobs.items()
    )
    them = "it" if sum(jobs.values()) == 1 else "them"
    return f"{told}; deliver {them} with: {program} push --store STORE."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(number: int, paths: Sequence[str]) -> str:
    named = [_printable(path) for path in paths[:EDITED_PATHS_SHOWN_MAX]]
    return ", ".join(named) + (f" and {number - len(named)} more" if number > len(named) else "")


def _printable(path: str) -> str:
    r"""Return a path in which no character acts on a terminal.

    >>> _printable("a\x1b[2J.txt"), _printable("données/ä.txt")
    ('a\\x1b[2J.txt', 'données/ä.txt')
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)


def explain(error: Exception) -> str:
    """Return why something could not be recorded, and what to do, as sentences."""
    if isinstance(error, ApiError):
        return f"The store answered {error.status}: {error.reason.rstrip('.')}."
    if isinstance(error, SnakeprovError):
        return str(error)
    return f"{type(error).__name__}: {error}."
