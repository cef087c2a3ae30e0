"""/snakeprov/v1/search: which results were made with a rule, a value, at a commit, by somebody, …

Must not know: how rows are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, get_args

import msgspec
from msgspec import Meta

from snakeprov.db import search
from snakeprov.db.fileversions import Algorithm
from snakeprov.db.search import Condition, Result
from snakeprov.model import times
from snakeprov.model.answers import SearchResult, SearchResults, UnknownKey
from snakeprov.model.records import JobStatus
from snakeprov.server import meanings, pages, values, wire
from snakeprov.server.affected import commit_prefix
from snakeprov.server.call import Call
from snakeprov.server.fileversions import digest_prefix
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.runs import named_run
from snakeprov.server.services import Access, Services

service = Services("Questions")

TERMS_MAX = 50
NEAR_MAX = 3

VALUE_KEYS = ("wildcard.", "param.", "config.", "annotation.")
"""What the keys begin with under which there is something else in each workflow."""


_OF_JOBS: type[search.Key] = tuple[pages.Whole, pages.Whole]
_OF_VERSIONS: type[search.Key] = tuple[pages.Whole, pages.Whole, pages.Whole, pages.Whole]

_DATE_CHARS = len("2026-01-31")


class Term(msgspec.Struct):
    """A key and the value that it must have; of several with one key any, of different keys all must hold."""

    key: str
    value: str


class SearchBody(msgspec.Struct):
    """What the results must have in common."""

    terms: list[Term]
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    after: str = ""


@service("POST", "/snakeprov/v1/search", access=Access.READS)
def results(call: Call, body: SearchBody) -> SearchResults:
    """What was made with a rule, a value, at a commit, …: versions and the jobs that made them, the latest first.

    If a key is unknown, the answer lists those that exist.
    """
    if not 1 <= len(body.terms) <= TERMS_MAX:
        raise bad_request(f"{len(body.terms)} terms; 1 to {TERMS_MAX} were expected.")
    wanted: dict[str, list[str]] = {}
    for term in body.terms:
        wanted.setdefault(term.key, []).append(term.value)
    conditions, unknown = [], []
    for key, texts in wanted.items():
        condition = _condition(call, key, texts)
        if condition is None:
            unknown.append(key)
        else:
            conditions.append(condition)
    if unknown:
        return _unknown(call, unknown)
    of_jobs = search.are_of_jobs(conditions)
    after = pages.key_of(body.after, _OF_JOBS if of_jobs else _OF_VERSIONS)
    rows = search.find(call.tx, conditions, reader=call.user.reader, after=after, limit=body.limit + 1)
    rows, following = pages.cut(rows, body.limit, lambda row: search.key_of(row, of_jobs=of_jobs))
    found = [row for row in rows if _has_annotations(row, wanted)]
    unmade = [(row.entity_id, row.number) for row in found if row.entity_id and row.number and not row.activity_id]
    told = meanings.told(call.tx, unmade)
    results = [
        msgspec.structs.replace(
            _result(row), **told.get((row.entity_id or 0, row.number or 0), meanings.NOTHING)._asdict()
        )
        for row in found
    ]
    near = None
    if not rows and not after and "rule" in wanted:
        near = search.near_rules(call.tx, wanted["rule"][0], reader=call.user.reader)
    return SearchResults(results=results, next=following, near=near)


def _condition(call: Call, key: str, texts: list[str]) -> Condition | None:
    """Return what a key with any of some values means, or None where nothing has that key."""
    if key in _KEYS:
        return _KEYS[key](call, texts)
    forms = list(dict.fromkeys(form for text in texts for form in values.forms(text)))
    if key.startswith("annotation."):
        return search.annotated(_as_json(key.removeprefix("annotation.")), [_as_json(text) for text in texts])
    if key.startswith("config."):
        return search.with_run_value(key, forms)
    keys = [key] if key.startswith(VALUE_KEYS) else [f"wildcard.{key}", f"param.{key}"]
    known = [one for one in keys if search.knows_key(call.tx, one, reader=call.user.reader)]
    return search.with_job_value(known, forms) if known else None


def _paths(call: Call, texts: list[str]) -> Condition:
    return search.at_paths(texts, dialect=call.tx.connection.dialect.name)


def _rules(call: Call, texts: list[str]) -> Condition:
    return search.of_rule(texts, dialect=call.tx.connection.dialect.name)


def _statuses(_: Call, texts: list[str]) -> Condition:
    known = get_args(JobStatus)
    for text in texts:
        if text not in known:
            raise bad_request(f"status={shown(text)}: one of {', '.join(known)} was expected.")
    return search.of_status(texts)


def _commits(_: Call, texts: list[str]) -> Condition:
    return search.at_commits([commit_prefix(text.removesuffix("+dirty")) for text in texts])


def _runs(call: Call, texts: list[str]) -> Condition:
    return search.of_runs([named_run(call, text).id for text in texts])


def _digests(_: Call, texts: list[str]) -> Condition:
    found: list[tuple[Algorithm, str]] = []
    for text in texts:
        name, _sep, digits = text.rpartition(":")
        if name not in ("", "sha256", "md5"):
            raise bad_request(f"digest={shown(text)}: sha256: or md5: and a digest were expected.")
        algorithm: Algorithm = "md5" if name == "md5" else "sha256"
        found.append((algorithm, digest_prefix(digits, algorithm)))
    return search.with_digests(found)


def _sha256(_: Call, texts: list[str]) -> Condition:
    return search.with_digests([("sha256", digest_prefix(text, "sha256")) for text in texts])


def _md5(_: Call, texts: list[str]) -> Condition:
    return search.with_digests([("md5", digest_prefix(text, "md5")) for text in texts])


def _unmade(_: Call, texts: list[str]) -> Condition:
    return search.with_job_value([values.UNMADE], [text.rstrip("/")[: values.VALUE_CHARS_MAX] for text in texts])


def _since(_: Call, texts: list[str]) -> Condition:
    return search.between(min(_moment("since", text) for text in texts), None)


def _until(_: Call, texts: list[str]) -> Condition:
    return search.between(None, max(_moment("until", text, end=True) for text in texts))


def _of_run(key: str) -> Callable[[Call, list[str]], Condition]:
    return lambda _, texts: search.with_run_value(key, texts)


_KEYS: dict[str, Callable[[Call, list[str]], Condition]] = {
    "rule": _rules,
    "status": _statuses,
    "path": _paths,
    values.UNMADE: _unmade,
    "commit": _commits,
    "run": _runs,
    "user": _of_run("user"),
    "host": _of_run("host"),
    "since": _since,
    "until": _until,
    "digest": _digests,
    "sha256": _sha256,
    "md5": _md5,
}
"""The keys that are the same in every workflow."""


def _moment(key: str, text: str, *, end: bool = False) -> int:
    """Return the moment that a date, or a date and time, names; without a zone it is UTC. `end`: of a date its end."""
    try:
        moment = datetime.fromisoformat(text)
        if end and len(text) <= _DATE_CHARS:
            moment += timedelta(days=1)
        return times.to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise bad_request(
            f"{key}={shown(text)}: a date was expected, such as 2026-01-31 or 2026-01-31T12:00."
        ) from error


def _unknown(call: Call, unknown: Iterable[str]) -> SearchResults:
    own = [key for key in search.keys(call.tx, reader=call.user.reader) if key not in _KEYS]
    bare = [key.partition(".")[2] for key in own]
    known = dict.fromkeys([*_KEYS, *bare, *own])
    near = [UnknownKey(key=key, near=get_close_matches(key, known, n=NEAR_MAX)) for key in unknown]
    return SearchResults(results=[], unknown_keys=near, keys=[*_KEYS, *own])


def _as_json(text: str) -> str:
    """Return a text as it stands between the quotes of JSON."""
    return msgspec.json.encode(text).decode()[1:-1]


def _has_annotations(row: Result, wanted: dict[str, list[str]]) -> bool:
    asked = {key.removeprefix("annotation."): texts for key, texts in wanted.items() if key.startswith("annotation.")}
    if not asked:
        return True
    annotations = msgspec.json.decode(row.annotations or "{}")
    return all(set(map(str, annotations.get(key, {}).get("value", ()))) & set(texts) for key, texts in asked.items())


def _result(row: Result) -> SearchResult:
    return SearchResult(
        path=row.path,
        entity_id=wire.optional_entity_id(row.entity_id),
        version_number=row.number,
        is_latest=None if row.entity_id is None else row.number == row.current_version,
        created_on=wire.optional_time(row.created_on),
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        outcome=row.outcome,
        activity_id=wire.optional_id(row.activity_id),
        job_id=row.job_id,
        rule=row.rule,
        status=row.status,
        wildcards=None if row.wildcards is None else msgspec.json.decode(row.wildcards),
        ended_on=wire.optional_time(row.ended_on),
        run_id=row.run_id,
        commit=row.git_commit,
        dirty=wire.optional_truth(row.git_dirty),
    )
