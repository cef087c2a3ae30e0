"""Ask a store about the versions that files on disk are, or should be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from snakeprov.client.pages import every
from snakeprov.errors import NotFoundError, RemoteError, SnakeprovError
from snakeprov.model.answers import Story, Version
from snakeprov.model.digest import Digest
from snakeprov.model.entities import File
from snakeprov.model.manifest import Manifest, read_manifest
from snakeprov.model.records import FileFact, recorded_path

if TYPE_CHECKING:
    from snakeprov.client import Client

PAGE: Final = 1000
"""Number of files, or versions of one file, per request."""

VERSIONS_MAX: Final = 1000
"""Maximum number of versions of a file searched for a content."""

ELSEWHERE_MAX: Final = 20
"""Maximum number of other files with the same content that are named or examined."""

MEMBERS_MAX: Final = 200
"""Maximum number of files of a directory for which it is checked whether all are kept."""

MANIFEST_BYTES_MAX: Final = 512 * 1024 * 1024
"""How long a manifest can be that is read."""


def current(client: Client, project: str, *, under: str = "", page: int = PAGE) -> Iterator[Version]:
    """Return the files of a project at their current versions, by path; with `under` only those in that folder.

    One request asks for `page` of them, and for no more than `PAGE`.
    """
    prefix = f"{under.rstrip('/')}/" if under else ""
    limit = min(page, PAGE)
    return every(lambda after: client.provenance.current(prefix, project=project, after=after, limit=limit))


def same_content(client: Client, digest: Digest, *, own_id: str | None = None) -> list[Version]:
    """Return versions that have a content: those of the entity `own_id` first, newest first, then those of others.

    At most `ELSEWHERE_MAX` of others; of the own entity the newest `VERSIONS_MAX` versions are looked at.
    """
    found: list[Version] = []
    if own_id is not None:
        history = client.provenance.history(own_id, limit=VERSIONS_MAX)
        same = [version for version in history.results if version.is_content(digest)]
        # A list of versions may not say whether the bytes are kept; the details of one version do.
        found += [
            one if one.bytes_kept is not None else client.provenance.story(own_id, one.version_number).version
            for one in same[:ELSEWHERE_MAX]
        ] + same[ELSEWHERE_MAX:]
    others = [one for one in _with_content(client, digest) if one[0] != own_id]
    for entity_id, version_number in others[:ELSEWHERE_MAX]:
        try:
            version = client.provenance.story(entity_id, version_number).version
        except NotFoundError:
            continue
        if version.is_content(digest):
            found.append(version)
    return found


def _with_content(client: Client, digest: Digest) -> list[tuple[str, int]]:
    """Return entities and numbers of versions with a content, oldest first."""
    if client.provenance.digest == "sha256":
        found = client.provenance.with_digest("sha256", digest.sha256, limit=VERSIONS_MAX).results
        return sorted(((one.entity_id, one.version_number) for one in found), key=lambda one: (len(one[0]), *one))
    headers = [] if digest.md5 is None else client.entities.with_md5(digest.md5)
    return [(one["id"], int(one["versionNumber"])) for one in headers]


def manifest(client: Client, version: Version) -> Manifest | None:
    """Return the manifest of a directory version; None where its bytes are not available.

    Raises:
        CorruptStoreError: It is damaged.
        NewerStoreError: A newer snakeprov wrote it.
    """
    content = bytearray()
    try:
        for chunk in content_of(client, version):
            content += chunk
            if len(content) > MANIFEST_BYTES_MAX:
                return None
    except NotFoundError:
        return None
    return read_manifest(bytes(content))


def content_of(client: Client, version: Version) -> Iterator[bytes]:
    """Yield the bytes of a version.

    Raises:
        NotFoundError: They are not kept.
        RemoteError: They are not available.
    """
    if client.backend.gives_contents and version.sha256 is not None:
        yield from client.files.blob(version.sha256, version.entity_id, version.version_number)
        return
    entity = client.entities.get(version.entity_id, version_number=version.version_number)
    handle_id = entity.data_file_handle_id if isinstance(entity, File) else None
    _, url = client.files.location(handle_id or "", entity_id=version.entity_id)
    if url is None or not url.startswith(("http://", "https://")):
        raise NotFoundError(
            f"The bytes of {version.path}@{version.version_number} are not kept.", status=404, reason="not kept"
        )
    yield from client.files.chunks(url)


def begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same chunks after reading the first, so that missing bytes are noticed before anything is written."""
    return chain(list(islice(chunks, 1)), chunks)


def member(client: Client, version: Version, sha256: str) -> Iterator[bytes]:
    """Yield the bytes of a file inside a directory version.

    Raises:
        NotFoundError: They are not kept; Synapse keeps none.
        RemoteError: They are not available.
    """
    if not client.backend.gives_contents:
        raise NotFoundError(f"The files in {version.path} are not kept.", status=404, reason="not kept")
    yield from client.files.blob(sha256, version.entity_id, version.version_number)


def has_member(client: Client, version: Version, sha256: str) -> bool:
    """Return whether the bytes of a file inside a directory version are kept."""
    try:
        for _ in member(client, version, sha256):
            break
    except RemoteError:
        return False
    return True


def are_members_kept(client: Client, version: Version, manifest: Manifest) -> bool | None:
    """Return whether the bytes of all files inside a directory version are kept; None where that is not known."""
    digests = {digest.sha256 for _, digest in manifest.files}
    if len(digests) > MEMBERS_MAX:
        return None
    try:
        for sha256 in digests:
            next(member(client, version, sha256), None)
    except NotFoundError:
        return False
    except RemoteError:
        return None
    return True


def is_temporary(client: Client, version: Version) -> bool:
    """Return whether a version is the output of a job that marked it as `temp()`."""
    try:
        story = client.provenance.story(version.entity_id, version.version_number)
    except SnakeprovError:
        return False
    fact = output_fact(story, version.path)
    return fact is not None and "temp" in fact.flags


def maker(client: Client, version: Version) -> str | None:
    """Return the rule, or the name of the activity, that wrote a version last; None where none is known."""
    try:
        story = client.provenance.story(version.entity_id, version.version_number)
    except SnakeprovError:
        return None
    return story.version.rule or (story.activity or {}).get("name")


def output_fact(story: Story, path: str) -> FileFact | None:
    """Return what the job of a story noted of one of its outputs."""
    wanted = path.rstrip("/")
    outputs = story.record.outputs if story.record else ()
    return next((fact for fact in outputs if recorded_path(fact) == wanted), None)
