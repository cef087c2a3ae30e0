"""Runs the git program so that it asks nothing, writes nothing and always ends."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

from snakeprov.errors import CaptureError
from snakeprov.model.paths import to_text

MAX_STATUS_BYTES = 16 << 20
"""Most bytes read of `git status`; past it the list of changes is known to be incomplete."""

MAX_MESSAGE_BYTES = 4096
"""Most bytes read of what git says on standard error."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

DIFF = [
    "diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
    "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3",
]  # fmt: skip
"""Arguments of git for a difference that looks the same whatever the user's settings are."""

_KEPT_VARIABLES = ("GIT_CONFIG", "GIT_EXEC_PATH")


class Output(NamedTuple):
    """What git printed, and whether it was cut at the limit."""

    content: bytes
    truncated: bool


class Status(NamedTuple):
    """What `git status` says.

    Attributes:
        commit: Full hex id of HEAD; None before the first commit.
        branch: None when HEAD is detached.
        changed: Tracked files that differ from HEAD, relative to the root, as Python's file functions take them.
        dirty: Whether anything tracked differs. Untracked files do not count: results lie about
            uncommitted in many projects, and looking for them would read every folder.
        complete: Whether `changed` names all.
    """

    commit: str | None
    branch: str | None
    changed: frozenset[str]
    dirty: bool
    complete: bool


def is_commit_id(text: str) -> bool:
    """Return whether a text is the whole id of a commit; anything else that a store says could be an option of git.

    >>> is_commit_id("4b825dc642cb6eb9a060e54bf8d69288fbee4904"), is_commit_id("--output=x")
    (True, False)
    """
    return _COMMIT.fullmatch(text) is not None


def run_git(
    root: Path, arguments: list[str], *, timeout_s: float, limit_bytes: int, index: Path | None = None
) -> Output:
    """Return what `git ARGUMENTS` prints in the work tree at `root`, up to `limit_bytes`.

    With `index` git uses that file in the place of the index of the work tree.

    Raises:
        CaptureError: There is no git program, it failed, or it took longer than `timeout_s`.
    """
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments]
    asked = f"git {arguments[0]} in '{to_text(root)}'"
    variables = environment() | ({} if index is None else {"GIT_INDEX_FILE": str(index)})
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(  # noqa: S603 - a fixed program, and no shell
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, env=variables
            )
        except OSError as error:
            raise CaptureError(
                f"{asked} could not be asked: the git program cannot be started ({error.strerror}).",
                hint="Install git, or put it on the PATH.",
            ) from error
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(timeout_s, expire)
        with process:  # closes the pipe and waits
            try:
                timer.start()
                content = process.stdout.read(limit_bytes + 1) if process.stdout else b""
                truncated = len(content) > limit_bytes
                if truncated:
                    process.kill()
                process.wait()
            finally:
                timer.cancel()
        messages.seek(0)
        message = messages.read(MAX_MESSAGE_BYTES).decode(errors="replace").strip()
    if expired.is_set():
        raise CaptureError(f"{asked} took longer than {timeout_s:g} s and was ended.")
    if process.returncode and not truncated:
        raise _refusal(asked, root, message)
    return Output(content[:limit_bytes], truncated)


def read_status(root: Path, *, timeout_s: float) -> Status:
    """Return what `git status` says of the work tree at `root`.

    Raises:
        CaptureError: As `run_git`.
    """
    arguments = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--no-renames"]
    output = run_git(root, arguments, timeout_s=timeout_s, limit_bytes=MAX_STATUS_BYTES)
    return parse_status(output.content, complete=not output.truncated)


def parse_status(content: bytes, *, complete: bool = True) -> Status:
    """Return what the output of `git status --porcelain=v2 --branch -z --no-renames` says.

    Source: git-status(1), "Porcelain Format Version 2".
    """
    head: dict[str, str] = {}
    changed: set[str] = set()
    for entry in os.fsdecode(content).split("\0"):
        match entry[:1]:
            case "#":
                key, _, value = entry[2:].partition(" ")
                head[key] = value
            case "1":
                changed.add(entry.split(" ", 8)[-1])
            case "u":
                changed.add(entry.split(" ", 10)[-1])
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return Status(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        changed=frozenset(changed),
        dirty=bool(changed) or not complete,
        complete=complete,
    )


def environment() -> dict[str, str]:
    """The user's environment, less what would send git to another repository or change what it prints."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
    }
    return kept | {"GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def _refusal(asked: str, root: Path, message: str) -> CaptureError:
    if "dubious ownership" in message:
        return CaptureError(
            f"{asked} was refused: the repository belongs to another user.",
            hint=f"If you trust it: git config --global --add safe.directory '{to_text(root)}'",
        )
    first_line = message.partition("\n")[0] or "it gave no reason"
    return CaptureError(f"{asked} failed: {first_line}.")
