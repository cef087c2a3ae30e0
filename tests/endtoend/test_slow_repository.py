"""A store that is slow to answer: the workflow does not notice, and its end waits, or need not."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snakeprov.apps.connect import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.recorder import backlog
from snakeprov.server import create_app
from tests.endtoend.conftest import Work
from tests.recorder.faults import wait_for
from tests.recorder.outages import Repository

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: expand("out/{n}.txt", n=range(8))

rule one:
    input: "in.txt"
    output: "out/{n}.txt"
    shell: "echo {wildcards.n} > {output}"
"""

DELAY_S = 0.2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Repository]:
    """A store that answers nothing until its gate is opened, and slowly then."""
    with connect(tmp_path / "team", create=True):
        pass
    store, blobs = open_database(tmp_path / "team"), LocalBlobs(tmp_path / "team" / "blobs", journal_mode="wal")
    with Repository() as made:
        made.set_app(create_app(store, blobs, identify=lambda request: "ada"))
        made.gate.clear()
        made.delay_s = DELAY_S
        yield made
        made.gate.set()
        made.shutdown()
    blobs.close()
    store.close()


@pytest.fixture
def work(make_work: Callable[..., Work], server: Repository, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Eight quick jobs that are delivered to it."""
    made = make_work(SNAKEFILE)
    made.write("in.txt", "input\n")
    monkeypatch.setenv("SNAKEPROV_STORE", server.url)
    return made


class Terminal:
    """Snakemake with a terminal for its standard error, and what is to be read there."""

    def __init__(self, work: Work, server: Repository) -> None:
        self._end, other = pty.openpty()
        environment = work.environment(SNAKEPROV_STORE=server.url)
        self.process = subprocess.Popen(work.command(), cwd=work.folder, env=environment, stderr=other)
        os.close(other)
        self._said = b""

    def shows(self, text: str) -> str:
        """Wait until a text is there, or the end has come; return all that has been there."""
        while text.encode() not in self._said:
            try:
                piece = os.read(self._end, 65536)
            except OSError:  # all ends of it are closed on the other side
                piece = b""
            if not piece:
                break
            self._said += piece
        return self._said.decode()

    def rest(self) -> str:
        """Wait for the end; return all that has been there."""
        said = self.shows("\0")
        os.close(self._end)
        assert self.process.wait() == 0, said
        return said


def everything_is_there_once(work: Work) -> None:
    (run,) = work.ask("runs")
    assert (run["status"], run["jobs"]) == ("success", {"success": 9})
    assert [len(work.ask("log", f"out/{n}.txt")["versions"]) for n in range(8)] == [1] * 8
    assert work.ask("push")["delivered"] == 0
    assert backlog.files(backlog.outbox_folder(work.folder)) == []


def test_all_jobs_run_before_anything_is_answered_and_the_end_waits_aloud(work: Work, server: Repository) -> None:
    """No job waits for the store; when it answers, slowly, everything is delivered, and the terminal says so."""
    terminal = Terminal(work, server)
    said = terminal.shows("snakeprov: recording, 9 jobs to go")
    assert "9 of 9 steps (100%) done" in said
    assert all((work.folder / f"out/{n}.txt").exists() for n in range(8))
    assert terminal.process.poll() is None
    assert server.requests == 1
    server.gate.set()
    assert "snakeprov: recorded 9 jobs: 8 new versions" in terminal.rest()

    server.delay_s = 0.0
    everything_is_there_once(work)


def test_who_does_not_wait_finds_everything_there_once_later(work: Work, server: Repository) -> None:
    """Ctrl-C at the end leaves the records in the outbox; what was asked by then is carried out all the same."""
    terminal = Terminal(work, server)
    assert "recording, 9 jobs to go" in terminal.shows("snakeprov: recording, 9 jobs to go")
    terminal.process.send_signal(signal.SIGINT)
    said = terminal.rest()
    assert "9 job records could not be delivered and wait; later: snakeprov push." in said
    assert "The delivery was interrupted." in said

    server.gate.set()
    server.delay_s = 0.0
    wait_for(lambda: work.ask("push")["delivered"] == 9)
    everything_is_there_once(work)
