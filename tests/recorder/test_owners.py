"""An outbox whose file system has no locks, or whose locks prove nothing: a live one is never taken for dead."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from snakeprov.recorder import backlog, channel, process
from snakeprov.recorder.channel import Begin
from snakeprov.recorder.entries import Kind, frame
from snakeprov.recorder.outbox import Log, Outbox, is_live, unlocked_owner
from snakeprov.recorder.owners import Owner, is_alive, owner
from snakeprov.settings import Settings

NO_LOCKS = """
#include <errno.h>
int flock(int fd, int operation) { errno = ENOLCK; return -1; }
"""

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)
rule all:
    input: expand("{number}.txt", number=range(4))
rule one:
    output: "{number}.txt"
    shell: "sleep 0.4; echo {wildcards.number} > {output}"
"""


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that answers each question for a lock as some do that have none."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)


def ended() -> int:
    """Return the number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_a_process_is_known_by_more_than_its_number() -> None:
    """One that began at another time, or before the last boot, is dead; of one on another machine nobody knows."""
    own = owner()
    assert is_alive(own) is True
    assert own.began is not None
    assert is_alive(msgspec.structs.replace(own, began=own.began - 1)) is False
    assert is_alive(msgspec.structs.replace(own, boot="another " + own.boot.partition(" ")[2])) is False
    assert is_alive(msgspec.structs.replace(own, boot=own.boot.partition(" ")[0] + " pid:[1]")) is None, "a container"
    assert is_alive(msgspec.structs.replace(own, host="elsewhere")) is None
    assert is_alive(Owner(own.host, ended(), own.boot)) is False
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    of_killed = owner(killed.pid)
    assert is_alive(of_killed) is True
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    assert is_alive(of_killed) is False, "nobody has asked for its status yet"
    killed.communicate()


@pytest.mark.usefixtures("no_locks")
def test_without_locks_the_outbox_of_a_live_process_is_left_alone(tmp_path: Path) -> None:
    """While its writer lives nobody takes it; once it has let go of it anybody may."""
    log = Log.create(tmp_path, "run", store=".", first=b"{}")
    assert Outbox.recover(log.path) is None
    assert is_live(log.path)
    log.close()
    assert not is_live(log.path)
    assert Outbox.recover(log.path) is not None
    assert log.path.exists()


@pytest.mark.usefixtures("no_locks")
def test_without_locks_it_is_left_alone_while_the_delivering_process_lives(tmp_path: Path) -> None:
    """Snakemake may have ended long ago: the process that delivers its records is named in the outbox too."""
    beside = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        log = Log.create(tmp_path, "run", store=".", first=b"{}")
        log.share(beside.pid)
        log.close()
        assert Outbox.recover(log.path) is None
    finally:
        beside.communicate(b"\n")
    assert Outbox.recover(log.path) is not None


@pytest.mark.usefixtures("no_locks")
def test_without_locks_what_another_machine_may_write_waits_for_a_word(tmp_path: Path) -> None:
    """Nobody can tell here whether it lives: it is left alone, unless somebody says that it has ended."""
    log = Log.create(tmp_path, "run", store=".", first=b"{}")
    log.append(Kind.OWNER, msgspec.json.encode(Owner("node7", 4711)))
    log.close()
    assert Outbox.recover(log.path) is None
    named = unlocked_owner(log.path)
    assert named is not None and (named.host, named.process_id) == ("node7", 4711)
    assert Outbox.recover(log.path, even_uncertain=True) is not None


def test_a_lock_that_was_given_does_not_prove_that_the_owner_is_dead(tmp_path: Path) -> None:
    """Some file systems keep locks of each open file apart: an owner that lives on this machine counts for more."""
    log = Log.create(tmp_path, "run", store=".", first=b"{}")
    os.close(log.descriptor)
    log.descriptor = -1
    assert Outbox.recover(log.path) is None
    with log.path.open("ab") as file:
        file.write(frame(Kind.RELEASED, msgspec.json.encode(owner())))
    assert Outbox.recover(log.path) is not None


def test_runs_side_by_side_without_locks_record_every_job_once(tmp_path: Path) -> None:
    """Two runs overlap in one working directory whose file system has no locks, and a third one follows."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to take the locks away with")
    library = tmp_path / "no_locks.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=NO_LOCKS.encode(), check=True)
    work = tmp_path / "work"
    work.mkdir()
    (work / "Snakefile").write_text(SNAKEFILE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_"))}
    environment = {**kept, "LD_PRELOAD": str(library), "XDG_CONFIG_HOME": str(tmp_path / "none")}

    def snakemake(*targets: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nolock", "--force", *targets]
        return subprocess.Popen(command, cwd=work, env=environment, stderr=subprocess.PIPE, text=True)

    running = [snakemake("0.txt", "1.txt"), snakemake("2.txt", "3.txt")]
    said = [process.communicate(timeout=180)[1] for process in running]
    last = snakemake("0.txt")
    said.append(last.communicate(timeout=180)[1])
    assert [process.returncode for process in (*running, last)] == [0, 0, 0], said
    for stderr, jobs in zip(said, ("2 jobs", "2 jobs", "1 job"), strict=True):
        (line,) = (line for line in stderr.splitlines() if "snakeprov: " in line)
        assert f"recorded {jobs}:" in line
        assert "Problem" not in line and "earlier runs" not in line and "again" not in line, line
    assert backlog.files(backlog.outbox_folder(work)) == []
    asked = subprocess.run(
        [sys.executable, "-c", "from snakeprov.cli import main; main()", "runs", "--json"],
        cwd=work,
        env=kept,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(asked.stdout)) == 3


def test_the_delivering_process_listens_at_descriptors_of_any_number() -> None:
    """A process that inherited more than a thousand open files hears what is said all the same."""
    ours, theirs = channel.pair()
    high = os.dup2(theirs.fileno(), 1500)
    theirs.close()
    inbox = process.Inbox(socket.socket(fileno=high))
    channel.send(ours, Begin(Settings(), "/work", 1))
    assert inbox.wait_for_begin().working_directory == "/work"
    ours.close()
    assert inbox.wait(10)
    assert inbox.failure is None


def test_a_listener_that_fails_ends_the_waiting_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no message of ours ends the connection: nobody waits for more, and the failure is known."""
    ours, theirs = channel.pair()
    inbox = process.Inbox(theirs)
    ours.sendall(b"\x03\x00\x00\x00[1]")
    assert inbox.wait(10)
    assert inbox.failure is not None
    with pytest.raises(EOFError):
        inbox.wait_for_begin()
    assert threading.active_count() >= 1
    ours.close()
