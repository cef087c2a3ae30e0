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

A wrapper looks up the run in the workflow and does nothing where there is none (a dry-run, a child process, a workflow
that is not tracked), so several workflows in one process keep apart.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from snakeprov.plugin.request import CAPTURE

if TYPE_CHECKING:
    from snakeprov.plugin.capturing import Capture

_WRAPPED = "_snakeprov_wrapped"

Method = Callable[..., Any]


class Point(NamedTuple):
    """One method that is wrapped.

    Attributes:
        modules: Where the class is, newest Snakemake first.
        tells: What is not known when the method is missing.
        is_essential: Whether without it the log events must stand in.
    """

    modules: tuple[str, ...]
    class_name: str
    method: str
    wrap: Callable[[Method], Method]
    tells: str
    is_essential: bool = False


def enable() -> None:
    """Put the wrappers on; say so where that is of no use."""
    if any(point.method == "execute" for point in install()):
        sys.stderr.write(
            "snakeprov: nothing of this run is recorded, the workflow goes on: this version of Snakemake is not known "
            "yet, and does not tell when a run begins and ends.\n"
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
            _replace(owner, point.method, point.wrap(method))
    return missing


def _find_class(point: Point) -> Any:
    for module in point.modules:
        try:
            return getattr(importlib.import_module(module), point.class_name)
        except (ImportError, AttributeError):
            continue
    return None


def _replace(owner: Any, name: str, wrapper: Method) -> None:
    setattr(wrapper, _WRAPPED, True)
    setattr(owner, name, wrapper)


def _capture_of(workflow: Any) -> Capture | None:
    capture: Capture | None = workflow.__dict__.get(CAPTURE)
    return capture


def _wrap_execute(original: Method) -> Method:
    @functools.wraps(original)
    def execute(self: Any, *args: Any, **kwargs: Any) -> Any:
        from snakeprov.plugin import running

        capture = running.begin(self, args[0] if args else kwargs.get("executor_plugin"))
        if capture is None:
            return original(self, *args, **kwargs)
        missing = install()
        untold = [point.tells for point in missing]
        with running.captured(self, capture, untold=untold, is_unknown=any(point.is_essential for point in missing)):
            return original(self, *args, **kwargs)

    return execute


def _wrap_register_running(original: Method) -> Method:
    @functools.wraps(original)
    def register_running(self: Any, jobs: Any) -> Any:
        if jobs:
            capture = _capture_of(self.workflow)
            if capture is not None:
                capture.jobs_started(jobs)
        return original(self, jobs)

    return register_running


def _wrap_log_info(original: Method) -> Method:
    @functools.wraps(original)
    def log_info(self: Any, *args: Any, **kwargs: Any) -> Any:
        capture = _capture_of(self.dag.workflow)
        if capture is not None:
            capture.job_began(self)
        return original(self, *args, **kwargs)

    return log_info


def _wrap_register(original: Method) -> Method:
    @functools.wraps(original)
    def register(self: Any, external_jobid: str | None = None) -> Any:
        if external_jobid is not None:  # it is of each job that runs on this machine
            capture = _capture_of(self.dag.workflow)
            if capture is not None:
                capture.job_registered(self, external_jobid)
        return original(self, external_jobid)

    return register


def _wrap_proceed(original: Method) -> Method:
    @functools.wraps(original)
    def _proceed(self: Any, job: Any) -> Any:
        capture = _capture_of(self.workflow)
        if capture is not None:
            capture.job_ended(job)
        return original(self, job)

    return _proceed


def _wrap_callback(original: Method) -> Method:
    @functools.wraps(original)
    def _callback(self: Any, job_info: Any, future: Any) -> Any:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            capture = _capture_of(self.workflow)
            if capture is not None:
                capture.job_returned(job_info.job, error)
        return original(self, job_info, future)

    return _callback


def _wrap_error_callback(original: Method) -> Method:
    @functools.wraps(original)
    def error_callback(self: Any, job: Any) -> Any:
        capture = _capture_of(self.workflow)
        if capture is not None:
            # Most executors call this from the `except` block that holds the job's exception.
            capture.job_ended(job, sys.exception())
        return original(self, job)

    return error_callback


def _wrap_handle_storage(original: Method) -> Method:
    @functools.wraps(original)
    def handle_storage(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        capture = _capture_of(self.workflow)
        if capture is not None:
            capture.job_stored(job)
        return original(self, job, *args, **kwargs)

    return handle_storage


def _wrap_finish(original: Method) -> Method:
    @functools.wraps(original)
    def finish(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        capture = _capture_of(self.workflow)
        if capture is not None:
            capture.job_finished(job)
        return original(self, job, *args, **kwargs)

    return finish


def _wrap_handle_error(original: Method) -> Method:
    @functools.wraps(original)
    def _handle_error(self: Any, job: Any, postprocess_job: bool = True) -> Any:
        capture = _capture_of(self.workflow)
        if capture is not None:
            # Without postprocessing it is called from the `except` block of what postprocessing raised.
            capture.job_failed(job, None if postprocess_job else sys.exception())
        return original(self, job, postprocess_job)

    return _handle_error


def _wrap_fetch(original: Method) -> Method:
    @functools.wraps(original)
    async def fetch(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        result = await original(self, job, *args, **kwargs)  # raises where the cache does not have it
        capture = _capture_of(job.dag.workflow)
        if capture is not None:
            capture.job_cached(job)
        return result

    return fetch


_SCHEDULERS = ("snakemake.scheduling.job_scheduler", "snakemake.scheduler")

POINTS = (
    Point(("snakemake.workflow",), "Workflow", "execute", _wrap_execute, "when a run begins and ends"),
    Point(("snakemake.dag",), "DAG", "register_running", _wrap_register_running, "when jobs are handed out", True),
    Point(("snakemake.dag",), "DAG", "finish", _wrap_finish, "when jobs succeed", True),
    Point(_SCHEDULERS, "JobScheduler", "_handle_error", _wrap_handle_error, "when jobs fail", True),
    Point(("snakemake.dag",), "DAG", "handle_storage", _wrap_handle_storage, "the content of storage files"),
    Point(("snakemake.jobs",), "Job", "log_info", _wrap_log_info, "when jobs begin"),
    Point(("snakemake.jobs",), "Job", "register", _wrap_register, "the numbers that a cluster gave to jobs"),
    Point(("snakemake.executors.local",), "Executor", "_callback", _wrap_callback, "what made quick jobs fail"),
    Point(_SCHEDULERS, "JobScheduler", "_proceed", _wrap_proceed, "exactly when jobs end"),
    Point(_SCHEDULERS, "JobScheduler", "error_callback", _wrap_error_callback, "what made jobs fail"),
    Point(("snakemake.caching.local",), "OutputFileCache", "fetch", _wrap_fetch, "what came from the cache"),
    Point(("snakemake.caching.storage",), "OutputFileCache", "fetch", _wrap_fetch, "what came from a remote cache"),
)
