"""The numbers that Snakemake measured of a job, read from its benchmark file.

Must not know: jobs, Snakemake's objects.
Source: Snakemake's documentation, "Benchmarking": tab-separated with a header, or JSON lines in a `.jsonl` file; a line
for each repetition.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from snakeprov.plugin.represent import represent

MAX_BENCHMARK_BYTES = 65_536
"""Of a larger file only the lines that lie whole in its beginning are kept."""

_UNKNOWN = frozenset({"", "-", "NA", "None", "nan"})

Measured = dict[str, object]
"""Values by Snakemake's name for them (`s`, `max_rss`, …), units as Snakemake has them; unknown ones are left out."""


def read_benchmark(path: str) -> list[Measured]:
    """Return what was measured in each repetition; nothing where there is no file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not of the form that Snakemake writes.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  Snakemake's paths need not be UTF-8
            content = file.read(MAX_BENCHMARK_BYTES + 1)
    except FileNotFoundError:
        return []
    if len(content) > MAX_BENCHMARK_BYTES:
        content = content[: content.rfind(b"\n", 0, MAX_BENCHMARK_BYTES) + 1]
    lines = content.decode("utf-8", "replace").splitlines()
    if Path(os.fsdecode(path)).suffix == ".jsonl":
        return [_known(json.loads(line)) for line in lines]
    if not lines:
        return []
    names = lines[0].split("\t")
    return [_known(dict(zip(names, line.split("\t"), strict=True))) for line in lines[1:]]


def _known(values: dict[str, object]) -> Measured:
    measured = {name: _number(value) if isinstance(value, str) else represent(value) for name, value in values.items()}
    return {name: value for name, value in measured.items() if value is not None}


def _number(text: str) -> float | str | None:
    if text in _UNKNOWN:
        return None
    try:
        return float(text)
    except ValueError:
        return text
