"""The program that delivers what a workflow's capture appends to the outbox: `python -m snakeprov.delivering`.

Started beside Snakemake by the recorder, not by people. Must not know: how records are delivered.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from snakeprov.config import Settings, store_of
from snakeprov.embedded import connect
from snakeprov.recorder import delivery, process
from snakeprov.recorder.leftovers import Leftovers

if TYPE_CHECKING:
    from snakeprov.client import Client


def recover(settings: Settings, working_directory: Path) -> Leftovers:
    """Deliver at once what earlier runs left behind, for a run that has nothing to deliver itself.

    Raises:
        StoreError: The repository cannot be used.
        RemoteError: The repository is not able to answer now.
    """
    with _connected(settings, working_directory) as client:
        return delivery.recover_leftovers(settings, working_directory, client)


def _connected(settings: Settings, working_directory: Path) -> Client:
    return connect(store_of(settings, working_directory), create=True, shared=settings.is_shared)


if __name__ == "__main__":
    process.run(
        socket.socket(fileno=int(sys.argv[1])),
        _connected,
    )
    os._exit(0)  # all is closed: Snakemake's user need not wait until Python has tidied up as well
