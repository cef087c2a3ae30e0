"""What is seen of files without opening them, and descriptors of files about to vanish."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snakeprov.plugin import observe
from snakeprov.plugin.observe import Sight, hold, look, tail


def test_each_kind_of_path_is_told(tmp_path: Path) -> None:
    """Files have a fingerprint; directories, FIFOs, dangling links and impossible paths have none."""
    (tmp_path / "file").write_text("abc")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    seen = look(str(tmp_path / "file"))
    assert (seen.kind, seen.fingerprint.size_bytes if seen.fingerprint else None) == ("file", 3)
    assert look(str(tmp_path / "link")) == Sight("file", seen.fingerprint, "file")
    assert look(str(tmp_path / "dangling")) == Sight("missing", None, "nowhere")
    assert look(str(tmp_path)) == Sight("directory", None, None)
    assert look(str(tmp_path / "fifo")) == Sight("other", None, None)
    assert look(str(tmp_path / "none")) == look("a\0b") == Sight("missing", None, None)


def test_a_held_file_outlives_its_name(tmp_path: Path) -> None:
    """The bytes can be read from the descriptor after the file was deleted."""
    (tmp_path / "file").write_text("abc")
    descriptor = hold(str(tmp_path / "file"))
    assert descriptor is not None
    (tmp_path / "file").unlink()
    assert os.pread(descriptor, 10, 0) == b"abc"
    os.close(descriptor)


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """A FIFO, which would block, a directory and a missing file are left alone."""
    os.mkfifo(tmp_path / "fifo")
    assert hold(str(tmp_path / "fifo")) is None
    assert hold(str(tmp_path)) is None
    assert hold(str(tmp_path / "none")) is None
    assert tail(str(tmp_path / "fifo"), 10) == ""


def test_the_number_of_held_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound no descriptor is kept open."""
    (tmp_path / "file").write_text("abc")
    first = hold(str(tmp_path / "file"))
    assert first is not None
    monkeypatch.setattr(observe, "LAST_DESCRIPTOR", first)
    assert hold(str(tmp_path / "file")) is None
    os.close(first)


def test_the_tail_of_a_log_is_bounded_and_always_text(tmp_path: Path) -> None:
    """Only the last bytes are read, and what is not UTF-8 is replaced."""
    (tmp_path / "log").write_bytes(b"x" * 100 + b"\xffend")
    assert tail(str(tmp_path / "log"), 4) == "\ufffdend"
    assert tail(str(tmp_path / "none"), 4) == ""
