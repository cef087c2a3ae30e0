"""The log files of a working directory, for finding faults: `SNAKEPROV_LOG=debug`.

Nothing is ever logged to a terminal, which belongs to Snakemake: without the variable the loggers of the package have
no handler that writes, and with it they have only the file. What our processes log has the level DEBUG or INFO, which
no handler of anybody else shows by default.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final, Literal

from snakeprov.disk.layout import LOG_NAME, own_folder

VARIABLE: Final = "SNAKEPROV_LOG"
"""Environment variable with the level: `debug`, `info`, `warning` or `error`."""

BYTES_MAX: Final = 5_000_000
KEPT: Final = 3
"""A longer file is renamed, to `….1`, and so are up to this number of those before."""

Program = Literal["capture", "deliver", "command"]
"""Which process logs: each has files of its own, so that none renames what another writes to."""

_LEVELS: Final = ("debug", "info", "warning", "error")
_FORMAT: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_ROOT: Final = "snakeprov"


def start(working_directory: Path, program: Program) -> None:
    """Log what the package does to `.snakeprov/log/PROGRAM.log`, if the environment asks for it. Never raises.

    Starting again changes nothing. Makes no folder where the working directory has none of ours.
    """
    logger = logging.getLogger(_ROOT)
    if not logger.handlers:
        # Without a handler Python prints warnings into the terminal.
        logger.addHandler(logging.NullHandler())
    level = os.environ.get(VARIABLE, "").lower()
    if level not in _LEVELS or any(not isinstance(one, logging.NullHandler) for one in logger.handlers):
        return
    own = own_folder(working_directory)
    try:
        if not own.is_dir():
            return
        from snakeprov.disk.privacy import make_folder

        make_folder(own / LOG_NAME, like=own)
        handler = _handler(own / LOG_NAME / f"{program}.log")
    except OSError:
        return
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def _handler(path: Path) -> logging.Handler:
    from logging.handlers import RotatingFileHandler

    from snakeprov.disk.privacy import opener
    from snakeprov.model.credentials import hide_in_urls

    class LogFile(RotatingFileHandler):
        """A file of ours, with its permissions; a full disk is nobody's concern."""

        def _open(self) -> object:  # type: ignore[override]
            return open(self.baseFilename, self.mode, encoding="utf-8", errors="backslashreplace", opener=opener)

        def handleError(self, record: logging.LogRecord) -> None:
            pass

        def format(self, record: logging.LogRecord) -> str:
            return hide_in_urls(super().format(record), "***")

    handler = LogFile(path, maxBytes=BYTES_MAX, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    return handler
