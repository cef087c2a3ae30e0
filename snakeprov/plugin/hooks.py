"""Wraps methods of Snakemake, once per process, so that they tell the Capture of a run what happens.

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
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from snakeprov.plugin import problems
from snakeprov.plugin.request import CAPTURE

if TYPE_CHECKING:
    from snakeprov.plugin.capturing import Capture

_WRAPPED = "_snakeprov_wrapped"

Method = Callable[..., Any]


class Point(NamedTuple):
    """One method of Snakemake that is wrapped.

    Attributes:
        modules: Where the class is, newest Snakemake first.
        tells: What is not known when the method is missing.
        watch: Tells the Capture; takes the arguments of the method. None for `Workflow.execute`, which is the run.
        is_essential: Whether without it the log messages must stand in.
        is_afterwards: Whether `watch` is called once the method has succeeded, rather than before it.
    """

    modules: tuple[str, ...]
    class_name: str
    method: str
    tells: str
    watch: Method | None
    is_essential: bool = False
    is_afterwards: bool = False


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
        return running.execute(original, args, kwargs, _install_again)

    return execute


def _install_again() -> tuple[list[str], bool]:
    """Put on the wrappers that another plugin has taken off; return what is missing, as `running.execute` expects."""
    missing = install()
    return [point.tells for point in missing], any(point.is_essential for point in missing)


def _capture_of(owner: Any) -> Capture | None:
    """Return the Capture of the workflow that a DAG, a scheduler or an executor is of, while it is being captured."""
    capture: Capture | None = owner.workflow.__dict__.get(CAPTURE)
    return capture


def _handed_out(dag: Any, jobs: Any, *_: Any, **__: Any) -> None:
    if jobs and (capture := _capture_of(dag)):
        capture.jobs_started(jobs)


def _began(job: Any, *_: Any, **__: Any) -> None:
    if capture := _capture_of(job.dag):
        capture.job_began(job)


def _registered(job: Any, external_jobid: Any = None, *_: Any, **__: Any) -> None:
    if external_jobid is not None and (capture := _capture_of(job.dag)):  # None: the job runs on this machine
        capture.job_registered(job, external_jobid)


def _ended(scheduler: Any, job: Any, *_: Any, **__: Any) -> None:
    if capture := _capture_of(scheduler):
        capture.job_ended(job)


def _returned(executor: Any, job_info: Any, future: Any, *_: Any, **__: Any) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None and (capture := _capture_of(executor)):
        capture.job_returned(job_info.job, error)


def _ended_badly(scheduler: Any, job: Any, *_: Any, **__: Any) -> None:
    if capture := _capture_of(scheduler):
        # Most executors call this from the `except` block that holds the job's exception.
        capture.job_ended(job, sys.exception())


def _stored(dag: Any, job: Any, *_: Any, **__: Any) -> None:
    if capture := _capture_of(dag):
        capture.job_stored(job)


def _finished(dag: Any, job: Any, *_: Any, **__: Any) -> None:
    if capture := _capture_of(dag):
        capture.job_finished(job)


def _failed(scheduler: Any, job: Any, postprocess_job: bool = True, *_: Any, **__: Any) -> None:
    if capture := _capture_of(scheduler):
        # Without postprocessing it is called from the `except` block of what postprocessing raised.
        capture.job_failed(job, None if postprocess_job else sys.exception())


def _cached(_cache: Any, job: Any, *_: Any, **__: Any) -> None:
    if capture := _capture_of(job.dag):
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
