"""The screen and the JSON of `find`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from snakeprov.model.answers import Meaning, Outcome, Role, SearchResult, SearchResults
from snakeprov.model.digest import Digest
from snakeprov.model.records import JobStatus
from snakeprov.view import text, times
from snakeprov.view.documents import Document, document_of
from snakeprov.view.history import by_nobody, status_role, versioned
from snakeprov.view.text import Line, Screen, compose, counted, say


class ResultDocument(Document, frozen=True, kw_only=True):
    """A version that `find` found, or a job that wrote none."""

    path: str | None
    version_number: int | None
    entity_id: str | None
    is_latest: bool | None
    created_on: str | None
    sha256: str | None
    size_bytes: int | None
    outcome: Outcome | None
    rule: str | None
    wildcards: dict[str, str] | None
    status: JobStatus | None
    ended_on: str | None
    job_id: str | None
    run_id: str | None
    commit: str | None
    dirty: bool | None
    activity_id: str | None
    role: Role | None
    meaning: Meaning | None


class FileAskedDocument(Document, frozen=True, kw_only=True):
    """A file whose content `find` was asked for."""

    file: str
    sha256: str
    md5: str | None


class FindDocument(Document, frozen=True, kw_only=True):
    """`find`: what was asked for, and what matches."""

    terms: list[str]
    files: list[FileAskedDocument]
    results: list[ResultDocument]
    truncated: bool


def found(answer: SearchResults, screen: Screen, *, terms: Sequence[str], files: Sequence[str]) -> Iterator[str]:
    """Yield the lines of `find`.

    Args:
        answer: What was found.
        screen: Where the lines will be shown.
        terms: The keys and values that were asked for.
        files: The files whose contents were.
    """
    results = answer.results
    yield from text.sentence(sentence(answer, terms, files), screen)
    if not results:
        return
    yield ""
    titles = ("version", "when", "rule", "wildcards", "", "run", "commit", "sha256")
    rows = [_row(one, screen) for one in results]
    # The path usually has the wildcards in it.
    yield from text.table(rows, screen, titles=titles, flexible=0, keep="path", drop=(3, 6, 7))
    if answer.next is not None:
        yield compose([say(f"{screen.glyphs.ellipsis} and more (--limit)")], screen)


def document(answer: SearchResults, *, terms: Sequence[str], files: Mapping[str, Digest]) -> FindDocument:
    """Return what `find --json` prints; `files`: the digests of each file that was asked for."""
    return FindDocument(
        terms=list(terms),
        files=[document_of(FileAskedDocument, digest, file=name) for name, digest in files.items()],
        results=[document_of(ResultDocument, one) for one in answer.results],
        truncated=answer.next is not None,
    )


def sentence(answer: SearchResults, terms: Sequence[str], files: Sequence[str]) -> str:
    """Return in one sentence what was found; arguments as those of `found`."""
    results = answer.results
    made = [one for one in results if one.entity_id]
    versions = {(one.entity_id, one.version_number) for one in made}
    one = len(versions) < 2
    asked = [f"{'has' if one else 'have'} the content of {' or '.join(files)}"] if files else []
    asked += [f"{'matches' if one else 'match'} {_wanted(terms)}"] if terms else []
    if results and not versions:
        verb = "matches" if len(results) == 1 else "match"
        return f"{counted(len(results), 'job')} {verb} {_wanted(terms)}, and wrote nothing that is recorded."
    if not versions:
        return f"No version that is recorded {' and '.join(asked)}."
    if one:
        return f"{versioned(made[0].path or '', made[0].version_number).text} {' and '.join(asked)}."
    least = "More than " if answer.next is not None else ""
    counts = f"{counted(len(versions), 'version')} of {counted(len({entity for entity, _ in versions}), 'file')}"
    return f"{least}{counts} {' and '.join(asked)}."


def _wanted(terms: Sequence[str]) -> str:
    """Return the search in words: any value of one key, and all of the different keys."""
    of_key: dict[str, list[str]] = {}
    for term in terms:
        of_key.setdefault(term.partition("=")[0], []).append(term)
    return " and ".join(" or ".join(alternatives) for alternatives in of_key.values())


def _row(result: SearchResult, screen: Screen) -> Line:
    moment = times.parse(result.ended_on or result.created_on)
    outcome = "" if result.outcome in (None, "generated") else result.outcome
    note = outcome if result.status in (None, "success") else result.status
    is_unmade = not result.activity_id and not result.job_id
    return [
        versioned(result.path, result.version_number) if result.path else say("no output", "faint"),
        say(times.relative(moment, screen.now) if moment else ""),
        by_nobody(result) if is_unmade else say(result.rule or "unknown", "rule"),
        say(text.wildcards(result.wildcards)),
        say(note, status_role(result.status or "")),
        say(text.short_id(result.run_id)),
        say(text.short_commit(result.commit, dirty=result.dirty), "commit"),
        say(text.short_id(result.sha256), "faint"),
    ]
