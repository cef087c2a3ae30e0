r"""Which file, and which version of it, a command's PATH[@N] means.

Must not know: what the command does with it.

What is typed is an entity's id (`syn12`, `syn12.3`), or a path: relative to the current folder, absolute, or as
snakeprov itself shows it (relative to the working directory of the workflow, with `\x..` for bytes that are not
UTF-8). `@N` at the end names a version, unless a file of that whole name was recorded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from snakeprov.cli.repository import current_folder
from snakeprov.errors import NotFoundError, NotRecordedError, UsageError
from snakeprov.model import paths

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.config import Place

_ENTITY = re.compile(r"syn(\d{1,18})(?:[.@](\d{1,18}))?")
_VERSIONED = re.compile(r"(.+)@(\d{1,18})", re.DOTALL)

_VERSIONS_LISTED_MAX = 1000
"""So many versions are looked at to say which there are."""


NEAR_MAX = 3
"""So many near matches of a name are shown; the first is nearly always the one."""


class Target(NamedTuple):
    """An entity and the version that is meant; `version_number` is None where none was named."""

    entity_id: str
    name: str
    version_number: int | None
    latest_number: int

    @property
    def number(self) -> int:
        """The version that was named, else the latest."""
        return self.latest_number if self.version_number is None else self.version_number


def find(client: Client, place: Place, typed: str, *, project: str | None = None) -> Target:
    """Return what `typed` means.

    Raises:
        NotRecordedError: No such file is recorded.
        UsageError: Several projects have such a file, or nothing was typed.
    """
    if not typed:
        raise UsageError("The path is empty.", hint="Name a file, for example results/table.csv.")
    if entity := _ENTITY.fullmatch(typed):
        return _by_id(client, entity[1], entity[2])
    here, root = str(current_folder()), str(place.root)
    answers = []
    for path, number in _readings(typed):
        for candidate in candidates(path, here=here, root=root):
            answer = client.provenance.find(candidate, project=project)
            if answer["matches"]:
                match = _choose(answer["matches"], candidate, place)
                named = int(number) if number is not None else None
                return Target(match["entityId"], match["path"], named, match["versionNumber"])
            answers.append(answer)
    raise _not_recorded(typed, place, near=answers[-1].get("near") or answers[0].get("near") or ())


def candidates(typed: str, *, here: str, root: str) -> list[str]:
    """Return the recorded paths that `typed` may mean, the likeliest first, each once.

    Args:
        typed: A path as the operating system gave it to the command.
        here: The current folder.
        root: The working directory of the workflow. Both absolute, links resolved.

    >>> candidates("a.txt", here="/p/results", root="/p")
    ['results/a.txt', 'a.txt']
    """
    directory = paths.to_text(root)
    path = os.path.normpath(os.path.join(here, typed))  # noqa: PTH118  a trailing ".." must not follow links
    folder, name = os.path.split(path)
    real = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118  the last part may be a recorded link
    found = [paths.relative_to(paths.to_text(one), directory) for one in (path, real, typed)]
    if "\\x" in typed and typed.isprintable():
        found.append(paths.relative_to(typed, directory))
    return list(dict.fromkeys(found))


def ask(client: Client, target: Target, question: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a question about the version that `target` means.

    Raises:
        NotRecordedError: There is no such version; the hint says which there are.
    """
    if not 1 <= target.number <= target.latest_number:
        raise _missing_version(client, target)
    try:
        return question()
    except NotFoundError as error:
        raise _missing_version(client, target) from error


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


def _missing_version(client: Client, target: Target) -> NotRecordedError:
    history = client.provenance.history(target.entity_id, limit=_VERSIONS_LISTED_MAX)
    numbers = sorted(version["versionNumber"] for version in history["versions"])
    return NotRecordedError(
        f"{target.name} has no version {target.number}.",
        hint=f"It has {'version' if len(numbers) == 1 else 'versions'} {ranges(numbers)}.",
    )


def _readings(typed: str) -> list[tuple[str, str | None]]:
    """Return the path and version number that `typed` may mean: as a whole first."""
    versioned = _VERSIONED.fullmatch(typed)
    return [(typed, None), (versioned[1], versioned[2])] if versioned else [(typed, None)]


def _by_id(client: Client, number: str, version: str | None) -> Target:
    entity_id = f"syn{number}"
    try:
        history = client.provenance.history(entity_id, limit=1)
    except NotFoundError as error:
        raise NotRecordedError(
            f"There is no file {entity_id} in this repository.",
            hint=f"If a file called {entity_id} is meant, write ./{entity_id}.",
        ) from error
    entity, versions = history["entity"], history["versions"]
    name = entity.get("path") or entity["name"]
    return Target(entity_id, name, int(version) if version else None, versions[0]["versionNumber"])


def _choose(matches: Sequence[dict[str, Any]], path: str, place: Place) -> dict[str, Any]:
    """Return the only match, or the one in the project of this working directory."""
    own = place.settings.project or paths.to_text(place.root.name)
    of_own = [match for match in matches if match["projectName"] == own]
    if len(matches) > 1 and len(of_own) != 1:
        names = ", ".join(sorted(match["projectName"] for match in matches))
        raise UsageError(
            f"{path} is recorded in several projects: {names}.", hint="Say which is meant with --project NAME."
        )
    return matches[0] if len(matches) == 1 else of_own[0]


def _listed(near: Sequence[str]) -> str:
    """Return `a`, `a or b`, `a, b or c`."""
    *before, last = near
    return f"{', '.join(before)} or {last}" if before else last


def _not_recorded(typed: str, place: Place, *, near: Sequence[str]) -> NotRecordedError:
    shown = paths.to_text(typed)
    message = f"{shown} is not recorded in {place.store}."
    if near:
        return NotRecordedError(message, hint=f"Did you mean {_listed(near[:NEAR_MAX])}?")
    if os.path.lexists(typed):
        return NotRecordedError(
            message, hint="The file exists, but no recorded job has read or written it. 'snakeprov log' lists outputs."
        )
    return NotRecordedError(message, hint="'snakeprov log' lists what the last run wrote.")
