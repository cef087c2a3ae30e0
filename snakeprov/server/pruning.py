"""/snakeprov/v1/prune: bytes that are not needed any more go; everything that is recorded stays.

Must not know: how bytes are kept, or how rows are.

It may run beside workflows that record. First it is said of a content that it is gone, then it is removed, both in
short transactions; a writer that stores the same content meanwhile notices, and stores it again (`still_there`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Annotated, TypeVar

import msgspec

from snakeprov.db import jobs, lookup, pruning
from snakeprov.db.access import DELETE
from snakeprov.db.lineage import Version
from snakeprov.db.pruning import Candidate, Criteria, Going
from snakeprov.model import times
from snakeprov.model.answers import MadeVersion, Pruned
from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Call
from snakeprov.server.directories import MANIFEST_BYTES_MAX
from snakeprov.server.refusals import bad_request, forbidden, not_found, shown
from snakeprov.server.services import Access, Services

service = Services("The server")

LISTED_DEFAULT = 1000
LISTED_MAX = 100_000

TOGETHER = 200
"""Contents deleted per transaction: this bounds how long other writers wait."""

_SIZE = re.compile(rb'"sizeBytes":([0-9]{1,18}),"sha256":"([0-9a-f]{64})"')

T = TypeVar("T")
Count = Annotated[int, msgspec.Meta(ge=0)]


class PruneBody(msgspec.Struct, rename="camel"):
    """Selects the versions whose bytes are deleted: those that match all the given criteria.

    Attributes:
        keep_last: Only versions with at least this many newer versions of the same file.
        unreferenced: Also contents that nothing refers to.
        dry_run: Only tell what would go.
        limit: Maximum number of versions listed.
    """

    project: str | None = None
    rules: list[str] = []
    before: datetime | None = None
    larger_than_bytes: Count | None = None
    keep_last: Annotated[int, msgspec.Meta(ge=1)] | None = None
    unreferenced: bool = False
    dry_run: bool = True
    limit: Annotated[int, msgspec.Meta(ge=1, le=LISTED_MAX)] = LISTED_DEFAULT

    @property
    def names_versions(self) -> bool:
        """Whether versions are meant at all."""
        return bool(self.rules) or (self.before, self.larger_than_bytes, self.keep_last) != (None, None, None)


@dataclass
class _Plan:
    """What goes.

    Attributes:
        versions: Those that cannot be restored any more.
        shared: How many are meant as well, but something that stays has the same content.
        contents: Length of each content that goes.
        going: All versions that are meant.
    """

    versions: list[Candidate] = field(default_factory=list)
    shared: int = 0
    contents: dict[str, int] = field(default_factory=dict)
    going: Going = field(default_factory=lambda: Going((), {}, ()))


@service("POST", "/snakeprov/v1/prune", access=Access.OWN)
def prune(call: Call, body: PruneBody) -> Pruned:
    """Deletes the stored bytes of versions, or with `dryRun` lists them; every record stays.

    Requires permission to delete from the project. Contents that other versions have too stay, and executed code does.
    """
    if not body.names_versions and not body.unreferenced:
        raise bad_request("Nothing is selected: give rules, before, largerThanBytes, keepLast or unreferenced.")
    with call.reading():
        plan = _plan(call, body)
        told = _told(call, plan.versions[: body.limit])
    if not body.dry_run:
        _execute(call, plan)
    return Pruned(
        dry_run=body.dry_run,
        versions=len(plan.versions),
        versions_shared=plan.shared,
        versions_without_activity=sum(version.activity_id is None for version in plan.versions),
        contents=len(plan.contents),
        freed_bytes=sum(plan.contents.values()),
        results=told,
        truncated=len(plan.versions) > len(told),
    )


def still_there(call: Call, since: str, put: Callable[[], T], outcome: T) -> T:
    """Return what became of contents that were put before this transaction, once more if they may have been pruned.

    Args:
        call: With a transaction that may write, in which nothing is pruned.
        since: The state of pruning before they were put.
        put: Puts them.
        outcome: What it returned the first time.
    """
    return put() if pruning.may_have_gone(call.tx, since) else outcome


def _plan(call: Call, body: PruneBody) -> _Plan:
    plan = _Plan()
    meant = _meant(call, body) if body.names_versions else []
    sizes: dict[str, int] = {}
    inside: dict[str, dict[str, int]] = {}
    for version in meant:
        sizes[version.sha256] = version.size_bytes
        if version.is_directory:
            inside[version.sha256] = members = _members(call, version.sha256)
            sizes.update(members)
    if body.larger_than_bytes is not None:
        meant = [one for one in meant if _size(one, inside) > body.larger_than_bytes]
        sizes = {sha256: sizes[sha256] for one in meant for sha256 in (one.sha256, *inside.get(one.sha256, ()))}
    if body.unreferenced:
        if not permissions.is_trusted(call):
            raise forbidden("Contents that nothing refers to can only be pruned where the store is.")
        sizes.update(call.server.blobs.contents())
    going: set[Version] = {(one.entity_id, one.number) for one in meant}
    recorded_on: dict[str, int] = {}
    for one in meant:
        for sha256 in inside.get(one.sha256, ()):
            recorded_on[sha256] = max(one.created_on, recorded_on.get(sha256, 0))
    plan.going = Going(going, recorded_on, pruning.named_in_records(call.tx))
    kept = pruning.needed(call.tx, sizes, plan.going)
    for directory, manifest in pruning.directories(call.tx).items():
        if directory not in going or manifest in kept:
            kept |= _members(call, manifest).keys() & sizes.keys()
    has = call.server.blobs.has
    plan.contents = {sha256: size for sha256, size in sizes.items() if sha256 not in kept and has(sha256)}
    plan.versions = [one._replace(size_bytes=_size(one, inside)) for one in meant if one.sha256 not in kept]
    plan.shared = len(meant) - len(plan.versions)
    return plan


def _meant(call: Call, body: PruneBody) -> list[Candidate]:
    project_id = None
    if body.project is not None:
        project_id = lookup.project_id(call.tx, body.project)
        if project_id is None:
            raise not_found(f"There is no project called {shown(body.project)}.")
        permissions.check(call, project_id, project_id=project_id, permission=DELETE)
    criteria = Criteria(
        project_id=project_id,
        rules=body.rules,
        before_ms=None if body.before is None else _epoch_ms(body.before),
        larger_than_bytes=body.larger_than_bytes,
        keep_last=body.keep_last,
    )
    found = pruning.candidates(call.tx, criteria, reader=call.user.reader)
    # Of a directory that has just been recorded the files would stay: then it stays as well.
    settled_ms = call.tx.now_ms - pruning.SETTLED_MS
    return [one for one in found if not one.is_directory or one.created_on < settled_ms]


def _epoch_ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise bad_request(f"before={shown(moment.isoformat())} has no offset from UTC, such as Z.")
    return times.to_ms(moment)


def _members(call: Call, manifest: str) -> dict[str, int]:
    """Return the contents inside a directory and their lengths; none where the manifest cannot be read."""
    try:
        with call.server.blobs.open(manifest) as stream:
            content = stream.read(MANIFEST_BYTES_MAX)
    except KeyError:
        return {}
    # Its form is canonical, and in the text of a name the quotation marks would be escaped.
    return {sha256.decode(): int(size) for size, sha256 in _SIZE.findall(content)}


def _size(version: Candidate, inside: dict[str, dict[str, int]]) -> int:
    return version.size_bytes + sum(inside.get(version.sha256, {}).values())


def _execute(call: Call, plan: _Plan) -> None:
    token = pruning.new_token()
    waiting = iter(list(plan.contents))
    while some := list(islice(waiting, TOGETHER)):
        with call.writing():
            pruning.begin(call.tx, token)
            needed = pruning.needed(call.tx, some, plan.going)
            gone = [sha256 for sha256 in some if sha256 not in needed]
            pruning.drop(call.tx, gone)
        _remove(call, token, gone)
        for sha256 in needed:
            del plan.contents[sha256]
    with call.writing():
        pruning.end(call.tx, token)
    call.server.blobs.compact()


def _remove(call: Call, token: str, contents: Iterable[str]) -> None:
    """Remove contents that have been marked as gone and that nobody has stored since."""
    with call.writing():
        pruning.begin(call.tx, token)
        wanted = list(contents)
        stored = pruning.stored(call.tx, wanted)
        call.server.blobs.remove_all([sha256 for sha256 in wanted if sha256 not in stored])


def _told(call: Call, versions: list[Candidate]) -> list[MadeVersion]:
    made = jobs.made(call.tx, {one.activity_id for one in versions if one.activity_id is not None})
    told = meanings.told(call.tx, [(one.entity_id, one.number) for one in versions if one.activity_id is None])
    return [
        MadeVersion(
            path=one.path,
            entity_id=wire.entity_id(one.entity_id),
            version_number=one.number,
            is_latest=bool(one.is_latest),
            size_bytes=one.size_bytes,
            created_on=wire.time(one.created_on),
            rule=made[one.activity_id].rule if one.activity_id in made else None,
            role=told.get((one.entity_id, one.number), meanings.NOTHING).role,
            meaning=told.get((one.entity_id, one.number), meanings.NOTHING).meaning,
        )
        for one in versions
    ]
