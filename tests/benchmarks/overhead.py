"""How much longer does a workflow take when it is tracked?

Runs a workflow of trivial shell jobs plain and tracked in alternation, recording finished at its exit, and prints
medians and their ratios: time on the clock; CPU time of everything, the delivering process included; CPU time of
Snakemake's own process alone, which is what a machine with an idle core notices.

On a machine that others use too, two runs of the same differ by more than recording costs. So the tracked runs are
asked as well what of their own CPU time was spent in snakeprov, all its imports included, and how long it waited at the
end of the run: both of one run, which whatever others do slows alike.

A host that slows down whoever works for long wants `--rest-s`, idle seconds before each run.

    python tests/benchmarks/overhead.py [--jobs 1000] [--rounds 5] [--rest-s 0]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
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
    for owner, prefixes in ((capturing.Capture, ("job", "finish", "__init__")), (running, ("begin",))):
        for name, function in list(vars(owner).items()):
            if name.startswith(prefixes):
                setattr(owner, name, timed(function))
    import snakeprov
    snakeprov.track = timed(snakeprov.track)
load()
"""
"""Once Snakemake is imported, has counted what is spent inside snakeprov: CPU seconds, and seconds of waiting."""


class Cost(NamedTuple):
    """Seconds that one run took; `inside`: what was spent in snakeprov, of the CPU of its own process and waiting."""

    wall_s: float
    cpu_s: float
    own_cpu_s: float
    inside: tuple[float, ...]


def run_once(jobs: int, *, tracked: bool) -> Cost:
    """Run the workflow in a fresh folder."""
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        work = Path(folder)
        (work / "in.txt").write_text("input\n")
        (work / "Snakefile").write_text(SNAKEFILE.format(track=TRACK if tracked else "", jobs=jobs))
        program = RUN + INSIDE + MAIN if tracked else RUN + MAIN
        command = [sys.executable, "-c", program, "--cores", "2", "--scheduler", "greedy", "--quiet", "all"]
        before = os.times()
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        after = os.times()
        if done.returncode:
            raise SystemExit(done.stderr)
        own_cpu_s, *inside = map(float, (work / "spent").read_text().split())
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(after.elapsed - before.elapsed, cpu_s, own_cpu_s, tuple(inside))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rest-s", type=float, default=0)
    arguments = parser.parse_args()
    costs: dict[bool, list[Cost]] = {False: [], True: []}
    print(f"{arguments.jobs} trivial shell jobs, --cores 2 --scheduler greedy; seconds: wall, CPU, Snakemake's own CPU")
    for number in range(1, arguments.rounds + 1):
        # Whichever comes first in a round has the colder caches: take turns.
        for tracked in (False, True) if number % 2 else (True, False):
            time.sleep(arguments.rest_s)
            costs[tracked].append(run_once(arguments.jobs, tracked=tracked))
        plain, tracked_ = costs[False][-1], costs[True][-1]
        print(
            f"round {number}: plain {_seconds(plain)}  tracked {_seconds(tracked_)}  ratio {_ratios(plain, tracked_)}",
            flush=True,
        )
    plain, tracked_ = (_medians(costs[tracked]) for tracked in (False, True))
    print(f"medians: plain {_seconds(plain)}  tracked {_seconds(tracked_)}  ratio {_ratios(plain, tracked_)}")
    inside = [one.inside[0] for one in costs[True]]
    shares = sorted(one.inside[0] / (one.own_cpu_s - one.inside[0]) for one in costs[True])
    print(
        f"inside snakeprov, of the CPU time of the same process: {statistics.median(inside):.2f} s, ratio "
        f"{1 + statistics.median(shares):.4f} ({1 + shares[0]:.4f} to {1 + shares[-1]:.4f}); waited at the end: "
        f"{statistics.median(one.inside[1] for one in costs[True]):.2f} s"
    )


def _medians(costs: list[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*(one[:3] for one in costs), strict=True)), ())


def _seconds(cost: Cost) -> str:
    return " ".join(f"{one:6.2f}" for one in cost[:3])


def _ratios(plain: Cost, tracked: Cost) -> str:
    return " ".join(f"{two / one:.3f}" for one, two in zip(plain[:3], tracked[:3], strict=True))


if __name__ == "__main__":
    main()
