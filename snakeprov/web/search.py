"""Search: a file by a part of its name, a value, a rule, a digest, a commit, a run."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from snakeprov.client import Client
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.model.answers import Run, SearchResult, SearchResults, Version
from snakeprov.view import found
from snakeprov.web import render, urls
from snakeprov.web.http import Response, redirect
from snakeprov.web.visit import Visit

RESULTS_MAX: Final = 100
KEYS_TOLD_MAX: Final = 30
QUERY_CHARACTERS_MAX: Final = 1000

_ENTITY: Final = re.compile(r"syn[0-9]{1,18}(?:[.@][0-9]{1,18})?")
_NAMED: Final = re.compile(r"(run|job):([0-9a-f]{4,32})")
_DIGEST: Final = re.compile(r"(?:(sha256|md5):)?([0-9a-fA-F]{8,64})")
_HEX: Final = re.compile(r"[0-9a-f]{4,40}")
_VERSIONED: Final = re.compile(r"(.+)@([0-9]{1,18})")

_EXAMPLE: Final = "For example rule=align sample=a."


class Group(NamedTuple):
    """Results of one kind of search, and the sentence that says what they are."""

    sentence: str
    results: list[SearchResult]
    truncated: bool = False


def show(visit: Visit) -> Response:
    """Return what a search finds, or lead to the only thing that it can mean."""
    query = visit.request.query.get("q", "").strip()[:QUERY_CHARACTERS_MAX]
    if _ENTITY.fullmatch(query):
        return redirect("/f/" + query.replace("@", "."))
    if named := _NAMED.fullmatch(query):
        return redirect(urls.run(named[2]) if named[1] == "run" else urls.job(named[2]))
    if (exact := _version(visit.client, query)) is not None:
        return redirect(exact)
    groups: list[Group] = []
    same: list[Version] = []
    runs: list[Run] = []
    problem = hint = ""
    try:
        if _is_terms(query):
            groups.append(_by_terms(visit.client, query))
        elif query:
            same = _with_digest(visit.client, query)
            runs = _run(visit.client, query)
            groups = _by_word(visit.client, query)
    except BadRequestError as error:
        problem, hint = error.reason, _EXAMPLE
    except _UnknownKeyError as error:
        problem, hint = error.args
    near = [] if groups or same or runs or not query or problem else visit.client.provenance.find(query).near or []
    return visit.page(
        "search.html",
        title=f"Search: {render.short(query)}" if query else "Search",
        status=200 if groups or same or runs or not query else 404,
        query=query,
        groups=groups,
        same=same,
        runs=runs,
        near=[(name, urls.path(name)) for name in near],
        problem=problem,
        hint=hint,
        command=_command(query) if query and groups and _is_terms(query) else "",
    )


class _UnknownKeyError(Exception):
    """A key that nothing has: the sentence, and the hint."""


def _version(client: Client, query: str) -> str | None:
    """Return the address of the only file that is recorded at a path, or of the version of it that is named."""
    versioned = _VERSIONED.fullmatch(query)
    for path, number in [(query, None), *([(versioned[1], int(versioned[2]))] if versioned else [])]:
        matches = client.provenance.find(path).results if path else []
        if len(matches) == 1:
            return urls.version(matches[0].entity_id, number or matches[0].version_number)
        if matches:
            return urls.path(path)
    return None


def _is_terms(query: str) -> bool:
    return bool(query) and all("=" in word.strip("=") for word in query.split())


def _by_terms(client: Client, query: str) -> Group:
    words = query.split()
    pairs = [tuple(word.split("=", 1)) for word in words]
    answer = _ask(client, [(key, value) for key, value in pairs])
    for one in answer.unknown_keys or ():
        near = f"Did you mean {' or '.join(one.near)}? " if one.near else ""
        keys = ", ".join((answer.keys or [])[:KEYS_TOLD_MAX])
        raise _UnknownKeyError(
            f"{one.key!r} is not a key, and no recorded job has such a wildcard or param.", f"{near}Keys: {keys}."
        )
    return Group(found.sentence(answer, words, []), answer.results, answer.next is not None)


def _by_word(client: Client, query: str) -> list[Group]:
    """Return the files whose path has a word in it, what a rule of that name made, and what was made at that commit."""
    wanted = [("path", f"*{query}*"), ("rule", query)]
    if _HEX.fullmatch(query):
        wanted.append(("commit", query))
    groups = []
    for term in wanted:
        try:
            answer = _ask(client, [term])
        except BadRequestError:
            continue
        if answer.results:
            sentence = found.sentence(answer, ["=".join(term)], [])
            groups.append(Group(sentence, answer.results, answer.next is not None))
    return groups


def _ask(client: Client, terms: list[tuple[str, str]]) -> SearchResults:
    return client.provenance.search(terms, limit=RESULTS_MAX)


def _with_digest(client: Client, query: str) -> list[Version]:
    digest = _DIGEST.fullmatch(query)
    if digest is None:
        return []
    try:
        return client.provenance.with_digest(digest[1] or "sha256", digest[2].lower(), limit=RESULTS_MAX).results
    except BadRequestError:
        return []


def _run(client: Client, query: str) -> list[Run]:
    """Return the run whose id begins so, if there is one."""
    if not _HEX.fullmatch(query):
        return []
    try:
        return [client.runs.get(query)]
    except (NotFoundError, BadRequestError):
        return []


def _command(query: str) -> str:
    import shlex

    return "snakeprov find " + " ".join(map(shlex.quote, query.split()))
