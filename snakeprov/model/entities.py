"""Entities and file handles, in Synapse's wire form.

Source: Synapse's JSON schemas `Project`, `Folder`, `FileEntity`, `file/FileHandle`.

Ids are text: `syn` and a number for an entity, a number for anything else. Times are RFC 3339 text. What the
store assigns (id, etag, times, version number) is None until it has.
"""

from __future__ import annotations

from typing import Any, Self

import msgspec

Body = dict[str, Any]
"""A body in Synapse's form as plain values: which keys it has differs from one to the next, and some are not ours."""

PROJECT = "org.sagebionetworks.repo.model.Project"
FOLDER = "org.sagebionetworks.repo.model.Folder"
FILE = "org.sagebionetworks.repo.model.FileEntity"
S3_FILE_HANDLE = "org.sagebionetworks.repo.model.file.S3FileHandle"
EXTERNAL_FILE_HANDLE = "org.sagebionetworks.repo.model.file.ExternalFileHandle"
DIRECTORY_CONTENT_TYPE = "application/vnd.snakeprov.directory+json"
"""Content type of a directory recorded as one File: its content is the manifest of the tree."""


class _Entity(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel", tag_field="concreteType"):
    id: str | None = None
    name: str | None = None
    description: str | None = None
    etag: str | None = None
    parent_id: str | None = None
    created_on: str | None = None
    created_by: str | None = None
    modified_on: str | None = None
    modified_by: str | None = None


class Project(_Entity, tag=PROJECT):
    """A top-level container."""


class Folder(_Entity, tag=FOLDER):
    """A container inside a project or a folder."""


class File(_Entity, tag=FILE, dict=True):
    """A file: a name whose content changes from version to version.

    A file that is to be stored or was downloaded knows where its bytes are on this machine. That is not a field:
    it is neither sent nor taken from an answer.
    """

    version_number: int | None = None
    version_label: str | None = None
    version_comment: str | None = None
    is_latest_version: bool | None = None
    data_file_handle_id: str | None = None

    @property
    def path(self) -> str | None:
        """Where its bytes lie on this machine, if they do."""
        path: str | None = self.__dict__.get("path")
        return path

    def at(self, path: str) -> Self:
        """Say where its bytes lie on this machine; return the file."""
        self.__dict__["path"] = path
        return self


Entity = Project | Folder | File


class FileHandle(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """The record of a piece of content: what it is, and where its bytes lie.

    `concrete_type` tells the kind: `S3_FILE_HANDLE` where the store keeps the bytes,
    `EXTERNAL_FILE_HANDLE` where only a URL is known. `content_sha256` is snakeprov's addition to Synapse's form.
    """

    concrete_type: str
    id: str | None = None
    etag: str | None = None
    created_by: str | None = None
    created_on: str | None = None
    modified_on: str | None = None
    file_name: str | None = None
    content_type: str | None = None
    content_size: int | None = None
    content_md5: str | None = None
    content_sha256: str | None = None
    external_url: str | None = msgspec.field(name="externalURL", default=None)
    status: str | None = None
