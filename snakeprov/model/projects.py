"""Under which project the files of a working directory are recorded.

Must not know: how anything is recorded, or asked.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from snakeprov.config import PROJECT_NAME, STORE_NAME, Settings, store_of
from snakeprov.model.paths import to_text


def project_of(settings: Settings, working_directory: Path) -> str:
    """Return the project that is set; else the one noted in the working directory; else the directory's name."""
    return settings.project or _noted(settings, working_directory) or to_text(working_directory.name) or "/"


def note_project(settings: Settings, working_directory: Path) -> None:
    """Note the project that a working directory's own repository has it as, unless it is noted or set.

    So a folder that is moved or renamed, with the repository in it, goes on with its history. Where it cannot be
    written it is done without.
    """
    if settings.project is None and _noted(settings, working_directory) is None:
        note = working_directory / STORE_NAME / PROJECT_NAME
        with suppress(OSError):
            note.write_text(project_of(settings, working_directory) + "\n", encoding="utf-8")


def _noted(settings: Settings, working_directory: Path) -> str | None:
    own = working_directory / STORE_NAME
    if store_of(settings, working_directory) == str(own):
        with suppress(OSError, UnicodeDecodeError):
            return (own / PROJECT_NAME).read_text(encoding="utf-8").strip() or None
    return None
