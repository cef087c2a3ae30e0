"""The numbers that Snakemake measured of a job, read from its benchmark file.

Must not know: jobs, Snakemake's objects.
Source: Snakemake's documentation, "Benchmarking": tab-separated with a header, or JSON lines in a `.jsonl` file; a line
for each repetition.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

MAX_BENCHMARK_BYTES = 65_536
"""Of a larger file only the lines that lie whole in its beginning are kept."""

Measured = dict[str, float]
"""Numbers by Snakemake's name for them (`s`, `max_rss`, …), in its units. What it could not measure is left out, and so
is all that is no number: a `.jsonl` file repeats the job's params, which may hold secrets."""


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
        return [_numbers(json.loads(line)) for line in lines]
    if not lines:
        return []
    names = lines[0].split("\t")
    return [_numbers(dict(zip(names, line.split("\t"), strict=True))) for line in lines[1:]]


def _numbers(values: Mapping[str, object]) -> Measured:
    numbers = {name: _number(value) for name, value in values.items()}
    return {name: number for name, number in numbers.items() if number is not None and math.isfinite(number)}


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
