"""The screen and the JSON of `prune`."""

from __future__ import annotations

from collections.abc import Iterator

from snakeprov.model.answers import MadeVersion, Meaning, Pruned, Role
from snakeprov.view import text, times
from snakeprov.view.documents import Document, document_of
from snakeprov.view.history import by_nobody
from snakeprov.view.text import Line, Screen, compose, counted, say


class PrunedVersion(Document, frozen=True, kw_only=True):
    """A version that cannot be restored any more."""

    path: str
    entity_id: str
    version_number: int
    is_latest: bool | None
    size_bytes: int | None
    created_on: str | None
    rule: str | None
    role: Role | None
    meaning: Meaning | None


class PruneDocument(Document, frozen=True, kw_only=True):
    """`prune`: how much was deleted, or would be."""

    dry_run: bool
    versions: int
    versions_shared: int
    versions_without_activity: int
    contents: int
    freed_bytes: int
    truncated: bool
    results: list[PrunedVersion]


def lines(answer: Pruned, screen: Screen) -> Iterator[str]:
    """Yield the lines of `prune`."""
    dry, versions = answer.dry_run, answer.versions
    if not answer.contents and not versions:
        yield from text.sentence("Nothing to prune.", screen, "good")
        yield from _shared(answer, screen)
        return
    freed = text.size(answer.freed_bytes)
    verb = "would be" if dry else "were" if answer.contents != 1 else "was"
    whose = (
        f"; {counted(versions, 'version')} {'could not' if dry else 'cannot'} be restored any more" if versions else ""
    )
    yield from text.paragraph(
        [say(f"{counted(answer.contents, 'content')} ({freed}) {verb} dropped{whose}.", "strong")], screen
    )
    yield from _shared(answer, screen)
    if lost := answer.versions_without_activity:
        which = "is one" if lost == 1 else f"are {text.number(lost)}"
        yield from text.paragraph(
            [say(f"Among them {which} that no recorded job made, and that cannot be made again.", "bad")], screen
        )
    if answer.results:
        yield ""
        titles = ("version", "size", "recorded", "rule", "")
        rows = [_row(one, screen) for one in answer.results]
        yield from text.table(rows, screen, titles=titles, right=frozenset({1}), flexible=0, keep="path")
    hidden = versions - len(answer.results)
    if hidden > 0:
        yield compose(
            [say(f"{screen.glyphs.ellipsis} and {counted(hidden, 'more version')} (--limit, --json)")], screen
        )
    if dry:
        yield ""
        yield from text.paragraph([say("Nothing was changed; --yes deletes. The records stay in any case.")], screen)


def document(answer: Pruned) -> PruneDocument:
    """Return what `prune --json` prints."""
    return document_of(PruneDocument, answer, results=[document_of(PrunedVersion, one) for one in answer.results])


def _shared(answer: Pruned, screen: Screen) -> Iterator[str]:
    if shared := answer.versions_shared:
        what = f"{counted(shared, 'version')} more {'is' if shared == 1 else 'are'} meant, but"
        yield compose([say(f"{what} something that stays has the same content.", "faint")], screen)


def _row(one: MadeVersion, screen: Screen) -> Line:
    created = times.parse(one.created_on)
    return [
        say(one.label),
        say(text.size(one.size_bytes)),
        say(times.relative(created, screen.now) if created else ""),
        say(one.rule, "rule") if one.rule else by_nobody(one),
        say("the latest" if one.is_latest else "", "faint"),
    ]
