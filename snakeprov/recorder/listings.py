"""Directories that are recorded as one thing and lie above files that jobs read: who made what is in them.

Must not know: plans, or what the bytes of a file mean.

A rule with a `directory()` output makes every file in it, though only the directory is recorded; a later job may read
one of those files by itself. What counts is the newest version of the directory that an Activity made: a later one was
changed by somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from snakeprov.client import Client
from snakeprov.errors import SnakeprovError
from snakeprov.model.manifest import read_manifest
from snakeprov.model.meaning import Past
from snakeprov.model.paths import folders_above
from snakeprov.recorder.catalog import Held, Listed

STEPS_MAX: Final = 20
"""How many versions back the newest one made by an Activity is searched, past those changed by hand."""


class Listings:
    """The recorded directories of one project. Not thread-safe."""

    def __init__(self, client: Client, held: Callable[[str], Held | None]) -> None:
        """Prepare to ask `client`; `held` gives what is known of a path that was looked up."""
        self._client = client
        self._held = held
        self._members: dict[str, tuple[str | None, Mapping[str, str]]] = {}

    def above(self, paths: Iterable[str], look_up: Callable[[Iterable[str]], None]) -> dict[str, Listed]:
        """Return the recorded directories above some files, by path.

        Args:
            paths: Of the files.
            look_up: Asks the store what it holds at paths.
        """
        places = list(dict.fromkeys(f"{folder}/" for path in paths for folder in folders_above(path)))
        look_up(places)
        found = {place: self._made(place, held) for place in places if (held := self._held(place)) is not None}
        return {place: listed for place, listed in found.items() if listed is not None}

    def remember(self, path: str, sha256: str, members: Mapping[str, str]) -> None:
        """Take note of what is in a directory that has just been recorded."""
        self._members[path] = sha256, members

    def _made(self, path: str, held: Held) -> Listed | None:
        """Return the newest version of a directory that an Activity made, or None."""
        if held.activity_id is not None:
            return Listed(held.past, self._in(path, held.sha256, held.file_handle_id), held.made_at)
        own = self._client.provenance
        target: tuple[str, int] | None = (str(held.entity_id), int(str(held.version_number)))
        for _ in range(STEPS_MAX):
            if target is None or own.is_stepwise:
                return None
            version = next(iter(own.details(versions=[target]).versions), None)
            if version is None:
                return None
            if version.activity_id is not None:
                past = Past(*target, version.activity_id, is_work=True)
                members = self._in(f"{path}@{target[1]}", version.sha256, version.file_handle_id)
                return Listed(past, members, version.created_on or "")
            meaning = version.meaning
            is_own = meaning is not None and meaning.entity_id == target[0]
            number = meaning.version_number if meaning is not None and is_own else None
            target = (target[0], number) if number is not None else None
        return None

    def _in(self, key: str, sha256: str | None, file_handle_id: object) -> Mapping[str, str]:
        """Return sha256 of every file in a version of a directory, by path below it."""
        known = self._members.get(key)
        if known is None or known[0] != sha256:
            try:
                manifest = read_manifest(self._client.files.download(str(file_handle_id)))
                members = {name: digest.sha256 for name, digest in manifest.files}
            except SnakeprovError:
                members = {}
            known = self._members[key] = sha256, members
        return known[1]
