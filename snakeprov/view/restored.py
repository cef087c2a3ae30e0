"""The screen and the JSON of `restore`, also for a version that can only be made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from snakeprov.lineage.remake import Ingredient, Recipe
from snakeprov.model.answers import Version
from snakeprov.view import text
from snakeprov.view.documents import Document, document_of
from snakeprov.view.text import Line, Screen, compose, counted, say

MEMBERS_SHOWN_MAX: Final = 10
INGREDIENTS_SHOWN_MAX: Final = 30
COMMAND_LINES_MAX: Final = 20
_LABEL_COLUMNS: Final = 13
COMMAND_CHARACTERS_MAX: Final = 2000


def lines(
    version: Version,
    screen: Screen,
    *,
    to: str,
    unchanged: bool,
    replaced: Sequence[str],
    lost: bool,
    not_restored: Sequence[str],
) -> Iterator[str]:
    """Yield the lines of `restore`.

    Args:
        version: What was restored.
        screen: Where the lines will be shown.
        to: Where it is now.
        unchanged: Whether it was there already.
        replaced: What was there before is known as these versions.
        lost: Whether what was there before is gone for good.
        not_restored: Members of a directory that could not be.
    """
    name = f"{version.path}@{version.version_number}"
    if unchanged:
        yield from text.sentence(f"{to} is {name} already; nothing was changed.", screen, "good")
        return
    yield from text.sentence(f"{name} was restored to {to}.", screen, "good")
    if replaced and not lost:
        yield from text.paragraph(
            [say(f"The previous content is {replaced[0]}, which can be restored too.", "faint")], screen
        )
    elif lost:
        yield from text.sentence("The previous content is gone, as --force allowed.", screen, "faint")
    if not_restored:
        count = counted(len(not_restored), "member")
        said = f"{count} could not be restored (no regular file, unreadable or left out when recorded):"
        yield from text.sentence(said, screen, "bad")
        for path in not_restored[:MEMBERS_SHOWN_MAX]:
            yield compose([say("  "), say(path)], screen)
        if len(not_restored) > MEMBERS_SHOWN_MAX:
            hidden = text.number(len(not_restored) - MEMBERS_SHOWN_MAX)
            yield compose([say(f"  {screen.glyphs.ellipsis} and {hidden} more (--json lists all)")], screen)


class IngredientDocument(Document, frozen=True, kw_only=True):
    """A file that a version is made from."""

    role: str
    path: str
    entity_id: str | None
    version_number: int | None
    sha256: str | None
    bytes_kept: bool | None


class RemakeDocument(Document, frozen=True, kw_only=True):
    """How to make a version again."""

    target: str
    rule: str | None
    run_id: str | None
    working_directory: str | None
    commit: str | None
    dirty: bool | None
    remote: str | None
    patch_kept: bool
    command: str | None
    run_command: str | None
    shell_command: str | None
    script: str | None
    files: list[IngredientDocument]
    urls: Sequence[str]
    environment: dict[str, str]
    environment_kept: bool


class RestoreDocument(Document, frozen=True, kw_only=True):
    """`restore`; `reason` and `remake` of a version whose bytes are not kept."""

    path: str
    entity_id: str
    version_number: int
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    restored: bool
    to: str | None = None
    unchanged: bool = False
    replaced: Sequence[str] = ()
    lost: bool = False
    not_restored: Sequence[str] = ()
    reason: str | None = None
    remake: RemakeDocument | None = None


def document(
    version: Version, *, to: str, unchanged: bool, replaced: Sequence[str], lost: bool, not_restored: Sequence[str]
) -> RestoreDocument:
    """Return what `restore --json` prints for what was restored; arguments as those of `lines`."""
    return document_of(
        RestoreDocument,
        version,
        restored=True,
        to=to,
        unchanged=unchanged,
        replaced=replaced,
        lost=lost,
        not_restored=not_restored,
    )


def document_not_kept(version: Version, recipe: Recipe, *, reason: str) -> RestoreDocument:
    """Return what `restore --json` prints for a version whose bytes are not kept."""
    return document_of(RestoreDocument, version, restored=False, reason=reason, remake=_remake(recipe))


def not_kept(version: Version, recipe: Recipe, screen: Screen, *, reason: str) -> Iterator[str]:
    """Yield how a version can be made again whose bytes are not kept."""
    if recipe.rule is None:
        yield from text.sentence(reason, screen, "bad")
        yield from text.paragraph(
            [say("No recorded job made it, so it cannot be made again: it has to come from elsewhere.")], screen
        )
        return
    yield from text.sentence(f"{reason} It can be made again:", screen, "bad")
    yield ""
    yield from _code(recipe, screen)
    for label, role in (("inputs", "input"), ("code files", "code"), ("environment", "environment")):
        yield from _ingredients(label, [one for one in recipe.ingredients if one.role == role], screen)
    for url in recipe.urls:
        yield from _fact("used", [say(url)], screen)
    if recipe.environment:
        named = ", ".join(f"{name} {value}" for name, value in recipe.environment.items())
        yield from _fact("with", [say(named)], screen)
    if recipe.environment_kept:
        name = f"{version.path}@{version.version_number}"
        yield from _fact("", [say(f"'snakeprov show {name} --environment' lists all of it", "faint")], screen)
    yield from _fact("command", [say(recipe.command or "")], screen, to_copy=True)
    if recipe.working_directory:
        yield from _fact("in", [say(recipe.working_directory)], screen, to_copy=True)
    if recipe.shell_command:
        ran = recipe.shell_command.strip("\n")
        shown = ran[:COMMAND_CHARACTERS_MAX].splitlines()
        for position, line in enumerate(shown[:COMMAND_LINES_MAX]):
            yield from _fact("which ran" if not position else "", [say(line.strip(), "faint")], screen, to_copy=True)
        if len(shown) > COMMAND_LINES_MAX or len(ran) > COMMAND_CHARACTERS_MAX:
            yield from _fact("", [say(f"{screen.glyphs.ellipsis} (--json has it whole)")], screen)
    elif recipe.script:
        yield from _fact("which ran", [say(recipe.script, "faint")], screen, to_copy=True)


def _code(recipe: Recipe, screen: Screen) -> Iterator[str]:
    if recipe.commit is None:
        yield from _fact("code", [say("not under version control: the code files below are what ran")], screen)
        return
    remote = f"  (of {recipe.remote})" if recipe.remote else ""
    yield from _fact(
        "code", [say(f"git checkout {recipe.commit}", "commit"), say(remote, "faint")], screen, to_copy=True
    )
    if recipe.dirty and recipe.run_id:
        how = f"snakeprov checkout run:{text.short_id(recipe.run_id)} --to DIR"
        what = "with its patch" if recipe.patch_kept else "with the files that ran"
        yield from _fact("", [say(f"what ran differed from it; '{how}' gives the code {what}")], screen)


def _ingredients(label: str, used: Sequence[Ingredient], screen: Screen) -> Iterator[str]:
    shown = used if len(used) <= INGREDIENTS_SHOWN_MAX else used[: INGREDIENTS_SHOWN_MAX - 1]
    for position, one in enumerate(shown):
        name = one.path if one.version_number is None else f"{one.path}@{one.version_number}"
        notes = {True: "can be restored", False: "bytes not kept", None: "not known whether its bytes are kept"}
        note = notes[one.bytes_kept] + (f", sha256 {one.sha256}" if one.sha256 and not one.bytes_kept else "")
        yield from _fact(label if not position else "", [say(name), say(f"  {note}", "faint")], screen)
    if len(used) > len(shown):
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(used) - len(shown))} more (--json lists all)"
        yield from _fact("", [say(hidden)], screen)


def _remake(recipe: Recipe) -> RemakeDocument:
    files = [document_of(IngredientDocument, one) for one in recipe.ingredients]
    return document_of(RemakeDocument, recipe, files=files)


def _fact(label: str, value: Line, screen: Screen, *, to_copy: bool = False) -> Iterator[str]:
    return text.fact(label, value, screen, columns=_LABEL_COLUMNS, to_copy=to_copy)
