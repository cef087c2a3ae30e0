"""Compare how two versions were made, fact by fact.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from snakeprov.lineage import clones
from snakeprov.lineage.changes import Action, Change, Difference, FileVersion, Kind, Side
from snakeprov.lineage.values import differing
from snakeprov.model.answers import Done, Role, Story
from snakeprov.model.records import JobRecord, code_paths, recorded_path

CHANGES_MAX: Final = 1000
"""No more changes of one kind are listed."""

_CODE_KINDS: Final = frozenset({"script", "notebook", "run", "template"})
"""Jobs whose code the interpreter of Snakemake runs, where nothing else was deployed."""

RUN_FACTS: Final = {
    "snakemake_version": "Snakemake",
    "python_version": "Python",
    "snakeprov_version": "snakeprov",
    "executor": "executor",
    "platform": "platform",
    "host": "host",
    "user": "user",
    "working_directory": "working directory",
}
"""The circumstances of a run, and their names."""

_CIRCUMSTANCES: Final = {fact: name for fact, name in RUN_FACTS.items() if fact != "python_version"}
"""The Python belongs to the environment of some jobs, and is looked at apart."""

_ENVIRONMENTS: Final = (
    ("container", "container"),
    ("conda environment", "conda_env_name"),
    ("conda environment", "conda_env_url"),
    ("modules", "env_modules"),
)
"""What a job's environment is called, and its field in the job's record."""

_BACKFILLED: Final = "backfilled"
"""The status of a job that is known from Snakemake's own metadata only."""

_NO_JOB: Final = JobRecord(id="", run_id="", rule="", status="unknown")
"""The facts about the job of an activity that was not recorded from a job."""

Thing = TypeVar("Thing")


def compare(old: Story, new: Story) -> Difference:
    """Return how two stories differ."""
    before, after = side_of(old), side_of(new)
    causes: list[Change] = []
    circumstances: list[Change] = []
    if after.is_put_back or (before.origin != after.origin and "none" in (before.origin, after.origin)):
        causes.append(_change("origin", "", _maker(before), _maker(after)))
    elif after.origin != "none":
        causes, circumstances = compare_jobs(old, new)
    return Difference(
        old=before,
        new=after,
        same_bytes=None if None in (before.sha256, after.sha256) else before.sha256 == after.sha256,
        causes=tuple(one for one in causes if one.action != "unknown"),
        circumstances=tuple(one for one in circumstances if one.action != "unknown"),
        unproved=tuple(one for one in (*causes, *circumstances) if one.action == "unknown"),
    )


def side_of(story: Story) -> Side:
    """Return the facts about the version itself in a story."""
    version, job, activity = story.version, story.record, story.activity
    git = None if story.run is None else story.run.git
    is_at_commit = git is not None and git.commit is not None
    return Side(
        path=story.entity.recorded_path,
        entity_id=story.entity.id,
        version_number=version.version_number,
        sha256=version.sha256,
        size_bytes=version.size_bytes,
        bytes_kept=version.bytes_kept,
        created_on=version.created_on,
        origin="job" if job else "activity" if activity else "none",
        activity_id=str(activity["id"]) if activity else None,
        rule=_rule(story),
        job_id=job.id if job else None,
        run_id=job.run_id if job else None,
        commit=git.commit if git else None,
        dirty=git.dirty if git is not None and is_at_commit else None,
        reason=job.reason if job else None,
        ended_on=job.ended_on if job else None,
        meaning=version.meaning,
        role=version.role,
        is_put_back=is_put_back(story),
    )


def _rule(done: Done) -> str | None:
    """Return the rule of a job, or else the name of the activity."""
    job = done.record
    return (job and job.rule) or (done.activity or {}).get("name")


def is_put_back(story: Story) -> bool:
    """Return whether a version has earlier bytes of its file again and no job wrote them anew.

    Then nothing made it, or the activity named as its maker made the earlier version.
    """
    meaning, activity = story.version.meaning, story.activity
    if meaning is None or meaning.kind != "again":
        return False
    if activity is None or (meaning.making and str(activity["id"]) == meaning.making.activity_id):
        return True
    target = meaning.entity_id, meaning.version_number
    return any(
        (one.entity_id, one.version_number) == target and one.outcome in ("generated", "reproduced")
        for one in story.files
    )


