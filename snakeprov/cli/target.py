"""Find the version of a file, or the run, that the user named.

`snakeprov.cli.targetsyntax` says how things are named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from snakeprov.cli import targetsyntax, unrecorded
from snakeprov.cli.store import current_folder
from snakeprov.cli.targetsyntax import DigestPrefix, EntityId, JobId, PathReading, RunId
from snakeprov.disk.projects import project_of
from snakeprov.errors import BadRequestError, NotFoundError, NotRecordedError, UsageError
from snakeprov.model import paths
from snakeprov.settings import SYNAPSE, is_remote

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Run, Version
    from snakeprov.places import Place

T = TypeVar("T")

_VERSIONS_LISTED_MAX = 1000
"""Maximum number of versions read to say which exist."""

NEAR_MAX = 3
"""Number of near matches suggested for a name; the first is nearly always the one meant."""

_RUN_ID = re.compile(r"[0-9a-f]{6,32}")
_RUNS_LISTED = "'snakeprov runs' lists them."


class Target(NamedTuple):
    """An entity and the number of its version; `version_number` is None if the user gave none."""

    entity_id: str
    name: str
    version_number: int | None
    latest_number: int

    @property
    def number(self) -> int:
        """The version that was named, else the latest."""
        return self.latest_number if self.version_number is None else self.version_number


class RunTarget(NamedTuple):
    """A run, as the store describes it."""

    id: str
    record: Run


def find(client: Client, place: Place, typed: str, *, project: str | None = None) -> Target:
    """Return the version of a file that `typed` means.

    Raises:
        NotRecordedError: No such file is recorded.
        UsageError: Several files or versions are meant, or a run, or nothing was typed.
    """
    named = find_either(client, place, typed, project=project)
    if isinstance(named, RunTarget):
        raise UsageError(
            f"{typed} names a run; a file was expected here.",
            hint=f"'snakeprov run {named.id[:8]}' lists its files. If a file of that name is meant, write ./{typed}.",
        )
    return named


def find_either(client: Client, place: Place, typed: str, *, project: str | None = None) -> Target | RunTarget:
    """Return the version of a file, or for `run:ID` the run, that `typed` means. Raises as `find` and `find_run`."""
    match targetsyntax.read(typed):
        case RunId(text):
            return find_run(client, text)
        case JobId(text):
            raise UsageError(
                f"{typed} names a job; a file was expected here.",
                hint=f"'snakeprov show {typed}' shows it. If a file of that name is meant, write ./{typed}.",
            )
        case EntityId() as entity:
            return _by_id(client, entity)
        case DigestPrefix() as digest:
            return _by_digest(client, place, typed, digest, project=project)
        case readings:
            return _by_path(client, place, typed, readings, project=project)


def named_paths(place: Place, typed: str) -> list[str]:
    """Return the recorded paths that `typed` may mean; none where it is an id or a digest."""
    readings = targetsyntax.read(typed)
    return [one for path, _ in readings for one in _candidates(place, path)] if isinstance(readings, list) else []


def named_in_clone(place: Place, typed: str, recorded: str) -> str | None:
    """Return the place on disk that `typed` names, if the code there has that recorded path by its git repository."""
    readings = targetsyntax.read(typed)
    if not paths.is_in_repository(recorded) or not isinstance(readings, list):
        return None
    here, root = str(current_folder()), str(place.root)
    places = (targetsyntax.place_in_repository(path, recorded, here=here, root=root) for path, _ in readings)
    return next((one for one in places if one is not None), None)


def find_run(client: Client, typed: str) -> RunTarget:
    """Return the run whose id, or the beginning of it, is `typed`, with or without `run:`; or the one that is `last`.

    Raises:
        NotRecordedError: There is none.
        UsageError: There are several, `typed` is too short, or the store keeps no runs.
    """
    name = targetsyntax.run_id(typed)
    if name == targetsyntax.LAST_RUN:
        return last_run(client)
    try:
        record = client.runs.get(name)
    except NotFoundError as error:
        raise NotRecordedError(f"No run whose id begins with {name!r} is recorded.", hint=_RUNS_LISTED) from error
    except BadRequestError as error:
        raise UsageError(f"{name!r} does not name one run.", hint=f"Give more of its id. {_RUNS_LISTED}") from error
    return RunTarget(record.id, record)


def last_run(client: Client) -> RunTarget:
    """Return the latest run.

    Raises:
        NotRecordedError: There is none.
    """
    listed = client.runs.list(limit=1).results
    if not listed:
        raise NotRecordedError(no_run(client), hint="Run a tracked workflow first.")
    return RunTarget(listed[0].id, listed[0])


def no_run(client: Client) -> str:
    """Return the sentence that there is no run; on a server there may be some that only others see."""
    shared = ", or none is shared with you" if client.session.is_over_a_socket else ""
    return f"No run has been recorded yet{shared}."


def ask(client: Client, target: Target, question: Callable[[], T]) -> T:
    """Return the answer to a question about the version that `target` means.

    Raises:
        NotRecordedError: There is no such version; the hint says which there are.
    """
    if not 1 <= target.number <= target.latest_number:
        raise missing_version(client, target)
    try:
        return question()
    except NotFoundError as error:
        raise missing_version(client, target) from error


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers in words, neighbours drawn together.

    >>> ranges([1]), ranges([1, 2]), ranges([1, 2, 3, 5])
    ('1', '1 and 2', '1 to 3 and 5')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    parts = [part for run in runs for part in ([f"{run[0]} to {run[-1]}"] if run[-1] - run[0] > 1 else map(str, run))]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else "none"


def missing_version(client: Client, target: Target) -> NotRecordedError:
    """Return the error that a file has no such version; the hint says which there are."""
    history = client.provenance.history(target.entity_id, limit=_VERSIONS_LISTED_MAX)
    numbers = sorted(version.version_number for version in history.results)
    return NotRecordedError(
        f"{target.name} has no version {target.number}.",
        hint=f"It has {'version' if len(numbers) == 1 else 'versions'} {ranges(numbers)}.",
    )


def _by_path(
    client: Client, place: Place, typed: str, readings: Sequence[PathReading], *, project: str | None
) -> Target:
    answers = []
    for path, number in readings:
        for candidate in _candidates(place, path):
            answer = client.provenance.find(candidate, project=project)
            if answer.results:
                match = _choose(answer.results, candidate, place)
                return Target(match.entity_id, match.path, number, match.version_number)
            answers.append(answer)
    near = answers[-1].near or answers[0].near or ()
    own = project or project_of(place.settings, place.root, place.store)
    known = unrecorded.told(client, _candidates(place, readings[0].path), project=own) or _run_meant(client, typed)
    raise _not_recorded(typed, place, known=known, near=near, project=project)


def _candidates(place: Place, path: str) -> list[str]:
    found = targetsyntax.candidates(path, here=str(current_folder()), root=str(place.root))
    # With a slash it is a directory, rather than a file that had this name at another time.
    return [*(f"{one}/" for one in found), *found] if path.endswith("/") else found


def _by_id(client: Client, named: EntityId) -> Target:
    entity_id = named.entity_id
    try:
        history = client.provenance.history(entity_id, limit=1)
    except NotFoundError as error:
        raise NotRecordedError(
            f"There is no file {entity_id} in this store.",
            hint=f"If a file called {entity_id} is meant, write ./{entity_id}.",
        ) from error
    latest = history.results[0].version_number
    return Target(entity_id, history.entity.recorded_path, named.version_number, latest)


def _by_digest(client: Client, place: Place, typed: str, named: DigestPrefix, *, project: str | None) -> Target:
    """Return the version that has a content: the only one, or the only one that is its file's latest."""
    found = client.provenance.with_digest(*named, project=project).results
    if not found:
        raise NotRecordedError(
            f"No version of a file in {place.store} has the digest {typed}.",
            hint=f"If a file of that name is meant, write ./{typed}.",
        )
    contents = sorted({str(getattr(one, named.algorithm)) for one in found})
    if len(contents) > 1:
        raise UsageError(
            f"{typed} is the beginning of several digests.", hint=f"Did you mean {listed(contents[:NEAR_MAX])}?"
        )
    latest = [one for one in found if one.is_latest]
    if len(found) > 1 and len(latest) != 1:
        names = [one.label for one in found]
        more = f" (and {len(names) - NEAR_MAX} more)" if len(names) > NEAR_MAX else ""
        raise UsageError(
            f"{typed} is the content of {len(names)} versions.",
            hint=f"Name one of them: {listed(names[:NEAR_MAX])}{more}.",
        )
    (one,) = found if len(found) == 1 else latest
    return Target(one.entity_id, one.path, one.version_number, one.latest_version_number or one.version_number)


