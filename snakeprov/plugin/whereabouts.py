"""How to call `snakeprov` from where Snakemake was started, since Snakemake may have changed its directory.

Must not know: what is asked.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any


def program_here(workflow: Any) -> str:
    """Return the words with which commands for this working directory begin: `snakeprov`, or `snakeprov -C DIR`.

    Commands look for the records in the folder where they are called, and in those above it. `--directory` is repeated
    as it was typed; where the Snakefile changed the directory, Snakemake knows the one before.
    """
    try:
        if workflow.overwrite_workdir is not None:
            folder = os.path.normpath(workflow.overwrite_workdir)
        else:
            started, now = Path(workflow.workdir_init), Path.cwd()
            is_found = started == now or now in started.parents
            folder = "." if is_found else min(os.path.relpath(now, started), str(now), key=len)
    except Exception:  # a Snakemake that does not tell, or a folder that is gone
        return "snakeprov"
    return "snakeprov" if folder == "." else shlex.join(["snakeprov", "-C", folder])
