"""The outbox keeps what it was given, whatever happens to the processes or to the files."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.errors import OutboxError
from snakeprov.recorder.entries import HEADER, Content, Entry, Kind, read
from snakeprov.recorder.outbox import Log, Outbox

RUN = b"the run"

payloads = st.lists(st.binary(max_size=40) | st.just(b"\xf5SPR") | st.just(b"\xf5SPR\x02\x01\x00"), max_size=8)


def filled(folder: Path, records: list[bytes], name: str | None = None) -> Path:
    """Make an outbox with these jobs, as a process leaves it behind that was killed."""
    log = Log.create(folder, name or os.urandom(8).hex(), store=".", first=RUN)
    for record in records:
        log.append(Kind.JOB, record)
    log.close()
    return log.path


def recovered(path: Path) -> tuple[Outbox, Content]:
    found = Outbox.recover(path)
    assert found is not None
    return found


def jobs(entries: list[Entry]) -> list[bytes]:
    return [entry.payload for entry in entries if entry.kind is Kind.JOB]


def pending(content: Content) -> list[bytes]:
    return jobs(content.pending)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log of a process that lives."""
    made = Log.create(tmp_path, "run", store=".", first=RUN)
    yield made
    made.close()


def reader(log: Log) -> Outbox:
    """The other process, which has the log open as well."""
    return Outbox(log.path, os.dup(log.descriptor))


def take_all(outbox: Outbox, *, is_final: bool = False) -> list[Entry]:
    return list(iter(lambda: outbox.take(is_final=is_final), None))


@settings(max_examples=60, deadline=None)
@given(records=payloads, cut=st.integers(0, 400))
def test_a_torn_file_gives_every_record_that_was_whole(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], cut: int
) -> None:
    """Cut anywhere, the file yields a prefix of what was appended, and all of it when nothing is missing."""
    path = filled(tmp_path_factory.mktemp("outbox"), records)
    data = path.read_bytes()
    path.write_bytes(data[: max(len(HEADER), len(data) - cut)])

    found = pending(read(path))

    assert found == records[: len(found)]
    assert cut or found == records


@settings(max_examples=60, deadline=None)
@given(records=payloads.filter(bool), place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_at_most_the_record_it_is_in(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], place: int, bit: int
) -> None:
    """A damaged entry is passed over; the others are read, and the damage is counted. It may be a note of an owner."""
    path = filled(tmp_path_factory.mktemp("outbox"), records)
    data = bytearray(path.read_bytes())
    data[len(HEADER) + place % (len(data) - len(HEADER))] ^= 1 << bit
    path.write_bytes(data)

    content = read(path)
    found = pending(content)

    assert content.damaged_bytes > 0
    assert len(records) <= len(found) + (content.last_run == RUN) <= len(records) + 1
    assert all(record in records for record in found)


@settings(max_examples=40, deadline=None)
@given(records=payloads, cuts=st.lists(st.integers(0, 400), max_size=4))
def test_a_log_that_is_read_while_it_grows_gives_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], cuts: list[int]
) -> None:
    """However much of it can be seen at a time, even half an entry, each record comes once and in order."""
    whole = filled(tmp_path_factory.mktemp("outbox"), records).read_bytes()
    path = tmp_path_factory.mktemp("growing") / "run.log"
    path.write_bytes(b"")
    outbox = Outbox(path, os.open(path, os.O_RDONLY))
    found: list[Entry] = []
    for size in [*sorted(min(len(HEADER) + cut, len(whole)) for cut in cuts), len(whole)]:
        path.write_bytes(whole[:size])
        found += take_all(outbox)

    assert jobs(found) == records
    assert take_all(outbox, is_final=True) == []
    assert outbox.damage() is None
    outbox.close()


def test_damage_does_not_turn_one_record_into_another(tmp_path: Path) -> None:
    """What is noted of a record holds for that record, though one before it can no longer be read."""
    path = filled(tmp_path, [b"first", b"second", b"third"])
    outbox, content = recovered(path)
    outbox.delivered([next(one.number for one in content.pending if one.payload == b"second")])
    outbox.close()
    path.write_bytes(path.read_bytes().replace(b"first", b"f!rst"))

    assert pending(read(path)) == [b"third"]


def test_what_was_delivered_is_not_pending_and_the_files_go_when_all_is(tmp_path: Path) -> None:
    """An outbox empties itself."""
    path = filled(tmp_path, [b"a", b"b"])
    outbox, content = recovered(path)
    run, first, second = (one.number for one in content.pending)

    outbox.delivered([run, first])
    assert pending(read(path)) == [b"b"]

    outbox.delivered([second])
    outbox.close()
    assert list(tmp_path.iterdir()) == []


def test_an_outbox_is_kept_as_long_as_something_in_it_was_not_even_read(log: Log) -> None:
    """That all that was taken has been delivered is not enough."""
    outbox = reader(log)
    outbox.delivered(one.number for one in take_all(outbox))
    log.append(Kind.JOB, b"late")
    outbox.close()
    log.close()

    assert pending(read(log.path)) == [b"late"]


