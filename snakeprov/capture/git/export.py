"""Writes the files of a commit, and a patch on top of them, into a folder; the work tree is not touched."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from snakeprov.capture.git.program import MAX_MESSAGE_BYTES, environment, is_commit_id, run_git
from snakeprov.errors import CaptureError
from snakeprov.model.paths import to_text

TIMEOUT_S: Final = 600.0
"""How long the git program may take to write the files of a commit, to apply a patch, or to look for a commit."""


def has_commit(root: Path, commit: str) -> bool:
    """Return whether the repository at `root` is there and has a commit, given by its whole id."""
    if not is_commit_id(commit):
        return False
    try:
        run_git(root, ["cat-file", "-e", f"{commit}^{{commit}}"], timeout_s=TIMEOUT_S, limit_bytes=1)
    except CaptureError:
        return False
    return True


def export_commit(root: Path, commit: str, folder: Path) -> None:
    """Put the files of a commit into an empty folder, as git checks them out; submodules stay empty.

    All of them: `git archive` would leave out, and change, what `.gitattributes` says of an archive.

    Raises:
        CaptureError: git cannot be run or failed, or the files cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # With an index of its own git leaves that of the work tree alone.
        for arguments in (
            ["read-tree", "--no-sparse-checkout", commit],
            ["checkout-index", "--all", "--quiet", f"--prefix={folder.absolute()}/"],
        ):
            run_git(root, arguments, timeout_s=TIMEOUT_S, limit_bytes=MAX_MESSAGE_BYTES, index=Path(scratch) / "index")


def apply_patch(folder: Path, patch: bytes) -> None:
    """Apply a patch, as `git diff --binary` makes it, to the files in a folder: all of it or nothing.

    Raises:
        CaptureError: It does not fit, or git cannot be run.
    """
    asked = f"git apply in '{to_text(folder)}'"
    # A repository above the folder would have the patch taken for one of its own.
    variables = environment() | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            ["git", "-C", str(folder), "apply", "--binary", "--whitespace=nowarn", "-"],  # noqa: S607
            input=patch,
            capture_output=True,
            timeout=TIMEOUT_S,
            env=variables,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CaptureError(f"{asked} could not be run ({type(error).__name__}).") from error
    if done.returncode:
        said = done.stderr[:MAX_MESSAGE_BYTES].decode(errors="replace").partition("\n")[0]
        raise CaptureError(f"{asked} failed: {said or 'it gave no reason'}.")
