"""Put everything of a run into a folder: its code, and the files that it read and wrote.

Where the git repository is at hand the folder has all files of the commit, with the run's patch applied; what was
recorded goes on top of that, because it is what was really read. Nothing is written outside of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from snakeprov.capture.git import export
from snakeprov.client.pages import every
from snakeprov.client.resources import IDS_MAX
from snakeprov.disk import replacing
from snakeprov.errors import (
    CaptureError,
    CorruptStoreError,
    ForbiddenError,
    NotFoundError,
    NotWrittenError,
    RemoteError,
    UsageError,
)
from snakeprov.model.answers import BY_PRODUCTS, Role, Version
from snakeprov.model.checkedout import CheckedOut, Item
from snakeprov.model.paths import is_in_repository, is_own_place, to_os, to_text
from snakeprov.model.records import code_paths
from snakeprov.workdir import lookup

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Run
    from snakeprov.model.records import StoredGit

FILES_MAX: Final = 1_000_000
"""How many files of a run are put into a folder."""

OUTSIDE: Final = "outside"
"""The folder of what lay outside of the working directory and of the work tree, by its absolute path."""

_RANK: Final[dict[Role, int]] = {"output": 0, "code": 1, "workflow": 2, "environment": 3, "input": 4}
"""What a file is called that is several things to the run."""


def check_out(client: Client, run: Run, folder: Path) -> CheckedOut:
    """Put a run into a folder.

    Args:
        client: The store.
        run: The run.
        folder: Absolute; new or empty.

    Raises:
        UsageError: The folder is not empty, or the run has more than `FILES_MAX` files.
        NotWrittenError: The folder cannot be written, or no space is left. What is in it by then stays.
        RemoteError: The store failed.
    """
    _require_empty(folder)
    result = CheckedOut(run=run, folder=to_text(folder))
    layout = _Layout(folder, run)
    items = _items(client, run.id, layout, result)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(f"{to_text(folder)} cannot be made: {error.strerror or error}.") from error
    _place_code(client, run, layout, result)
    result.work = layout.shown(layout.work)
    versions = _versions(client, items)
    for item in items:
        _place(client, item, versions, layout, result)
    return result


class _Layout:
    """Where things go below the folder.

    Attributes:
        root: Of the work tree whose files the folder has.
        work: The place of the working directory.
        taken: The places that have a file of the run.
        lay: Where code lay that is recorded by its git repository, by its recorded path.
    """

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder = folder
        self.root: str | None = None
        self.work = folder
        self.taken: set[Path] = set()
        self.lay: dict[str, str] = {}
        self._working_directory = to_os(run.working_directory or "/")

    def is_work_tree(self, root: str) -> None:
        """Say that the folder has the files of the work tree whose root was `root`."""
        self.root = root
        inside = _below(self._working_directory, root)
        self.work = self.folder / (OUTSIDE + self._working_directory if inside is None else inside)

    def place(self, path: str) -> Path | None:
        """Return where a recorded path goes; None where it leads out of the folder, or into one that a tool trusts."""
        path = self.lay.get(path, path)
        name = to_os(path.rstrip("/"))
        if not is_own_place(path.lstrip("/")):
            return None
        if name.startswith("/"):
            inside = None if self.root is None else _below(name, self.root)
            inside = os.path.join(OUTSIDE, name.lstrip("/")) if inside is None else inside  # noqa: PTH118
            place = self.folder / inside
        else:
            place = self.work / name
        normal = Path(os.path.normpath(place))
        return normal if normal != self.folder and normal.is_relative_to(self.folder) else None

    def shown(self, place: Path) -> str:
        """Return a place relative to the folder, as text."""
        return to_text(os.path.relpath(place, self.folder))

    def clear(self, place: Path) -> bool:
        """Make the folders of a place real ones: a link of the commit must not lead out. Return whether one was."""
        current, cleared = self.folder, False
        for name in place.parent.relative_to(self.folder).parts:
            current /= name
            if current.is_symlink() or (current.exists() and not current.is_dir()):
                current.unlink()
                cleared = True
        return cleared


def _items(client: Client, run_id: str, layout: _Layout, result: CheckedOut) -> list[Item]:
    """Return the files of a run, each path once: as it was last, and as an output if it is one."""
    found: dict[str, Item] = {}
    for done in every(lambda after: client.jobs.of_run(run_id, after=after)):
        for place, path in code_paths(done.job).items():
            if is_in_repository(path):
                layout.lay[path] = place
        for file in done.files:
            if file.role in BY_PRODUCTS:
                continue
            item = Item(
                role=file.role,
                path=file.path,
                entity_id=file.entity_id,
                version_number=file.version_number,
                sha256=file.sha256,
            )
            before = found.get(item.path)
            if before is not None and _RANK[before.role] < _RANK[item.role]:
                continue
            if before is not None and before.role == "input" and before.version_number != item.version_number:
                result.notes.append(f"The run used several versions of {item.path}; the last of them is here.")
            found[item.path] = item
            if len(found) > FILES_MAX:
                raise UsageError(
                    f"The run has more than {FILES_MAX} files.", hint="Restore those you need with 'snakeprov restore'."
                )
    return [found[path] for path in sorted(found)]


def _versions(client: Client, items: Iterable[Item]) -> dict[tuple[str, int], Version]:
    """Return the versions of some items that are there and may be read, by entity and number."""
    wanted = {
        (one.entity_id, one.version_number): None for one in items if one.entity_id and one.version_number is not None
    }
    found: dict[tuple[str, int], Version] = {}
    waiting = iter(wanted)
    while some := list(islice(waiting, IDS_MAX)):
        found |= {(one.entity_id, one.version_number): one for one in client.provenance.versions(some)}
    return found


def _place_code(client: Client, run: Run, layout: _Layout, result: CheckedOut) -> None:
    git = run.git
    if git is None or not git.commit:
        result.notes.append("The code was not under version control; the files that ran are here.")
        return
    commit, root = git.commit, Path(to_os(git.root))
    if not root.is_absolute() or not export.has_commit(root, commit):
        remote = f" Fetch it from {git.remote}." if git.remote else ""
        missing = f"The commit {commit} is not at hand in {git.root}"
        result.notes.append(f"{missing}; of the code only the files that ran are here.{remote}")
        return
    try:
        export.export_commit(root, commit, layout.folder)
    except CaptureError as error:
        result.notes.append(f"The commit could not be put here whole: {error.message}")
        return
    layout.is_work_tree(str(root))
    result.code = "commit"
    if (layout.folder / ".gitmodules").exists():
        result.notes.append("Submodules of the commit are empty.")
    if git.dirty:
        _patch(client, run.id, git, layout, result)


def _patch(client: Client, run_id: str, git: StoredGit, layout: _Layout, result: CheckedOut) -> None:
    if git.patch_file_handle_id is None:
        result.notes.append("What ran differed from the commit by more than is kept as a patch.")
        return
    try:
        export.apply_patch(layout.folder, client.runs.patch(run_id))
    except (RemoteError, CaptureError) as error:
        result.notes.append(f"The run's patch is not applied: {error.message}")
        return
    result.code = "commit and patch"
    if git.patch_left_out:
        result.notes.append(f"The patch leaves out {', '.join(git.patch_left_out)}: too large or too many to be kept.")


def _place(
    client: Client, item: Item, versions: Mapping[tuple[str, int], Version], layout: _Layout, result: CheckedOut
) -> None:
    if item.entity_id is None or item.version_number is None:
        result.missing.append(_lacking(item, "No version of it is recorded: it is elsewhere, or was not there."))
        return
    place = layout.place(item.path)
    if place is None:
        result.missing.append(_lacking(item, "Its path leads out of the folder, or into one that belongs to a tool."))
        return
    if not layout.taken.isdisjoint((place, *place.parents)):
        result.missing.append(
            _lacking(item, "Its place is taken by another file, which the run had there at another time.")
        )
        return
    try:
        version = versions.get((item.entity_id, item.version_number))
        if version is None:
            # Of one that is missing it is asked why.
            version = client.provenance.story(item.entity_id, item.version_number).version
        if layout.clear(place):
            result.notes.append(f"A link or file of the commit made way for {item.path}.")
        left_out = _write(client, version, place)
    except NotFoundError:
        result.missing.append(_lacking(item, "Its bytes are not kept."))
        return
    except ForbiddenError as error:
        result.missing.append(_lacking(item, f"You do not have permission to download it. {error.reason}"))
        return
    except CorruptStoreError as error:
        result.missing.append(_lacking(item, error.message))
        return
    if left_out:
        result.notes.append(f"{left_out} members of {item.path} are not files and could not be restored.")
    if not version.is_directory:
        layout.taken.add(place)
    result.placed.append(replace(item, to=layout.shown(place)))


def _write(client: Client, version: Version, place: Path) -> int:
    if version.is_directory:
        manifest = lookup.manifest(client, version)
        if manifest is None:
            raise NotFoundError("not kept", status=404, reason="not kept")

        def content(sha256: str) -> Iterable[bytes]:
            return lookup.member(client, version, sha256)

        return len(replacing.replace_directory(place, manifest.entries, content, durable=False))
    if place.is_dir() and not place.is_symlink():
        raise UsageError(f"{to_text(place)} is a directory of the commit; a file of the run cannot take its place.")
    chunks = lookup.begun(lookup.content_of(client, version))
    with replacing.written(place) as temporary:
        replacing.fill(temporary, chunks, sha256=version.sha256, md5=version.md5, mode=version.mode, durable=False)
        replacing.take_mode(place, temporary, mode=version.mode)
    return 0


def _lacking(item: Item, reason: str) -> Item:
    return replace(item, reason=reason)


def _below(path: str, folder: str) -> str | None:
    inside = os.path.relpath(path, folder)
    return None if inside == ".." or inside.startswith("../") else inside


def _require_empty(folder: Path) -> None:
    try:
        taken = folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir())))
    except OSError as error:
        raise UsageError(f"{to_text(folder)} cannot be looked into: {error.strerror or error}.") from error
    if taken:
        raise UsageError(f"{to_text(folder)} exists and is not an empty folder.", hint="Name a new one with --to.")