def test_a_damaged_log_is_set_aside_rather_than_removed(tmp_path: Path) -> None:
    """The rest of it may still be useful; the damage is reported once."""
    path = filled(tmp_path, [b"a"])
    with path.open("ab") as file:
        file.write(b"torn")
    outbox, content = recovered(path)
    outbox.delivered(one.number for one in content.pending)
    said = outbox.damage()
    outbox.close()

    assert said == f"4 bytes of the outbox {path} are damaged: records are lost; see {path.stem}.damaged."
    assert [one.name for one in tmp_path.iterdir()] == [f"{path.stem}.damaged"]


def test_what_was_rejected_stays_with_its_reason_until_it_is_delivered(tmp_path: Path) -> None:
    """A refused record is neither pending nor lost."""
    path = filled(tmp_path, [b"a"])
    outbox, content = recovered(path)
    run, number = (one.number for one in content.pending)
    outbox.delivered([run])
    outbox.rejected(number, "no")
    outbox.close()

    content = read(path)
    assert (pending(content), [(one.payload, why) for one, why in content.rejected]) == ([], [(b"a", "no")])

    outbox, _ = recovered(path)
    outbox.delivered([number])
    outbox.close()
    assert not path.exists()


def test_what_was_found_is_kept_beside_the_records(tmp_path: Path) -> None:
    """Digests, the state of git and the patch are there for whoever delivers later."""
    path = filled(tmp_path, [b"a"])
    outbox, content = recovered(path)
    outbox.code(b'{"git":null}', b"the patch")
    for _ in range(2):  # the second is not written
        outbox.digests(content.pending[1].number, b'{"x":1}')
    outbox.close()

    content = read(path)
    assert (content.git, content.patch) == (b'{"git":null}', b"the patch")
    assert content.digests == {content.pending[1].number: b'{"x":1}'}
    assert path.with_suffix(".ack").read_bytes().count(b'{"x":1}') == 1


def test_the_outbox_of_a_living_process_is_left_alone(log: Log) -> None:
    """The lock belongs to both processes that have the log open; whoever wants to recover waits for both."""
    outbox = reader(log)
    log.append(Kind.JOB, b"a")
    assert Outbox.recover(log.path) is None

    log.close()
    assert Outbox.recover(log.path) is None

    outbox.close()
    found, content = recovered(log.path)
    assert pending(content) == [b"a"]
    found.close()


def test_records_survive_kill_9(tmp_path: Path) -> None:
    """What `append` returned for is there after the process was killed, and its lock is free."""
    code = f"""
import os, signal
from pathlib import Path
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.outbox import Log
log = Log.create(Path({str(tmp_path)!r}), "run", store=".", first=b"")
for number in range(1000):
    log.append(Kind.JOB, b"%d" % number)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)

    outbox, content = recovered(tmp_path / "run.log")

    assert done.returncode == -signal.SIGKILL
    assert pending(content) == [b"%d" % number for number in range(1000)]
    outbox.close()


def test_a_full_disk_is_an_error_that_leaves_what_is_there_whole(log: Log) -> None:
    """An append that does not fit fails with a clear sentence; the records before it and after it are kept."""
    log.append(Kind.JOB, b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size + 50, hard))
        with pytest.raises(OutboxError, match=r"The outbox .*run\.log cannot be written \(.+\)"):
            log.append(Kind.JOB, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    log.append(Kind.JOB, b"after")

    content = read(log.path)
    assert pending(content) == [b"before", b"after"]
    assert content.damaged_bytes == 0


def test_an_outbox_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    """The error says where, and what to look at."""
    (tmp_path / "run.new").write_bytes(b"")
    with pytest.raises(OutboxError, match=r"run\.log cannot be written \(File exists\)\. Is the folder writable"):
        Log.create(tmp_path, "run", store=".", first=RUN)

    assert [path.name for path in tmp_path.iterdir()] == ["run.new"]


def test_a_file_that_is_no_outbox_is_refused(tmp_path: Path) -> None:
    """Somebody else's file in the folder is named, not misread."""
    (tmp_path / "x.log").write_text("something else, quite long enough\n")

    with pytest.raises(OutboxError, match="is not an outbox of snakeprov"):
        read(tmp_path / "x.log")


def test_an_outbox_of_another_format_says_so(tmp_path: Path) -> None:
    """Another version of snakeprov can deliver it; nothing in it is changed."""
    (tmp_path / "x.log").write_bytes(b"snakeprov outbox 3\nrecords")

    with pytest.raises(OutboxError, match="was written by another version of snakeprov"):
        read(tmp_path / "x.log")

    assert (tmp_path / "x.log").read_bytes() == b"snakeprov outbox 3\nrecords"


def test_notes_that_are_damaged_are_passed_over(tmp_path: Path) -> None:
    """The log is what counts: what the notes spoke of is delivered again."""
    path = filled(tmp_path, [b"a"])
    outbox, content = recovered(path)
    outbox.delivered([content.pending[0].number])
    outbox.close()
    notes = bytearray(path.with_suffix(".ack").read_bytes())
    notes[notes.index(b"[%d]" % content.pending[0].number) + 1] ^= 1
    path.with_suffix(".ack").write_bytes(notes)

    assert len(read(path).pending) == 2
