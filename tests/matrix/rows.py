"""The rows of the matrix: what Snakemake can run, and what is recorded of it; and the mark that ties a test to a row.

Must not know: how a row is tested, or what came of it.

A row's key is `<section>: <feature>`. Each section is a dictionary of its own, in the order in which they are shown.
"""

from __future__ import annotations

import pytest

KINDS = {
    "shell": "the command as it ran",
}

SECTIONS: dict[str, dict[str, str]] = {
    "kinds": KINDS,
}

ROWS = {f"{section}: {feature}": claim for section, rows in SECTIONS.items() for feature, claim in rows.items()}


def row(*keys: str) -> pytest.MarkDecorator:
    """Mark a test as one that has to pass for these rows to hold.

    Raises:
        KeyError: There is no such row.
    """
    for key in keys:
        if key not in ROWS:
            raise KeyError(f"{key!r} is not a row of the matrix: add it to {__name__}.")
    return pytest.mark.row(*keys)
