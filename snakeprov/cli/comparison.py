"""Find the files that `verify` is to check, and compare them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from snakeprov.cli import target, targetsyntax
from snakeprov.cli.paging import LIMIT_MAX
from snakeprov.cli.store import current_folder
from snakeprov.errors import CaptureError, CorruptStoreError, ForbiddenError, NotRecordedError
from snakeprov.model.answers import Version
from snakeprov.model.comparison import FINE, Compared, State
from snakeprov.model.paths import to_os
from snakeprov.workdir import lookup
from snakeprov.workdir.comparing import Comparer

if TYPE_CHECKING:
    from snakeprov.capture.git.repositories import Clone
    from snakeprov.client import Client
    from snakeprov.places import Place

EXPLAINED_MAX: Final = 1000
"""Maximum number of differing files examined further: what they are now, and whether they were temporary."""

RUNS_MAX: Final = 20
"""Number of runs whose Snakefiles are looked for."""

Progress = Callable[[], AbstractContextManager[Callable[[int, int], None]]]


@dataclass
class Result:
    """The result of `verify`: the number of files in each state, and at most `LIMIT_MAX` files."""

    counts: Counter[State] = field(default_factory=Counter)
    shown: list[Compared] = field(default_factory=list)
    truncated: bool = False
    is_unknown_named: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether every recorded file is what was recorded, and every file that was named is recorded."""
        wrong = [state for state, count in self.counts.items() if count and state not in FINE]
        return not self.is_unknown_named and all(state == "neverRecorded" for state in wrong)


@dataclass
class _Asked:
    """The files that the arguments name; `is_unknown_named`: one of them is a file that was never recorded.

    Unrecorded files in a named folder are reported, but do not fail the check.
    """

    recorded: list[Version] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    truncated: bool = False
    is_unknown_named: bool = False


def compare(
    client: Client, place: Place, paths: Iterable[str], *, project: str | None, deep: bool, progress: Progress
) -> Result:
    """Compare files with what is recorded of them.

    Args:
        client: The store.
        place: Where it is, and the working directory.
        paths: As typed; none: everything that the project has recorded.
        project: The project to look in, or None.
        deep: Read files also where they look unchanged since they were read.
        progress: Gives a callable that takes the bytes done and the bytes in all.

    Raises:
        NotRecordedError: A path is neither recorded nor on disk.
        UsageError: A path means several files, or the store cannot list what is in a folder.
    """
    from snakeprov.disk.digestcache import DigestCache
    from snakeprov.settings import needs_md5

    cache = DigestCache.of(place.root)
    try:
        named = tuple(paths)
        clones = _clones(client, place, named, project=project)
        comparer = Comparer(str(place.root), cache, deep=deep, md5=needs_md5(place.store), clones=clones)
        asked = _asked(client, place, named, comparer, project=project)
        result = Result(truncated=asked.truncated, is_unknown_named=asked.is_unknown_named)
        with progress() as advance:
            for compared in _compared(comparer, asked.recorded, advance):
                _explain(client, comparer, compared, result)
                _add(result, compared)
        for path in asked.unrecorded:
            unrecorded = Compared(path=path, state="neverRecorded")
            _explain_unrecorded(client, comparer, unrecorded, result)
            _add(result, unrecorded)
    finally:
        cache.close()
    return result


def _clones(client: Client, place: Place, named: tuple[str, ...], *, project: str | None) -> list[Clone]:
    """Return the clones that the named files lie in, and those that have the Snakefiles of the project's last runs."""
    from snakeprov.capture.git.repositories import Repositories

    places = [to_os(path) for typed in named for path in target.named_paths(place, typed)]
    for run in client.runs.list(limit=RUNS_MAX).results if client.backend.keeps_runs else ():
        if run.project == (project or client.project):
            places.append(to_os(run.snakefile or ""))
    repositories = Repositories()
    found = (repositories.clone(one) for one in dict.fromkeys(places) if one.startswith("/"))
    return list(dict.fromkeys(one for one in found if one is not None))


