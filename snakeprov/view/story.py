"""The screen of `show`: how one version of a file was made.

Must not know: how the answer of the repository was got.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snakeprov.lineage.difference import is_put_back
from snakeprov.model import meant
from snakeprov.model.meant import Meaning
from snakeprov.model.records import code_paths
from snakeprov.view import reasons, text, times
from snakeprov.view.answers import run_status
from snakeprov.view.history import raw, status_role, versioned
from snakeprov.view.text import Line, Piece, Screen, compose, counted, say

FILES_SHOWN_MAX = 20
"""More inputs, outputs or params than this are only counted."""

COMMAND_LINES_MAX = 20
COMMAND_CHARACTERS_MAX = 4000
"""What is shown of a shell command; `--json` has it whole."""

REPETITIONS_SHOWN_MAX = 5
"""Of a benchmark that was repeated more often only the first repetitions are shown."""

MAKINGS_SHOWN_MAX = 5
"""Earlier makings of the same bytes beyond this are only counted."""

VALUE_CHARACTERS_MAX = 300
"""What is shown of the value of one param or resource."""

FACT_CHARACTERS_MAX = 2000
"""What is shown of a fact, a command line of thousands of targets, say; `--json` has it whole."""

_CHANGED = {True: "changed while it was read", None: "may have changed during the job"}
"""What the record of an input says of its bytes between start and end of the job."""

_NOT_PROVED = say(f" ({meant.NOT_PROVED})", "raw")
_LABEL_COLUMNS = 11
_INDENT = 2


def failed(answer: Mapping[str, Any], screen: Screen, *, unmade: str | None = None) -> Iterator[str]:
    """Yield the lines of `show` for a job, what went wrong first.

    Args:
        answer: The answer of the job resource as `job`, with its `activity` and `run`.
        screen: Where the lines will be shown.
        unmade: The output that was asked for, and that the job did not make.
    """
    body, run = answer["job"], answer.get("run") or {}
    job = body["job"]
    if unmade is not None:
        yield compose([say(unmade, "strong"), say(" was never made: its job did not succeed", "bad")], screen)
    yield compose([say(f"job {text.short_id(job['id'])}", "strong")], screen)
    yield from _headline(job, screen, verb="of rule")
    yield from _facts(job, run, screen)
    yield from _failure(job, screen)
    yield from _command(job, screen)
    yield from _files(body.get("files", ()), answer.get("activity") or {}, job, screen)
    yield from _parameters(job, screen)
    yield from _benchmark(job, screen)
    yield from _environment(job, run, screen)


def story(
    answer: Mapping[str, Any], screen: Screen, *, later_failure: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield the lines of `show` for an answer of the story resource.

    Args:
        answer: The answer.
        screen: Where the lines will be shown.
        later_failure: The last job that was to make the file again and failed, as the search resource tells of it.
    """
    entity, version = answer["entity"], answer["version"]
    path = entity.get("path") or entity["name"]
    yield compose(
        [say(path, "strong"), say(f"@{version['versionNumber']}", "version"), say(f"  {entity['id']}", "faint")], screen
    )
    job = answer.get("job")
    run = answer.get("run") or {}
    if later_failure is not None:
        ended = times.parse(later_failure.get("endedOn"))
        when = f" {times.relative(ended, screen.now)}" if ended else ""
        said = f"A later job of {later_failure['rule']} failed{when}: snakeprov show job:"
        yield compose([say(said + text.short_id(later_failure["jobId"]), "bad")], screen._replace(width=None))
    yield from _origin(answer, path, screen)
    if not answer.get("activity"):
        yield ""
        yield from _version(version, screen)
    elif job:
        yield from _headline(job["job"], screen)
        yield from _version(version, screen)
        yield from _facts(job["job"], run or _run_of(version), screen)
        yield from _files(job.get("files", ()), answer["activity"], job["job"], screen)
        yield from _parameters(job["job"], screen)
        yield from _benchmark(job["job"], screen)
        yield from _command(job["job"], screen)
        yield from _failure(job["job"], screen)
        yield from _environment(job["job"], run, screen)
    else:
        yield from _version(version, screen)
        yield from _bare_activity(answer["activity"], screen)


def _origin(answer: Mapping[str, Any], path: str, screen: Screen) -> Iterator[str]:
    """Yield the origin of a version where that is not, or not only, the job that made it."""
    version = answer["version"]
    meaning, whole = meant.of(version), screen._replace(width=None)
    if meaning is not None:
        yield compose([say(_meant(answer, meaning, path), "raw")], whole)
    elif not answer.get("activity"):
        yield compose([say(raw(version), "raw"), say(": no recorded job made it")], whole)
    if answer.get("activity") and version.get("makings") and version.get("generatedBy") is None:
        was = "A raw input" if meaning is None else "Not made by a job"
        yield compose([say(f"{was} when it was recorded; the same bytes were made later:", "raw")], whole)


