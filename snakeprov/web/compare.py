"""Two versions side by side: why they differ, and what differs between them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from snakeprov.client import Client, contents
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.lineage import causes
from snakeprov.lineage.causes import Sources, Trace
from snakeprov.lineage.changes import Change, FileVersion
from snakeprov.lineage.textdifference import SIZE_BYTES_MAX, TextDifference, text_difference
from snakeprov.lineage.unrecorded import GitAnswer
from snakeprov.model.answers import Story
from snakeprov.view import causes as screens
from snakeprov.view import clauses, story, text
from snakeprov.view.text import Line
from snakeprov.web import compareruns, highlight, previews, render, urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

DISTANCE_MAX: Final = 10
ROWS_MAX: Final = 200

_VERSION: Final = re.compile(r"(syn[0-9]{1,18})\.([0-9]{1,18})")


class Changed(NamedTuple):
    """A change: its row, and how the texts differ, where it is of a file of code."""

    row: Line
    text: Text | None
    address: str


class Text(NamedTuple):
    """How two texts differ, in colours, or why that is not known."""

    lines: Markup
    said: str


class Row(NamedTuple):
    """A fact about both versions."""

    name: str
    old: str
    new: str
    differs: bool


def show(visit: Visit) -> Response:
    """Return the comparison of two versions or runs, or the page that asks for them."""
    query = visit.request.query
    asked = [query.get(name, "").strip() for name in ("a", "b")]
    if all(one.startswith(compareruns.PREFIX) for one in asked):
        return compareruns.show(visit, *(one.removeprefix(compareruns.PREFIX) for one in asked))
    if not all(asked):
        return visit.page("compare.html", title="Compare", asked=asked, problem="", told=None)
    stories = [_story(visit.client, one) for one in asked]
    missing = next((one for one, found in zip(asked, stories, strict=True) if found is None), None)
    old, new = stories
    if missing is not None or old is None or new is None:
        problem = f"No version of a file is called {missing}."
        return visit.page("compare.html", title="Compare", status=404, asked=asked, problem=problem, told=None)
    return _page(visit, old, new)


def _story(client: Client, named: str) -> Story | None:
    """Return the story of `syn12.3`, or of a recorded path with or without `@3`; None if there is no such version."""
    found = _VERSION.fullmatch(named)
    try:
        if found:
            return client.provenance.story(found[1], int(found[2]))
        path, _, number = named.rpartition("@")
        for wanted, version in ((named, None), (path, number if number.isdecimal() else None)):
            matches = client.provenance.find(wanted).results if wanted else []
            if matches and (version is not None or wanted == named):
                return client.provenance.story(matches[0].entity_id, int(version or matches[0].version_number))
    except (NotFoundError, BadRequestError):
        pass
    return None


def _page(visit: Visit, old: Story, new: Story) -> Response:
    client = visit.client
    sources = _sources(client)
    is_next = old.entity.id == new.entity.id and old.version.version_number == new.previous_version_number
    trace = causes.since_the_version_before(new, sources, DISTANCE_MAX) if is_next else None
    names = [f"{one.entity.recorded_path}@{one.version.version_number}" for one in (old, new)]
    if trace is not None:
        sentence, command = clauses.why(trace), f"snakeprov why {shlex.quote(names[1])}"
    else:
        trace = causes.trace(old, new, sources, distance_max=DISTANCE_MAX)
        sentence, command = clauses.diff(trace), f"snakeprov diff {shlex.quote(names[0])} {shlex.quote(names[1])}"
    difference = trace.difference
    is_same = difference.same_bytes is True
    sides = [previews.side(client, one) for one in (old, new)]
    could = clauses.could_explain(difference) if not difference.causes and not difference.same_bytes else []
    return visit.page(
        "compare.html",
        title=f"{render.short(names[0])} and {render.short(names[1])}",
        asked=[urls.version_id(one.entity.id, one.version.version_number) for one in (old, new)],
        problem="",
        told=trace,
        stories=[old, new],
        names=names,
        sentence=sentence,
        command=command,
        groups=[
            (title, [_changed(one, trace) for one in found[:ROWS_MAX]], len(found))
            for title, found in screens.causes_by_title(difference)
        ],
        circumstances=[_changed(one, trace) for one in difference.circumstances[:ROWS_MAX]],
        could=could,
        steps=[(screens.step_line(one), screens.step_clauses(one, trace)) for one in screens.steps_told(trace)],
        is_all="all" in visit.request.query,
        tables=_tables(old, new),
        pictures=sides if all(side.kind in ("image", "svg") for side in sides) else [],
        content=None if is_same or any(side.kind in ("image", "svg") for side in sides) else _content(client, old, new),
        is_same=is_same,
    )


def _sources(client: Client) -> Sources:
    def read(version: FileVersion) -> bytes | None:
        if version.entity_id is None or version.version_number is None:
            return None
        return contents.beginning(client, version.entity_id, version.version_number, size_bytes_max=SIZE_BYTES_MAX)

    return Sources(
        tell=client.provenance.stories,
        read=read,
        describe=lambda job_id: contents.environment(client, job_id),
        ask_git=_git_is_not_asked,
    )


def _git_is_not_asked(old: Story, new: Story) -> GitAnswer:
    """Return what is known without git: who serves pages has no clone of the code, and runs no programs for readers."""
    runs = [one.run for one in (old, new) if one.run is not None and one.run.git is not None and one.run.git.commit]
    if len(runs) < 2:
        return GitAnswer(is_tracked=False)
    is_one = runs[0].id == runs[1].id
    return GitAnswer() if is_one else GitAnswer(problem="this page does not ask git; 'snakeprov why' does")


def _changed(change: Change, trace: Trace) -> Changed:
    new = change.new
    address = urls.version(new.entity_id, new.version_number) if isinstance(new, FileVersion) else ""
    if change.kind == "command":
        sides = [f"{one}\n".encode() if one else b"" for one in (change.old, change.new)]
        return Changed(screens.row(change, trace)[:1], _text(text_difference(*sides)), address)
    told = None if change.difference is None or change.is_elsewhere else _text(change.difference)
    return Changed(screens.row(change, trace), told, address)


def _text(difference: TextDifference) -> Text:
    if difference.reason is not None:
        return Text(Markup(""), screens.REASONS[difference.reason])
    if not difference.lines:
        return Text(Markup(""), "The same.")
    more = (
        f"+{text.number(difference.added)} -{text.number(difference.removed)} lines in all"
        if difference.truncated
        else ""
    )
    return Text(highlight.code(render.safe_lines("\n".join(difference.lines)), language="diff"), more)


def _content(client: Client, old: Story, new: Story) -> Text:
    sides = [
        contents.beginning(client, one.entity.id, one.version.version_number, size_bytes_max=SIZE_BYTES_MAX)
        for one in (old, new)
    ]
    return _text(text_difference(*sides))


def _tables(old: Story, new: Story) -> list[tuple[str, list[Row]]]:
    """Return everything that is known of both, side by side."""
    jobs = old.record, new.record
    params, resources, wildcards, around = (
        [dict(of(one)) if one is not None else {} for one in jobs]
        for of in (
            lambda job: job.params,
            story.resources,
            lambda job: job.wildcards,
            lambda job: story.environment_facts(job, None),
        )
    )
    facts = [_facts(one) for one in (old, new)]
    files = [_files(one) for one in (old, new)]
    tables = {
        "version": facts,
        "wildcards": wildcards,
        "params": params,
        "resources": resources,
        "used": [one[0] for one in files],
        "executed": [one[1] for one in files],
        "environment": around,
    }
    return [(title, rows) for title, (a, b) in tables.items() if (rows := _rows(a, b))]


def _rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Row]:
    names = list(dict.fromkeys([*old, *new]))[:ROWS_MAX]
    return [
        Row(
            name,
            _shown(old, name),
            _shown(new, name),
            differs=name not in old or name not in new or old[name] != new[name],
        )
        for name in names
    ]


def _shown(values: Mapping[str, Any], name: str) -> str:
    return story.shown_value(values[name]) if name in values else ""


def _facts(one: Story) -> dict[str, Any]:
    version, job, run = one.version, one.record, one.run
    facts = {
        "made by": None if job is None else f"rule {job.rule}",
        "size": text.size(version.size_bytes),
        "sha256": text.short_id(version.sha256),
        "run": text.short_id(version.run_id),
        "commit": text.short_commit(version.commit, dirty=version.dirty),
        "command": None if job is None else job.shellcmd,
        "config": None if run is None or not run.config else json.dumps(run.config, ensure_ascii=False, default=str),
    }
    return {name: value for name, value in facts.items() if value}


def _files(one: Story) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was used and what was executed: versions by path."""
    found: tuple[dict[str, str], dict[str, str]] = {}, {}
    for file in one.files:
        if file.role in ("input", "environment", "code"):
            number = "not recorded" if file.version_number is None else f"@{file.version_number}"
            found[file.role == "code"][file.path] = number
    return found
