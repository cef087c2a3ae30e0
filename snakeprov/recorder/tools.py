"""What delivering the records of one working directory needs: settings, digests, git, what is known of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from snakeprov.capture.git.reader import GitReader
from snakeprov.client import Client
from snakeprov.disk.digestcache import DigestCache
from snakeprov.metadata import stored
from snakeprov.model.records import RunRecord
from snakeprov.places import Place
from snakeprov.recorder.catalog import Catalog
from snakeprov.recorder.circumstances import CodeLinks
from snakeprov.recorder.context import Policy
from snakeprov.recorder.deliver import Deliverer
from snakeprov.recorder.digesting import Digester, KeptLogs
from snakeprov.recorder.projects import Projects
from snakeprov.recorder.target import TargetOf
from snakeprov.settings import Settings, needs_md5


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What every delivery of one working directory works with.

    Attributes:
        settings: Those of the working directory.
        working_directory: Absolute.
        store: The store that is delivered to: a folder, a URL, or "synapse". It need not be that of the settings.
        digester: Looks at files that nobody has looked at before.
        git: Knows the work trees.
        target_of: Chooses what a client delivers to.
        catalogs: What is known of each project in the store.
    """

    settings: Settings
    working_directory: Path
    store: str
    digester: Digester
    git: GitReader
    target_of: TargetOf
    catalogs: dict[str, Catalog] = field(default_factory=dict)

    def catalog(self, run: RunRecord) -> Catalog:
        """Return what is known of the run's project: its files are the same files for every run delivered here."""
        return self.catalogs.setdefault(run.project_identity or run.project, Catalog())

    def deliverer(self, client: Client, run: RunRecord, *, patch: bytes | None = None) -> Deliverer:
        """Return what delivers the jobs of `run`, whose code differed so from its commit, through `client`."""
        return Deliverer(
            client,
            run,
            policy=Policy(
                always=self.settings.versions == "always",
                keep_bytes_max=self.settings.keep_bytes_max,
                upload=self.settings.upload,
            ),
            links=CodeLinks(self.git),
            projects=Projects(client, self.working_directory, self.store),
            catalog=self.catalog(run),
            target_of=self.target_of,
            patch=patch,
        )


def make_tools(place: Place, digests: DigestCache, target_of: TargetOf, *, logs: KeptLogs | None = None) -> Tools:
    """Return the tools for a working directory.

    Args:
        place: The working directory, and the store that is delivered to.
        digests: Digests that are known.
        target_of: Chooses what a client delivers to.
        logs: Tells which logs may be kept; none are without it.
    """
    return Tools(
        settings=place.settings,
        working_directory=place.root,
        store=place.store,
        target_of=target_of,
        digester=Digester(str(place.root), digests, logs=logs, md5=needs_md5(place.store)),
        git=GitReader(results=partial(stored.outputs, place.root)),
    )


@contextmanager
def opened_tools(place: Place, target_of: TargetOf) -> Iterator[Tools]:
    """Give the tools for a working directory; its digest cache is kept in its folder, where that is there already."""
    digests = DigestCache.of(place.root)
    try:
        yield make_tools(place, digests, target_of)
    finally:
        digests.close()
