"""The outbox keeps what it was given, whatever happens to the process or to the file."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.errors import OutboxError
from snakeprov.recorder import outbox as outbox_module
from snakeprov.recorder.outbox import HEADER, Content, Kind, Outbox, read

payloads = st.lists(st.binary(max_size=40) | st.just(b"\xf5SPR") | st.just(b"\xf5SPR\x02\x01\x00"), max_size=8)


def filled(folder: Path, records: list[bytes]) -> Path:
    outbox = Outbox.create(folder, os.urandom(8).hex())
    for record in records:
        outbox.append(Kind.JOB, record)
    os.close(outbox._descriptor)  # as if the process had died: nothing is tidied up
    return outbox.path


def pending(content: Content) -> list[bytes]:
    return [entry.payload for entry in content.pending]


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
    """A damaged entry is passed over; the others are read, and the damage is counted."""
    path = filled(tmp_path_factory.mktemp("outbox"), records)
    data = bytearray(path.read_bytes())
    data[len(HEADER) + place % (len(data) - len(HEADER))] ^= 1 << bit
    path.write_bytes(data)

    content = read(path)
    found = pending(content)

    assert content.damaged_bytes > 0
    assert len(found) == len(records) - 1
    assert all(record in records for record in found)


def test_what_was_delivered_is_not_pending_and_the_file_goes_when_all_is(tmp_path: Path) -> None:
    """An outbox empties itself."""
    outbox = Outbox.create(tmp_path, "run")
    first, second = outbox.append(Kind.JOB, b"a"), outbox.append(Kind.JOB, b"b")

    outbox.delivered([first])
    assert pending(read(outbox.path)) == [b"b"]

    outbox.delivered([second])
    outbox.close()
    assert not outbox.path.exists()


def test_what_was_rejected_stays_with_its_reason_until_it_is_delivered(tmp_path: Path) -> None:
    """A refused record is neither pending nor lost."""
    outbox = Outbox.create(tmp_path, "run")
    number = outbox.append(Kind.JOB, b"a")
    outbox.rejected(number, "no")
    outbox.close()

    content = read(outbox.path)
    assert (pending(content), [(one.payload, why) for one, why in content.rejected]) == ([], [(b"a", "no")])

    recovered = Outbox.recover(outbox.path)
    assert recovered is not None
    recovered[0].delivered([number])
    recovered[0].close()
    assert not outbox.path.exists()


def test_the_outbox_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Recovering needs the lock, which its owner holds until it closes or dies."""
    outbox = Outbox.create(tmp_path, "run")
    outbox.append(Kind.JOB, b"a")

    assert Outbox.recover(outbox.path) is None
    outbox.close()
    recovered = Outbox.recover(outbox.path)
    assert recovered is not None and pending(recovered[1]) == [b"a"]
    recovered[0].close()


def test_records_survive_kill_9(tmp_path: Path) -> None:
    """What `append` returned for is there after the process was killed, and its lock is free."""
    code = f"""
import os, signal
from pathlib import Path
from snakeprov.recorder.outbox import Kind, Outbox
outbox = Outbox.create(Path({str(tmp_path)!r}), "run")
for number in range(1000):
    outbox.append(Kind.JOB, b"%d" % number)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)

    recovered = Outbox.recover(tmp_path / "run.log")

    assert done.returncode == -signal.SIGKILL
    assert recovered is not None and pending(recovered[1]) == [b"%d" % number for number in range(1000)]
    recovered[0].close()


def test_a_full_disk_is_an_error_that_leaves_what_is_there_whole(tmp_path: Path) -> None:
    """An append that does not fit fails with a clear sentence; the records before it and after it are kept."""
    outbox = Outbox.create(tmp_path, "run")
    outbox.append(Kind.JOB, b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (outbox.path.stat().st_size + 50, hard))
        with pytest.raises(OutboxError, match=r"The outbox .*run\.log cannot be written \(.+\)"):
            outbox.append(Kind.JOB, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    outbox.append(Kind.JOB, b"after")
    outbox.close()

    content = read(outbox.path)
    assert pending(content) == [b"before", b"after"]
    assert content.damaged_bytes == 0


def test_a_file_that_is_no_outbox_is_refused(tmp_path: Path) -> None:
    """Somebody else's file in the folder is named, not misread."""
    (tmp_path / "x.log").write_text("something else, quite long enough\n")

    with pytest.raises(OutboxError, match="is not an outbox of snakeprov"):
        read(tmp_path / "x.log")


def test_a_long_run_does_not_grow_the_file_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once all is delivered a large file is emptied, and still tells which run it belongs to."""
    monkeypatch.setattr(outbox_module, "RECYCLE_SIZE_BYTES", 10_000)
    outbox = Outbox.create(tmp_path, "run")
    outbox.delivered([outbox.append(Kind.RUN, b"the run")])
    for _ in range(100):
        outbox.delivered([outbox.append(Kind.JOB, b"x" * 1000)])
    size_bytes = outbox.path.stat().st_size
    last = outbox.append(Kind.JOB, b"last")
    os.close(outbox._descriptor)

    content = read(outbox.path)

    assert size_bytes < 20_000
    assert (content.last_run, [(one.number, one.payload) for one in content.pending]) == (b"the run", [(last, b"last")])
