"""What is seen of files without opening them."""

from __future__ import annotations

import os
from pathlib import Path

from snakeprov.plugin.observation import FileStatus, look, stamp


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
