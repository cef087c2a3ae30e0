"""The environment of the official client, apart from that of the project.

The client wants exact versions of a dozen libraries; nobody who tests the project otherwise should need them.

Run as a program with a folder, this makes the environment there and prints its Python; it needs nothing installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

INSTALL_TIMEOUT_S = 600

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


class NotInstallableError(Exception):
    """The official client cannot be installed here; the message says what was tried and what came of it."""


def requirements() -> list[str]:
    """Return what the environment holds: the extra `test-synapse`."""
    extras: dict[str, list[str]] = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    return extras["test-synapse"]


def make(folder: Path) -> Path:
    """Return the Python of the environment in `folder`, which is made unless it is there.

    Several processes may ask at once: one makes it, the others wait.

    Raises:
        NotInstallableError: It cannot be made.
    """
    wanted = requirements()
    place = folder.absolute() / hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    place.mkdir(parents=True, exist_ok=True)
    python = place / "venv" / "bin" / "python"
    complete = place / "complete"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            _run([sys.executable, "-m", "venv", "--clear", str(place / "venv")])
            _run([str(python), "-m", "pip", "install", "--quiet", *wanted])
            complete.touch()
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise NotInstallableError(f"{' '.join(command)} did not end within {INSTALL_TIMEOUT_S} s.") from error
    if done.returncode != 0:
        raise NotInstallableError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")


if __name__ == "__main__":
    try:
        print(make(Path(sys.argv[1])))
    except NotInstallableError as error:
        sys.exit(str(error))
