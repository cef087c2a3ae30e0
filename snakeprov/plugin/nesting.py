"""Runs inside of runs: a job that calls Snakemake. The outer run is named to what its jobs call by the environment.

Must not know: what is recorded of a run.
"""

from __future__ import annotations

import os
import re

PARENT_VARIABLE = "SNAKEPROV_PARENT_RUN"
"""Environment variable that holds the id of the run that a process is part of."""

_RUN_ID = re.compile("[0-9a-f]{32}")


def outer_run() -> str | None:
    """Return the run that this process is part of, if it is part of one."""
    outer = os.environ.get(PARENT_VARIABLE)
    return outer if outer is not None and _RUN_ID.fullmatch(outer) else None


def enter(run_id: str) -> None:
    """Name the run to processes that are started from now on."""
    os.environ[PARENT_VARIABLE] = run_id


def leave(outer: str | None) -> None:
    """Undo `enter`, before which `outer_run` was `outer`."""
    if outer is None:
        os.environ.pop(PARENT_VARIABLE, None)
    else:
        os.environ[PARENT_VARIABLE] = outer
