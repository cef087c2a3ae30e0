"""What went wrong with the capture of one run, told to the user once, whatever Snakemake is doing at the moment.

Must not know: what was to be captured.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from snakeprov.plugin.represent import cut

MAX_PROBLEMS = 20
"""Problems that are put into words in the run's record; further ones are only counted."""

MAX_PROBLEM_CHARACTERS = 500


class Problems:
    """What could not be captured or recorded. Thread-safe.

    Attributes:
        count: How many things could not be.
        gaps: What they were, in words; at most `MAX_PROBLEMS` of them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.gaps: list[str] = []
        self._lock = threading.Lock()

    def note(self, problem: str) -> None:
        """Count one thing that could not be captured; warn of the first."""
        problem = cut(problem, MAX_PROBLEM_CHARACTERS)
        with self._lock:
            self.count += 1
            is_first = self.count == 1
            if len(self.gaps) < MAX_PROBLEMS:
                self.gaps.append(problem)
        if is_first:
            warn(f"something could not be recorded, the workflow goes on: {problem}")


class HasProblems(Protocol):
    """What has `never_raises` methods."""

    @property
    def problems(self) -> Problems: ...


_P = ParamSpec("_P")
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


def warn(sentence: str) -> None:
    """Print one sentence on stderr, where it does not depend on how Snakemake logs."""
    say(f"snakeprov: {sentence}")


def say(line: str) -> None:
    """Print a line on stderr in one piece, since Snakemake's logger writes there from another thread."""
    sys.stderr.write(line + "\n")
