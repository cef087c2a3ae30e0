"""How much longer does a workflow take when it is tracked?

Runs a workflow of trivial shell jobs plain and tracked, recording finished at its exit, and prints the ratios: time on
the clock; CPU time of everything, the delivering process included; CPU time of Snakemake's own process alone, which is
what a machine with an idle core notices.

On a machine that others use too, two runs of the same one after the other differ by far more than recording costs. So
the runs of a round go on in turns, each stopped for fractions of a second while another works, and what others do
meets all alike; `--control` runs two plain ones, to see what is left of it. A third run of each round is metered: it
is asked what of its own CPU time was spent in snakeprov, all its imports included, which costs a little itself.

A timer runs on while its process is stopped. Snakemake's process ends up to a second after its last job, by a timer of
its own, and waiting for the last records falls into that second: so the last turn of a run lasts to its end. The
delivering process looks every second what was appended: so it is made to wait that much longer as there are runs.

    python tests/benchmarks/overhead.py [--jobs 1000] [--cores 2] [--rounds 5] [--control]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

TURN_S = 0.25

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

LINGER = """
import sys
if "snakeprov.delivering" in sys.orig_argv:
    from snakeprov.recorder import process
    process.LINGER_S *= {runs}
"""
"""What Python runs first in each process of a run."""


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


class Run:
    """The workflow in a fresh folder: stopped, but for the turns that it is given."""

    def __init__(self, jobs: int, kind: str, *, cores: int, runs: int) -> None:
        self.cost: Cost | None = None
        self._wall_s = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="overhead-")
        self._work = Path(self._folder.name)
        self._jobs = jobs
        track, setup = SETUPS[kind]
        (self._work / "in.txt").write_text("input\n")
        (self._work / "Snakefile").write_text(SNAKEFILE.format(track=track, jobs=jobs))
        site = self._work / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(LINGER.format(runs=runs))
        command = [sys.executable, "-c", RUN + setup + MAIN, "--cores", str(cores)]
        command += ["--scheduler", "greedy", "--quiet", "all"]
        began = time.perf_counter()
        with (self._work / "log").open("w") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._work,
                env={**os.environ, "PYTHONPATH": str(site)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid = self._process.pid
        self._end = os.pidfd_open(self._pid)
        self._groups = [self._pid]
        self._stop(began)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self.cost is None:
            self._signal(signal.SIGKILL)
        os.close(self._end)
        self._folder.cleanup()

    def go_on(self) -> None:
        """Let it work for a turn, or to its end if it has only that before it."""
        out = self._work / "out"
        is_last = out.exists() and sum(1 for _ in out.iterdir()) == self._jobs
        began = time.perf_counter()
        self._signal(signal.SIGCONT)
        has_ended, _, _ = select.select([self._end], [], [], None if is_last else TURN_S)
        if has_ended:
            self._wall_s += time.perf_counter() - began
            self._take_cost()
        else:
            self._stop(began)

    def _stop(self, began: float) -> None:
        """Stop Snakemake with its jobs, and then the delivering process, a child that is a group of its own."""
        os.killpg(self._pid, signal.SIGSTOP)
        self._wall_s += time.perf_counter() - began
        self._groups = [self._pid]
        for children in Path(f"/proc/{self._pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # a thread or a child that has just ended
                self._groups += {os.getpgid(int(child)) for child in children.read_text().split()} - {self._pid}
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)

    def _take_cost(self) -> None:
        _, status, used = os.wait4(self._pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise SystemExit((self._work / "log").read_text())
        own_cpu_s, *inside = map(float, (self._work / "spent").read_text().split())
        self.cost = Cost(self._wall_s, used.ru_utime + used.ru_stime, own_cpu_s, tuple(inside))


def run_in_turns(jobs: int, kinds: list[str], *, cores: int) -> list[Cost]:
    """Run the workflow once in each of these ways, a turn each until all have ended; return what they took."""
    with contextlib.ExitStack() as stack:
        runs = [stack.enter_context(Run(jobs, kind, cores=cores, runs=len(kinds))) for kind in kinds]
        while going_on := [run for run in runs if run.cost is None]:
            for run in going_on:
                run.go_on()
        return [run.cost for run in runs if run.cost is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--control", action="store_true")
    arguments = parser.parse_args()
    kinds = ["plain", "plain"] if arguments.control else list(SETUPS)
    print(
        f"{arguments.jobs} trivial shell jobs, --cores {arguments.cores} --scheduler greedy; "
        "seconds: wall, CPU, Snakemake's own CPU"
    )
    rounds: list[list[Cost]] = []
    for number in range(1, arguments.rounds + 1):
        # Whichever is first has the colder caches: change places.
        order = 1 if number % 2 else -1
        rounds.append(run_in_turns(arguments.jobs, kinds[::order], cores=arguments.cores)[::order])
        plain, other, *_ = rounds[-1]
        ratios = " ".join(f"{ratio:.3f}" for ratio in _ratios(plain, other))
        print(f"round {number}: plain {_seconds(plain)}  {kinds[1]} {_seconds(other)}  ratio {ratios}", flush=True)
    for what, values in zip(WHAT, zip(*(_ratios(*one[:2]) for one in rounds), strict=True), strict=True):
        print(f"ratio of {what}: {_spread(values)}")
    if not arguments.control:
        costs = [metered for _, _, metered in rounds]
        shares = _spread(1 + cost.inside[0] / (cost.own_cpu_s - cost.inside[0]) for cost in costs)
        inside_s, waited_s = (statistics.median(cost.inside[number] for cost in costs) for number in (0, 1))
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
