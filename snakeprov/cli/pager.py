"""Show what is longer than the screen in a pager, as git does."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

import click

VARIABLES = ("SNAKEPROV_PAGER", "PAGER")
"""Variables that name the pager, a shell command; the first that is set counts. Empty or `cat`: no pager."""

_DEFAULT = "less"

_OPTIONS = {"LESS": "FRX", "LV": "-c"}
"""Variables with which the usual pagers show colour and leave the text on the screen, unless the user has set them."""


def show(lines: Sequence[str]) -> bool:
    """Show lines in the pager if standard output is a terminal with fewer rows; return whether they were shown."""
    if not sys.stdout.isatty() or not _is_long(lines):
        return False
    pager = _command()
    if pager is None:
        return False
    sys.stdout.flush()
    environment = {**_OPTIONS, **os.environ}
    process = subprocess.Popen(pager, shell=True, stdin=subprocess.PIPE, env=environment)  # noqa: S602  as git runs it
    # Ctrl-C is the pager's.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # A pager that was closed early has shown what was wanted: `communicate` ignores its broken pipe.
        process.communicate("".join(line + "\n" for line in lines).encode(sys.stdout.encoding, "backslashreplace"))
    finally:
        signal.signal(signal.SIGINT, before)
    return True


def _command() -> str | None:
    """Return the pager as a shell command; None where none is wanted, or there is none."""
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().params.get("no_pager"):
        return None
    if os.environ.get("TERM", "dumb") == "dumb":
        return None
    pager = next((os.environ[name] for name in VARIABLES if name in os.environ), _DEFAULT)
    try:
        words = shlex.split(pager)
    except ValueError:
        return None
    return pager if words and words != ["cat"] and shutil.which(words[0]) else None


def _is_long(lines: Sequence[str]) -> bool:
    """Return whether lines take more rows than the terminal has above the next prompt."""
    size = shutil.get_terminal_size()
    return sum(max(1, -(-len(click.unstyle(line)) // size.columns)) for line in lines) >= size.lines
