"""Restore a version: write its bytes, checked, and never lose an unrecorded file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from snakeprov.disk import files, replacing
from snakeprov.errors import CaptureError, ForbiddenError, NotFoundError, NotKeptError, UsageError
from snakeprov.lineage import remake
from snakeprov.lineage.remake import Ingredient, Recipe
from snakeprov.model import paths, times
from snakeprov.model.answers import Story, Version
from snakeprov.model.manifest import Entry, Manifest
from snakeprov.model.paths import to_os, to_text
from snakeprov.workdir import lookup
from snakeprov.workdir.comparing import Comparer, differences

if TYPE_CHECKING:
    from snakeprov.client import Client

INGREDIENTS_MAX: Final = 200
"""Maximum number of inputs of a job checked for kept bytes."""

_FORCE: Final = "Move it away, write elsewhere with -o, or overwrite it with --force."
_ASK: Final = "It takes the DOWNLOAD permission, and a token of that scope; 'snakeprov show' tells how it was made."
_ELSEWHERE: Final = "Move it away, or give another place with -o."


@dataclass(slots=True)
class Restored:
    """What became of it.

    Attributes:
        version: What was asked for.
        place: Where it is now.
        unchanged: Whether it was there already.
        replaced: The versions, as `path@version`, that what was there is known as.
        lost: Whether what was there is gone for good, because that was wanted.
        not_restored: Members of a directory that are neither files nor links, that could not be read when the directory
            was recorded, or that were left out.
    """

    version: Version
    place: Path
    unchanged: bool = False
    replaced: list[str] = field(default_factory=list)
    lost: bool = False
    not_restored: list[str] = field(default_factory=list)


def restore(
    client: Client, comparer: Comparer, version: Version, place: Path, *, force: bool, mtime_ns: int | None
) -> Restored:
    """Put a version at `place`.

    Args:
        client: The store.
        comparer: Reads what is there.
        version: What to restore.
        place: Absolute.
        force: Whether what is there may be lost.
        mtime_ns: When the bytes were written first, if the file is to have that time; None: now.

    Raises:
        NotKeptError: Its bytes, or some of those in the directory, are not kept.
        UsageError: What is there is of another kind, or would be lost and `force` is false.
        NotWrittenError: It cannot be written; what was there is unchanged.
        ForbiddenError: The user may know of the version, and not have its bytes.
        RemoteError: The store failed, or gave other bytes; what was there is unchanged.
    """
    result = Restored(version, place)
    try:
        if version.is_directory:
            _restore_directory(client, comparer, result, force=force)
        else:
            _restore_file(client, comparer, result, force=force)
    except ForbiddenError as error:
        name = f"{version.path}@{version.version_number}"
        raise ForbiddenError(
            f"{name} cannot be restored: you do not have permission to download it. {error.reason}",
            status=error.status,
            reason=error.reason,
            hint=_ASK,
        ) from error
    if mtime_ns is not None and not result.unchanged:
        os.utime(place, ns=(mtime_ns, mtime_ns), follow_symlinks=False)
    return result


def own_place(root: Path, version: Version, *, named: Iterable[str], in_clone: str | None = None) -> Path:
    """Return where a version goes if the user names no other place: where it was recorded.

    A store is not trusted to choose a place: it must be the one that the user named, or lie in the working directory.

    Args:
        root: The working directory, absolute, with links resolved.
        version: What to restore.
        named: The recorded paths that the user's words can mean.
        in_clone: The place that the user named, where the version is code that is recorded by its git repository.

    Raises:
        UsageError: It lies elsewhere.
    """
    path = version.path.rstrip("/")
    if in_clone is not None:
        return Path(in_clone)
    place = Path(os.path.normpath(root / to_os(path)))
    folder = os.path.join(os.path.realpath(place.parent), "")  # noqa: PTH118
    is_inside = paths.is_own_place(path) and folder.startswith(os.path.join(root, ""))  # noqa: PTH118
    if paths.is_in_repository(path) or (path not in named and not is_inside):
        raise UsageError(
            f"{path} does not lie in the working directory, or is kept by another program.",
            hint="Say with -o where to put it.",
        )
    return place


def how_to_remake(client: Client, story: Story) -> Recipe:
    """Return how the version of a story can be made again, and which of the things that it takes are kept."""
    used = remake.ingredients(story)
    known = [_looked_up(client, one) for one in used[:INGREDIENTS_MAX]]
    return remake.recipe(story, [*known, *used[INGREDIENTS_MAX:]])


def written_ns(story: Story, path: str) -> int | None:
    """Return when the bytes of a story's version were written, as far as it is known (nanoseconds since 1970)."""
    fact = lookup.output_fact(story, path)
    if fact is not None and fact.fingerprint is not None:
        return fact.fingerprint.mtime_ns
    try:
        return times.to_ms(times.from_wire(story.version.created_on or "")) * 1_000_000
    except ValueError:
        return None


def _looked_up(client: Client, one: Ingredient) -> Ingredient:
    if one.version is None:
        return one
    try:
        kept = client.provenance.story(*one.version).version.bytes_kept
    except (NotFoundError, ForbiddenError):
        return one
    return replace(one, bytes_kept=kept)


