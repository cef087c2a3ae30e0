"""How a run that a job starts knows the outer one."""

from __future__ import annotations

import os

import pytest

from snakeprov.plugin.recording import PARENT_VARIABLE, enter_run, leave_run, outer_run

OUTER, INNER = "a" * 32, "b" * 32


@pytest.mark.parametrize(("before", "parent"), [(None, None), (OUTER, OUTER), ("not an id", None), ("", None)])
def test_the_environment_is_as_it_was_after_a_run(
    monkeypatch: pytest.MonkeyPatch, before: str | None, parent: str | None
) -> None:
    """During a run it names that run; what is no run's id is not taken for one."""
    monkeypatch.setenv(PARENT_VARIABLE, before or "")
    if before is None:
        monkeypatch.delenv(PARENT_VARIABLE)

    outer = outer_run()
    enter_run(INNER)

    assert os.environ[PARENT_VARIABLE] == INNER
    assert outer == parent
    leave_run(outer)
    assert os.environ.get(PARENT_VARIABLE) == parent
