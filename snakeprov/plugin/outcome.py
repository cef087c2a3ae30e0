"""How a job went: the numbers of its benchmark file and, when it failed, the reason.

Source: Snakemake's documentation, "Benchmarking": tab-separated with a header, or JSON lines in a `.jsonl` file; a line
for each repetition.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import structs

from snakeprov.model.records import FileFact, JobRecord
from snakeprov.plugin.observation import LiveJob
from snakeprov.plugin.problems import MAX_ERROR_CHARACTERS
from snakeprov.plugin.represent import cut, encodable

MAX_LOG_BYTES = 8_192
"""Bytes kept of the end of a failed job's log, all its log files together."""

_EXIT = re.compile(
    r"(?:returned non-zero exit status (\d+)|died with (?:<Signals\.\w+: |unknown signal )(\d+)>?)\.\s*$"
)

MAX_BENCHMARK_BYTES = 65_536
"""Of a larger file only the lines that lie whole in its beginning are kept."""

Measured = dict[str, float]
"""Numbers by Snakemake's name for them (`s`, `max_rss`, …), in its units. What it could not measure is left out, and so
is everything that is not a number: a `.jsonl` file repeats the job's params, which may hold secrets."""


def explain(record: JobRecord, job: Any, live: LiveJob, *, place: Callable[[str], str]) -> JobRecord:
    """Return `record` with what is known of the failure of `job`; `place` gives the recorded form of a path."""
    error = live.error
    said = exit_code = None
    if error is not None and str(error):
        kind = type(error).__name__
        # A RuleException only wraps the error of the job, whose kind its text begins with.
        said = cut(str(error) if kind == "RuleException" else f"{kind}: {error}", MAX_ERROR_CHARACTERS)
        exit_code = _exit_code(said)
    elif live.blame:
        said = cut(str(live.blame), MAX_ERROR_CHARACTERS)
    own = [str.__str__(path) for path in job.log]
    of_executor = [path for path in live.logs if os.path.isabs(path) and path not in own]  # noqa: PTH117
    logs = [log for log in (tail(path, MAX_LOG_BYTES) for path in (*of_executor, *own)) if log]
    return structs.replace(
        record,
        error=said,
        exit_code=exit_code,
        logs=[*record.logs, *(FileFact(path=place(path), kind="unknown") for path in of_executor)],
        log_excerpt=encodable("\n".join(logs)[-MAX_LOG_BYTES:]) or None,
    )


def tail(path: str, max_bytes: int) -> str:
    """Return the last `max_bytes` of the regular file at `path` as text; empty where it cannot be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  opening a FIFO would wake its writer
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    try:
        size_bytes = os.fstat(descriptor).st_size
        return os.pread(descriptor, max_bytes, max(0, size_bytes - max_bytes)).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _exit_code(error: str) -> int | None:
    """Return the exit code in the text of an error.

    >>> _exit_code("CalledProcessError in file Snakefile, line 3: Command 'false' returned non-zero exit status 1.")
    1
    >>> _exit_code("CalledProcessError: Command 'kill -9 $$' died with <Signals.SIGKILL: 9>.")
    -9
    """
    if not error.startswith("CalledProcessError"):
        return None
    found = _EXIT.search(error)
    if found is None:
        return None
    status, signal = found.groups()
    return int(status) if status is not None else -int(signal)


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
