"""Write a crate: contents checked against their digests, metadata, and a list of checksums.

Everything is written beside its destination and then put into place, so that what is there is whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from snakeprov.client.files import CHUNK_BYTES
from snakeprov.disk.files import Hasher, digest_file
from snakeprov.disk.replacing import complete, swap
from snakeprov.disk.shortage import in_words
from snakeprov.errors import CorruptStoreError, ForbiddenError, NotFoundError, SnakeprovError, UsageError
from snakeprov.export.layout import CHECKSUMS, METADATA, RESERVED, Layout, checksum_line, wanted
from snakeprov.export.material import Material, Member
from snakeprov.model.answers import Version
from snakeprov.model.paths import to_os

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.export.crate import License
    from snakeprov.export.vocabulary import Profile

LICENSE_NAMES: Final = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE.md", "LICENCE.txt", "COPYING")

LICENSE_BYTES_MAX: Final = 1_000_000
"""Larger files are not taken for a license."""

Expected = tuple[str | None, str | None, int | None]
"""The sha256, the md5 and the size of bytes, so far as they are known."""

_OBJECTS: Final = "/snakeprov/v1/blobs"


class Written(NamedTuple):
    """What was written.

    Attributes:
        files: How many files there are in the crate, the metadata and the checksums not counted.
        size_bytes: How many bytes they have.
        missing: Versions that the crate should hold but whose bytes are not available; it refers to them.
        sha256: Of the zip file; None of a folder.
    """

    files: int
    size_bytes: int
    missing: tuple[Version, ...]
    sha256: str | None


class Order(NamedTuple):
    """What is to be written.

    Attributes:
        out: The folder, or the zip file where it ends with `.zip`.
        profile: The profile; None: the fullest that can be followed.
        data: Which data the crate holds: `none`, the `results` or `all`.
        license: An SPDX id or a URL; None: that of the working directory, if it has one.
        root: The working directory, where bytes may lie that the store does not have.
        force: Whether a crate that is there is replaced.
        on_file: Called with the size of each file that is there.
    """

    out: Path
    profile: Profile | None
    data: str
    license: str | None
    root: Path
    force: bool
    on_file: Callable[[int], None] = lambda size_bytes: None


def write(client: Client, material: Material, order: Order) -> tuple[Written, Profile]:
    """Write a crate; return a summary of it, and its profile.

    Raises:
        UsageError: Something is in the way, or the profile needs a Snakefile that is unknown or not available.
        CorruptStoreError: The store has other bytes than were recorded.
        SnakeprovError: The files cannot be written.
    """
    check_destination(order.out, force=order.force)
    with _beside(order.out) as folder:
        packing = _Packing(client, folder, order)
        license_ = packing.license()
        included, missing = packing.fetch(material)
        profile = _profile(material, included, order.profile)
        packing.describe(material, included, profile, license_)
        sha256 = _put(folder, order.out)
    return Written(len(packing.sums) - 1, packing.size_bytes, tuple(missing), sha256), profile


def check_destination(out: Path, *, force: bool) -> None:
    """Refuse to overwrite anything but a crate or file that the user asked to replace.

    Raises:
        UsageError: There is something.
    """
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} into.", hint="Make it first.")
    if not os.path.lexists(out):
        return
    if not force:
        raise UsageError(f"{out} exists already.", hint="Name another with -o, or replace it with --force.")
    if out.is_dir() and not out.is_symlink() and any(out.iterdir()) and not (out / METADATA).is_file():
        raise UsageError(
            f"{out} is a folder, and not an RO-Crate.",
            hint="--force replaces crates only; choose another folder with -o.",
        )


def write_file(out: Path, content: bytes) -> str:
    """Write a file whole, also over one that is there; return the sha256 of it.

    Raises:
        SnakeprovError: It cannot be written.
    """
    with _explained(out), complete(out) as temporary:
        temporary.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _profile(material: Material, included: Mapping[str, str], asked: Profile | None) -> Profile:
    from snakeprov.export.crate import main_workflow

    workflow = main_workflow(material)
    if workflow is not None and workflow.id in included:
        return asked or "provenance"
    if asked in (None, "process"):
        return "process"
    reason = (
        "no Snakefile is recorded" if workflow is None else f"the bytes of {workflow.label} are not available any more"
    )
    raise UsageError(f"A {asked} crate holds the workflow, but {reason}.", hint="Export it with --profile process.")


class _Packing:
    """The files of one crate."""

    def __init__(self, client: Client, folder: Path, order: Order) -> None:
        self.sums: dict[str, str] = {}
        self.size_bytes = 0
        self._client = client
        self._folder = folder
        self._order = order
        self._reserved = list(RESERVED)

    def license(self) -> License | None:
        """Return the license that the user named, or that of the working directory, which is added to the crate."""
        from snakeprov.export.crate import License

        named = self._order.license
        if named is not None:
            return License(named if "://" in named else f"https://spdx.org/licenses/{named}", named)
        for name in LICENSE_NAMES:
            path = self._order.root / name
            if path.is_file() and path.stat().st_size <= LICENSE_BYTES_MAX:
                self._write(name, [path.read_bytes()])
                self._reserved.append(name)
                return License(name, f"{name} of the workflow")
        return None

    def fetch(self, material: Material) -> tuple[dict[str, str], list[Version]]:
        """Write the files into the crate; return their paths by version, and the versions that are not available."""
        layout = Layout(self._reserved)
        included: dict[str, str] = {}
        missing = []
        for version in wanted(material, self._order.data):
            members = material.members.get(version.id)
            path = layout.place(version, [one.path for one in members or ()])
            if version.is_directory:
                had = members is not None and self._fetch_members(version, path, members)
            else:
                had = self._fetch(version, path)
            if had:
                included[version.id] = path
            else:
                missing.append(version)
        return included, missing

    def describe(
        self, material: Material, included: Mapping[str, str], profile: Profile, license_: License | None
    ) -> None:
        """Write the metadata and the checksums."""
        from snakeprov.export.crate import crate

        made = crate(material, included, profile=profile, license_=license_)
        made.metadata.write(self._folder)
        self.sums[METADATA] = digest_file(str(self._folder / METADATA)).sha256
        lines = [checksum_line(self.sums[path], path) for path in sorted(self.sums)]
        (self._folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")

    def _fetch(self, version: Version, path: str) -> bool:
        md5 = None if version.sha256 is not None else version.md5
        expected = (version.sha256, md5, version.size_bytes)
        if version.bytes_kept is not False and version.file_handle_id is not None:
            url = self._url_of(version.file_handle_id, version)
            if url is not None:
                if self._write(path, self._client.files.chunks(url), expected=expected):
                    return True
                raise CorruptStoreError(
                    f"The store has other bytes of {version.label} than were recorded.",
                    hint="'snakeprov fsck' says what is damaged.",
                )
        return version.sha256 is not None and self._fetch_from_disk(version, path, expected)

    def _url_of(self, file_handle_id: str, version: Version) -> str | None:
        try:
            return self._client.files.location(file_handle_id, entity_id=version.entity_id)[1]
        except (NotFoundError, ForbiddenError):
            return None

    def _fetch_from_disk(self, version: Version, path: str, expected: Expected) -> bool:
        place = self._order.root / to_os(version.path)
        if not place.is_file() or place.stat().st_size != version.size_bytes:
            return False
        return self._write(path, _read(place), expected=expected)

    def _fetch_members(self, version: Version, path: str, members: Iterable[Member]) -> bool:
        for member in members:
            url = f"{_OBJECTS}/{member.sha256}?entityId={version.entity_id}&versionNumber={version.version_number}"
            try:
                had = self._write(
                    f"{path}{member.path}",
                    self._client.files.chunks(url),
                    expected=(member.sha256, None, member.size_bytes),
                )
            except (NotFoundError, ForbiddenError):
                had = False
            if not had:
                self._forget(path)
                return False
        (self._folder / path).mkdir(parents=True, exist_ok=True)
        return True

    def _forget(self, path: str) -> None:
        shutil.rmtree(self._folder / path, ignore_errors=True)
        self.sums = {name: sha256 for name, sha256 in self.sums.items() if not name.startswith(path)}

    def _write(
        self,
        path: str,
        chunks: Iterable[bytes],
        *,
        expected: Expected = (None, None, None),
    ) -> bool:
        """Write a file; return whether its content has the expected digest."""
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        hasher = Hasher(md5=expected[1] is not None)
        with place.open("wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
                hasher.update(chunk)
        digest = hasher.digest()
        found = (digest.sha256, digest.md5, digest.size_bytes)
        if any(one is not None and one != other for one, other in zip(expected, found, strict=True)):
            place.unlink()
            return False
        self.sums[path] = digest.sha256
        self.size_bytes += digest.size_bytes
        self._order.on_file(digest.size_bytes)
        return True


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `out`, and remove it at the end.

    Raises:
        SnakeprovError: Something cannot be written.
    """
    folder = out.parent / f".{out.name}-{uuid.uuid4().hex[:8]}"
    with _explained(out):
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SnakeprovError(
            f"{out} cannot be written ({in_words(error)}).", hint="Choose another place with -o."
        ) from error


def _put(folder: Path, out: Path) -> str | None:
    """Move the written crate into place; return the sha256 of a zip file."""
    if out.suffix != ".zip":
        swap(folder, out)
        return None
    with complete(out) as packed, zipfile.ZipFile(packed, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return digest_file(str(out)).sha256
