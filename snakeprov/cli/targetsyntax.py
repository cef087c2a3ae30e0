r"""Parse what the user typed for a file, version, run or digest, before it is looked up.

A thing is named by an entity's id (`syn12`, `syn12.3`), by a content's digest (`sha256:…`, `md5:…`, or their first
characters), as `run:ID` or `job:ID`, or by a path: relative to the current folder, absolute, or as snakeprov itself
shows it (relative to the working directory of the workflow, or from its git repository on; with `\x..` for bytes that
are not UTF-8). `@N` at the end of a path names a version. A file whose name looks like one of the others is named by
`./` before it.
"""

from __future__ import annotations

import os
import re
from typing import Literal, NamedTuple

from snakeprov.capture.places import Places
from snakeprov.errors import UsageError
from snakeprov.model import paths

RUN_CHARS_MIN = 4
"""Minimum length of a prefix of a run's id that names the run."""

DIGEST_CHARS_MIN = 8
"""Minimum length of a prefix of a digest that names a content."""

LAST_RUN = "last"
"""What names the latest run."""

Algorithm = Literal["sha256", "md5"]

_DIGEST_CHARS: dict[str, int] = {"sha256": 64, "md5": 32}
_ENTITY = re.compile(r"(syn\d{1,18})(?:[.@](\d{1,18}))?")
_DIGEST = re.compile(r"(sha256|md5):(.*)", re.DOTALL)
_RUN = re.compile(r"run:(.*)", re.DOTALL)
_JOB = re.compile(r"job:([0-9a-f]{4,32})")
_VERSIONED = re.compile(r"(.+)@(\d{1,18})", re.DOTALL)


class EntityId(NamedTuple):
    """An entity, and the version of it that is named, if one is."""

    entity_id: str
    version_number: int | None


class DigestPrefix(NamedTuple):
    """A digest, or the beginning of one, in lower case."""

    algorithm: Algorithm
    prefix: str


class RunId(NamedTuple):
    """A run's id or the beginning of it; or `LAST_RUN`."""

    text: str


class JobId(NamedTuple):
    """A job's id or the beginning of it."""

    text: str


class PathReading(NamedTuple):
    """A path, and the version that is named, if one is."""

    path: str
    version_number: int | None


def read(typed: str) -> EntityId | DigestPrefix | RunId | JobId | list[PathReading]:
    """Parse `typed`; for a path return every reading, the likeliest first.

    Raises:
        UsageError: It is empty, or is malformed after `sha256:`, `md5:` or `run:`.

    >>> read("syn12.3")
    EntityId(entity_id='syn12', version_number=3)
    >>> read("sha256:1A2B3C4D"), read("run:last")
    (DigestPrefix(algorithm='sha256', prefix='1a2b3c4d'), RunId(text='last'))
    >>> read("a.txt@2")
    [PathReading(path='a.txt@2', version_number=None), PathReading(path='a.txt', version_number=2)]
    """
    if not typed:
        raise UsageError("The path is empty.", hint="Name a file, for example results/table.csv.")
    if entity := _ENTITY.fullmatch(typed):
        return EntityId(entity[1], int(entity[2]) if entity[2] else None)
    if digest := _DIGEST.fullmatch(typed):
        return _digest(typed, digest[1], digest[2])
    if run := _RUN.fullmatch(typed):
        return RunId(run_id(run[1]))
    if job := _JOB.fullmatch(typed):
        return JobId(job[1])
    versioned = _VERSIONED.fullmatch(typed)
    whole = PathReading(typed, None)
    return [whole, PathReading(versioned[1], int(versioned[2]))] if versioned else [whole]


def run_id(text: str) -> str:
    """Parse the name of a run, with or without `run:`.

    Raises:
        UsageError: It is too short.
    """
    name = text.removeprefix("run:")
    if len(name) < RUN_CHARS_MIN:
        raise UsageError(
            f"{name!r} is too short to name a run.",
            hint=f"Give at least {RUN_CHARS_MIN} characters. 'snakeprov runs' lists them.",
        )
    return name


def _digest(typed: str, algorithm: str, text: str) -> DigestPrefix:
    most = _DIGEST_CHARS[algorithm]
    if not re.fullmatch(f"[0-9a-fA-F]{{{DIGEST_CHARS_MIN},{most}}}", text):
        raise UsageError(
            f"{paths.to_text(typed)} is not a digest: expected {DIGEST_CHARS_MIN} to {most} hexadecimal digits after "
            f"{algorithm}:.",
            hint=f"If a file of that name is meant, write ./{paths.to_text(typed)}.",
        )
    return DigestPrefix("sha256" if algorithm == "sha256" else "md5", text.lower())


def candidates(typed: str, *, here: str, root: str) -> list[str]:
    """Return the recorded paths that `typed` may mean, the likeliest first, each once.

    Args:
        typed: A path as the operating system gave it to the command.
        here: The current folder.
        root: The working directory of the workflow. Both absolute, links resolved.
    """
    places = Places(root)
    found = [places.path(os.path.join(here, typed)), places.path(typed)]  # noqa: PTH118  whatever is typed
    if paths.is_in_repository(typed):  # as snakeprov shows it
        found.append(typed)
    if "\\x" in typed and typed.isprintable():
        found.append(paths.relative_to(typed, paths.to_text(root)))
    if outside := [path for path in found if path.startswith("/")]:
        from snakeprov.capture.git.repositories import Repositories

        found += filter(None, map(Repositories().path, map(paths.to_os, outside)))
    return list(dict.fromkeys(found))


def place_in_repository(typed: str, recorded: str, *, here: str, root: str) -> str | None:
    """Return the place on disk that `typed` names, if the code there is recorded so by its git repository.

    Args:
        typed: As for `candidates`.
        recorded: The path of code in a git repository.
        here, root: As for `candidates`.
    """
    from snakeprov.capture.git.repositories import Repositories

    place = paths.to_os(Places(root).path(os.path.join(here, typed)))  # noqa: PTH118  whatever is typed
    return place if place.startswith("/") and Repositories().path(place) == recorded else None
