"""Places: where the records of a working directory are."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from snakeprov.disk.layout import DATABASE_NAME, OUTBOX_NAME, POINTER_NAME, own_folder
from snakeprov.errors import NoStoreError, StoreError
from snakeprov.settings import FILE_NAME, STORE_NAME, Settings, is_remote, load, read_file


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a store is, and what paths given to a command are relative to.

    Attributes:
        store: Folder of the embedded store, the URL of a server, or "synapse".
        root: The working directory of the recorded workflow, absolute.
        settings: The settings that hold there.
    """

    store: str
    root: Path
    settings: Settings


def store_of(settings: Settings, working_directory: Path) -> str:
    """Return the URL, or the absolute folder, of the store that `settings` names, or "synapse"."""
    if is_remote(settings.store):
        return settings.store
    return str(working_directory / Path(settings.store).expanduser())


def locate(start: Path, *, store: str | None = None, create: bool = False) -> Place:
    """Find the store for a command that was called in the folder `start`.

    `store`, then `SNAKEPROV_STORE`, say where it is; else the nearest folder upwards that holds a store, or
    whose `snakeprov.toml` names one; else the user's configuration. With `create` also a store that is yet to
    be made: the one that settings name, else one in `start`. One that `store` names has to be there all the same.

    Raises:
        NoStoreError: There is none.
        ConfigError: A setting on the way is wrong.
    """
    start = start.resolve()
    named = store or os.environ.get("SNAKEPROV_STORE")
    if named:
        return _named(named, start)
    for folder in (start, *start.parents):
        if "store" in read_file(folder / FILE_NAME, optional=folder != start):
            settings = load(folder)
            return _existing(store_of(settings, folder), root=folder, settings=settings, create=create)
        if _is_repository(own_folder(folder)):
            return Place(store=_follow(own_folder(folder)), root=folder, settings=load(folder))
    settings = load(start)
    if "store" in settings.origins or create:
        return _existing(store_of(settings, start), root=start, settings=settings, create=create)
    raise NoStoreError(
        f"There is no snakeprov store in {start} or in a folder above it.",
        hint="Run a workflow whose Snakefile says 'import snakeprov; snakeprov.track(workflow)', "
        "or name a store with --store.",
    )


def _named(store: str, start: Path) -> Place:
    if is_remote(store):
        return Place(store=store, root=start, settings=load(start))
    folder = (start / Path(store).expanduser()).resolve()
    if not _is_repository(folder) and _is_repository(own_folder(folder)):
        folder = own_folder(folder)
    root = folder.parent if folder.name == STORE_NAME else start
    return _existing(str(folder), root=root, settings=load(root))


def _existing(store: str, *, root: Path, settings: Settings, create: bool = False) -> Place:
    if not create and not is_remote(store) and not _is_repository(Path(store)):
        raise NoStoreError(
            f"There is no snakeprov store in {store}.",
            hint="The first run of a tracked workflow creates it. To use another store, add --store.",
        )
    return Place(store=store, root=root, settings=settings)


def _is_repository(folder: Path) -> bool:
    """Return whether `folder` holds a store.

    Raises:
        StoreError: It may not be looked into.
    """
    try:
        return (folder / DATABASE_NAME).exists() or (folder / OUTBOX_NAME).is_dir()
    except PermissionError as error:
        raise StoreError(
            f"The store {folder} is private: only its owner ({_owner_of(folder)}) may read it.",
            hint="The owner can open it: see 'Share a store in a lab folder' in snakeprov's documentation.",
        ) from error


def _owner_of(folder: Path) -> str:
    try:
        return folder.owner()
    except (KeyError, OSError):
        return "unknown"


def _follow(folder: Path) -> str:
    """Return where the records of the working directory that owns `folder` go."""
    try:
        return (folder / POINTER_NAME).read_text(encoding="utf-8").strip() or str(folder)
    except OSError:
        return str(folder)
