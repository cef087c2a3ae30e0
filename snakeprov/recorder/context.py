"""What is needed to make a plan of the jobs of a run, beside the jobs.

Must not know: how it was found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from snakeprov.model.records import RunRecord
from snakeprov.recorder.catalog import Listed
from snakeprov.recorder.overlaps import Overlaps
from snakeprov.recorder.recognition import Explanations


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
        by_hand: Whether the job is a manual step, which has no run.
    """

    run: RunRecord
    policy: Policy
    permalinks: Mapping[tuple[str, int | None], str] = field(default_factory=dict)
    explanations: Explanations = field(default_factory=dict)
    directories: Mapping[str, Listed] = field(default_factory=dict)
    overlaps: Overlaps = field(default_factory=Overlaps)
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_hand: bool = False
