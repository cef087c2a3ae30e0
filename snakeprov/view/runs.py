"""The screens of `runs`, `run` and `status`."""

from __future__ import annotations

import posixpath
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from snakeprov.model.answers import JobFile, JobSummary, Page, Plan, PlannedRule, Run, Status
from snakeprov.view import text, times
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


NOT_RUN = {
    "reused": "reused",
    "edited": "edited by hand",
    "notNeeded": "not needed",
    "notReached": "not reached",
}
"""Why jobs were not run, in the order in which they are listed."""

_NOT_RUN_ROLES: dict[str, text.Role] = {"edited": "raw", "notReached": "bad"}


def runs(answer: Page[Run], screen: Screen) -> Iterator[str]:
    """Yield the lines of `runs`, for at least one run."""
    shown = answer.results
    titles = ("run", "age", "status", "jobs", "commit", "snakemake")
    rows = [_run(one, screen) for one in shown]
    yield from text.table(rows, screen, titles=titles, flexible=5)
    if answer.hidden:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(answer.hidden, 'older run')}")], screen)


def _run(run: Run, screen: Screen) -> Line:
    return [
        say(text.short_id(run.id), "strong"),
        say(times.age(run.started_on, screen.now) if run.started_on else ""),
        say(run.status, status_role(run.status)),
        say(job_counts(run.jobs, noun="")),
        say(_commit(run), "commit"),
        say(command(run.command_line or "")),
    ]


def _commit(run: Run) -> str:
    return "" if run.git is None else text.short_commit(run.git.commit, dirty=run.git.dirty)


def command(line: str) -> str:
    """Return a command line without its program where that is Snakemake, and without the folders that it lies in."""
    program, _, rest = line.partition(" ")
    name = posixpath.basename(program)
    return rest if name == "snakemake" else f"{name} {rest}"


def run(
    record: Run,
    jobs: Page[JobSummary],
    screen: Screen,
    *,
    plan: Plan | None = None,
    is_folded: bool = False,
) -> Iterator[str]:
    """Yield the lines of `run`.

    Args:
        record: The run.
        jobs: Its jobs.
        screen: Where the lines will be shown.
        plan: The jobs of its DAG, summed up by rule.
        is_folded: Whether the many jobs of a rule are drawn together, and those that failed come first.
    """
    yield compose(run_line(record, screen, done=_done(record, plan)), screen)
    yield ""
    for label, value in facts(record, screen).items():
        if value:
            yield from text.fact(label, [say(value)], screen, to_copy=label == "command")
    if jobs.results:
        yield ""
        yield from _jobs(jobs, screen, is_folded=is_folded)
    if plan is not None:
        yield from _not_run(record, plan, screen)


def _done(record: Run, plan: Plan | None) -> str:
    """Return how many of the jobs of a run that goes on are done; empty where that is not known."""
    if record.status != "running" or plan is None or plan.jobs_left_out or not plan.rules:
        return ""
    counts = Counter[str]()
    for one in plan.rules:
        counts[one.state] += one.jobs
    total = sum(counts[state] for state in ("executed", "failed", "interrupted", "notReached"))
    others = ", ".join(f"{counts[state]} {state}" for state in ("failed", "interrupted") if counts[state])
    return f"{text.number(counts['executed'])} of {counted(total, 'job')} done" + (f" ({others})" if others else "")


def _jobs(jobs: Page[JobSummary], screen: Screen, *, is_folded: bool) -> Iterator[str]:
    shown = jobs.results
    groups = _grouped(shown) if is_folded else [[one] for one in shown]
    titles = ("job", "status", "took", "wildcards", "outputs")
    rows = [_job(group[0], screen) if len(group) == 1 else _jobs_together(group) for group in groups]
    # Outputs usually have the wildcards in their names.
    drop = (3,) if all(group[0].outputs for group in groups) else ()
    lines = text.table(rows, screen, titles=titles, right=frozenset({2}), flexible=4, keep="path", drop=drop)
    for line, group in zip(lines, [[], *groups], strict=True):
        yield line
        if error := group[0].error if group else None:
            said = _COMMAND.sub("the command", " ".join(error.split()))[: text.FACT_CHARACTERS_MAX]
            yield from text.paragraph([say("  "), say(said, "bad")], screen, hang=4)
            yield compose([say(f"  snakeprov show job:{text.short_id(group[0].id)}", "faint")], screen)
    if jobs.hidden:
        yield compose([say(f"{screen.glyphs.ellipsis} and {counted(jobs.hidden, 'more job')} (--limit)")], screen)


def _grouped(jobs: Sequence[JobSummary]) -> list[list[JobSummary]]:
    """Return jobs in groups: first each that failed, then those of each rule, in one if they are many."""
    failed = [[one] for one in jobs if one.status != "success" or one.error]
    by_rule: dict[str, list[JobSummary]] = {}
    for one in jobs:
        if one.status == "success" and not one.error:
            by_rule.setdefault(one.rule, []).append(one)
    for of_rule in by_rule.values():
        failed += [of_rule] if len(of_rule) > FOLD_ABOVE else [[one] for one in of_rule]
    return failed


def _jobs_together(jobs: Sequence[JobSummary]) -> Line:
    """Return one row for the jobs of a rule, with how long half of them took at most, and all that they wrote."""
    took = [seconds for one in jobs if (seconds := took_s(one)) is not None]
    outputs = [output for one in jobs for output in one.outputs]
    return [
        say(jobs[0].rule, "rule"),
        say(f"{text.number(len(jobs))} success", status_role("success")),
        say(f"~{times.duration(statistics.median(took))}" if took else ""),
        say(""),
        say(_outputs(outputs)),
    ]


