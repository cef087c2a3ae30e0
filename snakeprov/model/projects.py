"""Under which project the files of a working directory are recorded.

Must not know: how anything is recorded, or asked.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from snakeprov.config import PROJECT_NAME, STORE_NAME, Settings
from snakeprov.model.paths import to_text


def project_of(settings: Settings, working_directory: Path, store: str) -> str:
    """Return the project that is set; else the one noted in the working directory; else the directory's name.

    Args:
        settings: The settings that hold there.
        working_directory: Of the workflow, absolute.
        store: Where the records go: the folder or the URL. A note holds only for the directory's own repository.
    """
    noted = None
    own = working_directory / STORE_NAME
    if settings.project is None and store == str(own):
        with suppress(OSError, UnicodeDecodeError):
            noted = (own / PROJECT_NAME).read_text(encoding="utf-8").strip()
    return settings.project or noted or _name_of(working_directory)


def note_project(settings: Settings, working_directory: Path) -> None:
    """Note the project that a working directory's own repository has it as, unless one is noted or set.

    So a folder that is moved or renamed, with the repository in it, goes on with its history. Where it cannot be
    written it is done without.
    """
    if settings.project is None:
        with suppress(OSError), (working_directory / STORE_NAME / PROJECT_NAME).open("x", encoding="utf-8") as note:
            note.write(_name_of(working_directory) + "\n")


def _name_of(working_directory: Path) -> str:
    return to_text(working_directory.name) or "/"