def _meant(answer: Mapping[str, Any], meaning: Meaning, path: str) -> str:
    """Return what the bytes of a version mean, and what had made those that they point at."""
    target = meant.name_of(meaning, path=path)
    made = _made(answer["version"]["meaning"].get("making"))
    if meaning.kind == "again":
        if not is_put_back(answer):
            return f"the content of {target or 'an earlier version'} again"
        before = answer.get("previousVersionNumber")
        after = f" after @{before}" if before is not None else ""
        return f"the content of {target or 'an earlier version'}{made} put back{after}"
    if meaning.kind == "sameContent":
        return f"same content as {target or 'another file'}{made}: evidence, not proof, that it comes from there"
    return meant.changed_by_hand(meaning, path=path, made=made)


def _made(making: Mapping[str, Any] | None) -> str:
    if making is None:
        return ""
    by = f"rule {making['rule']}" if making.get("rule") else f"activity {making['activityId']}"
    run = f" in run {text.short_id(making['runId'])}" if making.get("runId") else ""
    return f" (made by {by}{run})"


def _headline(job: Mapping[str, Any], screen: Screen, *, verb: str = "generated by") -> Iterator[str]:
    ended = times.parse(job.get("endedOn"))
    dot = f" {screen.glyphs.dot} "
    took = times.between(job.get("startedOn"), job.get("endedOn"))
    line = [say(f"{verb} "), say(job["rule"], "rule")]
    if wildcards := text.wildcards(job.get("wildcards")):
        line.append(say("  " + wildcards))
    yield compose(line, screen)
    status = job.get("status", "unknown")
    facts = [
        f"attempt {attempt}" if (attempt := job.get("attempt", 1)) > 1 else "",
        times.relative(ended, screen.now) if ended else "",
        f"took {took}" if took else "",
    ]
    yield compose([say(status, status_role(status)), say("".join(dot + fact for fact in facts if fact))], screen)
    yield ""


