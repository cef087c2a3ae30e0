"""The screen and the JSON of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from snakeprov.model.diagnosis import Diagnosis, StoreKind
from snakeprov.view import text
from snakeprov.view.documents import Document, document_of
from snakeprov.view.text import Screen, compose, counted, say

_UNKNOWN = "unknown"


class DoctorDocument(Document, frozen=True, kw_only=True):
    """`doctor`; null where something is not known."""

    versions: dict[str, str | None]
    platform: str
    git: str | None
    folder: str
    folder_file_system: str
    store: str | None
    store_kind: StoreKind | None
    store_file_system: str | None
    journal_mode: str | None
    journal_forced: bool
    schema_version: str | None
    problem: str | None
    locks_work: bool | None
    pending: int | None
    failed: int | None
    settings: dict[str, str]
    variables: list[str]


def document(found: Diagnosis) -> DoctorDocument:
    """Return what `doctor --json` prints."""
    return document_of(DoctorDocument, found)


def lines(found: Diagnosis, screen: Screen) -> Iterator[str]:
    """Yield the lines of `doctor`."""
    for label, value in {"platform": found.platform, "git": found.git or "not installed"}.items():
        yield from text.fact(label, [say(value)], screen)
    yield ""
    yield compose([say("versions", "heading")], screen)
    rows = [[say(name), say(version or "not installed")] for name, version in found.versions.items()]
    yield from text.table(rows, screen, indent=2)
    yield ""
    yield from text.fact("folder", [say(_on(found.folder, found.folder_file_system))], screen)
    yield from text.fact("locks", [_truth(found.locks_work)], screen)
    yield from text.fact("waiting", [say(_waiting(found))], screen)
    yield from _store(found, screen)
    for label, names in {
        "settings": [f"{name} ({origin})" for name, origin in found.settings.items()],
        "variables": found.variables,
    }.items():
        yield from text.fact(label, [say(", ".join(names) or "none")], screen)


def _store(found: Diagnosis, screen: Screen) -> Iterator[str]:
    if found.store is not None:
        file_system = None if found.store_file_system is None else found.store_file_system or _UNKNOWN
        yield from text.fact("store", [say(_on(found.store, file_system))], screen)
    if found.journal_mode:
        forced = " (set by SNAKEPROV_JOURNAL_MODE)" if found.journal_forced else ""
        yield from text.fact("journal", [say(f"{found.journal_mode}{forced}")], screen)
    if found.schema_version:
        yield from text.fact("schema", [say(found.schema_version)], screen)
    if found.problem is not None:
        yield from text.fact("problem", [say(found.problem, "bad")], screen)


def _on(path: str, file_system: str | None) -> str:
    return path if file_system is None else f"{path} on {file_system or _UNKNOWN}"


def _truth(value: bool | None) -> text.Piece:
    if value is None:
        return say("not tried: no file can be made in .snakeprov")
    return say("work", "good") if value else say("do not work", "bad")


def _waiting(found: Diagnosis) -> str:
    if found.pending is None or found.failed is None:
        return _UNKNOWN
    return f"{counted(found.pending, 'job record')}, {found.failed} refused"
