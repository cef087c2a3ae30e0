"""The wrappers around Snakemake's methods: put on once per process, they tell a run's Capture what happens.

Must not know: what is recorded of a job.

| wrapped | tells |
|---|---|
| `Workflow.execute` | a run begins and ends |
| `DAG.register_running` | jobs are handed out |
| `Job.log_info` | a job begins |
| `Job.register` | the number a cluster gave it |
| `Executor._callback` of local jobs | it ended; with the exception, which is handled later or not at all |
| `JobScheduler._proceed`, `error_callback` | it ended; with the exception, while that is being handled |
| `DAG.handle_storage` | its storage files are about to be uploaded and removed |
| `fetch` of the output cache | its outputs came from the cache |
| `DAG.finish` | its success is final, nothing temporary is deleted yet |
| `JobScheduler._handle_error` | its attempt failed, partial outputs are still there |

A wrapper passes the arguments on untouched and returns what the method returns. It notifies the Capture inside a guard:
a failure there, such as an attribute that a later Snakemake lacks, is a problem of the recording, never of the
workflow. It looks up the run in the workflow and does nothing where there is none (a dry-run, a child process, a
workflow that is not tracked), so several workflows in one process keep apart.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from snakeprov.plugin import problems
from snakeprov.plugin.points import Method, Point
from snakeprov.plugin.request import CAPTURE

if TYPE_CHECKING:
    from snakeprov.plugin.capturing import Capture

_WRAPPED = "_snakeprov_wrapped"


def enable() -> None:
    """Put the wrappers on; say so where that is of no use. Never raises."""
    try:
        missing = install()
    except Exception as error:
        problems.say_unrecorded(problems.words(error))
        return
    if any(point.method == "execute" for point in missing):
        problems.say_unrecorded(
            "this version of Snakemake is not known yet, and does not tell when a run begins and ends."
        )


def install() -> list[Point]:
    """Put the wrappers on, where they are not on yet; return the points that this Snakemake does not have."""
    missing = []
    for point in POINTS:
        owner = _find_class(point)
        method = getattr(owner, point.method, None)
        if method is None:
            missing.append(point)
        elif not hasattr(method, _WRAPPED):
            wrapper = _executing(method) if point.watch is None else _watched(method, point)
            setattr(wrapper, _WRAPPED, True)
            setattr(owner, point.method, wrapper)
    return missing


def _find_class(point: Point) -> Any:
    for module in point.modules:
        try:
            return getattr(importlib.import_module(module), point.class_name)
        except Exception:  # noqa: S112  whatever a module of a later Snakemake does, the next one may have the class
            continue
    return None


def _watched(original: Method, point: Point) -> Method:
    """Return `original` wrapped so that the Capture is notified before or after it, as `point` says."""
    watch = point.watch
    assert watch is not None  # noqa: S101

    def tell(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            watch(*args, **kwargs)
        except Exception as error:
            problems.note_unseen(point.tells, error)

    @functools.wraps(original)
    def before(*args: Any, **kwargs: Any) -> Any:
        tell(args, kwargs)
        return original(*args, **kwargs)

    @functools.wraps(original)
    async def after(*args: Any, **kwargs: Any) -> Any:
        result = await original(*args, **kwargs)
        tell(args, kwargs)
        return result

    @functools.wraps(original)
    def after_at_once(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        tell(args, kwargs)
        return result

    if not point.is_afterwards:
        return before
    return after if inspect.iscoroutinefunction(original) else after_at_once


def _executing(original: Method) -> Method:
    """Return `Workflow.execute` wrapped so that tracked runs are captured."""

    @functools.wraps(original)
    def execute(*args: Any, **kwargs: Any) -> Any:
        try:
            from snakeprov.plugin import running
        except (Exception, SystemExit) as error:
            # A module of the user's may have the name of one that is imported here, and do whatever it does.
            try:
                return original(*args, **kwargs)
            finally:
                problems.say_unrecorded(problems.words(error))
        return running.execute(original, args, kwargs, install)

    return execute


def _capture_of(workflow: Any) -> Capture | None:
    capture: Capture | None = workflow.__dict__.get(CAPTURE)
    return capture


def _handed_out(dag: Any, jobs: Any, *_: Any, **__: Any) -> None:
    if jobs:
        capture = _capture_of(dag.workflow)
        if capture is not None:
            capture.jobs_started(jobs)


def _began(job: Any, *_: Any, **__: Any) -> None:
    capture = _capture_of(job.dag.workflow)
    if capture is not None:
        capture.job_began(job)


def _registered(job: Any, external_jobid: Any = None, *_: Any, **__: Any) -> None:
    if external_jobid is not None:  # it is of each job that runs on this machine
        capture = _capture_of(job.dag.workflow)
        if capture is not None:
            capture.job_registered(job, external_jobid)


def _ended(scheduler: Any, job: Any, *_: Any, **__: Any) -> None:
    capture = _capture_of(scheduler.workflow)
    if capture is not None:
        capture.job_ended(job)


def _returned(executor: Any, job_info: Any, future: Any, *_: Any, **__: Any) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        capture = _capture_of(executor.workflow)
        if capture is not None:
            capture.job_returned(job_info.job, error)


def _ended_badly(scheduler: Any, job: Any, *_: Any, **__: Any) -> None:
    capture = _capture_of(scheduler.workflow)
    if capture is not None:
        # Most executors call this from the `except` block that holds the job's exception.
        capture.job_ended(job, sys.exception())


def _stored(dag: Any, job: Any, *_: Any, **__: Any) -> None:
    capture = _capture_of(dag.workflow)
    if capture is not None:
        capture.job_stored(job)


def _finished(dag: Any, job: Any, *_: Any, **__: Any) -> None:
    capture = _capture_of(dag.workflow)
    if capture is not None:
        capture.job_finished(job)


def _failed(scheduler: Any, job: Any, postprocess_job: bool = True, *_: Any, **__: Any) -> None:
    capture = _capture_of(scheduler.workflow)
    if capture is not None:
        # Without postprocessing it is called from the `except` block of what postprocessing raised.
        capture.job_failed(job, None if postprocess_job else sys.exception())


def _cached(_cache: Any, job: Any, *_: Any, **__: Any) -> None:
    capture = _capture_of(job.dag.workflow)
    if capture is not None:
        capture.job_cached(job)


_SCHEDULERS = ("snakemake.scheduling.job_scheduler", "snakemake.scheduler")
_CACHE, _REMOTE_CACHE = "what came from the cache", "what came from a remote cache"

POINTS = (
    Point(("snakemake.workflow",), "Workflow", "execute", "when a run begins and ends", None),
    Point(("snakemake.dag",), "DAG", "register_running", "when jobs are handed out", _handed_out, is_essential=True),
    Point(("snakemake.dag",), "DAG", "finish", "when jobs succeed", _finished, is_essential=True),
    Point(_SCHEDULERS, "JobScheduler", "_handle_error", "when jobs fail", _failed, is_essential=True),
    Point(("snakemake.dag",), "DAG", "handle_storage", "the content of storage files", _stored),
    Point(("snakemake.jobs",), "Job", "log_info", "when jobs begin", _began),
    Point(("snakemake.jobs",), "Job", "register", "the numbers that a cluster gave to jobs", _registered),
    Point(("snakemake.executors.local",), "Executor", "_callback", "what made quick jobs fail", _returned),
    Point(_SCHEDULERS, "JobScheduler", "_proceed", "exactly when jobs end", _ended),
    Point(_SCHEDULERS, "JobScheduler", "error_callback", "what made jobs fail", _ended_badly),
    Point(("snakemake.caching.local",), "OutputFileCache", "fetch", _CACHE, _cached, is_afterwards=True),
    Point(("snakemake.caching.storage",), "OutputFileCache", "fetch", _REMOTE_CACHE, _cached, is_afterwards=True),
)
