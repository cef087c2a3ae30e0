"""The recorder and its delivering process, both real: what reaches the store, and what is said when it fails."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from snakeprov.apps.connect import connect
from snakeprov.apps.target import target_of
from snakeprov.disk.files import digest_file
from snakeprov.model.held import HeldFile, Hold, output_key
from snakeprov.model.records import FileFact, Fingerprint, JobRecord
from snakeprov.plugin import recording
from snakeprov.plugin.holding import Holding
from snakeprov.plugin.recording import open_recorder
from snakeprov.recorder import backlog, channel, process, progress
from snakeprov.recorder import recorder as recorder_module
from snakeprov.recorder.channel import Begin, Receiver, Take
from snakeprov.recorder.heldfiles import OpenFile
from snakeprov.recorder.process import Inbox
from snakeprov.recorder.recorder import Recorder
from snakeprov.settings import Settings

from . import faults

NO_SUCH_PROGRAM = "snakeprov.no_such_program"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory in which the jobs have run."""
    faults.make_files(tmp_path)
    return tmp_path


def add_temporary(job: JobRecord, work: Path, recorder: recording.Recorder, *, sizes: Sequence[int]) -> None:
    """Let `job` make temporary files of these sizes that are gone when this returns, as Snakemake's process does."""
    holding = Holding(job.id, recorder.hold)
    places = []
    for size_bytes in sizes:
        number = len(job.outputs)
        place = work / f"{job.id}-{number}.tmp"
        place.write_bytes(b"%d" % number * size_bytes)
        fact = FileFact(path=place.name, flags=["temp"], fingerprint=faults.fingerprint(str(place)))
        assert fact.fingerprint is not None
        holding.file(output_key(number), str(place), fact.fingerprint, vanishes=True)
        job.outputs.append(fact)
        places.append(place)
    holding.send()
    for place in places:
        place.unlink()
    for number, fact in enumerate(job.outputs):
        job.outputs[number] = msgspec.structs.replace(fact, digest=holding.digests.get(output_key(number)))
    assert not holding.lost


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


