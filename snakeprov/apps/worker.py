"""The program that delivers what a workflow appends to its outbox: `python -m snakeprov.apps.worker`.

Started beside Snakemake by the recorder, not by people.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from snakeprov.apps.connect import connect
from snakeprov.apps.target import target_of
from snakeprov.places import Place, store_of
from snakeprov.recorder import process
from snakeprov.recorder.leftovers import Leftovers, recover_leftovers
from snakeprov.settings import Settings


def recover(settings: Settings, working_directory: Path) -> Leftovers:
    """Deliver at once what earlier runs left behind, for a run that has nothing to deliver itself.

    Raises:
        StoreError: The store cannot be used.
        RemoteError: The store is not able to answer now.
    """
    place = Place(store=store_of(settings, working_directory), root=working_directory, settings=settings)
    with connect(place.store, create=True, shared=settings.is_shared) as client:
        return recover_leftovers(place, client, target_of=target_of)


def main() -> None:
    """Deliver for the process at the other end of the socket whose descriptor is the only argument; does not return."""
    process.run(
        socket.socket(fileno=int(sys.argv[1])),
        lambda settings, folder: connect(store_of(settings, folder), create=True, shared=settings.is_shared),
        target_of,
    )
    os._exit(0)  # all is closed: Snakemake's user need not wait until Python has tidied up as well


if __name__ == "__main__":
    main()
