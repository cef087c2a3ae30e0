"""What could not be captured."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from snakeprov.plugin.problems import Problems


def test_a_traceback_is_made_only_where_it_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines are read from files, which must not keep Snakemake waiting."""
    made: list[Any] = []
    monkeypatch.setattr(traceback, "format_tb", lambda trace: made.append(trace) or [])
    problems = Problems()
    try:
        raise ValueError
    except ValueError:
        problems.note("something")

    assert (made, problems.count) == ([], 1)
