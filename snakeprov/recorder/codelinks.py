"""Permalinks of the code that jobs executed, where the code is clean at a commit with a remote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from snakeprov.capture.git.reader import GitReader, git_blob_sha1
from snakeprov.model.paths import to_os
from snakeprov.model.records import CodeFact, RunRecord
from snakeprov.recorder.context import Prepared

CODE_SIZE_BYTES_MAX: Final = 50_000_000
"""A larger file is not code; it gets no permalink."""


class CodeLinks:
    """Finds permalinks for one run, each once. Not thread-safe.

    Attributes:
        has_unclean: Whether code of the run's own work tree has been seen that is not what its commit holds. What a
            workflow wrote does not count.
    """

    def __init__(self, git: GitReader) -> None:
        """Prepare to ask `git`, which knows the work trees as they were when the run began."""
        self.has_unclean = False
        self._git = git
        self._known: dict[tuple[str, int | None, str], str | None] = {}

    def permalinks(self, jobs: Sequence[Prepared], run: RunRecord) -> dict[tuple[str, int | None], str]:
        """Return the permalinks of the code files of `jobs` of `run`, by path and line; those without are left out."""
        links: dict[tuple[str, int | None], str] = {}
        for prepared in jobs:
            for code in prepared.job.code:
                seen = prepared.observations.get(code.path or "")
                if code.path is None or seen is None or seen.digest is None:
                    continue
                key = (code.path, code.line, seen.digest.sha256)
                if key not in self._known:
                    self._known[key] = self._find(code, run, seen.digest.size_bytes)
                link = self._known[key]
                if link is not None:
                    links[code.path, code.line] = link
        return links

    def _find(self, code: CodeFact, run: RunRecord, size_bytes: int) -> str | None:
        path = Path(to_os(run.working_directory), to_os(code.path or ""))
        if size_bytes > CODE_SIZE_BYTES_MAX:
            return None
        state = self._git.state_of(str(path))
        if state is None or state.commit is None:
            return None
        is_own = run.git is not None and state.root == run.git.root
        if is_own and run.git is not None and state.commit != run.git.commit:
            return None  # recorded at another commit than the one that is checked out now
        try:
            blob = git_blob_sha1(path.read_bytes())
        except OSError:
            return None
        if not self._git.is_clean(str(path), blob):
            if is_own and not self.has_unclean:
                self.has_unclean = not self._git.is_result(str(path))
            return None
        return self._git.permalink(str(path), line=code.line, content_git_sha1=blob)