def _version(version: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    created = times.parse(version.get("createdOn"))
    who = f" by {version['createdBy']}" if version.get("createdBy") else ""
    if created:
        when = f"{times.absolute(created, screen.zone)} ({times.relative(created, screen.now)}){who}"
        yield _fact("recorded", [say(when)], screen)
    size = text.size(version.get("sizeBytes")) or "unknown"
    kept = " (bytes not kept)" if version.get("bytesKept") is False else ""
    yield _fact("size", [say(size), say(kept, "faint")], screen)
    proved = version.get("sha256") or version.get("md5")
    yield _fact("sha256", [say(version.get("sha256") or "unknown"), *([] if proved else [_NOT_PROVED])], screen)
    yield from _also_made(version, screen)


def _also_made(version: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield the other makings of a version, the latest first."""
    makings = [one for one in version.get("makings") or () if one["activityId"] != version.get("activityId")][::-1]
    label = "also made"
    for one in makings[:MAKINGS_SHOWN_MAX]:
        ended = times.parse(one.get("endedOn"))
        line = [say("by "), say(one.get("rule") or f"activity {one['activityId']}", "rule")]
        if one.get("runId"):
            line += [say(" in run "), say(text.short_id(one["runId"]), "strong")]
        if commit := text.short_commit(one.get("commit"), dirty=one.get("dirty")):
            line += [say(" from "), say(commit, "commit")]
        if ended:
            line.append(say(f", {times.relative(ended, screen.now)}"))
        yield _fact(label, line, screen)
        label = ""
    if len(makings) > MAKINGS_SHOWN_MAX:
        more = counted(len(makings) - MAKINGS_SHOWN_MAX, "time")
        yield _fact("", [say(f"{screen.glyphs.ellipsis} and {more} before", "faint")], screen)


def _facts(job: Mapping[str, Any], run: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    started, ended = times.parse(job.get("startedOn")), times.parse(job.get("endedOn"))
    if started:
        yield _fact("started", [say(times.absolute(started, screen.zone))], screen)
    if ended:
        yield _fact("ended", [say(times.absolute(ended, screen.zone))], screen)
    if run:
        run_id = [say(text.short_id(run["id"]), "strong"), say(f"  {run.get('commandLine') or ''}")]
        yield _fact("run", run_id, screen)
    if git := run.get("git"):
        yield _fact("commit", _git(git), screen)
        if left_out := git.get("patchLeftOut"):
            yield _fact(
                "", [say(f"the patch leaves out {', '.join(left_out)} (too large or too many)", "faint")], screen
            )
    elif run:
        yield _fact("commit", [say(run.get("gitProblem") or "not under version control", "faint")], screen)
    if job.get("reason"):
        yield _fact("reason", [say(reasons.folded(str(job["reason"])))], screen)
    if problems := [*(job.get("incomplete") or ()), *(run.get("missing") or ())]:
        yield _fact("incomplete", [say("; ".join(problems), "bad")], screen)


def _run_of(version: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version tells of its run, where the repository keeps no runs."""
    if not version.get("runId"):
        return {}
    if not version.get("commit"):
        return {"id": version["runId"], "gitProblem": "unknown"}
    return {"id": version["runId"], "git": {"commit": version["commit"], "dirty": version.get("dirty")}}


def _git(git: Mapping[str, Any]) -> list[Piece]:
    commit = text.short_commit(git.get("commit"), dirty=git.get("dirty")) or "no commit yet"
    tag = f" ({git['describe']})" if git.get("describe") else ""
    branch = tag + (f" on {git['branch']}" if git.get("branch") else "")
    remote = f"  {git['remote']}" if git.get("remote") else ""
    return [say(commit, "commit"), say(branch), say(remote, "faint")]


def _files(
    files: Sequence[Mapping[str, Any]], activity: Mapping[str, Any], job: Mapping[str, Any], screen: Screen
) -> Iterator[str]:
    roles: dict[str, list[Mapping[str, Any]]] = {}
    for file in files:
        roles.setdefault(file.get("role", "input"), []).append(file)
    facts = [*(job.get("inputs") or ()), *(job.get("outputs") or ())]
    names = {fact["path"]: fact["name"] for fact in facts if fact.get("name")}
    changed = {
        fact["path"]: _CHANGED[state]
        for fact in job.get("inputs") or ()
        if (state := fact.get("changedWhileReading", False)) is not False
    }
    links: dict[bool, list[str]] = {False: [], True: []}
    for one in activity.get("used") or ():
        if "url" in one:
            links[bool(one.get("wasExecuted"))].append(one["url"])
    used = [_file(one, names, changed) for role in ("input", "environment") for one in roles.get(role, ())]
    places = code_paths(job)
    lines = {places.get(fact.get("path", "")): fact.get("line") for fact in job.get("code") or ()}
    executed = [_code(one, lines) for one in roles.get("code", ())]
    yield from _section("used", used, screen, links=links[False])
    yield from _section("executed", executed, screen, links=links[True])
    yield from _section("generated", [_file(one, names, {}) for one in roles.get("output", ())], screen)
    logged = [_file(one, {}, {}) for role in ("log", "benchmark") for one in roles.get(role, ())]
    yield from _section("logs", logged, screen)


def _file(file: Mapping[str, Any], names: Mapping[str, str], changed: Mapping[str, str]) -> Line:
    outcome = file.get("outcome") or ""
    usual = "used" if file.get("role") in ("input", "environment") else "generated"
    path = file["path"].rstrip("/")
    note = changed.get(path) or ("" if outcome == usual else outcome)
    role: text.Role = "bad" if note in ("missing", *changed.values()) else ""
    if not note and _is_unproved(file):
        note, role = meant.NOT_PROVED, "raw"
    name = names.get(path, "") or (file["role"] if file.get("role") in ("environment", "benchmark") else "")
    return [versioned(file), say(name, "faint"), say(text.short_id(file.get("sha256")), "faint"), say(note, role)]


def _is_unproved(file: Mapping[str, Any]) -> bool:
    """Return whether a file of a job is linked to a version although its bytes were not read."""
    is_version = file.get("versionNumber") is not None
    return is_version and file.get("sha256") is None and not file.get("identityProved")


def _code(file: Mapping[str, Any], lines: Mapping[str | None, int | None]) -> Line:
    line = lines.get(file["path"])
    where = f"line {line}" if line else ""
    return [versioned(file), say(where, "faint"), say(text.short_id(file.get("sha256")), "faint"), say("")]


def _section(title: str, rows: Sequence[Line], screen: Screen, *, links: Sequence[str] = ()) -> Iterator[str]:
    if not rows and not links:
        return
    yield ""
    yield compose([say(title, "heading")], screen)
    shown = rows if len(rows) <= FILES_SHOWN_MAX else rows[: FILES_SHOWN_MAX - 1]
    yield from text.table(shown, screen, flexible=0, keep="end", indent=_INDENT)
    if len(rows) > len(shown):
        hidden = f"{screen.glyphs.ellipsis} and {text.number(len(rows) - len(shown))} more (--json lists all)"
        yield compose([say(" " * _INDENT + hidden)], screen)
    for link in links[:FILES_SHOWN_MAX]:
        yield compose([say(" " * _INDENT), say(link)], screen._replace(width=None))


def _parameters(job: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    params = [[say(name), say(_value(value))] for name, value in (job.get("params") or {}).items()]
    yield from _section("params", params, screen)
    visible = {name: value for name, value in (job.get("resources") or {}).items() if not name.startswith("_")}
    resources = {"threads": job.get("threads"), **visible}
    rows = [[say(name), say(_value(value))] for name, value in resources.items() if value is not None]
    yield from _section("resources", rows, screen)


def _benchmark(job: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield what was measured, a column for each repetition of the job."""
    repetitions = (job.get("benchmark") or ())[:REPETITIONS_SHOWN_MAX]
    names = list(dict.fromkeys(name for one in repetitions for name in one))
    rows = [[say(name), *(say(_value(one.get(name, ""))) for one in repetitions)] for name in names]
    yield from _section("benchmark", rows, screen)


def _value(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.shorten(shown, VALUE_CHARACTERS_MAX)


def _command(job: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    command = job.get("shellcmd")
    if not command:
        return
    yield ""
    yield compose([say("shell command", "heading")], screen)
    lines = command[:COMMAND_CHARACTERS_MAX].strip("\n").splitlines()
    whole = screen._replace(width=None)
    for line in _dedented(lines[:COMMAND_LINES_MAX]):
        yield compose([say(" " * _INDENT), say(line.rstrip())], whole)
    if len(command) > COMMAND_CHARACTERS_MAX or len(lines) > COMMAND_LINES_MAX:
        hidden = f"{screen.glyphs.ellipsis} {counted(len(command), 'character')} in all (--json has it whole)"
        yield compose([say(" " * _INDENT + hidden)], screen)


def _dedented(lines: Sequence[str]) -> list[str]:
    expanded = [line.expandtabs(4) for line in lines]
    margin = min((len(line) - len(line.lstrip()) for line in expanded if line.strip()), default=0)
    return [line[margin:] for line in expanded]


def _failure(job: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    for title, key in (("error", "error"), ("log", "logExcerpt")):
        if job.get(key):
            yield ""
            yield compose([say(title, "heading")], screen)
            for line in str(job[key]).strip("\n").splitlines()[-COMMAND_LINES_MAX:]:
                yield compose([say(" " * _INDENT), say(line.expandtabs(4).rstrip())], screen)


def _environment(job: Mapping[str, Any], run: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    facts = {
        "host": run.get("host"),
        "user": run.get("user"),
        "platform": run.get("platform"),
        "Snakemake": run.get("snakemakeVersion"),
        "Python": run.get("pythonVersion"),
        "snakeprov": run.get("snakeprovVersion"),
        "run status": run_status(run) if run and run_status(run) != "success" else None,
        "executor": run.get("executor"),
        "conda": job.get("condaEnvName") or job.get("condaEnvUrl") or job.get("condaEnvPath"),
        "container": job.get("container"),
        "modules": " ".join(job.get("envModules") or ()),
        "not active": ", ".join(f"{kind} {name}" for kind, name in (job.get("declaredEnvironments") or {}).items()),
    }
    yield from _section("environment", [[say(name), say(value)] for name, value in facts.items() if value], screen)


def _bare_activity(activity: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield what an Activity says that was not recorded from a job of Snakemake."""
    name = activity.get("name") or f"activity {activity['id']}"
    yield _fact("generated", [say("by "), say(name, "rule")], screen)
    if activity.get("description"):
        yield _fact("", [say(" ".join(activity["description"].split()))], screen)
    rows: dict[bool, list[Line]] = {False: [], True: []}
    for used in activity.get("used") or ():
        reference = used.get("reference") or {}
        shown = used.get("url") or f"{reference.get('targetId')}.{reference.get('targetVersionNumber', '')}".rstrip(".")
        rows[bool(used.get("wasExecuted"))].append([say(shown)])
    yield from _section("used", rows[False], screen)
    yield from _section("executed", rows[True], screen)


def _fact(label: str, value: Line, screen: Screen) -> str:
    """Return a line that is not cut to the screen: what a fact is worth may be at its end."""
    bounded = [piece._replace(text=text.shorten(piece.text, FACT_CHARACTERS_MAX)) for piece in value]
    return compose([say(label.ljust(_LABEL_COLUMNS), "faint"), *bounded], screen._replace(width=None))
