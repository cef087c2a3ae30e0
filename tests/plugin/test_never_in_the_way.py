"""Whatever Snakemake becomes, whatever lies beside the Snakefile, and whatever stands still: the workflow runs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snakemake_runs import WORKFLOWS, Outcome, environment, place, run

from snakeprov.plugin import hooks
from snakeprov.recorder import backlog
from snakeprov.recorder.entries import read

TRACK = "import snakeprov; snakeprov.track(workflow)\n"

WIDER = """
import functools, importlib, inspect
from snakeprov.plugin import hooks

def owners():
    for point in hooks.POINTS:
        owner = hooks._find_class(point)
        if owner is not None and hasattr(owner, point.method):
            yield owner, point.method

def wider(original, *, checks):
    def arguments(more):
        if checks:
            assert more.pop("later") == 1
        else:
            more["later"] = 1
        return more
    if inspect.iscoroutinefunction(original) and checks:
        @functools.wraps(original)
        async def method(*args, **more): return await original(*args, **arguments(more))
    else:
        @functools.wraps(original)
        def method(*args, **more): return original(*args, **arguments(more))
    return method

for owner, name in owners(): setattr(owner, name, wider(getattr(owner, name), checks=True))
import snakeprov; snakeprov.track(workflow)
for owner, name in owners(): setattr(owner, name, wider(getattr(owner, name), checks=False))
"""

COUNTING = """
import atexit, collections, hashlib, json, os, sys

calls = collections.Counter()

def counted(name, original):
    def call(*args, **more):
        frame = sys._getframe(1)
        if (frame.f_globals.get("__name__") or "").startswith("snakeprov."):
            calls[f"{name} {args[0]}" if name.endswith("stat") else f"{name} in {frame.f_globals['__name__']}"] += 1
        return original(*args, **more)
    return call

for module, name in ((os, "stat"), (os, "lstat"), (hashlib, "sha256"), (hashlib, "md5"), (hashlib, "new")):
    setattr(module, name, counted(name, getattr(module, name)))
atexit.register(lambda: json.dump(calls, open("calls.json", "w")))
import snakeprov; snakeprov.track(workflow)
"""
"""Counts the calls that snakeprov makes in Snakemake's process."""

WIDE = """
LARGE = "head -c 300000 /dev/urandom"
rule all:
    input: expand("wide/{i}", i=range(3)), "grown"
rule wide:
    input: [f"in/{i}" for i in range(10)]
    output: "wide/{i}"
    shell: "cat {input} > {output}"
rule scratch:
    output: temp("scratch")
    shell: f"{LARGE} > {{output}}"
rule grown:
    input: "scratch"
    output: update("grown")
    shell: "cat {input} >> {output}"
"""


def small(directory: Path, line: str = TRACK) -> Path:
    """Copy the small workflow to `directory`, with `line` at the top of its Snakefile."""
    place("small", directory)
    snakefile = directory / "Snakefile"
    snakefile.write_text(line + snakefile.read_text())
    return directory


def said(outcome: Outcome) -> str:
    """Return the only line of snakeprov."""
    (line,) = (line for line in outcome.stderr.splitlines() if "snakeprov: " in line)
    return line


def test_methods_that_take_a_further_argument_are_given_it(tmp_path: Path) -> None:
    """Each wrapped method gets a keyword that no Snakemake has yet: it arrives, and every job is recorded."""
    outcome = run(small(tmp_path, WIDER))
    assert outcome.status == 0, outcome.stderr
    assert outcome.counts() == {"first": 1, "last": 1, "all": 1}
    assert "missing" not in outcome.run


@pytest.mark.parametrize(
    "point", [point for point in hooks.POINTS if point.watch is not None], ids=lambda one: one.method
)
def test_a_wrapper_returns_what_the_method_returns_whatever_watching_comes_to(point: hooks.Point) -> None:
    """Objects of a kind that nobody knows are handed on untouched, and what the method raises comes through."""

    class Strange:
        def method(self, *args: object, **kwargs: object) -> tuple[Any, ...]:
            if "fails" in kwargs:
                raise KeyError("the method's own")
            return (self, args, kwargs)

    watched = hooks._watched(Strange.method, point)
    strange = Strange()
    assert watched(strange, 1, "a", later=2) == (strange, (1, "a"), {"later": 2})
    with pytest.raises(KeyError, match="the method's own"):
        watched(strange, 1, fails=True)


