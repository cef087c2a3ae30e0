"""What a method of Snakemake's that is wrapped is described by.

Must not know: which methods these are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Method = Callable[..., Any]


class Point(NamedTuple):
    """One method that is wrapped.

    Attributes:
        modules: Where the class is, newest Snakemake first.
        tells: What is not known when the method is missing.
        watch: Tells the Capture; takes the arguments of the method. None for `Workflow.execute`, which is the run.
        is_essential: Whether without it the log events must stand in.
        is_afterwards: Whether `watch` is called once the method has succeeded, rather than before it.
    """

    modules: tuple[str, ...]
    class_name: str
    method: str
    tells: str
    watch: Method | None
    is_essential: bool = False
    is_afterwards: bool = False
