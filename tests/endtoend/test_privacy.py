"""Who may read what is recorded: real runs and commands of several users, which takes root."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import snakeprov

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other users take root")

ADA, BOB, LAB = 20_001, 20_002, 30_001
RUN_TIMEOUT_S = 180

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule count:
    input: "patients.csv", "notes.txt"
    output: "counts.txt"
    shell: "wc -l < {input[0]} > {output}"
"""

QUESTIONS = """
log counts.txt
show counts.txt
lineage counts.txt
why counts.txt
status
runs
methods counts.txt
find rule=count
affected notes.txt
run
verify
fsck
"""


@dataclass
class User:
    """Somebody with a home and a umask, who works in the study's folder."""

    number: int
    folder: Path
    home: Path
    umask: int = 0o022

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of snakemake or snakeprov."""
        return subprocess.run(
            ["setpriv", f"--reuid={self.number}", f"--regid={self.number}", f"--groups={LAB}", *_program(*command)],
            cwd=self.folder,
            env={**_environment(), "HOME": str(self.home), "LOGNAME": f"user{self.number}"},
            umask=self.umask,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )

    def ask(self, *command: str) -> str:
        """Run a command of snakeprov that succeeds; return what it prints."""
        done = self.call("snakeprov", *command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def ask_all(self, *more: str) -> None:
        """Ask all questions, in one process, and check that each is answered."""
        done = self.call("questions", *QUESTIONS.strip().splitlines(), *more)
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str) -> str:
        """Run the workflow; return the line that the recording ended with."""
        done = self.call("snakemake", "--cores", "1", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines()[-1]


def _program(name: str, *arguments: str) -> list[str]:
    start = "from snakeprov.cli import main; import sys; "
    match name:
        case "snakeprov":
            return [_interpreter(), "-c", start + "sys.exit(main(sys.argv[1:]))", *arguments]
        case "questions":
            asked = "sys.exit(' '.join(one for one in sys.argv[1:] if main(one.split())) or None)"
            return [_interpreter(), "-c", start + asked, *arguments]
    return [_interpreter(), "-m", name, *arguments]


@functools.cache
def _interpreter() -> str:
    """Return a Python like this one that everybody may run; this one may lie in root's home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        check = [
            "setpriv",
            f"--reuid={ADA}",
            f"--regid={ADA}",
            "--clear-groups",
            "sh",
            "-c",
            f"{path} -c 'import msgspec'",
        ]
        if subprocess.run(check, env=_environment(), capture_output=True, check=False).returncode == 0:
            return path
    pytest.skip("no other user may run a Python of this version")


def _environment() -> dict[str, str]:
    left_out = ("SNAKEMAKE_", "SNAKEPROV_", "XDG_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    packages = [str(Path(snakeprov.__file__).parents[1]), sysconfig.get_path("purelib")]
    return {**kept, "PYTHONPATH": os.pathsep.join(packages), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def study() -> Iterator[Path]:
    """The folder of a study in a place that everybody may reach, with a private input."""
    top = Path(tempfile.mkdtemp(prefix="snakeprov-test-"))
    top.chmod(0o755)
    folder = top / "study"
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "notes.txt").write_text("for everybody\n")
    (folder / "patients.csv").write_text("".join(f"patient,{number}\n" for number in range(30_000)))
    for path in (folder, *folder.iterdir()):
        os.chown(path, ADA, LAB)
        path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "patients.csv").chmod(0o600)
    yield folder
    shutil.rmtree(top)


def _user(number: int, folder: Path, *, umask: int = 0o022) -> User:
    home = folder.parent / f"home{number}"
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, number, number)
    return User(number, folder, home, umask)


def _modes(folder: Path) -> dict[str, int]:
    """The permissions of everything in a folder and of itself."""
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.lstat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, b"" if path.is_dir() else path.read_bytes())
        for path in sorted((folder, *folder.rglob("*")))
    }