def _choose(matches: Sequence[Version], path: str, place: Place) -> Version:
    """Return the match in the project of this working directory, or in the only project; the newest comes first."""
    own = project_of(place.settings, place.root, place.store)
    names = sorted({match.project_name or "" for match in matches})
    if len(names) > 1 and own not in names:
        message = f"{path} is recorded in several projects: {', '.join(names)}."
        raise UsageError(message, hint="Say which is meant with --project NAME.")
    return next((match for match in matches if match.project_name == own), matches[0])


def _run_meant(client: Client, typed: str) -> str | None:
    """Return a hint for a user who named a run as if it were a file, or None."""
    if not client.backend.keeps_runs or not _RUN_ID.fullmatch(typed):
        return None
    try:
        client.runs.get(typed)
    except (NotFoundError, BadRequestError):
        return None
    return f"A run is named with run: before its id: run:{typed}."


def listed(near: Sequence[str]) -> str:
    """Return texts as a choice: `a`, `a or b`, `a, b or c`."""
    *before, last = near
    return f"{', '.join(before)} or {last}" if before else last


def _not_recorded(
    typed: str, place: Place, *, known: str | None, near: Sequence[str], project: str | None
) -> NotRecordedError:
    shown = paths.to_text(typed)
    where = "Synapse" if place.store == SYNAPSE else place.store
    message = f"{shown} is not recorded in {where}."
    if known is not None:
        return NotRecordedError(message, hint=known)
    if near:
        return NotRecordedError(message, hint=f"Did you mean {listed(near[:NEAR_MAX])}?")
    return NotRecordedError(message, hint=_why_not(place, exists=os.path.lexists(typed), project=project))


def _why_not(place: Place, *, exists: bool, project: str | None) -> str:
    if place.store == SYNAPSE:
        named = project or project_of(place.settings, place.root, place.store)
        return f"It was looked for in the project {named} (--project), as far as that is shared with you."
    shared = " that is shared with you" if is_remote(place.store) else ""
    if exists:
        job = f"job{shared}" if shared else "recorded job"
        return f"The file exists, but no {job} has read or written it. 'snakeprov log' lists outputs."
    return f"'snakeprov log' lists what the last run{shared} wrote."
