"""The project under which the files of a working directory are recorded.

A working directory is a project with an identity of its own, minted once and kept in its `.snakeprov/`. So it stays the
same project wherever it is moved, two directories of one name are two projects, and a copy with its `.snakeprov/` is
the same project. In each store the project has a name, which is the directory's unless another project has that name;
the directory notes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import msgspec

from snakeprov.disk.layout import OWN_STORE, PROJECT_NAME, noted_store, own_folder
from snakeprov.disk.privacy import opener, prepare_folder
from snakeprov.disk.replacing import complete
from snakeprov.errors import StoreError
from snakeprov.model.paths import to_text
from snakeprov.settings import Settings


class StoredProject(msgspec.Struct, frozen=True, rename="camel"):
    """What a project is in one store: an entity and its name."""

    entity_id: str
    name: str


class Note(msgspec.Struct, frozen=True):
    """What a working directory knows of its project: its identity, and what it is in each store."""

    identity: str
    stores: dict[str, StoredProject] = {}


def project_of(settings: Settings, working_directory: Path, store: str) -> str:
    """Return the project that is set; else the one noted in the working directory; else the directory's name.

    Args:
        settings: The settings that hold there.
        working_directory: Of the workflow, absolute.
        store: Where the records go: the folder or the URL.
    """
    if settings.project is not None:
        return settings.project
    noted = noted_project(working_directory, store)
    return noted.name if noted is not None else to_text(working_directory.name) or "/"


def identity_of(settings: Settings, working_directory: Path) -> str | None:
    """Return the identity of the project that a working directory is, minted now if it has none.

    Returns:
        None where a project is set, which others may share, or where nothing can be written.
    """
    if settings.project is not None:
        return None
    place = own_folder(working_directory) / PROJECT_NAME
    note = _read(working_directory)
    if note is not None:
        return note.identity
    with suppress(OSError, StoreError):
        prepare_folder(place.parent, shared=settings.is_shared)
        identity = uuid4().hex
        _write(place, Note(identity), replace=place.exists())
    note = _read(working_directory)  # another process may have been first
    return None if note is None else note.identity


def noted_identity(working_directory: Path) -> str | None:
    """Return the identity of the project that a working directory is, or None; nothing is written."""
    note = _read(working_directory)
    return None if note is None else note.identity


def noted_project(working_directory: Path, store: str) -> StoredProject | None:
    """Return what a working directory has noted of its project in a store, or None."""
    note = _read(working_directory)
    return None if note is None else note.stores.get(noted_store(working_directory, store))


def note_project(working_directory: Path, store: str, identity: str, stored: StoredProject) -> None:
    """Note in a working directory what its project is in a store; where it cannot be written it is done without."""
    note = _read(working_directory)
    key = noted_store(working_directory, store)
    if note is not None and note.identity == identity and note.stores.get(key) != stored:
        with suppress(OSError):
            place = own_folder(working_directory) / PROJECT_NAME
            _write(place, Note(identity, {**note.stores, key: stored}), replace=True)


def is_own(working_directory: Path, store: str) -> bool:
    """Return whether a store is the working directory's own."""
    return noted_store(working_directory, store) == OWN_STORE


def names_of(name: str, identity: str) -> Iterator[str]:
    """Yield the names that a project may have in a store, the best first: others may have those before.

    >>> list(names_of("analysis", "3f9a1c" + "0" * 26))[:2]
    ['analysis', 'analysis (3f9a1c)']
    """
    yield name
    for length in (6, 12, len(identity)):
        yield f"{name} ({identity[:length]})"


def _read(working_directory: Path) -> Note | None:
    try:
        return msgspec.json.decode((own_folder(working_directory) / PROJECT_NAME).read_bytes(), type=Note)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _write(place: Path, note: Note, *, replace: bool) -> None:
    """Write a note whole; without `replace` only if there is none."""
    with complete(place, replace=replace) as temporary, open(temporary, "xb", opener=opener) as file:
        file.write(msgspec.json.format(msgspec.json.encode(note), indent=2) + b"\n")
