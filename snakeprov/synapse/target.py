"""Synapse as a delivery target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from snakeprov.client import Client
from snakeprov.model.records import JobRecord
from snakeprov.recorder.catalog import Catalog, Explanations, Held, LookedUp
from snakeprov.recorder.context import Context, Prepared
from snakeprov.recorder.explaining import Asked
from snakeprov.recorder.observed import Observations, seen_file
from snakeprov.recorder.plan import Plan
from snakeprov.recorder.summary import Tally
from snakeprov.synapse import rules
from snakeprov.synapse.assemble import assemble_for_synapse
from snakeprov.synapse.lookup import SynapseLookup
from snakeprov.synapse.names import to_synapse_name
from snakeprov.synapse.version import BY_MD5


class SynapseTarget:
    """Takes one request after another, so that a delivery may break off between any two. Not thread-safe."""

    identity = BY_MD5
    is_atomic = False

    def __init__(self, client: Client) -> None:
        self._client = client
        self._is_destination_known = False

    def project_name(self, name: str) -> str:
        """Return the name as Synapse allows it."""
        return to_synapse_name(name)

    def look_up(self, project: str, paths: Iterable[str], catalog: Catalog) -> LookedUp:
        """Return what a project holds at some paths. Raises ConfigError and RemoteError."""
        return self._lookup(project).look_up(paths, catalog)

    def explain(self, project: str, asked: list[Asked], catalog: Catalog) -> Explanations:
        """Return what Synapse can tell of bytes that were seen, by path and md5. Raises RemoteError."""
        return self._lookup(project).explain(asked, catalog)

    def plan(self, project: str, catalog: Catalog) -> Plan:
        """Return an empty plan."""
        return Plan(catalog, project=project, name_of=_name_of, tells_meanings=False)

    def assemble(self, plan: Plan, one: Prepared, context: Context, tally: Tally, catalog: Catalog) -> None:
        """Add to `plan` what an earlier attempt to deliver the job has not brought about."""
        written = _written(one.job, one.observations, catalog)
        done = self._lookup(context.run.project).done(one.job, written)
        assemble_for_synapse(plan, one.job, one.observations, context, tally, done=done)

    def prepare_uploads(self, project_id: str | None) -> None:
        """Have bytes sent to where the owner of a project wants them; one that is yet to be made has no such wish."""
        if not self._is_destination_known and project_id is not None:
            self._client.files.upload_to(project_id)
        self._is_destination_known = True

    def remedy(self, error: Exception) -> str:
        """Return what can be done about a refusal of Synapse's, as a sentence, or nothing."""
        return rules.remedy(error)

    def _lookup(self, project: str) -> SynapseLookup:
        return SynapseLookup(self._client, project)


def _written(job: JobRecord, observations: Observations, catalog: Catalog) -> Iterator[tuple[str, Held, str | None]]:
    """Yield path, current version and md5 of each file that a job wrote and that is known."""
    for fact in (*job.outputs, *(fact for _, fact in job.by_products())):
        file = seen_file(fact, observations)
        held = catalog.held(file.path)
        if held is not None:
            yield file.path, held, None if file.seen.digest is None else file.seen.digest.md5


def _name_of(name: str, second: Literal["file", "folder"] | None) -> str:
    return to_synapse_name(name, second=second)