def test_a_wrapper_around_a_coroutine_watches_it_once_it_has_succeeded() -> None:
    """What the cache hands out is told of after the copy, not before it."""
    happened = []

    async def fetch(self: object, job: object) -> str:
        happened.append("fetched")
        return "done"

    point = hooks.Point((), "C", "fetch", "something", lambda *_: happened.append("told"), is_afterwards=True)
    assert asyncio.run(hooks._watched(fetch, point)(object(), object())) == "done"
    assert happened == ["fetched", "told"]


UNRECORDED = "nothing of this run is recorded|ot recorded|not be recorded"

ESSENTIAL = {"attempt", "flags", "is_storage", "name", "output", "restart_times", "rule"}
"""Attributes without which the outputs of a job are not known, or its status, or the job itself."""

NEEDED_BY_THE_RUN = {"envvars", "is_main_process", "rules", "workflow"}
"""Attributes without which nothing is recorded: what the run is, or which values are secret, is not known."""

TRYING = """
rule tried:
    output: "tried.txt"
    log: "tried.log"
    benchmark: "tried.tsv"
    params: number=1
    retries: 1
    shell: "test -e tried || {{ touch tried; exit 1; }}; touch {output}"
"""


def test_an_attribute_that_snakemake_no_longer_has_costs_a_gap_not_the_run(tmp_path: Path) -> None:
    """For each attribute that the plugin reads: without it the workflow succeeds, and the records say what is missing.

    What differs from the records of other runs is never left unsaid, and few attributes cost more than themselves.
    """
    snakefile = small(tmp_path) / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace('"last.txt",', '"last.txt", "tried.txt",', 1) + TRYING)
    done = subprocess.run(
        [sys.executable, str(WORKFLOWS / "hiding.py")],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) > 40, "the attributes that are read are found"
    for one in answers:
        assert (one["status"], one["isMade"], len(one["said"])) == (0, True, 1), one
        assert not one["differs"] or one["missing"] or re.search(UNRECORDED, one["said"][0]), one
    assert {one["attribute"] for one in answers if one["lost"]} == ESSENTIAL | NEEDED_BY_THE_RUN


@pytest.mark.parametrize("body", ["x = 1\n", "raise RuntimeError('a script')\n", "import sys; sys.exit(3)\n"])
def test_a_module_of_the_users_that_hides_a_library_costs_the_records_and_one_line(tmp_path: Path, body: str) -> None:
    """A helper `msgspec.py` beside the Snakefile is not touched: the last line names it, and the workflow succeeds."""
    directory = small(tmp_path)
    (directory / "msgspec.py").write_text(body)
    outcome = run(directory, recorder="real")
    assert outcome.status == 0, outcome.stderr
    assert (directory / "last.txt").exists()
    assert "nothing of this run is recorded; the workflow is not affected." in said(outcome)
    if body == "x = 1\n":
        assert f"{directory / 'msgspec.py'} has the name of a library that snakeprov needs" in said(outcome)
    assert outcome.stderr.index("snakeprov: ") > outcome.stderr.index("3 of 3 steps")


