"""The stories, contents and environments of a store, as a comparison of versions asks for them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from snakeprov.errors import CaptureError, ForbiddenError, NotFoundError
from snakeprov.lineage.causes import Sources
from snakeprov.lineage.changes import FileVersion
from snakeprov.lineage.rundifference import SUCCEEDED
from snakeprov.lineage.textdifference import SIZE_BYTES_MAX
from snakeprov.lineage.unrecorded import GitAnswer
from snakeprov.model.paths import relative_to, to_os

if TYPE_CHECKING:
    from snakeprov.capture.git.difference import CodeState
    from snakeprov.client import Client
    from snakeprov.model.answers import JobSummary, RecordedJob, Run, Story


JOBS_AT_ONCE: Final = 200
"""Jobs asked for in one request: each may have thousands of files."""


def sources_of(client: Client, root: Path) -> Sources:
    """Return the sources for comparisons in a store; git runs in the working directory `root`."""
    from snakeprov.client import contents

    return Sources(
        tell=client.provenance.stories,
        read=lambda version: content_of(client, version),
        describe=lambda job_id: contents.environment(client, job_id),
        ask_git=_Git(client, root),
    )


class _Git:
    """Finds the tracked files that differ between two runs; compares each pair of runs once."""

    def __init__(self, client: Client, root: Path) -> None:
        self._client = client
        self._root = root
        self._known: dict[tuple[str, str], GitAnswer] = {}

    def __call__(self, old: Story, new: Story) -> GitAnswer:
        before, after = _tracked(old.run), _tracked(new.run)
        if before is None or after is None:
            return GitAnswer(is_tracked=False)
        ids = before.run.id, after.run.id
        if ids not in self._known:
            self._known[ids] = GitAnswer() if ids[0] == ids[1] else self._answer(before, after)
        return self._known[ids]

    def _answer(self, old: _Tracked, new: _Tracked) -> GitAnswer:
        from snakeprov.capture.git.difference import changed_files

        try:
            files = changed_files(self._place(new, old), self._state(old), self._state(new))
        except (CaptureError, NotFoundError, ForbiddenError) as error:
            is_moved = old.root != new.root
            return GitAnswer(problem="the runs were in different clones" if is_moved else error.message.rstrip("."))
        directory = new.run.working_directory or new.root
        return GitAnswer(files=tuple(relative_to(posixpath.join(new.root, one), directory) for one in files))

    def _place(self, *runs: _Tracked) -> Path:
        """Return the directory to run git in: the first work tree that still exists, else the working directory."""
        roots = [Path(to_os(run.root)) for run in runs]
        return next((root for root in roots if root.is_absolute() and root.is_dir()), self._root)

    def _state(self, tracked: _Tracked) -> CodeState:
        from snakeprov.capture.git.difference import CodeState

        return CodeState(tracked.commit, self._client.runs.patch(tracked.run.id) if tracked.is_patch_kept else None)


class _Tracked(NamedTuple):
    """A run whose code is at a commit of a work tree."""

    run: Run
    root: str
    commit: str
    is_patch_kept: bool


def _tracked(run: Run | None) -> _Tracked | None:
    git = None if run is None else run.git
    if run is None or git is None or git.commit is None:
        return None
    return _Tracked(run, git.root, git.commit, git.patch_file_handle_id is not None)


def jobs_of(client: Client, listed: Sequence[JobSummary]) -> list[RecordedJob]:
    """Return the details of the successful jobs of a run."""
    ids = [one.id for one in listed if one.status in SUCCEEDED]
    batches = [ids[start : start + JOBS_AT_ONCE] for start in range(0, len(ids), JOBS_AT_ONCE)]
    return [job for batch in batches for job in client.jobs.with_ids(batch)]


def content_of(client: Client, version: FileVersion) -> bytes | None:
    """Return the bytes of a version, of a large one the beginning; None if they are not available.

    What is returned of a large one is more than `SIZE_BYTES_MAX`.
    """
    from snakeprov.client import contents

    if version.entity_id is None or version.version_number is None:
        return None
    return contents.beginning(client, version.entity_id, version.version_number, size_bytes_max=SIZE_BYTES_MAX)
