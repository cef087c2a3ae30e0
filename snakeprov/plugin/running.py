"""An execution from its first moment to its last: whether it is captured, with which settings, and how it ended."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from snakeprov.errors import CaptureError, ConfigError
from snakeprov.model.records import JobStatus, RunStatus
from snakeprov.plugin.capturing import Capture
from snakeprov.plugin.messages import listening_for_details, listening_for_jobs
from snakeprov.plugin.problems import collected, handlers_of, say_unrecorded, words
from snakeprov.plugin.request import CAPTURE, Request, recall
from snakeprov.settings import Settings, load, wants_strict


class Refusal(NamedTuple):
    """Why nothing of an execution can be recorded."""

    why: str


def execute(
    original: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    install: Callable[[], tuple[list[str], bool]],
) -> Any:
    """Call `original`, which is Snakemake's `Workflow.execute`, with its arguments, and capture what it does.

    Args:
        original: The method.
        args: Its positional arguments, the workflow first.
        kwargs: Its other arguments.
        install: Puts the wrappers on; returns what they cannot tell in this version of Snakemake, and whether something
            essential is among it.

    Raises:
        ConfigError, CaptureError: Nothing could be recorded, and `strict` is set.
        WorkflowError: All jobs succeeded, not everything could be recorded, and `strict` is set.
        Whatever `original` raises.
    """
    workflow = args[0] if args else kwargs.get("self")
    capture = begin(workflow, args[1] if len(args) > 1 else kwargs.get("executor_plugin"))
    if capture is None:
        return original(*args, **kwargs)
    if isinstance(capture, Refusal):
        try:
            return original(*args, **kwargs)
        finally:
            say_unrecorded(capture.why, workflow)
    untold, is_unknown = list[str](), False
    try:
        untold, is_unknown = install()
    except Exception as error:
        capture.problems.note(f"the wrappers could not be put on: {words(error)}")
    with captured(workflow, capture, untold=untold, is_unknown=is_unknown):
        return original(*args, **kwargs)


def begin(workflow: Any, executor_plugin: Any) -> Capture | Refusal | None:
    """Return the Capture of an execution that is about to begin; None where nothing is to be recorded.

    Raises:
        ConfigError: A setting is wrong, and `strict` is set all the same.
        CaptureError: The capture cannot begin, and `strict` is set.
    """
    request = None
    try:
        request = _request_of(workflow)
        if request is None or not workflow.is_main_process or executor_plugin.common_settings.dryrun_exec:
            return None
        if _is_unit_test():
            return None
        settings, wrong = _settings(request)
        if not settings.enabled:
            return None
        capture = Capture(workflow, settings, executor=executor_plugin.name)
        for problem in wrong:
            capture.problems.note(problem)
        return capture
    except ConfigError as error:
        if request is not None and wants_strict(Path.cwd(), request.settings):
            raise
        return Refusal(str(error))
    except Exception as error:
        if request is not None and request.settings.get("strict") is True:
            raise CaptureError(
                f"Nothing of this run could be recorded ({type(error).__name__}: {error}).",
                hint="The workflow fails because of the setting strict.",
            ) from error
        return Refusal(words(error))


@contextmanager
def captured(workflow: Any, capture: Capture, *, untold: list[str], is_unknown: bool) -> Iterator[None]:
    """Tell `capture` of what happens inside the `with`, and of its end.

    Args:
        workflow: What is executed.
        capture: What receives the events.
        untold: What the wrappers cannot tell in this version of Snakemake.
        is_unknown: Whether something essential is among it, so that the log messages have to stand in.
    """
    if is_unknown:
        capture.problems.note(
            "This version of Snakemake is not known yet: jobs are recorded from its log messages, and their records "
            f"are incomplete (it does not tell {', '.join(untold)})"
        )
    else:
        capture.problems.gaps += [f"This version of Snakemake does not tell {one}" for one in untold]
    left: JobStatus = "unknown" if is_unknown else "interrupted"
    with collected(capture.problems):
        if not is_unknown:  # else the wrappers that are left would tell of the same jobs again
            workflow.__dict__[CAPTURE] = capture
        try:
            with ExitStack() as stack:
                _listen(stack, capture, listening_for_details(capture))
                if is_unknown:
                    _listen(stack, capture, listening_for_jobs(workflow, capture))
                yield
        except BaseException as error:
            capture.finish(_status_of_failure(workflow, capture, error), left=left)
            raise
        else:
            _finish_well(capture, left)
        finally:
            workflow.__dict__.pop(CAPTURE, None)


def _is_unit_test() -> bool:
    """Return whether this run is the job of a unit test that Snakemake has generated.

    It compares what is in the working directory afterwards with what it expects.
    """
    return "PYTEST_CURRENT_TEST" in os.environ and "--target-files-omit-workdir-adjustment" in sys.argv


def _listen(stack: ExitStack, capture: Capture, listening: AbstractContextManager[None]) -> None:
    """Listen until `stack` is left, if this Snakemake has messages that can be listened to."""
    try:
        stack.enter_context(listening)
    except Exception as error:
        capture.problems.note(f"Snakemake's log messages cannot be heard: {type(error).__name__}: {error}")


def _finish_well(capture: Capture, left: JobStatus) -> None:
    """End a run whose jobs succeeded; with `strict`, fail it as Snakemake fails, without a traceback."""
    try:
        capture.finish("success", left=left)
    except CaptureError as error:
        from snakemake.exceptions import WorkflowError  # type: ignore[import-untyped]

        raise WorkflowError(str(error)) from None


def _request_of(workflow: Any) -> Request | None:
    """Return what the Snakefile or, without that, the command line asked for."""
    from_snakefile = recall(workflow)
    from_command_line = _request_of_logger(workflow)
    if from_snakefile is None or from_command_line is None:
        return from_snakefile or from_command_line
    return Request(
        {**from_snakefile.settings, **from_command_line.settings},
        f"{from_snakefile.origin} or {from_command_line.origin}",
    )


def _request_of_logger(workflow: Any) -> Request | None:
    for handler in handlers_of(workflow):
        request = getattr(handler, "snakeprov_request", None)
        if isinstance(request, Request):
            return request
    return None


def _settings(request: Request) -> tuple[Settings, list[str]]:
    """Return the settings that hold, and what is wrong with those that are left out.

    Raises:
        ConfigError: A setting is wrong elsewhere (a file, the environment), or here and `strict` was asked for, or it
            is `redact`: without it something would be recorded that must not be.
    """
    directory = Path.cwd()
    try:
        return load(directory, request.settings, origin=request.origin), []
    except ConfigError:
        if wants_strict(directory, request.settings):
            raise
    load(directory, {}, origin=request.origin)
    good: dict[str, object] = {}
    wrong: list[str] = []
    for name, value in request.settings.items():
        try:
            load(directory, {name: value}, origin=request.origin)
        except ConfigError as error:
            if name == "redact":
                raise
            wrong.append(f"the setting {name} is ignored: {error}")
        else:
            good[name] = value
    return load(directory, good, origin=request.origin), wrong


def _status_of_failure(workflow: Any, capture: Capture, error: BaseException) -> RunStatus:
    """Return how a run ended that ended with `error`. Never raises."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if any(frame.f_code.co_name == "schedule" for frame, _ in traceback.walk_tb(error.__traceback__)):
        return "failed"  # Snakemake itself broke, whatever was running then
    if capture.has_live_jobs():
        return "interrupted"
    scheduler = getattr(workflow, "_scheduler", None)
    if getattr(scheduler, "_user_kill", None) and not getattr(scheduler, "failed", None):
        return "interrupted"
    return "failed"
