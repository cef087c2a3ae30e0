"""What goes into the delivery of the jobs of a run, and what comes out: each job, what goes with them, receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.catalog import Explanations, Listed
from snakeprov.recorder.jobtimes import Overlaps
from snakeprov.recorder.observed import Observations


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to be delivered.

    Attributes:
        number: Its number in its outbox.
        job: Its record.
        observations: What was found of its files.
        contents: The bytes of small files that it wrote, by sha256: the files may be gone.
    """

    number: int
    job: JobRecord
    observations: Observations
    contents: Mapping[str, bytes] = field(default_factory=dict)

    def observations_json(self) -> bytes:
        """Return what was found of its files, as the outbox keeps it."""
        return msgspec.json.encode(self.observations)


class RecordedOutput(msgspec.Struct, rename="camel"):
    """An output of a manual step as the store has it; all but the path are None while the step waits.

    Attributes:
        path: Where it is recorded.
        entity_id: Its entity.
        version_number: Its version.
        is_new: Whether the step made that version, or is what its origin is known from now.
    """

    path: str
    entity_id: str | None = None
    version_number: int | None = None
    is_new: bool | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a record.

    Attributes:
        number: Its number in its outbox.
        job_id: The job that it is of; None where it cannot be read.
        reason: Why it was refused, or not even sent; None: it was delivered.
        trace: Where in its own code snakeprov failed at it.
        error: What was raised.
        outputs: Of a manual step that was delivered.
    """

    number: int
    job_id: str | None = None
    reason: str | None = None
    trace: str | None = None
    error: Exception | None = None
    outputs: Sequence[RecordedOutput] = ()


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the settings say of versions and bytes.

    Attributes:
        always: Make a version each time a job writes a file, even of the same bytes.
        keep_bytes_max: Files larger than this are recorded without their bytes.
        upload: Whether bytes are kept at all.
    """

    always: bool
    keep_bytes_max: int
    upload: bool = True


@dataclass(frozen=True, kw_only=True)
class Context:
    """What is needed to assemble the jobs of one run, beside the jobs.

    Attributes:
        run: The run.
        policy: What the settings say.
        permalinks: Of code files that are clean at a commit with a remote, by path and line.
        explanations: What the store says of bytes that were seen.
        directories: Directories that the store has and that lie above files that were seen, by path.
        overlaps: Which jobs named a file.
        origins: Activities that really made what a cached job has, by id of the job, then path of the output.
    """

    run: RunRecord
    policy: Policy
    permalinks: Mapping[tuple[str, int | None], str] = field(default_factory=dict)
    explanations: Explanations = field(default_factory=dict)
    directories: Mapping[str, Listed] = field(default_factory=dict)
    overlaps: Overlaps = field(default_factory=Overlaps)
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
