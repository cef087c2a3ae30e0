"""Guess the content type of a file from its name."""

from __future__ import annotations

import mimetypes

BYTES = "application/octet-stream"
"""Content type of a file about which nothing is known."""


def guessed(file_name: str) -> str:
    """Return the content type that goes with a file's name, or that of any bytes.

    >>> guessed("plot.png"), guessed("counts.tsv"), guessed("reads.nothing")
    ('image/png', 'text/tab-separated-values', 'application/octet-stream')
    """
    return mimetypes.guess_type(file_name, strict=False)[0] or BYTES
