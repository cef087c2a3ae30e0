"""Ties tests to rows of the matrix: `@row("files: temp")`; and notes what they came to, with `--matrix-table`."""

from __future__ import annotations

from collections import defaultdict
from importlib.metadata import version

import pytest

from tests.matrix import table

PROPERTY = "rows of the matrix"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "row(*keys): the test has to pass for these rows of the matrix to hold")
    if config.getoption("--matrix-table"):
        config.pluginmanager.register(_Results(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        keys = [key for mark in item.iter_markers("row") for key in mark.args]
        if keys:
            item.user_properties.append((PROPERTY, keys))


class _Results:
    """Gathers what the rows came to from the reports, which come here from other processes too."""

    def __init__(self, config: pytest.Config) -> None:
        self._is_worker = hasattr(config, "workerinput")
        self._found: dict[str, list[str]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        for name, keys in report.user_properties:
            if name == PROPERTY:
                for key in keys:
                    self._found[key].append(_result(report))

    def pytest_sessionfinish(self) -> None:
        if self._found and not self._is_worker:
            found = {key: table.combine(results) for key, results in self._found.items()}
            table.update(found, version=version("snakemake"))


def _result(report: pytest.TestReport) -> str:
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return report.longrepr[2].replace("Skipped: ", "skipped: ", 1)
    if hasattr(report, "wasxfail"):
        return f"not yet: {report.wasxfail}"
    return "passed" if report.outcome == "passed" else "FAILED"
