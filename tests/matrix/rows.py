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
    "wrapper": "the wrapper's file and its environment",
    "template_engine, jinja2": "the template is both input and code",
    "template_engine, yte": "as for jinja2",
    "cwl": "the tool's description is the code",
    "no output": "an Activity that used its inputs and generated nothing",
    "rule all": "a job without an Activity: it does nothing",
}

SECTIONS: dict[str, dict[str, str]] = {
    "kinds": KINDS,
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
