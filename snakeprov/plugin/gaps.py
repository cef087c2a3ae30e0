"""What could not be captured, in words, while the rest is.

Must not know: what is asked, or of whom.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from snakeprov.plugin.represent import cut

MAX_ERROR_CHARACTERS = 8_192
"""Characters kept of what was said of a failure."""

_T = TypeVar("_T")
_P = ParamSpec("_P")


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
