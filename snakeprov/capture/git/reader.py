"""The version of a code file: its commit, what differs from the commit, and the web page that shows it.

What can be read from files is read with GitPython, which then starts no process; the one thing that needs the git
program is what differs from the commit: one `git status` per work tree, one `git diff` when it is dirty, and one
`git describe` when it has tags.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from snakeprov.capture.git.library import find_root, has_tags, open_repository, read_head, read_remote_url
from snakeprov.capture.git.program import DIFF, Status, read_status, run_git
from snakeprov.capture.git.remotes import permalink
from snakeprov.disk.files import fingerprint
from snakeprov.errors import CaptureError
from snakeprov.model.credentials import strip_credentials
from snakeprov.model.paths import to_os, to_text
from snakeprov.model.records import GitState

if TYPE_CHECKING:
    import git

TIMEOUT_S = 30.0
"""How long the git program may take for one answer."""

MAX_PATCH_BYTES = 16 << 20
"""Largest difference to the commit that is kept."""

MAX_PATCHED_FILE_BYTES = 1 << 20
"""Files larger than this are left out of the difference: they are data rather than code."""

MAX_PATCHED_FILES = 2_000
"""Files whose difference is kept."""

MAX_LEFT_OUT_NAMES = 100
"""Names of files left out of the difference that are kept."""

MAX_LINKS = 40
"""Links that are followed from the name of a file."""

MAX_CODE_BYTES = 64 << 20
"""Largest file that is looked at as code."""

MAX_DESCRIBE_BYTES = 4096
"""Longest answer of `git describe`."""

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def git_blob_sha1(content: bytes) -> str:
    """Return the id that git gives to a file of these bytes.

    >>> git_blob_sha1(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class _Worktree(NamedTuple):
    """What was found out about one work tree, once.

    Attributes:
        root: With links resolved.
        repository: GitPython's, where it can read this one.
        status: Where the git program gave it.
        changed: Tracked files that differ from the commit, but for results of workflows.
        asked_ns: When the git program was asked (nanoseconds since 1970).
        remote_url: With credentials, if the user wrote any.
    """

    root: Path
    repository: git.Repo | None
    status: Status | None
    changed: frozenset[str]
    asked_ns: int
    state: GitState
    remote_url: str | None


class GitReader:
    """Reads the git work trees that the code of one run lies in; each of them once, when it is first asked about.

    So every answer speaks of the same commit, whatever happens to the repository during the run. No method raises
    because of a repository's condition: what cannot be found out is left out, and `problem` says why. Paths are given
    as Python's file functions take them; links are followed, so that the file that is really run counts, but for links
    into git-annex, which stand for the file. Not for use from several threads at once.

    Attributes:
        problem: The last thing that went wrong, in words; None while all went well.
    """

    def __init__(self, *, results: Callable[[], Collection[str]] = frozenset, timeout_s: float = TIMEOUT_S) -> None:
        """Make a reader.

        Args:
            results: Gives the absolute paths of files and directories that workflows wrote. Where these are tracked and
                differ from the commit, that does not make a work tree dirty.
            timeout_s: How long each call of the git program may take.
        """
        self.problem: str | None = None
        self._results = results
        self._known_results: frozenset[str] = frozenset()
        self._timeout_s = timeout_s
        self._roots: dict[Path, Path | None] = {}
        self._worktrees: dict[Path, _Worktree] = {}
        self._patches: dict[str, bytes | None] = {}

    def state_of(self, path: str) -> GitState | None:
        """Return the state of the work tree that the file or directory `path` lies in; None if there is none.

        A file in a submodule belongs to the submodule. `dirty` is None where it cannot be found out.
        """
        worktree = self._find(path)
        return worktree.state if worktree else None

    def patch(self, root: str) -> bytes | None:
        """Return how the tracked files of a work tree differ from its commit, as `git apply` takes it.

        Results of workflows and files too large for code are left out; the state names the latter from then on
        (`patch_left_out`).

        Args:
            root: A state's `root` (text form).

        Returns:
            None when nothing of that differs, when it cannot be found out, or when it is larger than `MAX_PATCH_BYTES`.
        """
        if root not in self._patches:
            worktree = self._find(to_os(root))
            self._patches[root] = self._read_patch(worktree) if worktree else None
        return self._patches[root]

    def is_clean(self, path: str, content_git_sha1: str) -> bool:
        """Tell whether the file at `path` with these bytes is what the commit holds.

        Args:
            path: The file.
            content_git_sha1: `git_blob_sha1` of the bytes that ran.
        """
        worktree = self._find(path)
        if worktree is None or worktree.state.commit is None:
            return False
        place = _located(path)
        file = str(place.relative_to(worktree.root))
        blob = self._committed_blob(worktree, file)
        if place.is_symlink():  # into git-annex, where the name of a file says its content
            return blob is not None and blob == git_blob_sha1(os.fsencode(place.readlink()))
        if blob is None or blob == content_git_sha1:
            return blob is not None
        # git may store other bytes than it checks out; then only git itself can tell, for the moment it was asked.
        status = worktree.status
        if status is None or not status.complete or file in status.changed:
            return False
        is_comparable = len(blob) == len(content_git_sha1) and not _is_converted(worktree, file)
        now = fingerprint(path)
        return not is_comparable and now is not None and max(now.mtime_ns, now.ctime_ns) < worktree.asked_ns

    def is_result(self, path: str) -> bool:
        """Return whether a workflow wrote the file at an absolute `path`, or a directory that it lies in."""
        if not _is_in(Path(path), self._known_results):  # workflows may have written more since they were listed
            self._known_results = self._written()
        return _is_in(Path(path), self._known_results)

    def permalink(self, path: str, *, line: int | None = None, content_git_sha1: str | None = None) -> str | None:
        """Return the URL at which the file can be read as it was at the commit.

        Args:
            path: The file.
            line: Line to jump to, counted from 1.
            content_git_sha1: `git_blob_sha1` of the bytes that ran; the file is read when not given.

        Returns:
            None when the file differs from the commit, or the remote has no pages that are known.
        """
        worktree = self._find(path)
        if worktree is None or worktree.remote_url is None or worktree.state.commit is None:
            return None
        file = _inside(worktree, path)
        url = permalink(worktree.remote_url, worktree.state.commit, file, line=line)
        if url is None:
            return None
        sha1 = content_git_sha1 or _read_blob_sha1(path)
        return url if sha1 and self.is_clean(path, sha1) else None

    def _find(self, path: str) -> _Worktree | None:
        try:
            real = _located(path)
            directory = real if real.is_dir() and not real.is_symlink() else real.parent
        except (OSError, ValueError, RuntimeError):  # a loop of links is a RuntimeError before Python 3.13
            return None
        if directory not in self._roots:
            self._roots[directory] = find_root(directory)
        root = self._roots[directory]
        if root is None:
            return None
        if root not in self._worktrees:
            self._worktrees[root] = self._read(root)
        return self._worktrees[root]

    def _read(self, root: Path) -> _Worktree:
        asked_ns = time.time_ns()
        status: Status | None = None
        try:
            status = read_status(root, timeout_s=self._timeout_s)
        except (CaptureError, RuntimeError) as error:
            self.problem = str(error)
        repository = self._open(root)
        changed = self._without_results(root, status.changed) if status else frozenset()
        commit, branch = (status.commit, status.branch) if status else read_head(repository)
        remote_url = read_remote_url(repository, branch)
        state = GitState(
            root=to_text(root),
            commit=commit,
            branch=branch,
            describe=self._describe(root, repository) if commit and status else None,
            remote=strip_credentials(remote_url) if remote_url else None,
            dirty=bool(changed) or not status.complete if status else None,
        )
        return _Worktree(root, repository, status, changed, asked_ns, state, remote_url)

    def _without_results(self, root: Path, changed: frozenset[str]) -> frozenset[str]:
        """Return which of the tracked files that differ from the commit were not written by a workflow."""
        written = self._written() if changed else frozenset()
        return frozenset(file for file in changed if not _is_in(root / file, written))

    def _written(self) -> frozenset[str]:
        try:
            return frozenset(map(os.path.normpath, self._results()))
        except (OSError, ValueError):
            return frozenset()

    def _describe(self, root: Path, repository: git.Repo | None) -> str | None:
        """Return the nearest tag, and how far the commit is from it; without tags git is not even asked."""
        if repository is None or not has_tags(Path(repository.common_dir)):
            return None
        try:
            output = run_git(root, ["describe", "--tags"], timeout_s=self._timeout_s, limit_bytes=MAX_DESCRIBE_BYTES)
        except CaptureError:  # no tag is an ancestor, as in a shallow clone
            return None
        return output.content.decode(errors="replace").strip() or None

    def _open(self, root: Path) -> git.Repo | None:
        try:
            return open_repository(root)
        except Exception as error:  # a library reads a stranger's files here, and raises whatever it meets
            if self.problem is None:
                self.problem = f"The git repository of '{to_text(root)}' cannot be read: {error}."
            return None

    def _committed_blob(self, worktree: _Worktree, file: str) -> str | None:
        """Return the id of the blob that the commit holds for `file`, None where it holds none."""
        commit = worktree.state.commit
        if commit is None:
            return None
        if worktree.repository is not None:
            try:
                entry = worktree.repository.commit(commit).tree / file
            except KeyError:
                return None
            except Exception:  # noqa: S110 - kept in a form that GitPython cannot read; the git program is asked
                pass
            else:
                return entry.hexsha if entry.type == "blob" else None
        try:
            arguments = ["ls-tree", "-z", "--full-tree", commit, "--", file]
            output = run_git(worktree.root, arguments, timeout_s=self._timeout_s, limit_bytes=MAX_CODE_BYTES)
        except (CaptureError, RuntimeError) as error:
            self.problem = str(error)
            return None
        kind_and_id = output.content.partition(b"\t")[0].split()
        return kind_and_id[2].decode() if len(kind_and_id) == 3 and kind_and_id[1] == b"blob" else None

    def _read_patch(self, worktree: _Worktree) -> bytes | None:
        if worktree.status is None or not worktree.changed:
            return None
        files = sorted(file for file in worktree.changed if _is_of_code_size(worktree.root / file))
        left_out = sorted(worktree.changed.difference(files[:MAX_PATCHED_FILES]))
        if left_out:
            named = [to_text(file) for file in left_out[:MAX_LEFT_OUT_NAMES]]
            state = structs.replace(worktree.state, patch_left_out=named)
            self._worktrees[worktree.root] = worktree._replace(state=state)
        if not files:
            return None
        arguments = [*DIFF, worktree.state.commit or _EMPTY_TREE, "--", *files[:MAX_PATCHED_FILES]]
        try:
            output = run_git(worktree.root, arguments, timeout_s=self._timeout_s, limit_bytes=MAX_PATCH_BYTES)
        except (CaptureError, RuntimeError) as error:
            self.problem = str(error)
            return None
        if output.truncated:
            self.problem = (
                f"The difference of '{worktree.state.root}' to its commit is larger than {MAX_PATCH_BYTES} bytes "
                "and was not kept."
            )
            return None
        return output.content or None


def _inside(worktree: _Worktree, path: str) -> str:
    return str(_located(path).relative_to(worktree.root))


def _located(path: str) -> Path:
    """Return where a file lies, all links followed but one into git-annex: that stands for its content."""
    place = Path(path)
    for _ in range(MAX_LINKS):
        place = place.parent.resolve() / place.name
        if not place.is_symlink():
            break
        target = place.parent / place.readlink()
        if "annex/objects" in "/".join(target.parts[-8:]):
            return place
        place = target
    return place.resolve()


def _is_in(path: Path, written: frozenset[str]) -> bool:
    place = Path(os.path.normpath(path))
    return not written.isdisjoint(map(str, (place, *place.parents)))


def _is_of_code_size(path: Path) -> bool:
    try:
        return path.lstat().st_size <= MAX_PATCHED_FILE_BYTES
    except OSError:  # removed
        return True


def _is_converted(worktree: _Worktree, file: str) -> bool:
    """Tell whether git may store other bytes for `file` than those it checks out (line ends, filters)."""
    if worktree.repository is None:
        return True
    folders = [worktree.root / folder for folder in Path(file).parents]
    candidates = [folder / ".gitattributes" for folder in folders]
    candidates.append(Path(worktree.repository.common_dir) / "info" / "attributes")
    try:
        config = worktree.repository.config_reader()
        autocrlf = str(config.get_value("core", "autocrlf", default="false")).lower()
        if autocrlf not in ("false", "no", "off", "0") or config.has_option("core", "attributesfile"):
            return True
    except Exception:  # as in `GitReader._open`
        return True
    return any(candidate.exists() for candidate in candidates)


def _read_blob_sha1(path: str) -> str | None:
    try:
        seen = fingerprint(path)
        if seen is None or seen.size_bytes > MAX_CODE_BYTES:
            return None
        with Path(path).open("rb") as file:
            return git_blob_sha1(file.read(MAX_CODE_BYTES))
    except OSError:
        return None
