"""The one line in a Snakefile: `import snakeprov; snakeprov.track(workflow)`.

Runs in every child process too, so it loads nothing before it must.
"""

from __future__ import annotations

import sys
from typing import Any

MAX_SHOWN_CHARACTERS = 80


def track(workflow: Any, **settings: object) -> None:
    """Record the provenance of every job of `workflow`, Snakemake's own object of that name.

    Returns at once; nothing is written before the first job runs, and nothing at all by a dry-run or by a call that
    only prints something. May be called more than once (a module's Snakefile may say it too, and `--logger snakeprov`
    may be given): each job is recorded once, and of a setting given twice the first holds.

    Args:
        workflow: The variable `workflow` that every Snakefile has.
        settings: As in `snakeprov.settings.Settings`: `store`, `project`, `versions`, `keep_bytes_max`, `strict`,
            `enabled`, `redact`. A wrong one is warned of when the run begins, and left out; with `strict=True` it ends
            the run.

    Raises:
        NotAWorkflowError: `workflow` is something else and `strict=True` was given; otherwise that is a warning.
    """
    is_main_process = getattr(workflow, "is_main_process", None)
    if is_main_process is False:
        return
    if is_main_process is not True or not isinstance(getattr(workflow, "__dict__", None), dict):
        _reject(workflow, is_strict=settings.get("strict") is True)
        return
    from snakeprov.plugin import hooks
    from snakeprov.plugin.request import Request, remember

    remember(workflow, Request(settings, f"track() in {sys._getframe(1).f_code.co_filename}"))
    hooks.enable()


def _reject(value: object, *, is_strict: bool) -> None:
    """Say that `value` is not a workflow."""
    if "--mode" in sys.argv:  # a child process: the main one has said it
        return
    from snakeprov.errors import NotAWorkflowError

    try:
        shown = repr(value)[:MAX_SHOWN_CHARACTERS]
    except Exception:  # the value's own code
        shown = "a value that cannot be shown"
    error = NotAWorkflowError(
        f"track() was given {shown} ({type(value).__name__}); expected is Snakemake's own variable 'workflow'.",
        hint="Call snakeprov.track(workflow) in a Snakefile, before any variable of yours takes that name.",
    )
    if is_strict:
        raise error
    sys.stderr.write(f"snakeprov: nothing of this run is recorded, the workflow goes on: {error}\n")
