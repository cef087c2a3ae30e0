"""Write a file or a directory completely or not at all.

Everything is written beside the place where it belongs and checked there; a rename puts it into place. If that fails
in the middle, because the disk is full say, what was there before still is.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from snakeprov.disk.files import Hasher
from snakeprov.disk.shortage import in_words
from snakeprov.errors import NotWrittenError, RemoteError
from snakeprov.model.manifest import Entry
from snakeprov.model.paths import to_os, to_text

MARK = ".snakeprov-"
"""What the names of things that are not finished begin with."""


def publish(unfinished: Path, path: Path) -> bool:
    """Give the complete file `unfinished` the name `path` unless that is taken; return whether it got the name.

    `unfinished` may keep its own name too; the caller removes it.

    Raises:
        OSError: The folder cannot be written.
    """
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links: a rename is the next best thing.
        if path.exists():
            return False
        unfinished.rename(path)
    return True


@contextmanager
def complete(place: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a path beside `place` to write a file to, which gets its name at the end; else it is removed.

    Without `replace` a file that has the name by then is left.

    Raises:
        OSError: The folder cannot be written.
    """
    temporary = _beside(place)
    try:
        yield temporary
        if replace:
            temporary.replace(place)
        else:
            publish(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def written(place: Path) -> Iterator[Path]:
    """Do as `complete` for a file of the user, whose folder is made.

    Raises:
        NotWrittenError: The folder cannot be written, or no space is left.
    """
    with _explained(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with complete(place) as temporary:
            yield temporary


def fill(
    place: Path,
    chunks: Iterable[bytes],
    *,
    sha256: str | None,
    md5: str | None,
    mode: int | None = None,
    durable: bool = True,
) -> None:
    """Write a new file, and force it onto the disk if it is to be durable.

    Its permissions are those of `mode` without what the user's umask takes away.

    Raises:
        RemoteError: The bytes do not have the given digest.
        OSError: It cannot be written.
    """
    hasher = Hasher(md5=sha256 is None)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(place, flags, 0o666 if mode is None else mode & 0o777)  # the kernel applies the umask
    with os.fdopen(descriptor, "wb") as stream:
        for chunk in chunks:
            hasher.update(chunk)
            stream.write(chunk)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    if not (sha256 or md5):
        raise RemoteError(
            "What the store gave cannot be compared with anything: no digest of it is recorded.",
            hint="Nothing was changed.",
        )
    digest = hasher.digest()
    found = digest.sha256 if sha256 else digest.md5
    if found != (sha256 or md5):
        raise RemoteError(
            f"What the store gave is not what was recorded: its digest is {found}, not {sha256 or md5}.",
            hint="Nothing was changed. 'snakeprov fsck' tells what is damaged.",
        )


def take_mode(place: Path, temporary: Path, *, mode: int | None) -> None:
    """Let nobody else read or write a new file who may not do so with the regular file that it will replace.

    Args:
        place: What it replaces, if there is anything.
        temporary: The new file.
        mode: The permissions that are recorded of it; None: it takes those of what it replaces.
    """
    try:
        status = place.lstat()
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode):
        return
    present = stat.S_IMODE(status.st_mode)
    if mode is None:
        temporary.chmod(present)
        return
    others = present & 0o066
    others |= (others & 0o044) >> 2  # those who may read a program may run it, if it is one
    temporary.chmod(stat.S_IMODE(temporary.stat().st_mode) & (0o700 | others))


def replace_directory(
    place: Path, entries: Iterable[Entry], content: Callable[[str], Iterable[bytes]], *, durable: bool = True
) -> list[Entry]:
    """Put a directory with these members into place, instead of whatever is there; return those that cannot be made.

    Args:
        place: Where.
        entries: The members, as a manifest that has been read has them: no path leads out of the directory.
        content: Gives the bytes of a sha256.
        durable: Whether every file is forced onto the disk before anything is replaced.

    Raises:
        NotWrittenError: It cannot be written, or no space is left; what was there is unchanged.
        RemoteError: Bytes are not those of their digest; what was there is unchanged.
    """
    temporary = _beside(place)
    with _explained(place):
        temporary.mkdir(parents=True)
        try:
            impossible = [
                entry for entry in entries if not _made(temporary / to_os(entry.path), entry, content, durable=durable)
            ]
            swap(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return impossible


def _made(place: Path, entry: Entry, content: Callable[[str], Iterable[bytes]], *, durable: bool) -> bool:
    # The directory is new and nobody else's, and no member lies below a link: nothing leads out of it.
    place.parent.mkdir(parents=True, exist_ok=True)
    match entry.type:
        case "file":
            chunks = content(entry.sha256 or "")
            fill(
                place, chunks, sha256=entry.sha256, md5=None, mode=0o777 if entry.executable else None, durable=durable
            )
        case "symlink":
            place.symlink_to(to_os(entry.target or ""))
        case "directory":
            place.mkdir()
        case _:
            return False
    return True


def swap(new: Path, place: Path) -> None:
    """Put a directory into place, and remove what was there; if that fails, what was there is there again.

    Raises:
        OSError: It cannot be renamed.
    """
    if not os.path.lexists(place):
        new.rename(place)
        return
    old = _beside(place)
    place.rename(old)
    try:
        new.rename(place)
    except OSError:
        old.rename(place)
        raise
    if old.is_symlink() or not old.is_dir():
        old.unlink()
    else:
        shutil.rmtree(old, ignore_errors=True)


def _beside(place: Path) -> Path:
    return place.with_name(MARK + uuid.uuid4().hex)


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWrittenError(
            f"{to_text(place)} could not be written: {in_words(error)}.",
            hint="What was there is unchanged. Free some space, or check the permissions of its folder.",
        ) from error