def _not_run(record: Run, plan: Plan, screen: Screen) -> Iterator[str]:
    """Yield a line for each rule with jobs of the DAG that were not run, and why they were not."""
    folded = [one for one in plan.rules or () if one.state in NOT_RUN]
    if not folded:
        return
    yield ""
    folded.sort(key=lambda one: list(NOT_RUN).index(one.state))
    titles = ("not run", "why", "jobs", "made in run", "first output")
    rows = [_folded(one) for one in folded]
    yield from text.table(rows, screen, titles=titles, right=frozenset({2}), flexible=4, keep="path")
    if any(one.state == "notReached" for one in folded) and not record.ended_on:
        yield compose([say("The end of the run was not seen: jobs not reached may have been running then.")], screen)
    if plan.jobs_left_out:
        yield compose([say(f"The workflow has {counted(plan.jobs_left_out, 'further job')}.")], screen)


def _folded(one: PlannedRule) -> Line:
    makers = ", ".join(text.short_id(run_id) for run_id in one.runs)
    return [
        say(one.rule, "rule"),
        say(NOT_RUN[one.state], _NOT_RUN_ROLES.get(one.state, "faint")),
        say(text.number(one.jobs)),
        say(makers),
        say(one.output),
    ]


def facts(record: Run, screen: Screen) -> dict[str, str]:
    """Return the facts about a run by name; those that are not known are empty."""
    commit = _commit(record)
    branch = f" on {record.git.branch}" if record.git and record.git.branch else ""
    versions = [
        f"{name} {version}"
        for name, version in (
            ("Snakemake", record.snakemake_version),
            ("Python", record.python_version),
            ("snakeprov", record.snakeprov_version),
        )
        if version
    ]
    host = " as ".join(part for part in (record.host, record.user) if part)
    return {
        "id": record.id,
        "part of": f"run {text.short_id(record.parent_run_id)}" if record.parent_run_id else "",
        "command": record.command_line or "",
        "project": record.project,
        "in": record.working_directory,
        "commit": commit + branch if commit else "",
        "host": host,
        "with": ", ".join(versions),
        "started": times.absolute(record.started_on, screen.zone) if record.started_on else "",
        "ended": times.absolute(record.ended_on, screen.zone) if record.ended_on else "",
        "incomplete": "; ".join(record.missing),
    }


def took_s(job: JobSummary) -> float | None:
    """Return how long a job took, in seconds; None where that is not known."""
    return times.seconds(times.parse(job.started_on), times.parse(job.ended_on))


def _job(job: JobSummary, screen: Screen) -> Line:
    status = job.status if job.attempt == 1 else f"{job.status}, attempt {job.attempt}"
    took = took_s(job)
    wildcards = text.wildcards(job.wildcards)
    return [
        say(job.rule, "rule"),
        say(status, status_role(job.status)),
        say("" if took is None else times.duration(took)),
        say(wildcards if screen.width is None else text.shorten(wildcards, screen.width // WILDCARDS_SHARE)),
        say(_outputs(job.outputs)),
    ]


def _outputs(outputs: Sequence[JobFile]) -> str:
    if not outputs:
        return ""
    more = f" and {text.number(len(outputs) - 1)} more" if len(outputs) > 1 else ""
    first = outputs[0]
    outcome = "" if first.outcome == "generated" else f" ({first.outcome})"
    return versioned(first.path, first.version_number).text + more + outcome


def status(
    answer: Status | None,
    screen: Screen,
    *,
    user: str | None = None,
    store: str,
    project: str,
    pending: int,
    failed: int,
    reasons: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the lines of `status`.

    Args:
        answer: What the store holds; None where that is not known.
        screen: Where the lines will be shown.
        user: Whom Synapse answered, which counts nothing.
        store: Folder or URL of the store.
        project: Name of the working directory's project there.
        pending: Records that wait in the outbox.
        failed: Records that the store refused.
        reasons: Why it refused them.
    """
    yield compose([say(store, "strong")], screen)
    yield ""
    yield from text.fact("project", [say(project)], screen)
    if user is not None:
        yield from text.fact("answers", [say(f"to {user}; what it holds is not counted")], screen)
    elif answer is not None:
        counts = [
            counted(answer.entities, "file"),
            counted(answer.versions, "version"),
            counted(answer.activities, "activity", "activities"),
            counted(answer.jobs, "job"),
            counted(answer.runs, "run"),
        ]
        yield from text.fact("recorded", [say(", ".join(counts))], screen)
        yield from text.fact("kept", [say(f"{text.size(answer.stored_bytes)} of content")], screen)
    if pending:
        yield from text.fact("waiting", [say(counted(pending, "job"), "bad"), say(" to be delivered")], screen)
    if failed:
        yield from text.fact("refused", [say(counted(failed, "job"), "bad"), say(" by the store")], screen)
        for reason in reasons[:REASONS_MAX]:
            yield from text.fact("", [say(reason)], screen)
    if pending or failed:
        yield from text.fact("", [say("'snakeprov push' delivers what can be delivered")], screen)
    else:
        yield from text.fact("waiting", [say("nothing", "good")], screen)
    for note in answer.notes if answer is not None else ():
        yield from text.fact("note", [say(note)], screen)
