"""What the pages are about, and who may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from snakeprov.client import Client


class Waiting(NamedTuple):
    """How many records of jobs have not been delivered to the store.

    Attributes:
        pending: Waiting for delivery.
        failed: Refused by the store.
        reasons: Why, each reason once.
    """

    pending: int = 0
    failed: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the pages are about, and who may see them.

    Attributes:
        connect: Returns a client for one request, for the user whose access token is given.
        name: Folder or URL of the store, where there may be several.
        key: The secret of the link that signs in, once, where no access token is asked for.
        waiting: Returns what waits to be delivered from here; None where that is not known.
        hosts: The only names under which the pages may be asked for; None: any.
    """

    connect: Callable[[str], Client]
    name: str = ""
    key: str | None = None
    waiting: Callable[[], Waiting] | None = None
    hosts: frozenset[str] | None = None

    @property
    def is_local(self) -> bool:
        """Whether the pages are for the one user who started them."""
        return self.key is not None
