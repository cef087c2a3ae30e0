"""Runs Snakemake with a stand-in for the recorder that writes what it is given into a file, one JSON object a line.

Usage: python collect.py RECORDS [argument of snakemake …]

The lines are `{"start": run}`, `{"plan": plan}`, `{"finish": run}` and
`{"job": job, "held": {path: bytes that were held, as text}}`. With the environment variable
COLLECT_FAILS=open|append|finish that method raises; with COLLECT_DEAF=1 nothing is overheard of what Snakemake says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import snakemake.cli

from snakeprov.errors import StoreError
from snakeprov.model.held import Hold, Listing, input_key, output_key
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord, decode_job
from snakeprov.plugin import capturing, recording

RECORDS, FAILS = Path(sys.argv[1]).absolute(), os.environ.get("COLLECT_FAILS")


class Summary:
    shortfall = 0
    reason = ""

    def line(self, *, program: str = "snakeprov") -> str:
        return "snakeprov: collected"


class Collector:
    def start(self, run: RunRecord) -> None:
        self._write({"start": run})

    def plan(self, plan: RunPlan) -> None:
        self._write({"plan": plan})

    def __init__(self) -> None:
        self._held: dict[str, dict[tuple[str, str], str]] = {}

    def hold(self, message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool:
        held = self._held.setdefault(message.job_id, {})
        left = iter(descriptors)
        for file in message.files if isinstance(message, Hold) else ():
            content = file.content if file.content is not None else os.pread(next(left), 1000, 0)
            held[file.key, file.member] = content.decode(errors="replace")
        return True

    def append(self, job: JobRecord) -> None:
        if FAILS == "append":
            raise OSError("no space left")
        paths = {input_key(number): fact.path for number, fact in enumerate(job.inputs)}
        paths |= {output_key(number): fact.path for number, fact in enumerate(job.outputs)}
        held = self._held.pop(job.id, {})
        named = {f"{paths.get(key, key)}/{member}".rstrip("/"): content for (key, member), content in held.items()}
        self._write({"job": job, "held": named})

    def append_encoded(self, payload: bytes) -> None:
        self.append(decode_job(payload))

    def finish(self, run: RunRecord, *, is_shown: bool) -> Summary:
        if FAILS == "finish":
            raise OSError("no space left")
        self._write({"finish": run})
        return Summary()

    def _write(self, line: dict[str, Any]) -> None:
        with RECORDS.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")


def open_collector(_settings: Any, _directory: Path, **_more: Any) -> Collector:
    if FAILS == "open":
        raise StoreError("The folder '.snakeprov' cannot be written.", hint="Check who owns it.")
    return Collector()


recording.open_recorder = open_collector
if os.environ.get("COLLECT_DEAF"):
    capturing.Capture.job_announced = lambda _self, _said: None  # type: ignore[method-assign]
sys.argv = ["snakemake", *sys.argv[2:]]
snakemake.cli.main()
