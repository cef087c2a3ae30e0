"""What is seen of a path on disk, without opening it, and of a job between its start and its end."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from typing import Any

import msgspec

from snakeprov.disk.files import from_stat
from snakeprov.model.paths import TIMESTAMP, to_text
from snakeprov.model.records import CodeFact, FileFact, FileKind, Fingerprint
from snakeprov.plugin.holding import Holding
from snakeprov.plugin.problems import Gaps


class FileStatus(msgspec.Struct, frozen=True):
    """What `lstat`, and `stat` for a link, said of a path; `mode` are the permissions of a regular file."""

    kind: FileKind
    fingerprint: Fingerprint | None = None
    symlink_target: str | None = None
    mode: int | None = None


MISSING = FileStatus("missing")


def look(path: str) -> FileStatus:
    """Return what is at `path`, links followed. One system call for a regular file; never raises, never opens."""
    target = None
    try:
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode):
            return FileStatus("file", from_stat(status), None, status.st_mode & 0o777)
        if stat.S_ISLNK(status.st_mode):
            target = to_text(os.readlink(path))  # noqa: PTH115  hot path
            status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return FileStatus("missing", None, target) if target is not None else MISSING
    if stat.S_ISREG(status.st_mode):
        return FileStatus("file", from_stat(status), target, status.st_mode & 0o777)
    if stat.S_ISDIR(status.st_mode):
        return FileStatus("directory", from_stat(status), target)
    return FileStatus("other", None, target)


def stamp(path: str) -> Fingerprint | None:
    """Return what `stat` says of the file or directory at `path`, links followed; None for anything else."""
    try:
        status = os.stat(path)  # noqa: PTH116  hot path
    except (OSError, ValueError):
        return None
    return from_stat(status) if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) else None


def shown_from(cache: str, path: str) -> str | None:
    """Return the folder below `cache` that the directory at `path` shows, each member being a link to one of it.

    So Snakemake's cache between workflows hands out a directory.
    """
    folders = set()
    try:
        with os.scandir(path) as members:
            for member in members:
                if member.name != TIMESTAMP:
                    folders.add(os.path.dirname(os.readlink(member.path)))  # noqa: PTH115, PTH120  of text
    except OSError:
        return None  # not a directory, or a member that is not a link
    folder = folders.pop() if len(folders) == 1 else ""
    return to_text(folder) if folder.startswith(os.path.join(cache, "")) else None  # noqa: PTH118


class LiveJob(msgspec.Struct):
    """What was seen of a job between its start and its end. Times are seconds since 1970.

    `is_plain` says that none of its files has any of Snakemake's flags, and that its code is files of this machine.
    From `number` to `shellcmd` it is what Snakemake said, if it did. `gaps` are failures of capture; `notes` are what
    no capture could have known. `left` are inode and time of modification of the outputs as the job left them, before
    Snakemake touches them; `doubtful` are paths that the job may or may not have found. `beside` are the
    jobs that are still live when it ends.
    """

    code: list[CodeFact]
    submitted_s: float
    seen: list[Fingerprint | None] = []
    left: dict[str, tuple[int, int]] = {}
    beside: Collection[Any] = ()
    is_plain: bool = False
    before_update: dict[str, FileFact] = {}
    group: str | None = None
    number: Any = None
    threads: Any = None
    priority: Any = None
    resources: Any = None
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
    stored: dict[str, FileStatus] = {}
    holding: Holding | None = None
    doubtful: frozenset[str] = frozenset()
    gaps: Gaps = msgspec.field(default_factory=Gaps)
    notes: list[str] = []