def _asked(client: Client, place: Place, paths: tuple[str, ...], comparer: Comparer, *, project: str | None) -> _Asked:
    name = project or client.project or ""
    asked = _Asked()
    if not paths:
        asked.recorded += _listed(client, name, under="")
    for typed in dict.fromkeys(paths):
        try:
            found = target.find(client, place, typed, project=project)
        except NotRecordedError:
            if not os.path.lexists(typed):
                raise
            if os.path.isdir(typed):  # noqa: PTH112
                _add_folder(client, place, typed, comparer, asked, project=name)
            else:
                asked.unrecorded.append(_candidate(place, typed))
                asked.is_unknown_named = True
            continue
        story = target.ask(client, found, lambda found=found: client.provenance.story(found.entity_id, found.number))  # type: ignore[misc]
        asked.recorded.append(story.version)
    return asked


def _add_folder(client: Client, place: Place, typed: str, comparer: Comparer, asked: _Asked, *, project: str) -> None:
    path = _candidate(place, typed)
    recorded = _listed(client, project, under="" if path == "." else path)
    unrecorded, truncated = comparer.unrecorded(comparer.place(path), {one.path for one in recorded})
    asked.recorded += recorded
    asked.unrecorded += unrecorded
    asked.truncated = asked.truncated or truncated


def _candidate(place: Place, typed: str) -> str:
    return targetsyntax.candidates(typed, here=str(current_folder()), root=str(place.root))[0]


def _listed(client: Client, project: str, *, under: str) -> list[Version]:
    return list(lookup.current(client, project, under=under))


def _compared(comparer: Comparer, recorded: list[Version], advance: Callable[[int, int], None]) -> Iterator[Compared]:
    total_bytes = sum(one.size_bytes or 0 for one in recorded)
    done_bytes = 0
    for compared in comparer.all(recorded):
        done_bytes += (compared.recorded.size_bytes if compared.recorded else None) or 0
        advance(done_bytes, total_bytes)
        yield compared


def _explain(client: Client, comparer: Comparer, compared: Compared, result: Result) -> None:
    """Ask the store about a file that differs from its record, at most `EXPLAINED_MAX` times."""
    recorded = compared.recorded
    if recorded is None or compared.state in FINE or _bad(result) >= EXPLAINED_MAX:
        return
    is_missing = compared.state == "missing"
    # Of a directory the list of what was in it is kept, also where the files are not.
    if is_missing and not (recorded.bytes_kept and not recorded.is_directory) and lookup.is_temporary(client, recorded):
        compared.state = "temporary"
    elif recorded.is_directory and compared.state in ("missing", "changed"):
        _explain_directory(client, comparer, compared, recorded)
    if compared.digest is None or compared.state != "changed":
        return
    compared.same_as = _names(lookup.same_content(client, compared.digest, own_id=recorded.entity_id))
    if not compared.same_as:
        compared.made_by = lookup.maker(client, recorded)


def _explain_directory(client: Client, comparer: Comparer, compared: Compared, recorded: Version) -> None:
    """Find the members of a directory that differ, and whether the store keeps all members."""
    try:
        manifest = lookup.manifest(client, recorded)
    except CorruptStoreError as error:
        compared.problem = error.message
        return
    except ForbiddenError:
        compared.recorded = replace(recorded, bytes_kept=None)
        return
    if manifest is None:
        return
    if compared.digest is not None:
        comparer.explain_directory(compared, manifest)
    compared.recorded = replace(recorded, bytes_kept=lookup.are_members_kept(client, recorded, manifest))


def _explain_unrecorded(client: Client, comparer: Comparer, compared: Compared, result: Result) -> None:
    if _bad(result) >= EXPLAINED_MAX:
        return
    try:
        compared.digest = comparer.digest(comparer.place(compared.path))
    except CaptureError as error:
        compared.problem = error.message
        return
    compared.same_as = _names(lookup.same_content(client, compared.digest))


def _names(versions: list[Version]) -> list[str]:
    return [f"{one.path}@{one.version_number}" for one in versions]


def _bad(result: Result) -> int:
    return sum(count for state, count in result.counts.items() if state not in FINE)


def _add(result: Result, compared: Compared) -> None:
    result.counts[compared.state] += 1
    if len(result.shown) < LIMIT_MAX or compared.state not in FINE:
        result.shown.append(compared)
    else:
        result.truncated = True
