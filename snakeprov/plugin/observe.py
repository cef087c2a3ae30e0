"""What is there on disk for a file of a job, seen without opening it; and the tail of a log.

Must not know: jobs, Snakemake, digests.
"""

from __future__ import annotations

import os
import stat

import msgspec

from snakeprov.disk.files import from_stat
from snakeprov.model.paths import TIMESTAMP, to_text
from snakeprov.model.records import FileKind, Fingerprint


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
        return None  # not a directory, or a member that is no link
    folder = folders.pop() if len(folders) == 1 else ""
    return to_text(folder) if folder.startswith(os.path.join(cache, "")) else None  # noqa: PTH118


def tail(path: str, max_bytes: int) -> str:
    """Return the last `max_bytes` of the regular file at `path` as text; empty where it cannot be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  opening a FIFO would wake its writer
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    try:
        size_bytes = os.fstat(descriptor).st_size
        return os.pread(descriptor, max_bytes, max(0, size_bytes - max_bytes)).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
