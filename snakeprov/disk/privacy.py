"""The permissions of the folders and files that snakeprov creates.

They are private to their owner (folders 0700, files 0600) unless their folder is shared on purpose. A folder is shared
where it has the set-group-ID bit: its parent passed the bit on, or `shared = "group"` set it. What is made in a shared
folder gives the group what the folder gives it. Permissions of what exists are never changed, so an owner may open or
close a store by hand, and what is made later in its subfolders has the permissions of the subfolder.

The umask is neither changed nor trusted: it belongs to the whole process, which may be Snakemake's.
"""

from __future__ import annotations

import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from snakeprov.disk.layout import IGNORE_NAME
from snakeprov.disk.shortage import in_words
from snakeprov.errors import StoreError

_IGNORE_FILE = "# snakeprov keeps its records here; do not commit them.\n*\n"
_GROUP = stat.S_IRWXG
_READ_WRITE = 0o666
_SHARED = stat.S_ISGID | stat.S_IRWXU | stat.S_IRWXG


def prepare_folder(folder: Path, *, shared: bool = False) -> None:
    """Make the folder of a store or of a working directory, with a `.gitignore` that keeps it out of git.

    Args:
        folder: The folder; its missing parents are made as the umask says.
        shared: Whether the group of the parent folder may read and write it. Has no effect on a folder that exists.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        make_folder(folder, shared=shared)
        ignore = folder / IGNORE_NAME
        if not ignore.exists():
            with open(ignore, "w", encoding="utf-8", opener=opener) as file:
                file.write(_IGNORE_FILE)
    except FileExistsError as error:
        raise StoreError(
            f"The folder {folder} cannot be made: {error.filename} is a file.", hint="Move the file away."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be made or written ({in_words(error)}).",
            hint="Make it writable, or set `store` to a folder that is.",
        ) from error


def make_folder(folder: Path, *, shared: bool = False, like: Path | None = None) -> None:
    """Make one folder; one that exists stays as it is.

    Args:
        folder: The folder; its parent must exist.
        shared: Whether the parent's group may read and write it.
        like: A folder of ours whose permissions it gets, instead of those that its parent passes on.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return
    parent = folder.parent.stat()
    mode = _SHARED if shared else _of_folder_in(parent.st_mode)
    if like is not None:
        mode = stat.S_IMODE(like.stat().st_mode)
    if mode == stat.S_IRWXU:
        folder.mkdir(mode, exist_ok=True)
        return
    # Under another name first: nobody may put a file into it before it has its permissions.
    unfinished = folder.with_name(f".new-{uuid.uuid4().hex}")
    unfinished.mkdir(stat.S_IRWXU)
    try:
        with suppress(OSError):  # not a member of that group, or a file system without owners
            if shared:
                os.chown(unfinished, -1, parent.st_gid)
        with suppress(OSError):
            unfinished.chmod(mode)
        unfinished.rename(folder)
    except OSError:
        unfinished.rmdir()
        if not folder.is_dir():  # another process made it first
            raise


def opener(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file in a folder of ours, as the `opener` of the built-in `open`; a new one gets the right permissions."""
    return create(path, flags, file_mode(Path(path).parent))


def create(path: str | os.PathLike[str], flags: int, mode: int) -> int:
    """Open a file, make it with exactly the permissions `mode` where it is missing, and return its descriptor.

    Raises:
        OSError: It cannot be opened or made.
    """
    flags |= os.O_CREAT | os.O_CLOEXEC
    narrow = mode & stat.S_IRWXU
    try:
        descriptor = os.open(path, flags | os.O_EXCL, narrow)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
        return os.open(path, flags, narrow)
    if mode != narrow:
        with suppress(OSError):  # a file system without permissions
            os.fchmod(descriptor, mode)
    return descriptor


def file_mode(folder: Path) -> int:
    """Return the permissions of a new file in the folder of a store or working directory."""
    return stat.S_IRUSR | stat.S_IWUSR | (_of_folder_in(folder.stat().st_mode) & _GROUP & _READ_WRITE)


def file_mode_like(folder: Path) -> int:
    """Return the permissions of a new file in a folder that `make_folder` made: those who may read it are the same."""
    return stat.S_IRUSR | stat.S_IWUSR | (folder.stat().st_mode & _READ_WRITE)


def copied_mode(source: os.stat_result, folder: os.stat_result) -> int:
    """Return the permissions of a read-only copy of a file in a folder of ours: never more than the file's own.

    A permission of the group counts only where it is the same group, or where everybody has it.
    """
    allowed = source.st_mode & 0o444
    if source.st_gid != folder.st_gid and not source.st_mode & stat.S_IROTH:
        allowed &= ~stat.S_IRGRP
    return stat.S_IRUSR | (allowed & folder.st_mode)


def _of_folder_in(parent_mode: int) -> int:
    """Return the permissions of a new folder whose parent has the mode `parent_mode`."""
    if not parent_mode & stat.S_ISGID or not parent_mode & _GROUP:
        return stat.S_IRWXU
    return stat.S_ISGID | stat.S_IRWXU | (parent_mode & _GROUP)
