"""The layout of snakeprov's folders: `.snakeprov/` of a working directory, and the folder of a store.

A working directory with an embedded store has both in one folder:

    .snakeprov/
        .gitignore           keeps the folder out of git
        provenance.sqlite    the store's records, by which a folder is recognised as a store
        blobs/               the store's contents
            small.sqlite         small ones
            ab/ab12…             large ones, by their sha256
            incoming/            large ones that are being written
            uploads/             parts of unfinished uploads, by upload and number
        url_secret           signs the URLs of a store that is served
        outbox/              records that wait for delivery: a log for each run, and notes beside it
        log/                 what snakeprov does, with SNAKEPROV_LOG
        digests.sqlite       digests of files that were read before
        project              identity of the working directory's project, and its name in each store
        store                where the records of the working directory go, if elsewhere
"""

from __future__ import annotations

import os
from pathlib import Path

from snakeprov.model.credentials import strip_credentials
from snakeprov.settings import STORE_NAME, is_remote

IGNORE_NAME = ".gitignore"

DATABASE_NAME = "provenance.sqlite"
BLOBS_NAME = "blobs"
SMALL_BLOBS_NAME = "small.sqlite"
INCOMING_NAME = "incoming"
UPLOADS_NAME = "uploads"
URL_SECRET_NAME = "url_secret"  # noqa: S105  the name of a file

OUTBOX_NAME = "outbox"
LOG_NAME = "log"
DIGESTS_NAME = "digests.sqlite"
PROJECT_NAME = "project"
POINTER_NAME = "store"

OWN_STORE = "."
"""How notes in a working directory name its own store."""


def own_folder(working_directory: Path) -> Path:
    """Return our folder in a working directory, which is also the store unless `store` is set."""
    return working_directory / STORE_NAME


def digests_file(working_directory: Path) -> Path:
    """Return the file of the digest cache of `working_directory`."""
    return own_folder(working_directory) / DIGESTS_NAME


def noted_store(working_directory: Path, store: str) -> str:
    """Return a store as notes in a working directory name it, so that they still hold where the directory is moved.

    >>> noted_store(Path("/study"), "/study/.snakeprov"), noted_store(Path("/study"), "/study/kept")
    ('.', 'kept')
    >>> noted_store(Path("/study"), "https://ada:secret@prov.example.org/")
    'https://prov.example.org'
    """
    if is_remote(store):
        return strip_credentials(store).rstrip("/")
    root, place = os.path.realpath(working_directory), os.path.realpath(store)
    if place == os.path.join(root, STORE_NAME):  # noqa: PTH118  as the two above
        return OWN_STORE
    return os.path.relpath(place, root) if place.startswith(f"{root}/") else place


def store_noted(working_directory: Path, note: str) -> str:
    """Return the store that a note of `noted_store` names: a folder, a URL, or "synapse".

    >>> store_noted(Path("/study"), "."), store_noted(Path("/study"), "synapse")
    ('/study/.snakeprov', 'synapse')
    """
    if is_remote(note):
        return note
    return str(own_folder(working_directory) if note == OWN_STORE else working_directory / note)
