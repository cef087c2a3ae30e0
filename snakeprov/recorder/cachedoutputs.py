"""Who really made what a job only took from Snakemake's cache between workflows.

Must not know: plans, how a job is delivered.

Bytes alone do not tell: many an empty file has the same. An output that came from the cache is a link to a place in it
that is named after all that went into the output, and the output of the job that filled the cache is a link to the
same place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from snakeprov.client import Client
from snakeprov.errors import NotFoundError
from snakeprov.model.records import FileFact, JobRecord
from snakeprov.recorder.digesting import Observations

CANDIDATES_MAX: Final = 50
"""Maximum number of versions with the same bytes that are examined."""


class CacheFillers:
    """Finds origins in a snakeprov store. Not thread-safe."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def of(self, job: JobRecord, observations: Observations) -> Mapping[str, str]:
        """Return, by the path of each output that a cached job has, the id of the Activity that generated it.

        Left out is what the store does not know the origin of, or only from another user: an Activity can be
        linked to further versions only by its recorder.

        Raises:
            RemoteError: The store is not able to answer.
        """
        if job.status != "cached":
            return {}
        found = {fact.path: self._find(fact, observations) for fact in job.outputs}
        return {path: activity_id for path, activity_id in found.items() if activity_id is not None}

    def _find(self, fact: FileFact, observations: Observations) -> str | None:
        seen = observations.get(fact.path)
        if fact.symlink_target is None or seen is None or seen.digest is None:
            return None
        # The first that has it: who made it comes before who took it.
        for header in self._client.entities.with_md5(seen.digest.md5)[:CANDIDATES_MAX]:
            activity = self._client.entities.generated_by(header["id"], version_number=header["versionNumber"])
            if activity is None or activity["createdBy"] != self._client.user_id:
                continue
            if self._has_output(str(activity["id"]), fact.symlink_target):
                return str(activity["id"])
        return None

    def _has_output(self, activity_id: str, symlink_target: str) -> bool:
        try:
            job = self._client.jobs.of_activity(activity_id).job
        except NotFoundError:
            return False
        return job.status == "success" and any(fact.symlink_target == symlink_target for fact in job.outputs)
