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
        digests.sqlite       digests of files that were read before
        project              identity of the working directory's project, and its name in each store
        store                where the records of the working directory go, if elsewhere
"""

from __future__ import annotations

from pathlib import Path

from snakeprov.settings import STORE_NAME

IGNORE_NAME = ".gitignore"

DATABASE_NAME = "provenance.sqlite"
BLOBS_NAME = "blobs"
SMALL_BLOBS_NAME = "small.sqlite"
INCOMING_NAME = "incoming"
UPLOADS_NAME = "uploads"
URL_SECRET_NAME = "url_secret"  # noqa: S105  the name of a file

OUTBOX_NAME = "outbox"
DIGESTS_NAME = "digests.sqlite"
PROJECT_NAME = "project"
POINTER_NAME = "store"


def own_folder(working_directory: Path) -> Path:
    """Return our folder in a working directory, which is also the store unless `store` is set."""
    return working_directory / STORE_NAME


def digests_file(working_directory: Path) -> Path:
    """Return the file of the digest cache of `working_directory`."""
    return own_folder(working_directory) / DIGESTS_NAME
