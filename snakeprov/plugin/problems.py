"""Collects what could not be captured of a run or a job, and tells the user once, after Snakemake's last message."""

from __future__ import annotations

import functools
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from snakeprov.model.paths import to_text
from snakeprov.plugin.represent import cut

MAX_PROBLEMS = 20
"""Problems that are put into words in the run's record; further ones are only counted."""

MAX_PROBLEM_CHARACTERS = 500

MAX_ERROR_CHARACTERS = 8_192
"""Characters kept of what was said of a failure."""

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_P = ParamSpec("_P")


class Problems:
    """What could not be captured or recorded. Thread-safe. Nothing is printed: the last line of the run tells it.

    Attributes:
        count: How many things could not be.
        gaps: What they were, in words; at most `MAX_PROBLEMS` of them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.gaps: list[str] = []
        self._lock = threading.Lock()

    def note(self, problem: str, *, once: bool = False) -> None:
        """Count one thing that could not be captured; with `once`, unless these very words were noted before."""
        problem = cut(problem, MAX_PROBLEM_CHARACTERS)
        _log()
        with self._lock:
            if once and problem in self.gaps:
                return
            self.count += 1
            if len(self.gaps) < MAX_PROBLEMS:
                self.gaps.append(problem)

    def sentence(self) -> str:
        """Return what went wrong as one sentence: how much, and the first thing; empty where nothing did."""
        if not self.count:
            return ""
        first = self.gaps[0].rstrip(".") if self.gaps else "unknown"
        if self.count == 1:
            return f"Not recorded: {first}."
        return f"{self.count} things could not be recorded, the first: {first}."


def _log() -> None:
    """Log where the exception that is being handled came from; not what it says, which may be a secret."""
    if not _logger.isEnabledFor(logging.INFO):  # the lines of a traceback are read from the disk
        return
    kind, _, trace = sys.exc_info()
    frames = "".join(traceback.format_tb(trace)).rstrip()
    _logger.info("something was not captured: %s\n%s", kind.__name__ if kind else "no exception", frames)


class Gaps(list[str]):
    """What is not known, each with the reason.

    >>> gaps = Gaps()
    >>> gaps.ask("number", 1, int, "many")
    1
    >>> gaps
    ["number: ValueError: invalid literal for int() with base 10: 'many'"]
    """

    def ask(self, what: str, default: _T, question: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return the answer to `question`, or `default`, noting that `what` is not known."""
        try:
            return question(*args, **kwargs)
        except Exception as error:
            self.note(what, error)
            return default

    def note(self, what: str, error: Exception) -> None:
        """Note that `what` is not known, and why."""
        self.append(cut(f"{what}: {type(error).__name__}: {error}", MAX_ERROR_CHARACTERS))


_open: list[Problems] = []
"""The problems of the runs that are being captured in this process."""


@contextmanager
def collected(problems: Problems) -> Iterator[None]:
    """Let `note_unseen` note in `problems`, among others, inside the `with`."""
    _open.append(problems)
    try:
        yield
    finally:
        _open.remove(problems)


def note_unseen(tells: str, error: Exception) -> None:
    """Note in every open run that Snakemake could not be asked for something, once, however often it happens."""
    for problems in _open:
        problems.note(f"Snakemake does not tell {tells} ({type(error).__name__}: {error})", once=True)


def words(error: BaseException) -> str:
    """Return why something failed as a sentence; if a module of the user hides a library's, say so.

    >>> words(ValueError("no such rule"))
    'ValueError: no such rule.'
    """
    said = f"{type(error).__name__}: {error}".rstrip(".")
    module = error.obj if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType) else None
    file = error.path if isinstance(error, ImportError) else getattr(module, "__file__", None)
    if file is not None and not _is_installed(file):
        return f"{to_text(file)} has the name of a library that snakeprov needs, and hides it; rename it ({said})."
    return f"{said}."


def _is_installed(file: str) -> bool:
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts) or file.startswith(sys.prefix)


class HasProblems(Protocol):
    """What has `never_raises` methods."""

    @property
    def problems(self) -> Problems: ...


_O = TypeVar("_O", bound=HasProblems)


def never_raises(method: Callable[Concatenate[_O, _P], None]) -> Callable[Concatenate[_O, _P], None]:
    """Make a problem of whatever the method raises."""

    @functools.wraps(method)
    def guarded(self: _O, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.problems.note(f"{type(error).__name__}: {error}")

    return guarded


def say(line: str, workflow: Any = None, *, is_problem: bool = False) -> None:
    """Print a line on stderr, in one piece, since Snakemake's logger writes there from another thread.

    Where a logger plugin owns the terminal, which it may have filled with a display of its own, it is given the line
    instead: to print beside it would spoil that. Never raises.
    """
    with suppress(Exception):  # a closed stderr, say, or a plugin that fails
        if workflow is not None and owner_of_terminal(workflow) is not None:
            from snakemake.logging import logger  # type: ignore[import-untyped]

            logger.log(logging.WARNING if is_problem else logging.INFO, line)
        else:
            sys.stderr.write(line + "\n")


def say_unrecorded(why: str, workflow: Any = None) -> None:
    """Say that nothing of a run is recorded, and why."""
    say(f"snakeprov: nothing of this run is recorded; the workflow is not affected. {why}", workflow, is_problem=True)


def handlers_of(workflow: Any) -> list[Any]:
    """Return the log handlers of the logger plugins that Snakemake was given; none before Snakemake 9."""
    manager = getattr(workflow, "logger_manager", None)
    if manager is None:
        from snakemake import logging as snakemake_logging  # type: ignore[import-untyped]

        manager = getattr(snakemake_logging, "logger_manager", None)
    listener = getattr(manager, "queue_listener", None)
    return list(getattr(manager, "plugin_handlers", None) or getattr(listener, "handlers", None) or ())


def owner_of_terminal(workflow: Any) -> Any:
    """Return the handler of a logger plugin that prints instead of Snakemake's own, or None."""
    try:
        handlers = handlers_of(workflow)
    except Exception:  # a Snakemake of another kind: nobody is known to own it
        return None
    return next((one for one in handlers if getattr(one, "writes_to_stream", False) is True), None)
