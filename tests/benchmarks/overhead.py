"""How much longer does a workflow take when it is tracked?

Runs a workflow of trivial shell jobs plain and tracked in alternation, recording finished at its exit, and prints
medians and their ratios: time on the clock; CPU time of everything, the delivering process included; CPU time of
Snakemake's own process alone, which is what a machine with an idle core notices, and the least disturbed by others.

    python tests/benchmarks/overhead.py [--jobs 1000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
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
    open("cpu", "w").write(str(used.ru_utime + used.ru_stime))
atexit.register(tell)
from snakemake.cli import main
main()
"""


class Cost(NamedTuple):
    """Seconds that one run took."""

    wall_s: float
    cpu_s: float
    own_cpu_s: float


def run_once(jobs: int, *, tracked: bool) -> Cost:
    """Run the workflow in a fresh folder."""
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        work = Path(folder)
        (work / "in.txt").write_text("input\n")
        (work / "Snakefile").write_text(SNAKEFILE.format(track=TRACK if tracked else "", jobs=jobs))
        command = [sys.executable, "-c", RUN, "--cores", "2", "--scheduler", "greedy", "--quiet", "all"]
        before = os.times()
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        after = os.times()
        if done.returncode:
            raise SystemExit(done.stderr)
        own_cpu_s = float((work / "cpu").read_text())
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(after.elapsed - before.elapsed, cpu_s, own_cpu_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    costs: dict[bool, list[Cost]] = {False: [], True: []}
    print(f"{arguments.jobs} trivial shell jobs, --cores 2 --scheduler greedy; seconds: wall, CPU, Snakemake's own CPU")
    for number in range(1, arguments.rounds + 1):
        # Whichever comes first in a round has the colder caches: take turns.
        for tracked in (False, True) if number % 2 else (True, False):
            costs[tracked].append(run_once(arguments.jobs, tracked=tracked))
        plain, tracked_ = costs[False][-1], costs[True][-1]
        print(
            f"round {number}: plain {_seconds(plain)}  tracked {_seconds(tracked_)}  ratio {_ratios(plain, tracked_)}",
            flush=True,
        )
    plain, tracked_ = (Cost(*map(statistics.median, zip(*costs[tracked], strict=True))) for tracked in (False, True))
    print(f"medians: plain {_seconds(plain)}  tracked {_seconds(tracked_)}  ratio {_ratios(plain, tracked_)}")
    own_ms = (tracked_.own_cpu_s - plain.own_cpu_s) / arguments.jobs * 1000
    print(f"added to Snakemake's own process: {own_ms:.2f} ms a job, what is done once included")


def _seconds(cost: Cost) -> str:
    return " ".join(f"{one:6.2f}" for one in cost)


def _ratios(plain: Cost, tracked: Cost) -> str:
    return " ".join(f"{two / one:.3f}" for one, two in zip(plain, tracked, strict=True))


if __name__ == "__main__":
    main()