def test_what_is_appended_is_delivered_beside_and_vanished_files_have_their_digest(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several logs; nothing is left in the outbox; a SIGTERM that all processes of a batch job get is outlived."""
    monkeypatch.setattr(recorder_module, "LOG_SIZE_MAX", 1000)
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    recorder = open_recorder(Settings(), work)
    recorder.start(faults.run_record(work, status="running"))
    assert isinstance(recorder, Recorder) and recorder._process is not None
    jobs = faults.records(work)
    for job in jobs:
        add_temporary(job, work, recorder, sizes=[job is jobs[0] or 100_000])
        recorder.append(job)
    with connect_when_there(work) as client:
        recorder._process._process.send_signal(signal.SIGTERM)
        summary = recorder.finish(faults.run_record(work))

        assert summary.line().startswith("snakeprov: recorded 3 jobs: 7 new versions (run aaaaaaaa")
        assert (summary.shortfall, summary.problems) == (0, [])
        assert faults.holdings(client) == {"entities": 9, "versions": 9, "activities": 3, "jobs": 3, "runs": 1}
        (run,) = client.runs.list().results
        assert run.status == "success"
    assert list(backlog.outbox_folder(work).iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == open_before  # noqa: PTH208


def test_all_logs_of_a_run_are_taken_over_from_a_process_that_died(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; a file that only the dead one had hold of is told as unread, and that makes a strict run fail."""
    monkeypatch.setattr(recorder_module, "LOG_SIZE_MAX", 1000)
    recorder = open_recorder(Settings(), work)
    recorder.start(faults.run_record(work, status="running"))
    assert isinstance(recorder, Recorder) and recorder._process is not None
    recorder._process._process.kill()
    recorder._process._process.wait()
    jobs = faults.records(work)
    jobs[0].outputs.append(FileFact(path="gone.tmp", fingerprint=Fingerprint(0, 0, 1, 0, 0)))
    for job in jobs:
        recorder.append(job)
    assert len(backlog.files(backlog.outbox_folder(work))) > 1
    summary = recorder.finish(faults.run_record(work))

    assert summary.line().startswith(
        "snakeprov: recorded 3 jobs, 1 file not recorded in full: gone.tmp (gone before it was digested) (run aaaaaaaa"
    )
    assert "had to be started again (killed by SIGKILL)." in summary.line()
    assert (summary.pending, summary.problems, summary.shortfall) == (0, [], 1)
    with connect(work / ".snakeprov") as client:
        (run,) = client.runs.list().results
        assert (run.status, run.jobs) == ("success", {"success": 3})
    assert backlog.files(backlog.outbox_folder(work)) == []


def test_what_another_store_waits_for_is_left_to_it(work: Path) -> None:
    """The setting `store` was changed after a run that could not deliver: the next run says so, and `push` delivers."""
    recorder = Recorder(Settings(), work, program=NO_SUCH_PROGRAM)
    recorder.start(faults.run_record(work, status="running"))
    for job in faults.records(work):
        recorder.append(job)
    recorder.finish(faults.run_record(work))

    changed = open_recorder(Settings(store="other"), work)
    changed.start(faults.run_record(work, id="b" * 32, status="running"))
    changed.append(msgspec.structs.replace(faults.records(work)[0], id="c" * 32, run_id="b" * 32))
    summary = changed.finish(faults.run_record(work, id="b" * 32))

    assert (summary.tally.jobs, summary.recovered, summary.shortfall) == (1, 0, 0)
    waiting = f"3 job records wait for {work / '.snakeprov'}; deliver them with: snakeprov push --store STORE."
    assert waiting in summary.line()
    with connect(work / "other") as client:
        assert faults.holdings(client)["jobs"] == 1
    assert faults.push_all(work, lambda: connect(work / ".snakeprov", create=True)) == 3


def connect_when_there(work: Path) -> faults.Client:
    """Wait until the delivering process has made the store; return a client of it."""
    faults.wait_for(lambda: (work / ".snakeprov" / "provenance.sqlite").exists())
    return connect(work / ".snakeprov", create=True)


def test_a_process_that_cannot_be_started_leaves_the_records_and_says_why(work: Path) -> None:
    """The last line has what Python said."""
    recorder = Recorder(Settings(), work, program=NO_SUCH_PROGRAM)
    recorder.start(faults.run_record(work, status="running"))
    for job in faults.records(work):
        recorder.append(job)
    summary = recorder.finish(faults.run_record(work))

    assert (summary.pending, summary.lost) == (3, 0)
    (problem,) = summary.problems
    assert problem.startswith("The process that delivers ended before it was done (exit status 1: ")
    assert f"No module named {NO_SUCH_PROGRAM}" in problem
    assert faults.push_all(work, lambda: connect(work / ".snakeprov", create=True)) == 3


def test_records_that_a_full_disk_does_not_take_are_appended_when_it_does(work: Path) -> None:
    """In their order, and nothing is said in the end."""
    recorder = Recorder(Settings(), work, program=NO_SUCH_PROGRAM)
    recorder.start(faults.run_record(work, status="running"))
    first, second, third = faults.records(work)
    with full_disk(300):
        recorder.append(first)
        recorder.append(second)
        assert backlog.count(backlog.outbox_folder(work)).pending == 0
    recorder.append(third)
    summary = recorder.finish(faults.run_record(work))

    assert (summary.pending, summary.lost) == (3, 0)
    assert "cannot be written" not in " ".join(summary.problems)


@pytest.mark.parametrize(("limit", "value"), [("UNWRITTEN_MAX", 2), ("UNWRITTEN_BYTES_MAX", 1000)])
def test_records_that_a_disk_full_to_the_end_does_not_take_are_lost_aloud(
    work: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """As are those that no longer fit into memory, by their number or their size."""
    monkeypatch.setattr(recorder_module, limit, value)
    recorder = Recorder(Settings(), work, program=NO_SUCH_PROGRAM)
    recorder.start(faults.run_record(work, status="running"))
    with full_disk(300):
        for job in faults.records(work):
            recorder.append(job)
        assert len(recorder._unwritten) < faults.JOBS
        summary = recorder.finish(faults.run_record(work))

    assert (summary.pending, summary.lost) == (0, 3)
    assert "3 job records lost" in summary.line()
    assert "cannot be written (" in summary.line()


def test_files_about_to_vanish_that_nobody_takes_are_digested_at_once(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the delivering process stands still: small ones, large ones, and more than Snakemake may have open."""
    monkeypatch.setattr(channel, "BUFFER_SIZE", 8192)
    recorder = open_recorder(Settings(), work)
    recorder.start(faults.run_record(work, status="running"))
    assert isinstance(recorder, Recorder) and recorder._process is not None
    recorder._process._process.send_signal(signal.SIGSTOP)
    job = faults.records(work)[0]
    add_temporary(job, work, recorder, sizes=[1000, 100_000] * 150)
    digested_here = sum(fact.digest is not None for fact in job.outputs)
    recorder.append(job)
    recorder._process._process.send_signal(signal.SIGCONT)
    summary = recorder.finish(faults.run_record(work))

    assert digested_here > 100
    assert (summary.shortfall, summary.problems) == (0, [])
    with connect(work / ".snakeprov") as client:
        files = client.jobs.get(job.id).files
    made = {one.path: one.sha256 for one in files if one.path.endswith(".tmp")}
    assert made == {
        f"{job.id}-{number}.tmp": hashlib.sha256(b"%d" % number * (1000 if number % 2 else 100_000)).hexdigest()
        for number in range(1, 301)
    }


def test_ctrl_c_while_the_end_is_waited_for_leaves_the_rest_in_the_outbox(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a terminal it is shown what is waited for, and the line is gone in the end."""
    monkeypatch.setattr(progress, "AFTER_S", 0.1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    recorder = open_recorder(Settings(), work)
    recorder.start(faults.run_record(work, status="running"))
    assert isinstance(recorder, Recorder) and recorder._process is not None
    recorder._process._process.send_signal(signal.SIGSTOP)
    for job in faults.records(work):
        recorder.append(job)
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.8)
        summary = recorder.finish(faults.run_record(work))
    finally:
        signal.signal(signal.SIGALRM, handler)

    assert (summary.pending, summary.problems) == (3, ["The delivery was interrupted."])
    shown = capsys.readouterr().err
    assert shown.startswith("\r\033[Ksnakeprov: recording, 3 jobs to go … ")
    assert shown.endswith("\r\033[K")


def test_a_held_file_is_there_when_its_record_is(work: Path) -> None:
    """It was sent before, but nobody need have listened in between; past the bound it is digested at once."""
    ours, theirs = channel.pair()
    inbox = Inbox(theirs)
    inbox._held_max = 2
    channel.send(ours, Begin(Settings(project="p"), str(work), os.getpid()))
    assert inbox.wait_for_begin().settings.project == "p"
    seen = faults.fingerprint(str(work / "in.txt"))
    assert seen is not None
    with (work / "in.txt").open() as file:
        for number in range(3):
            channel.send(ours, Hold("job", [HeldFile(output_key(number), "", seen)]), [file.fileno()])
    held = inbox.take_held("job")

    digest = digest_file(str(work / "in.txt"))
    first, second, third = (held.file(output_key(number)) for number in range(3))
    assert isinstance(first, OpenFile) and isinstance(second, OpenFile)
    assert os.pread(first.descriptor, 100, 0) == b"the content of in.txt\n"
    assert third == digest
    assert inbox.take_held("other").open_count == 0
    assert not inbox.wait(0)
    ours.close()
    assert inbox.wait(10)
    held.close()


def test_a_process_that_hears_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snakemake may die before it has said anything."""
    monkeypatch.setattr(process.os, "nice", lambda _: 0)
    ours, theirs = channel.pair()
    ours.close()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(EOFError, match="before it said anything"):
            process.run(theirs, lambda settings, directory: pytest.fail("there is nothing to connect to"), target_of)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_messages_come_whole_however_they_are_cut() -> None:
    """One byte at a time; what is too long to be one ends the connection."""
    ours, theirs = channel.pair()
    with ours, theirs, socket.socket() as other:
        channel.send(ours, Take("a.log"), [other.fileno()])
        received = Receiver(theirs, Take)
        assert received.receive() == [Take("a.log")]
        os.close(received.descriptor())
        text = msgspec.msgpack.encode(Take("b.log"))
        found = []
        for byte in struct.pack("<I", len(text)) + text:
            ours.send(bytes([byte]))
            found += received.receive() or []
        assert found == [Take("b.log")]
        ours.send(b"\xff\xff\xff\xff")
        with pytest.raises(OSError, match="a message of"):
            received.receive()
