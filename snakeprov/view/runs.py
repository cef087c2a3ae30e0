"""The screens of `runs`, `run` and `status`.

Must not know: how the answers of the repository were got.
"""

from __future__ import annotations

import posixpath
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snakeprov.view import text, times
from snakeprov.view.answers import run_status
from snakeprov.view.history import job_counts, run_line, status_role, versioned
from snakeprov.view.text import Line, Screen, compose, counted, say

REASONS_MAX = 5
"""More reasons than this are not listed."""

FOLD_ABOVE = 5
"""More jobs than this of one rule are drawn together."""

WILDCARDS_SHARE = 3
"""Wildcards take this part of a screen at most."""

_COMMAND = re.compile(r"Command '.*'(?= (?:returned|died))")
"""The command in a message that a job failed, which `show` prints too."""


_NOT_RUN = {
    "reused": "reused",
    "edited": "edited by hand",
    "notNeeded": "not needed",
    "notReached": "not reached",
}
"""Why jobs were not run, in the order in which they are listed."""

_NOT_RUN_ROLES: dict[str, text.Role] = {"edited": "raw", "notReached": "bad"}


def runs(answer: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield the lines of `runs` for an answer of the runs resource that has some."""
    shown = answer["results"]
    titles = ("run", "when", "status", "jobs", "commit", "snakemake")
    rows = [_run(one, screen) for one in shown]
    yield from text.table(rows, screen, titles=titles, flexible=5)
    hidden = answer.get("totalNumberOfResults", len(shown)) - len(shown)
    if hidden > 0:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(hidden, 'older run')}")], screen)


def _run(run: Mapping[str, Any], screen: Screen) -> Line:
    started = times.parse(run.get("startedOn"))
    status = run_status(run)
    git = run.get("git") or {}
    return [
        say(text.short_id(run["id"]), "strong"),
        say(times.relative(started, screen.now) if started else ""),
        say(status, status_role(status)),
        say(job_counts(run, noun="")),
        say(text.short_commit(git.get("commit"), dirty=git.get("dirty")), "commit"),
        say(_command(run.get("commandLine") or "")),
    ]


def _command(line: str) -> str:
    """Return a command line without its program where that is Snakemake, and without the folders that it lies in."""
    program, _, rest = line.partition(" ")
    name = posixpath.basename(program)
    return rest if name == "snakemake" else f"{name} {rest}"


def run(
    record: Mapping[str, Any],
    jobs: Mapping[str, Any],
    screen: Screen,
    *,
    plan: Mapping[str, Any] | None = None,
    is_folded: bool = False,
) -> Iterator[str]:
    """Yield the lines of `run`.

    Args:
        record: An answer of the run resource.
        jobs: An answer of its jobs resource.
        screen: Where the lines will be shown.
        plan: An answer of its plan resource.
        is_folded: Whether the many jobs of a rule are drawn together, and those that failed come first.
    """
    yield compose(run_line(record, screen), screen)
    yield ""
    for label, value in _run_facts(record, screen).items():
        if value:
            yield from text.fact(label, [say(value)], screen, to_copy=label == "command")
    if jobs["results"]:
        yield ""
        yield from _jobs(jobs, screen, is_folded=is_folded)
    yield from _not_run(record, plan or {}, screen)


def _jobs(jobs: Mapping[str, Any], screen: Screen, *, is_folded: bool) -> Iterator[str]:
    shown = jobs["results"]
    groups = _grouped(shown) if is_folded else [[one] for one in shown]
    titles = ("job", "status", "took", "wildcards", "outputs")
    rows = [_job(group[0], screen) if len(group) == 1 else _jobs_together(group) for group in groups]
    # Outputs usually have the wildcards in their names.
    drop = (3,) if all(group[0].get("outputs") for group in groups) else ()
    lines = text.table(rows, screen, titles=titles, right=frozenset({2}), flexible=4, keep="end", drop=drop)
    for line, group in zip(lines, [[], *groups], strict=True):
        yield line
        if error := str(group[0].get("error") or "") if group else "":
            said = _COMMAND.sub("the command", " ".join(error.split()))[: text.FACT_CHARACTERS_MAX]
            yield from text.paragraph([say("  "), say(said, "bad")], screen, hang=4)
            yield compose([say(f"  snakeprov show job:{text.short_id(group[0]['id'])}", "faint")], screen)
    hidden = jobs.get("totalNumberOfResults", len(shown)) - len(shown)
    if hidden > 0:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(hidden, 'more job')} (--limit)")], screen)


def _grouped(jobs: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return jobs in groups: first each that failed, then those of each rule, in one if they are many."""
    failed = [[one] for one in jobs if one.get("status") != "success" or one.get("error")]
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for one in jobs:
        if one.get("status") == "success" and not one.get("error"):
            by_rule.setdefault(one["rule"], []).append(one)
    for of_rule in by_rule.values():
        failed += [of_rule] if len(of_rule) > FOLD_ABOVE else [[one] for one in of_rule]
    return failed


def _jobs_together(jobs: Sequence[Mapping[str, Any]]) -> Line:
    """Return one row for the jobs of a rule, with how long half of them took at most, and all that they wrote."""
    took = [seconds for one in jobs if (seconds := times.seconds(one.get("startedOn"), one.get("endedOn"))) is not None]
    outputs = [output for one in jobs for output in one.get("outputs") or ()]
    return [
        say(jobs[0]["rule"], "rule"),
        say(f"{text.number(len(jobs))} success", status_role("success")),
        say(f"~{times.duration(statistics.median(took))}" if took else ""),
        say(""),
        say(_outputs(outputs)),
    ]


def _not_run(record: Mapping[str, Any], plan: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield a line for each rule with jobs of the DAG that were not run, and why they were not."""
    folded = [one for one in plan.get("rules", ()) if one["state"] in _NOT_RUN]
    if not folded:
        return
    yield ""
    folded.sort(key=lambda one: list(_NOT_RUN).index(one["state"]))
    titles = ("not run", "why", "jobs", "made in run", "first output")
    rows = [_folded(one) for one in folded]
    yield from text.table(rows, screen, titles=titles, right=frozenset({2}), flexible=4, keep="end")
    if any(one["state"] == "notReached" for one in folded) and not record.get("endedOn"):
        yield compose([say("The end of the run was not seen: jobs not reached may have been running then.")], screen)
    if plan.get("jobsLeftOut"):
        yield compose([say(f"The workflow has {counted(plan['jobsLeftOut'], 'further job')}.")], screen)


def _folded(one: Mapping[str, Any]) -> Line:
    makers = ", ".join(text.short_id(run_id) for run_id in one["runs"])
    return [
        say(one["rule"], "rule"),
        say(_NOT_RUN[one["state"]], _NOT_RUN_ROLES.get(one["state"], "faint")),
        say(text.number(one["jobs"])),
        say(makers),
        say(one["output"]),
    ]


def _run_facts(record: Mapping[str, Any], screen: Screen) -> dict[str, str]:
    started, ended = times.parse(record.get("startedOn")), times.parse(record.get("endedOn"))
    git = record.get("git") or {}
    commit = text.short_commit(git.get("commit"), dirty=git.get("dirty"))
    branch = f" on {git['branch']}" if git.get("branch") else ""
    versions = [
        f"{name} {record[key]}"
        for name, key in (
            ("Snakemake", "snakemakeVersion"),
            ("Python", "pythonVersion"),
            ("snakeprov", "snakeprovVersion"),
        )
        if record.get(key)
    ]
    host = " as ".join(part for part in (record.get("host"), record.get("user")) if part)
    return {
        "id": record["id"],
        "part of": f"run {text.short_id(record['parentRunId'])}" if record.get("parentRunId") else "",
        "command": record.get("commandLine") or "",
        "project": record.get("project") or "",
        "in": record.get("workingDirectory") or "",
        "commit": commit + branch if commit else "",
        "host": host,
        "with": ", ".join(versions),
        "started": times.absolute(started, screen.zone) if started else "",
        "ended": times.absolute(ended, screen.zone) if ended else "",
        "incomplete": "; ".join(record.get("missing") or ()),
    }


def _job(job: Mapping[str, Any], screen: Screen) -> Line:
    status = job.get("status", "unknown")
    attempt = job.get("attempt", 1)
    wildcards = text.wildcards(job.get("wildcards"))
    return [
        say(job["rule"], "rule"),
        say(status if attempt == 1 else f"{status}, attempt {attempt}", status_role(status)),
        say(times.between(job.get("startedOn"), job.get("endedOn"))),
        say(wildcards if screen.width is None else text.shorten(wildcards, screen.width // WILDCARDS_SHARE)),
        say(_outputs(job.get("outputs") or ())),
    ]


def _outputs(outputs: Sequence[Mapping[str, Any]]) -> str:
    if not outputs:
        return ""
    more = f" and {text.number(len(outputs) - 1)} more" if len(outputs) > 1 else ""
    outcome = outputs[0].get("outcome", "generated")
    return versioned(outputs[0]).text + more + ("" if outcome == "generated" else f" ({outcome})")


def status(
    answer: Mapping[str, Any],
    screen: Screen,
    *,
    store: str,
    project: str,
    pending: int,
    failed: int,
    reasons: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the lines of `status`.

    Args:
        answer: An answer of the status resource; empty where there was none; of Synapse only the `user`.
        screen: Where the lines will be shown.
        store: Folder or URL of the repository.
        project: Name of the working directory's project there.
        pending: Records that wait in the outbox.
        failed: Records that the repository refused.
        reasons: Why it refused them.
    """
    yield compose([say(store, "strong")], screen)
    yield ""
    yield from text.fact("project", [say(project)], screen)
    if "user" in answer:
        yield from text.fact("answers", [say(f"to {answer['user']}; what it holds is not counted")], screen)
    elif answer:
        counts = [
            counted(answer.get("entities", 0), "file"),
            counted(answer.get("versions", 0), "version"),
            counted(answer.get("activities", 0), "activity", "activities"),
            counted(answer.get("jobs", 0), "job"),
            counted(answer.get("runs", 0), "run"),
        ]
        yield from text.fact("recorded", [say(", ".join(counts))], screen)
        yield from text.fact("kept", [say(f"{text.size(answer.get('storedBytes', 0))} of content")], screen)
    if pending:
        yield from text.fact("waiting", [say(counted(pending, "job"), "bad"), say(" to be delivered")], screen)
    if failed:
        yield from text.fact("refused", [say(counted(failed, "job"), "bad"), say(" by the repository")], screen)
        for reason in reasons[:REASONS_MAX]:
            yield from text.fact("", [say(reason)], screen)
    if pending or failed:
        yield from text.fact("", [say("'snakeprov push' delivers what can be delivered")], screen)
    else:
        yield from text.fact("waiting", [say("nothing", "good")], screen)
    for note in answer.get("notes") or ():
        yield from text.fact("note", [say(note)], screen)
