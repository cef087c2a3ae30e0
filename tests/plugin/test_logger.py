"""The logger plugin as Snakemake's own interface tests it."""

from __future__ import annotations

import pytest

interface = pytest.importorskip(
    "snakemake_interface_logger_plugins.tests", reason="Snakemake before 9.0 has no loggers"
)
from snakeprov.plugin.logger import LogHandler, LogHandlerSettings  # noqa: E402


class TestLogHandler(interface.TestLogHandlerBase):  # type: ignore[misc, name-defined]
    """The checks that every logger plugin has to pass."""

    __test__ = True

    def get_log_handler_cls(self) -> type[LogHandler]:
        return LogHandler

    def get_log_handler_settings(self) -> LogHandlerSettings:
        return LogHandlerSettings(project="flights")

    def test_only_given_settings_are_passed_on(self) -> None:
        """What was not said on the command line leaves other sources of settings alone."""
        handler = self._create_handler()
        assert handler.snakeprov_request.settings == {"project": "flights"}
        assert not handler.writes_to_stream and not handler.writes_to_file