def test_a_store_is_private_whatever_the_umask_and_opens_by_hand(study: Path) -> None:
    """Others read nothing until the owner opens the folder; later files are as open as that."""
    ada, bob = _user(ADA, study, umask=0), _user(BOB, study)
    assert "1 job" in ada.run()
    own = study / ".snakeprov"

    assert {name: oct(mode) for name, mode in _modes(own).items() if mode & 0o077} == {}
    refused = bob.call("snakeprov", "log")
    assert refused.returncode == 30
    assert f"The store {own} is private: only its owner ({ADA}" in refused.stderr or "is private" in refused.stderr

    subprocess.run(["chmod", "-R", "a+rX", str(own)], check=True)
    before = _state(own)
    bob.ask_all(f"restore notes.txt -o {bob.home}/notes.txt")
    assert _state(own) == before
    modes = _modes(own)
    (study / "notes.txt").write_text("for everybody, and more\n" * 10_000)
    (study / "patients.csv").write_text("nobody\n")
    ada.run("-F")
    new = {name: mode for name, mode in _modes(own).items() if name not in modes and "/blobs/" in name}
    assert {mode for name, mode in new.items() if not mode & 0o100} == {0o444, 0o400}, new
    bob.ask("restore", "notes.txt", "-o", str(bob.home / "notes2.txt"))
    assert bob.call("snakeprov", "restore", "patients.csv", "-o", str(bob.home / "no.csv")).returncode != 0


@pytest.mark.parametrize("how", ["set-gid", "setting"])
def test_a_shared_store_is_the_groups(study: Path, how: str) -> None:
    """Two users of one group record into it and ask it, whatever their umasks; a private file stays private."""
    ada, bob = _user(ADA, study, umask=0o077), _user(BOB, study, umask=0o022)
    study.chmod(0o2775 if how == "set-gid" else 0o775)
    if how == "setting":
        (study / "snakeprov.toml").write_text('shared = "group"\n')
    assert "1 job" in ada.run()
    own = study / ".snakeprov"
    (study / "patients.csv").chmod(0o660)
    (study / "notes.txt").write_text("from bob\n")
    (study / "notes.txt").chmod(0o664)
    shutil.rmtree(study / ".snakemake")  # Snakemake's own folder is as ada's umask made it
    (study / "counts.txt").unlink()
    assert "1 job" in bob.run("-F")

    for name, mode in _modes(own).items():
        if (own.parent / name).is_dir():
            assert mode == 0o2770, name
        elif "/blobs/" not in name or name.endswith(".sqlite"):
            assert mode == 0o660, name
        assert (own.parent / name).stat().st_gid == LAB, name
    for user in (ada, bob):
        user.ask_all(f"restore notes.txt@1 -o {user.home}/notes.txt")


def test_a_private_file_in_a_shared_store_stays_private(study: Path) -> None:
    """Its copy is its owner's; the colleague is told so, and takes no damage for it."""
    ada, bob = _user(ADA, study), _user(BOB, study)
    study.chmod(0o2775)
    (study / "notes.txt").chmod(0o600)
    ada.run()
    modes = {mode for name, mode in _modes(study / ".snakeprov").items() if "/blobs/" in name and mode < 0o660}

    assert modes == {0o400}
    for path in ("patients.csv", "notes.txt"):
        ada.ask("restore", path, "-o", str(ada.home / path))
        refused = bob.call("snakeprov", "restore", path, "-o", str(bob.home / path))
        assert refused.returncode != 0
        assert "it is a copy of a private file" in refused.stderr
    assert "which only its owner may check" in bob.ask("fsck")


def test_asking_needs_no_home_and_no_place_for_temporary_files(study: Path) -> None:
    """A home that may not be read, as sudo leaves it, is passed over; read-only folders are enough."""
    ada = _user(ADA, study)
    ada.run()
    bob = _user(BOB, study)
    (bob.home / ".netrc").write_text("")
    os.chown(bob.home, 0, 0)
    subprocess.run(["chmod", "-R", "a+rX", str(study / ".snakeprov")], check=True)
    bob.ask_all()
