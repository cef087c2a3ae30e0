"""`docs/matrix.md`: the rows of the matrix and what their tests came to, by version of Snakemake.

Must not know: pytest. What was found is kept in `results.json`, so that runs in several environments add up.

`pytest tests/matrix --matrix-table` runs the tests, notes what they came to, and writes the page;
`python -m tests.matrix.table` only writes the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.matrix.rows import SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "matrix.md"
RESULTS = Path(__file__).with_name("results.json")

Results = dict[str, dict[str, str]]
"""By row, then by version of Snakemake: `passed`, `FAILED`, or `skipped: <why>`."""

NOT_TRIED = "not tried yet"

HEAD = """# What is recorded of what

Each row is a feature of Snakemake. For each a workflow really runs in the tests, and what was recorded is compared
with accounts of the same run that snakeprov has no part in: the jobs that Snakemake's log counts, its own metadata,
digests that the jobs themselves take of what they read and write, exit statuses, the files on disk. A row has passed
when each job is recorded exactly once, with all its inputs and outputs at the version whose bytes were read and
written, and with the code that ran.

This page is written by the tests (`pytest tests/matrix --matrix-table`).
"""


def load() -> Results:
    """Return what has been found so far."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def update(found: Mapping[str, str], *, version: str) -> None:
    """Note what rows came to with a version of Snakemake, and write the page."""
    results = load()
    for key, result in found.items():
        results.setdefault(key, {})[version] = result
    # A line for each row, so that what is found in several places can be merged.
    lines = [f"{json.dumps(key)}: {json.dumps(results[key], sort_keys=True)}" for key in sorted(results)]
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    write()


def write() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(load()), encoding="utf-8")


def render(results: Results) -> str:
    """Return the page."""
    parts = [HEAD]
    for section, rows in SECTIONS.items():
        parts.append(f"\n## {section[0].upper()}{section[1:]}\n\n")
        parts.append("| feature | what is recorded | Snakemake | result |\n|---|---|---|---|\n")
        for feature, claim in rows.items():
            versions, result = summary(results.get(f"{section}: {feature}", {}))
            cells = " | ".join(one.replace("|", "\\|") for one in (feature, claim, versions, result))
            parts.append(f"| {cells} |\n")
    return "".join(parts)


def summary(by_version: Mapping[str, str]) -> tuple[str, str]:
    """Return in which versions of Snakemake a row was tested, and what it came to.

    >>> summary({"9.27.1": "passed", "8.30.0": "passed"})
    ('8.30.0, 9.27.1', 'passed')
    >>> summary({"9.27.1": "passed", "8.30.0": "skipped: too old"})
    ('8.30.0, 9.27.1', '8.30.0: skipped: too old; 9.27.1: passed')
    """
    versions = sorted(by_version, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
    found = {by_version[version] for version in versions}
    if len(found) > 1:
        result = "; ".join(f"{version}: {by_version[version]}" for version in versions)
    else:
        result = "".join(found) or NOT_TRIED
    return ", ".join(versions), result


def combine(results: Iterable[str]) -> str:
    """Return what a row came to whose tests came to `results`: a failure outweighs all, a pass outweighs a skip.

    >>> combine(["skipped: no R", "passed"])
    'passed'
    """
    return min(results, key=lambda result: {"FAILED": 0, "passed": 1}.get(result, 2))


if __name__ == "__main__":
    write()
