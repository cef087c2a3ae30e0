"""Giving a complete file its name, so that nobody ever sees half of it.

Must not know: what is in the file.
"""

from __future__ import annotations

from pathlib import Path


def publish(unfinished: Path, path: Path) -> bool:
    """Give the complete file `unfinished` the name `path` unless that is taken; return whether it got the name.

    `unfinished` may keep its own name too; the caller removes it.

    Raises:
        OSError: The folder cannot be written.
    """
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links: a rename is the next best thing.
        if path.exists():
            return False
        unfinished.rename(path)
    return True