def _restore_file(client: Client, comparer: Comparer, result: Restored, *, force: bool) -> None:
    version, place = result.version, result.place
    before = _status(place)
    if before is not None:
        _see_file(client, comparer, result, before, force=force)
        if result.unchanged:
            return
    try:
        chunks = lookup.begun(lookup.content_of(client, version))
        with replacing.written(place) as temporary:
            replacing.fill(temporary, chunks, sha256=version.sha256, md5=version.md5, mode=version.mode)
            replacing.take_mode(place, temporary, mode=version.mode)
            _require_untouched(place, before)
    except NotFoundError as error:
        raise _not_kept(version) from error


def _see_file(client: Client, comparer: Comparer, result: Restored, status: os.stat_result, *, force: bool) -> None:
    """Find out what is lost when what is there is replaced, and refuse to lose it."""
    place = result.place
    if stat.S_ISLNK(status.st_mode):
        _may_lose(result, f"{to_text(place)} is a symbolic link, which the file would replace", force=force)
        return
    if not stat.S_ISREG(status.st_mode):
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "neither a file nor a directory"
        raise UsageError(f"{to_text(place)} is {what}; a file cannot take its place.", hint=_ELSEWHERE)
    try:
        digest = comparer.digest(str(place))
    except CaptureError as error:
        _may_lose(result, f"What is in {to_text(place)} is not known: {error.message.rstrip('.')}", force=force)
        return
    if result.version.is_content(digest):
        result.unchanged = True
        return
    same = lookup.same_content(client, digest, own_id=result.version.entity_id)
    _see_versions(result, same, force=force)


def _see_versions(result: Restored, same: list[Version], *, force: bool) -> None:
    result.replaced = [f"{one.path}@{one.version_number}" for one in same]
    if any(one.bytes_kept for one in same):
        return
    if same:
        what = f"has the content of {result.replaced[0]}, whose bytes are not kept"
    else:
        what = "has a content that is not recorded"
    _may_lose(result, f"{to_text(result.place)} {what}; it would be lost", force=force)


def _restore_directory(client: Client, comparer: Comparer, result: Restored, *, force: bool) -> None:
    version, place = result.version, result.place
    wanted = lookup.manifest(client, version)
    if wanted is None:
        raise _not_kept(version)
    if (status := _status(place)) is not None:
        _see_directory(client, comparer, result, status, wanted, force=force)
        if result.unchanged:
            return

    def content(sha256: str) -> Iterator[bytes]:
        return lookup.member(client, version, sha256)

    try:
        impossible = replacing.replace_directory(place, wanted.entries, content)
    except NotFoundError as error:
        raise _not_kept(version) from error
    result.not_restored = [entry.path for entry in impossible]


def _see_directory(
    client: Client, comparer: Comparer, result: Restored, status: os.stat_result, wanted: Manifest, *, force: bool
) -> None:
    place = result.place
    if stat.S_ISLNK(status.st_mode):
        _may_lose(result, f"{to_text(place)} is a symbolic link, which the directory would replace", force=force)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{to_text(place)} is a file; a directory cannot take its place.", hint=_ELSEWHERE)
    try:
        present = comparer.manifest(str(place))
    except CaptureError as error:
        _may_lose(result, f"What is in {to_text(place)} is not known: {error.message.rstrip('.')}", force=force)
        return
    if present.digest == wanted.digest:
        result.unchanged = True
        return
    unrecorded = next((entry.path for entry in present.entries if entry.type == "leftOut"), None)
    if unrecorded is not None:
        raise UsageError(
            f"{to_text(place)} contains {unrecorded}, which is never recorded and would be lost.", hint=_ELSEWHERE
        )
    if not present.entries:
        return
    same = lookup.same_content(client, present.digest, own_id=result.version.entity_id)
    _see_versions(result, same, force=force)
    if not result.lost and (missing := _unkept(client, present, wanted, same)):
        _may_lose(
            result,
            f"{to_text(place)} is {result.replaced[0]}, but of its files that would go {missing} is not kept",
            force=force,
        )


def _unkept(client: Client, present: Manifest, wanted: Manifest, same: Iterable[Version]) -> str | None:
    """Return the path of a member that would be gone for good if the wanted members took the place of the present."""
    entries: dict[str, Entry] = {entry.path: entry for entry in present.entries}
    going = [one.path for one in differences(present.entries, wanted.entries) if one.what != "added"]
    staying = {entry.sha256 for entry in wanted.entries}
    for path in going:
        sha256 = entries[path].sha256
        is_content = sha256 is not None and sha256 not in staying
        if is_content and not any(lookup.has_member(client, version, sha256 or "") for version in same):
            return path
    return None


def _may_lose(result: Restored, what: str, *, force: bool) -> None:
    if not force:
        raise UsageError(f"{what}.", hint=_FORCE)
    result.lost = True


def _require_untouched(place: Path, before: os.stat_result | None) -> None:
    now = _status(place)
    if (now is None) != (before is None) or (
        now is not None and before is not None and files.from_stat(now) != files.from_stat(before)
    ):
        raise UsageError(f"{to_text(place)} was changed meanwhile; it was left as it is.", hint="Try it once more.")


def _status(place: Path) -> os.stat_result | None:
    try:
        return place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{to_text(place)} cannot be looked at ({error}).", hint=_ELSEWHERE) from error


def _not_kept(version: Version) -> NotKeptError:
    name = f"{version.path}@{version.version_number}"
    inside = "the bytes of files in it" if version.is_directory else "its bytes"
    return NotKeptError(f"{name} cannot be restored: {inside} are not kept.")
