"""What is seen of files without opening them, and the tails of logs."""

from __future__ import annotations

import os
from pathlib import Path

from snakeprov.plugin.observe import FileStatus, look, stamp, tail


def test_each_kind_of_path_is_told(tmp_path: Path) -> None:
    """Files and directories have a fingerprint; FIFOs, dangling links and impossible paths have none."""
    (tmp_path / "file").write_text("abc")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    seen = look(str(tmp_path / "file"))
    assert (seen.kind, seen.fingerprint.size_bytes if seen.fingerprint else None) == ("file", 3)
    assert look(str(tmp_path / "link")) == FileStatus("file", seen.fingerprint, "file", seen.mode)
    assert look(str(tmp_path / "dangling")) == FileStatus("missing", None, "nowhere")
    assert look(str(tmp_path)) == FileStatus("directory", stamp(str(tmp_path)), None)
    assert look(str(tmp_path / "fifo")) == FileStatus("other", None, None)
    assert look(str(tmp_path / "none")) == look("a\0b") == FileStatus("missing", None, None)


def test_the_tail_of_what_is_no_regular_file_is_empty(tmp_path: Path) -> None:
    """A FIFO, which would block, is not opened."""
    os.mkfifo(tmp_path / "fifo")
    assert tail(str(tmp_path / "fifo"), 10) == ""


def test_the_tail_of_a_log_is_bounded_and_always_text(tmp_path: Path) -> None:
    """Only the last bytes are read, and what is not UTF-8 is replaced."""
    (tmp_path / "log").write_bytes(b"x" * 100 + b"\xffend")
    assert tail(str(tmp_path / "log"), 4) == "\ufffdend"
    assert tail(str(tmp_path / "none"), 4) == ""
