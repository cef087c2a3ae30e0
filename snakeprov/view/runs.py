"""The screens of `runs`, `run` and `status`.

Must not know: how the answers of the repository were got.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from snakeprov.view import text, times
from snakeprov.view.answers import run_status
from snakeprov.view.history import job_counts, run_line, status_role, versioned
from snakeprov.view.text import Line, Screen, compose, counted, say

REASONS_MAX = 5
"""More reasons than this are not listed."""

_LABEL_COLUMNS = 11

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
    titles = ("run", "when", "status", "jobs", "commit", "command")
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
    """Return a command line without the folders that the program lies in."""
    program, blank, rest = line.partition(" ")
    return posixpath.basename(program) + blank + rest


def run(
    record: Mapping[str, Any], jobs: Mapping[str, Any], screen: Screen, *, plan: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield the lines of `run`.

    Args:
        record: An answer of the run resource.
        jobs: An answer of its jobs resource.
        screen: Where the lines will be shown.
        plan: An answer of its plan resource.
    """
    yield compose(run_line(record, screen), screen)
    yield ""
    for label, value in _run_facts(record, screen).items():
        if value:
            yield _fact(label, [say(value)], screen)
    if jobs["results"]:
        yield ""
        yield from _jobs(jobs, screen)
    yield from _not_run(record, plan or {}, screen)


def _jobs(jobs: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    shown = jobs["results"]
    titles = ("job", "status", "took", "wildcards", "outputs")
    lines = text.table(
        [_job(one) for one in shown], screen, titles=titles, right=frozenset({2}), flexible=4, keep="end"
    )
    for line, job in zip(lines, [{}, *shown], strict=True):
        yield line
        if error := str(job.get("error") or ""):
            yield compose([say("  "), say(" ".join(error.split()), "bad")], screen)
            yield compose([say(f"  snakeprov show job:{text.short_id(job['id'])}", "faint")], screen)
    hidden = jobs.get("totalNumberOfResults", len(shown)) - len(shown)
    if hidden > 0:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(hidden, 'more job')} (--limit)")], screen)


def _not_run(record: Mapping[str, Any], plan: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield a line for each rule with jobs of the DAG that were not run, and why they were not."""
    folded = [one for one in plan.get("rules", ()) if one["state"] in _NOT_RUN]
    if not folded:
        return
    yield ""
    folded.sort(key=lambda one: list(_NOT_RUN).index(one["state"]))
    titles = ("not run", "why", "jobs", "made in run", "first output")
    yield from text.table([_folded(one) for one in folded], screen, titles=titles, right=frozenset({2}), flexible=4)
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


def _job(job: Mapping[str, Any]) -> Line:
    status = job.get("status", "unknown")
    attempt = job.get("attempt", 1)
    return [
        say(job["rule"], "rule"),
        say(status if attempt == 1 else f"{status}, attempt {attempt}", status_role(status)),
        say(times.between(job.get("startedOn"), job.get("endedOn"))),
        say(text.wildcards(job.get("wildcards"))),
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
    yield _fact("project", [say(project)], screen)
    if "user" in answer:
        yield _fact("answers", [say(f"to {answer['user']}; what it holds is not counted")], screen)
    elif answer:
        counts = [
            counted(answer.get("entities", 0), "file"),
            counted(answer.get("versions", 0), "version"),
            counted(answer.get("activities", 0), "activity", "activities"),
            counted(answer.get("jobs", 0), "job"),
            counted(answer.get("runs", 0), "run"),
        ]
        yield _fact("recorded", [say(", ".join(counts))], screen)
        yield _fact("kept", [say(f"{text.size(answer.get('storedBytes', 0))} of content")], screen)
    if pending:
        yield _fact("waiting", [say(counted(pending, "job"), "bad"), say(" to be delivered")], screen)
    if failed:
        yield _fact("refused", [say(counted(failed, "job"), "bad"), say(" by the repository")], screen)
        for reason in reasons[:REASONS_MAX]:
            yield _fact("", [say(reason)], screen)
    if pending or failed:
        yield _fact("", [say("'snakeprov push' delivers what can be delivered")], screen)
    else:
        yield _fact("waiting", [say("nothing", "good")], screen)
    for note in answer.get("notes") or ():
        yield _fact("note", [say(note)], screen)


def _fact(label: str, value: Line, screen: Screen) -> str:
    return compose([say(label.ljust(_LABEL_COLUMNS), "faint"), *value], screen._replace(width=None))
