"""How much longer does a workflow take when it is tracked?

Runs a workflow of trivial shell jobs plain and tracked in alternation, and prints the median ratio of wall time and
of CPU time of the whole process, recording finished at its exit.

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

SNAKEFILE = """{track}
rule all:
    input: expand("out/{{n}}.txt", n=range({jobs}))

rule one:
    input: "in.txt"
    output: "out/{{n}}.txt"
    shell: "echo {{wildcards.n}} > {{output}}"
"""

TRACK = "import snakeprov; snakeprov.track(workflow)"


def run_once(jobs: int, *, tracked: bool) -> tuple[float, float]:
    """Run the workflow in a fresh folder; return wall and CPU seconds of the process and its children."""
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        work = Path(folder)
        (work / "in.txt").write_text("input\n")
        (work / "Snakefile").write_text(SNAKEFILE.format(track=TRACK if tracked else "", jobs=jobs))
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy", "--quiet", "all"]
        before = os.times()
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        after = os.times()
        if done.returncode:
            raise SystemExit(done.stderr)
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return after.elapsed - before.elapsed, cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    ratios: list[tuple[float, float]] = []
    print(f"{arguments.jobs} trivial shell jobs, --cores 2 --scheduler greedy; seconds of wall (CPU) time")
    for number in range(1, arguments.rounds + 1):
        # Whichever comes first in a round has the colder caches: take turns.
        order = (False, True) if number % 2 else (True, False)
        found = {tracked: run_once(arguments.jobs, tracked=tracked) for tracked in order}
        ratios.append((found[True][0] / found[False][0], found[True][1] / found[False][1]))
        print(
            f"round {number}: plain {found[False][0]:6.2f} ({found[False][1]:6.2f})"
            f"  tracked {found[True][0]:6.2f} ({found[True][1]:6.2f})"
            f"  ratio {ratios[-1][0]:.3f} ({ratios[-1][1]:.3f})",
            flush=True,
        )
    wall, cpu = (statistics.median(ratio) for ratio in zip(*ratios, strict=True))
    print(f"median ratio tracked/plain: wall {wall:.3f}, CPU {cpu:.3f}")


if __name__ == "__main__":
    main()
