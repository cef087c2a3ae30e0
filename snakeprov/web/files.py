"""The page of a file: what made this version of it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import quote

from snakeprov.client import Client, contents
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.model.answers import History, SearchResult, Story, Version
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE
from snakeprov.view import affected, history, story, text
from snakeprov.web import jobs, lineages, previews, render, urls
from snakeprov.web.http import Response, redirect
from snakeprov.web.visit import Visit

VERSIONS_MAX: Final = 50
"""Versions listed on the page of a file; it has a link to older ones."""

CAME_MAX: Final = 1000
"""Versions that came from one are counted up to this."""

SAME_MAX: Final = 20

FAILURES_READ: Final = 5
"""Number of recent failures searched for one in the project of the file."""


class Came(NamedTuple):
    """What came from a version: how many versions, by the rule that made them; `truncated`: more than was counted."""

    total: int
    by_rule: list[tuple[str, int]]
    truncated: bool


def find(visit: Visit, path: str) -> Response:
    """Lead to the latest version of the file that is recorded at a path."""
    found = visit.client.provenance.find(path)
    if not found.results and path.endswith("/"):
        found = visit.client.provenance.find(path.rstrip("/"))
    if len(found.results) == 1:
        (one,) = found.results
        return redirect(urls.version(one.entity_id, one.version_number))
    if found.results:
        near = [
            (f"{one.label} in {one.project_name}", urls.version(one.entity_id, one.version_number))
            for one in found.results
        ]
        return visit.unknown(f"{path} is recorded in several projects.", hint="Choose one.", near=near)
    near = [(name, urls.path(name)) for name in found.near or ()]
    return visit.unknown(f"{path} is not recorded.", hint="Did you mean one of these?" if near else "", near=near)


def show(visit: Visit, entity_id: str, number: str | None) -> Response:
    """Return the page of a version, or without a number lead to the latest."""
    client = visit.client
    try:
        listed = client.provenance.history(entity_id, limit=VERSIONS_MAX, after=visit.request.query.get("after", ""))
    except (NotFoundError, BadRequestError):
        return visit.unknown(
            f"There is no file {entity_id} in this store.", hint="Its name finds it, too: search for that."
        )
    if number is None:
        return redirect(urls.version(entity_id, listed.results[0].version_number))
    try:
        told = client.provenance.story(entity_id, int(number))
    except (NotFoundError, BadRequestError):
        return _no_version(visit, listed, number)
    return _page(visit, told, listed)


def download(visit: Visit, entity_id: str, number: str) -> Response:
    """Send the bytes of a version as a file to be saved."""
    client = visit.client
    version = contents.version(client, entity_id, int(number))
    handle, url = (None, None)
    if version is not None and version.file_handle_id is not None:
        handle, url = client.files.location(version.file_handle_id, entity_id=entity_id)
    is_kept = version is not None and version.bytes_kept and handle is not None
    if version is None or handle is None or url is None or not is_kept or handle.concrete_type == EXTERNAL_FILE_HANDLE:
        return visit.unknown(f"The bytes of {entity_id}.{number} are not kept.", hint="Only their digest was recorded.")
    name = version.path.rstrip("/").rpartition("/")[2]
    if version.is_directory:
        name += ".json"  # the list of what was in it
    headers = [
        ("Content-Disposition", f"attachment; filename*=UTF-8''{quote(text.say(name).text, safe='')}"),
        ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ]
    if version.size_bytes is not None:
        headers.append(("Content-Length", str(version.size_bytes)))
    pieces = client.files.chunks(url)
    first = next(pieces, b"")  # what is refused is refused before anything is sent
    return Response(body=_joined(first, pieces), content_type="application/octet-stream", headers=headers)


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _no_version(visit: Visit, listed: History, number: str) -> Response:
    entity = listed.entity
    near = [
        (f"{entity.recorded_path}@{one.version_number}", urls.version(entity.id, one.version_number))
        for one in listed.results[:SAME_MAX]
    ]
    return visit.unknown(f"{entity.recorded_path} has no version {number[:20]}.", hint="It has these:", near=near)


def _page(visit: Visit, told: Story, listed: History) -> Response:
    client, entity, number = visit.client, told.entity, told.version.version_number
    path = entity.recorded_path
    details = contents.version(client, entity.id, number)
    versions = [(one, history.notes(one, path, render.screen())) for one in listed.results]
    return visit.page(
        "file.html",
        title=f"{render.short(path)}@{number}",
        story=told,
        path=path,
        sentence=story.sentence(told),
        origin=list(story.origin(told)) if told.activity is not None else [],
        version=told.version,
        details=details,
        versions=versions,
        versions_total=listed.total_number_of_results,
        versions_next=listed.next,
        told=jobs.tell(client, told),
        activity=told.activity,
        same=_same(client, told),
        came=_came(client, entity.id, number),
        later=_later_failure(client, told, details),
        before=told.previous_version_number,
        lineage=lineages.drawn(client, entity.id, number),
        preview=previews.Preview("") if details is None else previews.of_version(client, details),
        command=f"snakeprov show {shlex.quote(f'{path}@{number}')}",
        files_max=jobs.FILES_MAX,
    )


def _same(client: Client, told: Story) -> list[Version]:
    """Return other versions that have the same bytes."""
    sha256 = told.version.sha256
    if sha256 is None:
        return []
    found = client.provenance.with_digest("sha256", sha256, limit=SAME_MAX).results
    own = (told.entity.id, told.version.version_number)
    return [one for one in found if (one.entity_id, one.version_number) != own]


def _later_failure(client: Client, told: Story, details: Version | None) -> SearchResult | None:
    """Return the last job that was to make the latest version of a file again and failed, if there is one."""
    if details is None or not details.is_latest:
        return None
    for one in client.provenance.search([("unmade", told.entity.recorded_path)], limit=FAILURES_READ).results:
        if one.run_id is not None and client.runs.get(one.run_id).project == details.project_name:
            return one if story.is_later(one, told) else None
    return None


def _came(client: Client, entity_id: str, number: int) -> Came:
    answer = client.provenance.affected([(entity_id, number)], limit=CAME_MAX)
    rules = Counter(affected.group_of(one) for one in answer.versions)
    return Came(len(answer.versions), rules.most_common(), answer.truncated)