@pytest.fixture
def silent(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that accepts connections and never answers, or, with "drips", never comes to an end."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []
    is_over = threading.Event()

    def drip(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            while not is_over.wait(0.2):
                connection.sendall(b" ")
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            kept.append(connection)
            if request.param == "drips":
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    is_over.set()
    listener.close()
    for connection in kept:
        connection.close()


@pytest.mark.parametrize("silent", ["never answers", "drips"], indirect=True)
def test_a_server_that_stands_still_costs_the_workflow_its_patience_only(tmp_path: Path, silent: str) -> None:
    """The end of the run waits `wait_max_s`, says that the records wait, and returns; nothing is lost."""
    directory = small(tmp_path)
    began_s = time.monotonic()
    variables = {"SNAKEPROV_STORE": silent, "SNAKEPROV_TOKEN": "t", "SNAKEPROV_WAIT_MAX_S": "2"}
    outcome = run(directory, recorder="real", variables=variables)
    took_s = time.monotonic() - began_s
    (log,) = backlog.files(backlog.outbox_folder(directory))
    content = read(log)
    for owner in content.owners:  # it goes on in the background, for minutes
        if owner.process_id != os.getpid():
            os.kill(owner.process_id, signal.SIGKILL)
    assert outcome.status == 0, outcome.stderr
    assert "3 job records could not be delivered and wait; later: snakeprov push." in said(outcome)
    assert "made no progress for 2 s (setting wait_max_s); it goes on in the background." in said(outcome)
    assert len(content.pending) >= 3
    assert took_s < 90, "it does not wait for the server's time limits, which are minutes"


def test_the_last_line_goes_through_a_plugin_that_owns_the_terminal(tmp_path: Path) -> None:
    """Where a logger plugin prints instead of Snakemake, it is given the line: nothing is printed beside it."""
    pytest.importorskip("snakemake_interface_logger_plugins")
    package = tmp_path / "lib" / "snakemake_logger_plugin_owner"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from snakemake_interface_logger_plugins.base import LogHandlerBase\n"
        "class LogHandler(LogHandlerBase):\n"
        "    def __post_init__(self): pass\n"
        "    def emit(self, record):\n"
        "        with open('screen', 'a') as screen: screen.write(record.getMessage() + '\\n')\n"
        "    writes_to_stream = property(lambda self: True)\n"
        "    writes_to_file = property(lambda self: False)\n"
        "    has_filter = has_formatter = property(lambda self: True)\n"
        "    needs_rulegraph = property(lambda self: False)\n"
    )
    work = tmp_path / "work"
    outcome = run(small(work), "--logger", "owner", recorder="real", variables={"PYTHONPATH": str(tmp_path / "lib")})
    assert outcome.status == 0, outcome.stderr
    assert "snakeprov: " not in outcome.stderr
    assert "snakeprov: recorded 3 jobs" in (work / "screen").read_text()


def test_the_unit_tests_that_snakemake_generates_find_nothing_of_ours(tmp_path: Path) -> None:
    """The jobs of a generated test are not recorded: up to Snakemake 9.0 any further file fails such a test."""
    directory = small(tmp_path)
    assert run(directory, "--notemp", recorder="real").status == 0
    made = run(directory, "--generate-unit-tests", recorder="real")
    assert made.status == 0, made.stderr
    tests = directory / ".tests" / "unit"
    assert tests.is_dir()
    assert not [path for path in tests.rglob("*") if ".snakeprov" in path.name]
    flags = ("--target-files-omit-workdir-adjustment", "--forceall")
    (directory / ".snakeprov").rename(directory / "kept")
    outcome = run(directory, *flags, recorder="real", variables={"PYTEST_CURRENT_TEST": "test_first.py"})
    assert outcome.status == 0, outcome.stderr
    assert not (directory / ".snakeprov").exists()
    assert "snakeprov" not in outcome.stderr


def test_each_input_is_looked_at_once_at_the_start_and_once_at_the_end(tmp_path: Path) -> None:
    """Snakemake waits for two looks at an input and two at an output of a job, and for no digest, however large."""
    (tmp_path / "in").mkdir()
    for number in range(10):
        (tmp_path / "in" / str(number)).write_text(f"{number}\n")
    (tmp_path / "grown").write_bytes(b"x" * 300_000)
    (tmp_path / "Snakefile").write_text(COUNTING + WIDE)
    outcome = run(tmp_path, "--scheduler", "greedy", "--forceall", recorder="real")
    assert outcome.status == 0, outcome.stderr
    assert "snakeprov: recorded 6 jobs" in outcome.stderr
    calls = json.loads((tmp_path / "calls.json").read_text())
    looks = {
        kind: {name: count for name, count in calls.items() if name.split(" ")[0] == kind} for kind in ("stat", "lstat")
    }
    for number in range(10):
        assert looks["stat"].pop(f"stat in/{number}") == looks["lstat"].pop(f"lstat in/{number}") == 3, "of three jobs"
    print(json.dumps(calls, indent=1))
    assert not [call for call in calls if " in snakeprov." in call]
