"""The processes that own an outbox, and whether they still live: this tells a live run from a dead one without locks.

A process id alone does not identify a process: ids are reused, and each machine and each container has its own. So the
machine, its boot and the start time of the process belong to its identity.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

_DEAD: Final = (b"Z", b"X")
_NEVER: Final = -1
"""When a process began that has ended."""

_PROC: Final = Path("/proc")
_BOOT_ID: Final = _PROC / "sys/kernel/random/boot_id"
_START_FIELD: Final = 19
"""Where the start time stands in `/proc/PID/stat`, counted from the first field behind the name of the program."""


class Owner(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process, named so that no other one has the same name.

    Attributes:
        host: The machine's name.
        process_id: Its number there.
        boot: The names of the machine's present boot and of its space of process numbers; empty where it has none.
        began: When the process began, in ticks since that boot; None where the system does not tell.
    """

    host: str
    process_id: int
    boot: str = ""
    began: int | None = None


def owner(process_id: int | None = None) -> Owner:
    """Return this process, or another one of this machine, as an owner."""
    number = os.getpid() if process_id is None else process_id
    return Owner(platform.node(), number, _boot(), _began(number))


def is_alive(one: Owner) -> bool | None:
    """Return whether a process lives; None: it is one of another machine or container, and nobody can tell here.

    >>> is_alive(owner())
    True
    """
    if one.host != platform.node():
        return None
    if one.boot != _boot():
        # Either the machine was booted since, or it is another container of the same name.
        return None if one.boot.partition(" ")[0] == _boot().partition(" ")[0] else False
    try:
        os.kill(one.process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    began = _began(one.process_id)
    return began is None or (began != _NEVER and one.began in (None, began))


def living(owners: Iterable[Owner]) -> Owner | None:
    """Return one of `owners` that lives for certain, or None."""
    return next((one for one in owners if is_alive(one) is True), None)


def uncertain(owners: Iterable[Owner]) -> Owner | None:
    """Return one of `owners` that lives or may live, or None: all of them are dead."""
    return next((one for one in owners if is_alive(one) is not False), None)


@cache
def _boot() -> str:
    names = []
    with suppress(OSError):
        names.append(_BOOT_ID.read_text(encoding="ascii").strip())
        names.append(str((_PROC / "self/ns/pid").readlink()))
    return " ".join(names)


def _began(process_id: int) -> int | None:
    try:
        status = (_PROC / str(process_id) / "stat").read_bytes()
        # The name of the program stands in parentheses and may hold anything.
        fields = status.rpartition(b")")[2].split()
        # One that was killed has its number until its parent has asked for its status.
        return _NEVER if fields[0] in _DEAD else int(fields[_START_FIELD])
    except (OSError, ValueError, IndexError):
        return None
