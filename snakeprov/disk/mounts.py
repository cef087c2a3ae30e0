"""Says whether a file can be kept open on its file system."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mountinfo")

_LEFT_BEHIND: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "vboxsf"})
"""File systems where an open file that is deleted stays behind under another name, so that its directory cannot be
removed. FUSE does so too, by default."""


@lru_cache(maxsize=256)
def can_be_kept_open(device: int) -> bool:
    """Return whether an open file on `device` (`st_dev`), and its directory, can be deleted as if it were closed."""
    kind = _kind_of(device)
    return kind not in _LEFT_BEHIND and not kind.startswith("fuse")


def _kind_of(device: int) -> str:
    """Return the kind of file system ("ext4", "nfs4", …), or "" if it is unknown."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) > 2 and fields[2] == wanted and "-" in fields:
            return fields[fields.index("-") + 1]
    return ""