def packages(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return how the software of two environments differs.

    Args:
        old: The document of an environment: `{python, conda: {packages: [{name, version, build}]}, container, …}`.
        new: The other.
    """
    sides = []
    for document in (old, new):
        conda = document.get("conda") or {}
        listed = {one["name"]: _package(one) for one in conda.get("packages") or ()}
        container = document.get("container") or {}
        sides.append((listed, container.get("digest") or container.get("sha256")))
    changes = _values("package", sides[0][0], sides[1][0])
    return changes + _single("environment", "container's digest", sides[0][1], sides[1][1])


def _package(one: Mapping[str, Any]) -> str:
    return " ".join(str(one[key]) for key in ("version", "build") if one.get(key))


def compare_jobs(old: Done, new: Done) -> tuple[list[Change], list[Change]]:
    """Return the causes and the circumstances that differ between two things that were done, unknown ones too."""
    old_job, new_job = old.record or _NO_JOB, new.record or _NO_JOB
    rule = _single("rule", "", _rule(old), _rule(new))
    old_roots, new_roots = clones.roots(old_job), clones.roots(new_job)
    command = _single("command", "shell command", _command(old_job), _command(new_job))
    command = [one for one in command if not clones.is_same(one.old, one.new, old_roots, new_roots)]
    records = [_BACKFILLED if job.status == _BACKFILLED else "recorded" for job in (old_job, new_job)]
    if records[0] != records[1]:
        # Of what was backfilled less is known, and what is not known on one side is not what changed.
        return [*rule, *command, *_inputs(old, new)], [_change("circumstance", "record", records[0], records[1])]
    code = _code(old, new)
    params = _values("param", old_job.params, new_job.params)
    params = [one for one in params if not clones.is_same(one.old, one.new, old_roots, new_roots)]
    causes = [
        *rule,
        *_values("wildcard", old_job.wildcards, new_job.wildcards),
        *params,
        *(one for one in code if not one.is_elsewhere),
        *command,
        *_environment(old, new),
        *_inputs(old, new),
    ]
    # A config value that reaches params is already named as a cause.
    told = [("config", one.old, one.new) for one in params]
    elsewhere = [one for one in code if one.is_elsewhere]
    around = [one for one in _circumstances(old, new) if (one.kind, one.old, one.new) not in told]
    return causes, [*elsewhere, *around]


def _maker(side: Side) -> str | None:
    return None if side.origin == "none" else side.rule or f"activity {side.activity_id}"


def _command(job: JobRecord) -> str | None:
    return job.shellcmd.strip() if job.shellcmd else None


def _change(kind: Kind, name: str, old: Any, new: Any, *, role: str | None = None) -> Change:
    action: Action = "added" if old is None else "removed" if new is None else "changed"
    return Change(kind=kind, name=name, action=action, old=old, new=new, role=role)


def _single(kind: Kind, name: str, old: Any, new: Any) -> list[Change]:
    return [] if old == new else [_change(kind, name, old, new)]


def _values(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    found = differing(old, new, limit=CHANGES_MAX)
    return [Change(kind=kind, name=one.path, action=one.action, old=one.old, new=one.new) for one in found]


def _files(done: Done, role: Role) -> list[FileVersion]:
    """Return the files that a job used in a role, each once; for an activity without a job, those that it names."""
    if done.job is not None:
        found = {
            one.path: FileVersion(
                path=one.path, entity_id=one.entity_id, version_number=one.version_number, sha256=one.sha256
            )
            for one in done.files
            if one.role == role
        }
        return list(found.values())
    if role not in ("input", "code"):
        return []
    named = []
    for one in (done.activity or {}).get("used") or ():
        if bool(one.get("wasExecuted")) == (role == "code"):
            reference = one.get("reference") or {}
            entity_id, number = reference.get("targetId"), reference.get("targetVersionNumber")
            path = one.get("url") or str(entity_id)
            named.append(FileVersion(path=path, entity_id=entity_id, version_number=number))
    return named


def _is_same(old: FileVersion, new: FileVersion) -> bool:
    if old.sha256 is not None and new.sha256 is not None:
        return old.sha256 == new.sha256
    return (old.entity_id, old.version_number) == (new.entity_id, new.version_number)


def _inputs(old: Done, new: Done) -> list[Change]:
    names: dict[str, str | None] = {}
    for done in (old, new):
        names |= {recorded_path(one): one.name for one in (done.record or _NO_JOB).inputs}
    pairs = _paired(
        _files(old, "input"), _files(new, "input"), (lambda one: one.path, lambda one: names.get(one.path.rstrip("/")))
    )
    # An activity without a job names versions, and has read nothing.
    return _of_files("input", pairs, names, must_be_read=None not in (old.job, new.job))


def _code(old: Done, new: Done) -> list[Change]:
    """Return how the code differs; of Snakefiles whether what defines the rule does (`is_elsewhere`)."""
    roles: dict[str, str | None] = {}
    urls: list[dict[str, str]] = []
    digests: list[dict[str, str]] = []
    for job in (old.record or _NO_JOB, new.record or _NO_JOB):
        places = code_paths(job)
        roles |= {places[fact.path]: fact.role for fact in job.code if fact.path}
        urls.append({fact.role: fact.url for fact in job.code if fact.url and not fact.path})
        digests.append({places[fact.path]: fact.digest for fact in job.code if fact.path and fact.digest})
    pairs = _paired(_files(old, "code"), _files(new, "code"), (lambda one: one.path, lambda one: roles.get(one.path)))
    changes = [_placed(change, digests) for change in _of_files("code", pairs, roles)]
    others = _paired(_files(old, "workflow"), _files(new, "workflow"), (lambda one: one.path,))
    # Where it is not known what defines the rule, any Snakefile of the workflow may.
    is_elsewhere = bool(digests[0] and digests[1])
    changes += [
        msgspec.structs.replace(one, role="snakefile", is_elsewhere=is_elsewhere)
        for one in _of_files("code", others, roles)
        if one.action == "changed"
    ]
    for role in sorted({*urls[0], *urls[1]}):
        changes += _single("code", role, urls[0].get(role), urls[1].get(role))
    return changes


def _placed(change: Change, digests: Sequence[Mapping[str, str]]) -> Change:
    """Return a change of a file of code, saying whether what it has of the definition of the rule is the same."""
    old, new = change.old, change.new
    if not (isinstance(old, FileVersion) and isinstance(new, FileVersion)):
        return change
    before, after = digests[0].get(old.path), digests[1].get(new.path)
    is_same = before is not None and before == after
    return msgspec.structs.replace(change, role="snakefile", is_elsewhere=True) if is_same else change


def _environment(old: Done, new: Done) -> list[Change]:
    pairs = _paired(_files(old, "environment"), _files(new, "environment"), (lambda one: one.path,))
    changes = _of_files("environment", pairs, {})
    old_job, new_job = old.record or _NO_JOB, new.record or _NO_JOB
    for name, fact in _ENVIRONMENTS:
        changes += _single("environment", name, getattr(old_job, fact) or None, getattr(new_job, fact) or None)
    if _CODE_KINDS & {old_job.kind, new_job.kind}:
        changes += _python(old, new, "environment")
    return changes


def _python(old: Done, new: Done, kind: Kind) -> list[Change]:
    versions = [done.run and done.run.python_version for done in (old, new)]
    return _single(kind, "Python", *versions) if None not in versions else []


def _circumstances(old: Done, new: Done) -> list[Change]:
    """Return the differing circumstances of two jobs, without those known of one job only, except config."""
    jobs = [old.record or _NO_JOB, new.record or _NO_JOB]
    changes = _values("config", *(done.run.config if done.run else {} for done in (old, new)))
    if not _CODE_KINDS & {job.kind for job in jobs}:
        changes += _python(old, new, "circumstance")
    for fact, name in _CIRCUMSTANCES.items():
        before, after = (getattr(done.run, fact, None) for done in (old, new))
        if before is not None and after is not None:
            changes += _single("circumstance", name, before, after)
    resources = [{"threads": job.threads, **job.resources} for job in jobs]
    for name in resources[0]:
        before, after = resources[0][name], resources[1].get(name)
        if not name.startswith("_") and name != "tmpdir" and before is not None and after is not None:
            changes += _single("circumstance", name, before, after)
    return changes


def _of_files(
    kind: Kind,
    pairs: Iterable[tuple[FileVersion | None, FileVersion | None]],
    roles: Mapping[str, str | None],
    *,
    must_be_read: bool = False,
) -> list[Change]:
    """Return which files differ; `must_be_read`: of one that nobody read it is not known whether it is the same."""
    changes = []
    for old, new in pairs:
        path = (new or old or FileVersion(path="")).path
        if old is not None and new is not None and _is_same(old, new) and old.path == new.path:
            if must_be_read and None in (old.sha256, new.sha256):
                changes.append(Change(kind=kind, name=path, action="unknown", old=old, new=new))
            continue
        changes.append(_change(kind, path, old, new, role=roles.get(path.rstrip("/"))))
    return changes


def _paired(
    old: Sequence[Thing], new: Sequence[Thing], keys: Sequence[Callable[[Thing], str | None]]
) -> Iterator[tuple[Thing | None, Thing | None]]:
    """Yield matching items of both sides, paired by the first key that is unique on each side; then the rest.

    Of each side the only one left belongs together, too.
    """
    left, right = list(old), list(new)
    for key in keys:
        ours, theirs = _only_ones(left, key), _only_ones(right, key)
        both = [name for name in theirs if name in ours]
        yield from ((ours[name], theirs[name]) for name in both)
        left = [one for one in left if key(one) not in both]
        right = [one for one in right if key(one) not in both]
    if len(left) == len(right) == 1:
        yield left.pop(), right.pop()
    yield from ((one, None) for one in left)
    yield from ((None, one) for one in right)


def _only_ones(things: Iterable[Thing], key: Callable[[Thing], str | None]) -> dict[str, Thing]:
    found: dict[str, list[Thing]] = {}
    for one in things:
        name = key(one)
        if name is not None:
            found.setdefault(name, []).append(one)
    return {name: listed[0] for name, listed in found.items() if len(listed) == 1}
