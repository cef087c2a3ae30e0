"""What was seen of a job between its start and its end.

Must not know: who sees it, or what is made of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from snakeprov.model.records import CodeFact, FileFact, Fingerprint
from snakeprov.plugin.gaps import Gaps
from snakeprov.plugin.holding import Holding
from snakeprov.plugin.observe import FileStatus


class LiveJob(msgspec.Struct):
    """What was seen of a job between its start and its end. Times are seconds since 1970.

    `is_plain` says that none of its files has any of Snakemake's flags, and that its code is files of this machine.
    From `number` to `shellcmd` it is what Snakemake said, if it did. `gaps` are failures of capture; `notes` are what
    no capture could have known. `left` are inode and time of modification of the outputs as the job left them, before
    Snakemake touches them; `doubtful` are paths that the job may or may not have found. `beside` are the
    jobs that are still live when it ends.
    """

    code: list[CodeFact]
    submitted_s: float
    seen: list[Fingerprint | None] = []
    left: dict[str, tuple[int, int]] = {}
    beside: Collection[Any] = ()
    is_plain: bool = False
    before_update: dict[str, FileFact] = {}
    group: str | None = None
    number: Any = None
    threads: Any = None
    priority: Any = None
    resources: Any = None
    reason: str | None = None
    shellcmd: str | None = None
    started_s: float | None = None
    ended_s: float | None = None
    external_id: str | None = None
    was_cached: bool = False
    streams: frozenset[str] = frozenset()
    error: BaseException | None = None
    blame: str | None = None
    logs: list[str] = []
    stored: dict[str, FileStatus] = {}
    holding: Holding | None = None
    doubtful: frozenset[str] = frozenset()
    gaps: Gaps = msgspec.field(default_factory=Gaps)
    notes: list[str] = []
