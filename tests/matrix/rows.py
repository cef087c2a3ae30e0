"""The rows of the matrix: what Snakemake can run, and what is recorded of it; and the mark that ties a test to a row.

Must not know: how a row is tested, or what came of it.

A row's key is `<section>: <feature>`. Each section is a dictionary of its own, in the order in which they are shown.
"""

from __future__ import annotations

import pytest

KINDS = {
    "shell": "the command as it ran, and the Snakefile with the line of the rule",
    "script, Python": "the script that ran is executed, its bytes are kept",
    "script, bash": "as for Python",
    "script, R": "as for Python",
    "run": "the Snakefile is the code; the job runs in a process of its own and is recorded once",
    "notebook": "the notebook as it was when the job began",
    "wrapper": "the wrapper's file; its environment is named, and counts only with `--sdm conda`",
    "template_engine, jinja2": "the template is both input and code",
    "template_engine, yte": "as for jinja2",
    "cwl": "the tool's description is the code",
    "no output": "an Activity that used its inputs and generated nothing",
    "rule all": "a job without an Activity: it does nothing",
}

FLOW = {
    "checkpoints": "jobs that came to be during the run, each with the files that it found",
    "input functions": "what they returned",
    "scattergather": "each part and what gathers them",
    "modules": "the module's Snakefile, under the rule's new name; what `with` replaced",
    "include": "the included Snakefile with the line of the rule",
    "rule inheritance": "what the heir replaced and what it kept",
    "ruleorder": "the rule that ran, alone",
    "--until": "the jobs that ran",
    "--omit-from": "the jobs that ran",
    "--batch": "the job that gathers is recorded with the last batch",
    "--rerun-triggers": "nothing where nothing ran; the reason where something did",
    "--rerun-incomplete": "the job that was killed, when it is run again",
    "--touch": "touched: no new versions",
    "--forcerun": "the same bytes reproduce the version; other bytes are the next",
    "--forceall": "as for --forcerun",
    "--keep-going": "what failed and what ran beside it; what was not reached is not recorded",
    "--retries": "each attempt",
    "--immediate-submit": "submitted: what becomes of the job is not known here, so it generates nothing",
    "nested Snakemake": "a run of its own that names the run it was part of",
}

FILES = {
    "plain, named and lists": "each file once, with the name that the rule gives it",
    "temp": "the digest, though the file is gone; its bytes are not kept",
    "protected": "as any output",
    "directory": "one version for the tree, with a manifest of what is in it; the files in it are kept",
    "touch": "an empty file made by Snakemake",
    "multiext": "each of its files",
    "ensure": "as any output; a job whose output is not as it should be failed",
    "pipe": "who wrote and who read it; the bytes lie nowhere",
    "service": "as for a pipe",
    "shadow": "the outputs at their places; what else the job wrote in the shadow is not",
    "ancient": "the version that was read, though its time did not count",
    "update": "the version before is used, the version after is generated",
    "before_update": "the version that was read, not the one that the update made of it",
    "report": "as any output",
    "missing optional outputs": "what is not there is not recorded",
    "symlinked outputs": "the bytes that the link leads to, and its target",
    "cache between workflows": "reused, with the Activity that made the bytes where the store knows it",
}

JOBS = {
    "groups": "each member once, under the group's id and the number that the cluster gave it",
    "localrules": "that the job ran on this machine, without a cluster's number",
    "resources": "as they were resolved, also those that depend on the attempt; threads as they were granted",
    "benchmark": "the numbers, for each repetition",
    "log": "its place; of a failed job the end of its text, up to a bound",
}

STORAGE = {
    "fs": "inputs and outputs as URLs, with the digests of their local copies, which are gone when the job is recorded",
    "http": "an input as the URL that was read, with its digest",
    "S3": "as for fs, against a local S3 server",
    "default storage provider": "plain paths of the rules as the storage objects that they become",
    "local copy that vanishes": "the digest of what was read, though nothing is left to read",
}

EXECUTORS = {
    "local, 1 core": "each job once",
    "local, 4 cores": "each job once",
    "cluster-generic": "each job once, with the number that the cluster gave it",
    "SLURM": "each job once, with SLURM's number; of a failed one what the plugin says and the end of SLURM's log",
}

FAILURES = {
    "bad exit": "failed, exit code, the end of the log, no version",
    "missing output": "failed, with Snakemake's reason, no version",
    "ensure": "failed, with Snakemake's reason, no version",
    "script exception": "failed, exit code of the script, no version",
    "killed by a signal": "failed, the signal as a negative exit code, no version",
    "run: exception": "failed; what happened in the process of its own is not told and left unknown",
    "retries in a process of its own": "one record, which says that earlier attempts may have been made",
    "Snakefile that raises after the first job": "the run failed, what had succeeded is recorded",
    "Ctrl-C": "run and job interrupted, no version",
    "SIGTERM": "running jobs end well and are recorded, the others are not reached",
    "kill -9": "the run is interrupted, what ended before is recorded once, the others are not reached",
}

RESUMED = {
    "after a failure": "each job of the DAG as executed, failed, reused (with the job that made it), or not reached",
    "after a checkpoint": "the jobs that the checkpoint added too",
    "nothing to do": "no run",
}

SECTIONS: dict[str, dict[str, str]] = {
    "kinds": KINDS,
    "flow": FLOW,
    "files": FILES,
    "jobs": JOBS,
    "storage": STORAGE,
    "executors": EXECUTORS,
    "failures": FAILURES,
    "a resumed run": RESUMED,
}

ROWS = {f"{section}: {feature}": claim for section, rows in SECTIONS.items() for feature, claim in rows.items()}


def row(*keys: str) -> pytest.MarkDecorator:
    """Mark a test as one that has to pass for these rows to hold.

    Raises:
        KeyError: There is no such row.
    """
    for key in keys:
        if key not in ROWS:
            raise KeyError(f"{key!r} is not a row of the matrix: add it to {__name__}.")
    return pytest.mark.row(*keys)
