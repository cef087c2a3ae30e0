"""The page about the matrix and the tests behind it."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.matrix import table
from tests.matrix.rows import ROWS


def marked() -> set[str]:
    """Return the rows that a test is marked with."""
    calls = (
        node
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "row"
    )
    return {argument.value for call in calls for argument in call.args if isinstance(argument, ast.Constant)}


def test_every_row_has_a_test() -> None:
    """Each row of the matrix is named by the mark of some test, and no test names one that there is not."""
    assert marked() == set(ROWS)


def test_the_page_shows_every_row_as_it_is_declared() -> None:
    """docs/matrix.md is what `python -m tests.matrix.table` writes now."""
    assert table.PAGE.read_text(encoding="utf-8") == table.render(table.load())


def test_results_are_of_rows_that_there_are() -> None:
    """What was found is kept for declared rows only, and each of them was tried."""
    assert set(table.load()) == set(ROWS)


def test_versions_are_told_apart_only_where_they_differ() -> None:
    """A row says what each version came to where that is not the same, and a failure outweighs what passed."""
    assert table.summary({"9.27.1": "passed", "9.0.1": "passed"}) == ("9.0.1, 9.27.1", "passed")
    assert table.summary({"9.9.0": "passed", "8.30.0": "FAILED"})[1] == "8.30.0: FAILED; 9.9.0: passed"
    assert table.summary({}) == ("", table.NOT_TRIED)
    assert table.combine(["passed", "FAILED", "skipped: no R"]) == "FAILED"
    assert table.combine(["skipped: no R"]) == "skipped: no R"
