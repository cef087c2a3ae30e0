"""How much longer does a workflow take when it is tracked?

Runs a workflow of trivial shell jobs plain and tracked, recording finished at its exit, one run after the other in
changing order, and prints the ratios: time on the clock; CPU time of everything, the delivering process included; CPU
time of Snakemake's own process alone, which is what a machine with an idle core notices.

A third run of each round is metered: it is asked what of its own CPU time was spent in snakeprov, all its imports
included, which costs a little itself. That share is far steadier than any ratio of two runs: on a machine that others
use too, two runs of the same differ by several per cent (`--control` shows by how much).

The runs are what a user would see, with all that Snakemake does by the clock: by default it hands out at most 100 jobs
a second, and looks each second again at what is ready. What follows `--` is for Snakemake, to have it otherwise:

    python tests/benchmarks/overhead.py [--jobs 1000] [--cores 2] [--rounds 5] [--control] [-- ARGUMENTS]
    python tests/benchmarks/overhead.py -- --max-jobs-per-timespan 100000/1s
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SNAKEFILE = """{track}
rule all:
    input: expand("out/{{n}}.txt", n=range({jobs}))

rule one:
    input: "in.txt"
    output: "out/{{n}}.txt"
    shell: "echo {{wildcards.n}} > {{output}}"
"""

TRACK = "import snakeprov; snakeprov.track(workflow)"

RUN = """
import atexit, resource, sys
def tell():
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = [used.ru_utime + used.ru_stime, *globals().get("spent", [])]
    open("spent", "w").write(" ".join(map(str, seconds)))
atexit.register(tell)
from snakemake.cli import main
"""

MAIN = "main()\n"

INSIDE = """
import threading, time
spent, lock, here = [0.0, 0.0], threading.Lock(), threading.local()
def timed(function):
    def call(*args, **kwargs):
        if getattr(here, "is_inside", False):
            return function(*args, **kwargs)
        here.is_inside, began = True, time.perf_counter()
        began_cpu = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            cpu = time.thread_time() - began_cpu
            here.is_inside = False
            with lock:
                spent[0] += cpu
                if function.__name__ == "finish":
                    spent[1] += time.perf_counter() - began - cpu
    return call
@timed
def load():
    from snakeprov.plugin import capturing, hooks, running
    for owner in (capturing.Capture, running):
        for name, function in list(vars(owner).items()):
            if name.startswith(("job", "finish", "__init__", "begin")):
                setattr(owner, name, timed(function))
    import snakeprov
    snakeprov.track = timed(snakeprov.track)
load()
"""
"""Once Snakemake is imported, has counted what is spent inside snakeprov: CPU seconds, and seconds of waiting."""

SETUPS = {
    "plain": ("", ""),
    "tracked": (TRACK, ""),
    "metered": (TRACK, INSIDE),
}
"""The line in the Snakefile, and what goes before Snakemake."""

WHAT = ("time on the clock", "CPU time of everything", "Snakemake's own CPU time")


class Cost(NamedTuple):
    """Seconds that one run took; `inside`: what was spent in snakeprov, of the CPU of its own process and waiting."""

    wall_s: float
    cpu_s: float
    own_cpu_s: float
    inside: tuple[float, ...]


def run(jobs: int, kind: str, arguments: list[str]) -> Cost:
    """Run the workflow in a fresh folder, and return what it took."""
    track, setup = SETUPS[kind]
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        work = Path(folder)
        (work / "in.txt").write_text("input\n")
        (work / "Snakefile").write_text(SNAKEFILE.format(track=track, jobs=jobs))
        command = [sys.executable, "-c", RUN + setup + MAIN, *arguments]
        with (work / "log").open("w") as log:
            began = time.perf_counter()
            process = subprocess.Popen(command, cwd=work, stdout=log, stderr=log)
            _, status, used = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise SystemExit((work / "log").read_text())
        own_cpu_s, *inside = map(float, (work / "spent").read_text().split())
    return Cost(wall_s, used.ru_utime + used.ru_stime, own_cpu_s, tuple(inside))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--control", action="store_true")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENTS")
    options = parser.parse_args()
    kinds = ["plain", "plain"] if options.control else list(SETUPS)
    arguments = ["--cores", str(options.cores), "--scheduler", "greedy", "--quiet", "all", *options.arguments]
    print(f"{options.jobs} trivial shell jobs, {' '.join(arguments)}; seconds: wall, CPU, Snakemake's own CPU")
    rounds: list[list[Cost]] = []
    for number in range(options.rounds):
        # Whichever is first has the colder caches: change places.
        order = [(number + place) % len(kinds) for place in range(len(kinds))]
        costs = {place: run(options.jobs, kinds[place], arguments) for place in order}
        rounds.append([costs[place] for place in range(len(kinds))])
        plain, other, *_ = rounds[-1]
        ratios = " ".join(f"{ratio:.3f}" for ratio in _ratios(plain, other))
        print(f"round {number + 1}: plain {_seconds(plain)}  {kinds[1]} {_seconds(other)}  ratio {ratios}", flush=True)
    for what, values in zip(WHAT, zip(*(_ratios(*one[:2]) for one in rounds), strict=True), strict=True):
        print(f"ratio of {what}: {_spread(values)}")
    if not options.control:
        metered = [one for _, _, one in rounds]
        shares = _spread(1 + cost.inside[0] / (cost.own_cpu_s - cost.inside[0]) for cost in metered)
        inside_s, waited_s = (statistics.median(cost.inside[number] for cost in metered) for number in (0, 1))
        print(f"inside snakeprov, of the CPU time of the same process: {inside_s:.2f} s, ratio {shares}; ", end="")
        print(f"waited at the end: {waited_s:.2f} s")


def _seconds(cost: Cost) -> str:
    return " ".join(f"{one:6.2f}" for one in cost[:3])


def _ratios(plain: Cost, tracked: Cost) -> list[float]:
    return [two / one for one, two in zip(plain[:3], tracked[:3], strict=True)]


def _spread(values: Iterable[float]) -> str:
    values = sorted(values)
    error = f" ± {statistics.stdev(values) / len(values) ** 0.5:.4f}" if len(values) > 1 else ""
    return (
        f"mean {statistics.mean(values):.4f}{error}, median {statistics.median(values):.4f} "
        f"({values[0]:.4f} to {values[-1]:.4f})"
    )


if __name__ == "__main__":
    main()
