"""Report a failed command on stderr, and choose its exit status."""

from __future__ import annotations

import logging
import os
import sys
import traceback

import click

from snakeprov.cli.output import screen_of
from snakeprov.errors import SnakeprovError
from snakeprov.view.text import paragraph, say

DEBUG_VARIABLE = "SNAKEPROV_DEBUG"
"""Set to anything, it has the traceback of every error shown."""

INTERRUPTED_STATUS = 130
UNEXPECTED_STATUS = 1


def tell(error: Exception) -> int:
    """Print what failed and what to do about it; return the exit status."""
    if isinstance(error, click.Abort):
        return INTERRUPTED_STATUS
    logging.getLogger(__name__).info("failed", exc_info=error)
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, SnakeprovError):
        _print(error.message, error.hint)
        return error.exit_status
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        _print(error.format_message(), f"'{context.command_path} --help' tells more." if context else "")
        return error.exit_code
    _print(
        f"unexpected {type(error).__name__}: {str(error) or 'no message'}",
        f"This is a mistake in snakeprov. Set {DEBUG_VARIABLE}=1 to see where it happened, and please report it.",
    )
    return UNEXPECTED_STATUS


def _print(message: str, hint: str) -> None:
    screen = screen_of(sys.stderr)
    for line in ([say("snakeprov: "), say("error:", "bad"), say(f" {message}")], [say(hint)] if hint else []):
        for printed in paragraph(line, screen) if line else ():
            print(printed, file=sys.stderr)
