"""How results were made, in the words of a methods section.

The text says what was not recorded. It guesses no version, and names no tool that no record names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from snakeprov.capture.code.programs import language_of
from snakeprov.export.commands import programs
from snakeprov.export.material import SUCCEEDED, Activity, Material, commit_of, conda, raw_inputs, remote_of
from snakeprov.model import meant
from snakeprov.model.answers import Run, Version
from snakeprov.model.methods import Methods, RawInput, Step, Tool
from snakeprov.model.records import StoredJob, code_paths

UNKNOWN: Final = "version not recorded"

_LANGUAGES: Final = {
    ".py": "Python", ".ipynb": "Python", ".r": "R", ".rmd": "R", ".jl": "Julia", ".rs": "Rust", ".sh": "Bash",
    ".bash": "Bash",
}  # fmt: skip
_INTERPRETED: Final = {"python": "Python", "r": "R", "julia": "Julia", "shell": "Bash"}
"""What the languages of interpreters are called here."""

_PACKAGES: Final = {"R": "r-base", "Rscript": "r-base", "python3": "python"}
"""The conda packages that are not called like the program."""

CHANGES_NAMED_MAX: Final = 10
"""More files than this are only counted."""

VALUE_CHARS_MAX: Final = 80
"""More of the value of a param is cut off in the table."""


def methods(material: Material) -> Methods:
    """Return what can be said; steps in the order in which they first ended."""
    groups: dict[tuple[Any, ...], list[Activity]] = {}
    for activity in material.activities:
        if activity.status is None or activity.status in SUCCEEDED:
            groups.setdefault(_likeness(material, activity), []).append(activity)
    steps = tuple(_step(material, group) for group in groups.values())
    used = [activity for group in groups.values() for activity in group]
    inputs = raw_inputs(material, used)
    return Methods(
        paragraph=" ".join(_sentences(material, steps, used, inputs)),
        inputs=inputs,
        steps=steps,
        truncated=material.is_truncated,
    )


def _likeness(material: Material, activity: Activity) -> tuple[Any, ...]:
    job = activity.job
    code = tuple(use.version_id or use.url for use in activity.used if use.role == "code")
    run = material.run_of(activity)
    environment = (job.environment_digest, *_environments(job))
    return (activity.name, code, environment, run.python_version if run else None)


def _environments(job: StoredJob) -> tuple[str | None, ...]:
    """Return the environments in the record of a job, the best description first; None for missing ones."""
    return job.container, job.conda_env_url, job.conda_env_path, job.conda_env_name


def _step(material: Material, group: Sequence[Activity]) -> Step:
    activity = group[0]
    job = activity.job
    names = {name: None for one in group for name in one.job.params}
    values = {name: {_text(one.job.params.get(name)) for one in group} for name in names}
    return Step(
        name=activity.name,
        jobs=len(group),
        ran=_ran(material, activity),
        tools=tuple(_tools(material, activity)),
        environment=next(filter(None, _environments(job)), None),
        params={name: next(iter(one)) if len(one) == 1 else "varies" for name, one in values.items()},
    )


def _ran(material: Material, activity: Activity) -> str:
    """Return what a job ran, in words."""
    own = material.snakefile_of(activity)
    code = [material.versions[use.version_id] for use in activity.used if use.role == "code" and use.version_id]
    kinds = {"notebook": "the notebook", "wrapper": "the wrapper", "template": "the template", "cwl": "the CWL tool"}
    kind, facts = activity.job.kind, activity.job.code
    places = code_paths(activity.job)
    scripts = [fact for fact in facts if fact.role not in ("snakefile", "workflow", "module")]
    paths = {places[fact.path] for fact in scripts if fact.path}
    if not facts and code:
        return f"the code {_listed([one.path for one in code])}"
    named = [one.path for one in code if one is not own and one.path in paths]
    if kind in ("shell", "run"):
        runs = f" that runs {_listed(named)}" if named else ""
        return f"{'a shell command' if kind == 'shell' else 'Python code of the rule'}{runs}"
    if kind in kinds or kind == "script" or named:
        what = named[0] if named else activity.job.script
        return f"{kinds.get(kind, 'the script')} {what}" if what else kinds.get(kind, "a script")
    return "a shell command" if activity.job.shellcmd else "code that was not recorded"


def _tools(material: Material, activity: Activity) -> Iterable[Tool]:
    job = activity.job
    installed = {package.name.lower(): package.version for package in conda(material.environment_of(activity))}
    # Which Python a shell command calls only the shell can tell.
    is_own = job.kind != "shell" and not any((*_environments(job), job.env_modules))
    run = material.run_of(activity)
    own_python = run.python_version if run is not None and is_own else None
    found = programs(job.shellcmd)
    code = [fact for fact in job.code if fact.role in ("script", "notebook", "wrapper")]
    called = {_INTERPRETED.get(language_of(f"#!{name}") or "") for name in found}
    for fact in code:
        suffix = PurePosixPath(fact.path or fact.url or "").suffix.lower()
        if suffix in _LANGUAGES and _LANGUAGES[suffix] not in called:
            found.append(_LANGUAGES[suffix])
    if job.kind == "run":
        found.append("Python")
    for name in dict.fromkeys(found):
        version = installed.get(_PACKAGES.get(name, name).lower())
        yield Tool(name, version or (own_python if name == "Python" else None))
    for module in job.env_modules:
        name, _, version = module.partition("/")
        yield Tool(name, version or None)


def _sentences(
    material: Material, steps: Sequence[Step], used: Sequence[Activity], inputs: Sequence[RawInput]
) -> Iterable[str]:
    run_ids = dict.fromkeys(activity.run_id for activity in used if activity.run_id is not None)
    runs = [material.runs[one] for one in run_ids if one in material.runs]
    engine = _listed(sorted({f"Snakemake {run.snakemake_version}" for run in runs if run.snakemake_version}))
    results = _listed([material.versions[one].path for one in material.results()][:RESULTS_NAMED_MAX])
    more = len(material.results()) - RESULTS_NAMED_MAX
    subject = results + (f" and {more} more files" if more > 0 else "")
    verb = "were" if len(material.results()) > 1 else "was"
    if not steps:
        yield f"How {subject} came to be is not recorded: no job made {'them' if verb == 'were' else 'it'}."
        return
    is_workflow = any(activity.job.rule for activity in used)
    count = f"{len(steps)} step{'s' * (len(steps) > 1)}"
    yield f"{subject} {verb} made {'with a Snakemake workflow ' * is_workflow}in {count}."
    if runs:
        yield f"The workflow was run with {engine or f'Snakemake ({UNKNOWN})'}; {_code(runs)}."
    elif is_workflow:
        yield "Which Snakemake ran it was not recorded."
    if inputs:
        yield _began(inputs)
    for position, step in enumerate(steps):
        yield f"{_adverb(position, len(steps))} {_told(step)}."
    yield from _changed_without_a_job(material)
    languages = {*_LANGUAGES.values(), "Python"}
    packages = [package for one in used for package in conda(material.environment_of(one))]
    if any(tool.name in languages for step in steps for tool in step.tools) and not packages:
        yield "The versions of the libraries that the code uses were not recorded."


RESULTS_NAMED_MAX: Final = 3
"""More results than this are only counted."""


INPUTS_NAMED_MAX: Final = 5
"""More raw inputs than this are only counted; `--json` lists all."""


def _began(inputs: Sequence[RawInput]) -> str:
    """Return the raw inputs of the results, and the recorded facts about their origin."""
    named = [one.name for one in inputs[:INPUTS_NAMED_MAX]]
    if more := len(inputs) - len(named):
        named.append(f"{more} more")
    verb = "inputs were" if len(inputs) > 1 else "input was"
    files = [one for one in inputs if one.path is not None]
    if not files:
        return f"The raw {verb} {_listed(named)}."
    whose = "it" if len(inputs) == 1 else "they" if len(files) == len(inputs) else "the files"
    return f"The raw {verb} {_listed(named)}; where {whose} came from was not recorded."


def _code(runs: Sequence[Run]) -> str:
    """Return the location of the workflow, in words."""
    places: dict[str, set[bool]] = {}
    unknown = []
    for run in runs:
        git, commit = run.git, commit_of(run)
        if git is None or commit is None:
            unknown.append(run)
            continue
        plain = commit.removesuffix("+dirty")
        remote = remote_of(run)
        where = "" if remote is None else f" of {remote}"
        tag = f" ({git.describe})" if git.describe else ""
        places.setdefault(f"at commit {plain}{tag}{where}", set()).add(commit != plain)
    is_uncontrolled = all(map(_is_uncontrolled, unknown))
    if not places and unknown and is_uncontrolled:
        return "its code was not under version control"
    if not places:
        return "the commit of its code was not recorded"
    said = _listed([place + _CHANGED[frozenset(changed)] for place, changed in places.items()])
    return f"its code is {said}" + (_UNKNOWN[is_uncontrolled] if unknown else "")


def _is_uncontrolled(run: Run) -> bool:
    """Return whether it is known that the code of a run was not in a git repository."""
    return bool(run.working_directory) and run.git is None and not run.git_problem


_UNKNOWN: Final = {
    True: "; in some of the runs it was not under version control",
    False: "; the commit was not recorded of every run",
}

_CHANGED: Final = {
    frozenset({False}): "",
    frozenset({True}): " with uncommitted changes",
    frozenset({False, True}): ", in part with uncommitted changes",
}


def _told(step: Step) -> str:
    jobs = f" ({step.jobs} jobs)" if step.jobs > 1 else ""
    with_ = f" with {_named(step.tools)}" if step.tools else ""
    environment = f" in {step.environment}" if step.environment else ""
    return f"{step.name}{jobs} ran {step.ran}{with_}{environment}"


def _named(tools: Sequence[Tool]) -> str:
    """Return the tools, those whose version is unknown together at the end."""
    known = [f"{tool.name} {tool.version}" for tool in tools if tool.version]
    unknown = [tool.name for tool in tools if not tool.version]
    if not unknown:
        return _listed(known)
    if len(unknown) == 1:
        return _listed([*known, f"{unknown[0]} ({UNKNOWN})"])
    return f"{_listed(known)}, and " * bool(known) + f"{_listed(unknown)} (versions not recorded)"


def _adverb(position: int, count: int) -> str:
    if count == 1:
        return "The step"
    return "First," if position == 0 else "Finally," if position == count - 1 else "Then"


def _listed(items: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= VALUE_CHARS_MAX else text[:VALUE_CHARS_MAX] + "…"


def _changed_without_a_job(material: Material) -> Iterator[str]:
    """Yield a sentence for each file that was edited by hand, or that looks like a copy of another."""
    generated = material.generated()
    versions = [version for version in material.versions.values() if version.id not in generated]
    every = [told for version in versions if (told := _change(material, version))]
    yield from every[:CHANGES_NAMED_MAX]
    if len(every) > CHANGES_NAMED_MAX:
        yield f"{len(every) - CHANGES_NAMED_MAX} more files were edited by hand or copied."


def _change(material: Material, version: Version) -> str:
    meaning = version.meaning
    if meaning is None or meaning.kind == "again":
        return ""
    if meaning.kind == "edited":
        made = _made(material, version)
        return f"{version.label} was {meant.changed_by_hand(meaning, path=version.path, made=made)}."
    target = meant.name_of(meaning, path=version.path)
    return f"{version.label} has the same content as {target or 'another file'}; no job is known to have made it."


def _made(material: Material, version: Version) -> str:
    makings = material.makings.get(version.meant_id or "", ())
    names = {activity.id: activity.name for activity in material.activities}
    return f" (made by {names[makings[-1].activity_id]})" if makings else ""
