"""Find out what a bug report needs: versions, file systems, locks, git, the store and what waits for it."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from snakeprov import __version__
from snakeprov.apps.connect import connect
from snakeprov.capture.git.program import run_git
from snakeprov.db.sqlite import JOURNAL_VARIABLE, file_system_of
from snakeprov.disk.layout import own_folder
from snakeprov.errors import CaptureError, SnakeprovError
from snakeprov.model.credentials import hide_in_urls, strip_credentials
from snakeprov.model.diagnosis import Diagnosis
from snakeprov.places import Place, locate
from snakeprov.recorder import backlog
from snakeprov.recorder.outbox import locks_work
from snakeprov.settings import SYNAPSE, is_remote

LIBRARIES: Final = ("snakemake", "SQLAlchemy", "alembic", "msgspec", "falcon", "requests", "click", "GitPython")
"""Distributions whose versions are reported."""

_GIT_TIMEOUT_S: Final = 10.0
_GIT_BYTES_MAX: Final = 1000


def diagnose(start: Path, *, store: str | None = None) -> Diagnosis:
    """Return what is found of the working directory and the store that a command in the folder `start` works on.

    Args:
        start: The folder.
        store: What `--store` named.
    """
    found = Diagnosis(
        versions=_versions(),
        platform=platform.platform(),
        git=_git(start),
        folder=_shown(start),
        folder_file_system=file_system_of(start),
        variables=sorted(name for name in os.environ if name.startswith("SNAKEPROV_")),
    )
    try:
        place = locate(start, store=store, create=True)
    except SnakeprovError as error:
        found.problem = _shown_in(error.message)
        return found
    found.folder, found.folder_file_system = _shown(place.root), file_system_of(place.root)
    found.settings = {name: _shown(Path(origin)) for name, origin in place.settings.origins.items()}
    _look_at_store(found, place)
    _look_at_outbox(found, place.root)
    return found


def _look_at_store(found: Diagnosis, place: Place) -> None:
    if is_remote(place.store):
        found.store = strip_credentials(place.store)
        found.store_kind = "synapse" if place.store == SYNAPSE else "server"
    else:
        found.store, found.store_kind = _shown(Path(place.store)), "folder"
        found.store_file_system = file_system_of(Path(place.store))
        found.journal_forced = bool(os.environ.get(JOURNAL_VARIABLE))
    try:
        with connect(place.store) as client:
            status = client.status()
    except SnakeprovError as error:
        found.problem = _shown_in(error.message)
        return
    if status is not None:
        found.journal_mode, found.schema_version = status.journal_mode, status.schema_version


def _look_at_outbox(found: Diagnosis, root: Path) -> None:
    found.locks_work = locks_work(own_folder(root))
    try:
        waiting = backlog.count(backlog.outbox_folder(root))
    except SnakeprovError as error:
        found.problem = found.problem or _shown_in(error.message)
        return
    found.pending, found.failed = waiting.pending, waiting.failed


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {
        "snakeprov": __version__,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return versions


def _git(folder: Path) -> str | None:
    try:
        said = run_git(folder, ["--version"], timeout_s=_GIT_TIMEOUT_S, limit_bytes=_GIT_BYTES_MAX).content
    except CaptureError:
        return None
    return said.decode(errors="replace").strip().removeprefix("git version ")


def _shown(path: Path) -> str:
    """Return a path with `~` for the home of the user, whose name nobody needs to know."""
    return _shown_in(str(path))


def _shown_in(text: str) -> str:
    """Return a sentence with `~` for the home of the user, and without credentials in its URLs."""
    home = str(Path.home())
    public = hide_in_urls(text, "***")
    return public if home == "/" else public.replace(home, "~")
