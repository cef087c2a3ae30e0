"""What a bug report needs to know of a machine, a working directory and its store; nothing in it is secret."""

from __future__ import annotations

from typing import Literal

import msgspec

StoreKind = Literal["folder", "server", "synapse"]


class Diagnosis(msgspec.Struct, kw_only=True):
    """What was found; what is not known is None.

    Attributes:
        versions: Of snakeprov, Python and the libraries that matter, by name; None: not installed.
        platform: Operating system and machine.
        git: Version of the git program.
        folder: Working directory, with `~` for the home of the user.
        folder_file_system: Kind of file system that it lies on; empty if the system does not tell.
        store: Store: folder or URL, without credentials.
        store_kind: What that is.
        store_file_system: Kind of file system of a store in a folder.
        journal_mode: Journal mode of its database.
        journal_forced: Whether an environment variable sets that.
        schema_version: Version of its tables.
        problem: Why the store cannot be used.
        locks_work: Whether a file can be locked beside the outbox.
        pending, failed: Records of jobs that wait, and that the store refused.
        settings: Where each setting that is not a default was read from, by name; no values.
        variables: Names of the environment variables of snakeprov that are set; no values.
    """

    versions: dict[str, str | None]
    platform: str
    git: str | None = None
    folder: str
    folder_file_system: str
    store: str | None = None
    store_kind: StoreKind | None = None
    store_file_system: str | None = None
    journal_mode: str | None = None
    journal_forced: bool = False
    schema_version: str | None = None
    problem: str | None = None
    locks_work: bool | None = None
    pending: int | None = None
    failed: int | None = None
    settings: dict[str, str] = {}
    variables: list[str] = []
