"""Entities as a user writes them, before they are stored: `File("excellent.csv", parent=project)`."""

from __future__ import annotations

import os

from snakeprov.errors import UsageError
from snakeprov.model import entities
from snakeprov.model.paths import to_text

Parent = str | entities.Project | entities.Folder


def Project(name: str, *, description: str | None = None) -> entities.Project:
    """Return a project to be stored."""
    return entities.Project(name=name, description=description)


def Folder(name: str, parent: Parent, *, description: str | None = None) -> entities.Folder:
    """Return a folder to be stored in `parent`, which is a stored project or folder, or its id."""
    return entities.Folder(name=name, parent_id=_id_of(parent), description=description)


def File(
    path: str | os.PathLike[str], parent: Parent, *, name: str | None = None, description: str | None = None
) -> entities.File:
    """Return a file to be stored.

    Args:
        path: Of the file on this machine.
        parent: The project or folder to store it in, or its id.
        name: What to call it; None: as the file is called.
        description: Of the entity.

    Raises:
        UsageError: The parent is not stored yet.

    >>> data = File("results/excellent.csv", parent="syn12")
    >>> data.name, data.path
    ('excellent.csv', 'results/excellent.csv')
    """
    text = os.fspath(path)
    name = name or to_text(os.path.basename(os.path.normpath(text)))  # noqa: PTH119  any text will do
    return entities.File(name=name, parent_id=_id_of(parent), description=description).at(text)


def _id_of(parent: Parent) -> str:
    if isinstance(parent, str):
        return parent
    if parent.id is None:
        raise UsageError(
            f"The parent {parent.name!r} is not stored yet.", hint="Store it first and use what store() returns."
        )
    return parent.id
