"""The files of a commit, and a patch on top of them, put into a folder without touching the work tree.

Must not know: why they are wanted.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from snakeprov.capture.gitprogram import MAX_MESSAGE_BYTES, environment, run_git
from snakeprov.errors import CaptureError
from snakeprov.model.paths import to_text

TIMEOUT_S: Final = 600.0
"""How long the git program may take to apply a patch, or to look for a commit."""


def has_commit(root: Path, commit: str) -> bool:
    """Return whether the repository at `root` is there and has a commit."""
    try:
        run_git(root, ["cat-file", "-e", f"{commit}^{{commit}}"], timeout_s=TIMEOUT_S, limit_bytes=1)
    except CaptureError:
        return False
    return True


def export_commit(root: Path, commit: str, folder: Path) -> None:
    """Put the files of a commit into an empty folder; submodules stay empty.

    Raises:
        CaptureError: git cannot be run or failed, or the files cannot be written.
    """
    command = ["git", "-C", str(root), "archive", "--format=tar", commit]
    asked = f"git archive in '{to_text(root)}'"
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(  # noqa: S603 - a fixed program, and no shell
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, env=environment()
            )
        except OSError as error:
            raise CaptureError(f"{asked} could not be asked: git cannot be started ({error.strerror}).") from error
        with process:
            try:
                with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                    # Links may lead anywhere, as in the repository; nothing is written outside of the folder.
                    archive.extractall(folder, filter="tar")
            except (tarfile.TarError, OSError) as error:
                process.kill()
                process.wait()
                messages.seek(0)
                said = messages.read(MAX_MESSAGE_BYTES).decode(errors="replace").partition("\n")[0]
                raise CaptureError(f"{asked} failed: {said or error}.") from error
            process.wait()


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
