"""The command as a process: exit status, streams, terminals, signals, and what it loads."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snakeprov import errors
from snakeprov.cli import failure, main

Run = Callable[..., Any]

COMMAND = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())"]


def on_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """Return what the command prints on a terminal."""
    primary, secondary = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "PAGER": "cat", **environment}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=secondary, stderr=secondary, env=variables)
    os.close(secondary)
    got = b""
    while True:
        try:
            chunk = os.read(primary, 65536)
        except OSError:
            break
        got += chunk
    os.close(primary)
    process.wait()
    return got.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_its_own_width(study: Any) -> None:
    """On a terminal lines are coloured and fit; with NO_COLOR or a dumb terminal they are plain."""
    coloured = on_terminal("lineage", "results/figure.png", columns=48, NO_COLOR="")
    assert "\x1b[32mplot\x1b[0m" in coloured
    plain = on_terminal("lineage", "results/figure.png", columns=48, NO_COLOR="1")
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines()[:2])) <= 48
    assert "…" in plain
    assert "\x1b" not in on_terminal("log", "results/table.csv", TERM="dumb")


def test_what_is_longer_than_the_terminal_goes_to_the_pager(study: Any) -> None:
    """The pager gets the whole answer, with its colours. What fits is printed, and so is all with `PAGER=cat`."""
    numbered = {"PAGER": "sed -n '$='", "LINES": "24"}
    lines = on_terminal("show", "results/table.csv", PAGER="").count("\n")
    assert lines > 24
    assert on_terminal("show", "results/table.csv", **numbered) == f"{lines}\n"
    assert on_terminal("show", "results/table.csv", SNAKEPROV_PAGER="head -n 1", **numbered).count("\n") == 1
    assert on_terminal("--no-pager", "show", "results/table.csv", **numbered).count("\n") == lines
    assert on_terminal("show", "results/table.csv", PAGER="no-such-pager", LINES="24").count("\n") == lines
    assert on_terminal("show", "results/table.csv", **{**numbered, "LINES": str(lines + 1)}).count("\n") == lines
    assert on_terminal("show", "results/table.csv", **numbered, TERM="dumb").count("\n") == lines
    assert on_terminal("show", "results/table.csv", "--json", **numbered).startswith("{")
    assert "\x1b[" in on_terminal("show", "results/table.csv", PAGER="tac", LINES="24", NO_COLOR="")


def test_a_pager_that_is_left_early_is_no_error(study: Any) -> None:
    """Whoever has seen enough leaves the pager, and the command ends quietly."""
    study.job(study.run("cccc"), "many", {f"out/{number}.txt": b"%d" % number for number in range(3000)})
    said = on_terminal("ls", PAGER="head -n 1", LINES="24")
    assert said.splitlines() == ["3,006 files recorded in this project, 11.0 kB."]


def test_a_terminal_without_unicode_gets_ascii(study: Any) -> None:
    """Where the encoding knows no line drawing, the tree is in ASCII and other characters are escaped."""
    study.job(study.run("cccc"), "make", {"ü.txt": b"1"})
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    tree = subprocess.run([*COMMAND, "lineage", "results/figure.png"], env=environment, capture_output=True, check=True)
    assert b"`- results/table.csv@2" in tree.stdout
    log = subprocess.run([*COMMAND, "log", "ü.txt"], env=environment, capture_output=True, check=True)
    assert log.stdout.startswith(b"\\xfc.txt")


def test_a_reader_that_goes_away_is_no_error(study: Any) -> None:
    """`snakeprov … | head -1` prints its line and nothing on stderr."""
    study.job(study.run("cccc"), "many", {f"out/{number}.txt": b"%d" % number for number in range(40)})
    script = f"{' '.join(map(repr, COMMAND[:2]))} {COMMAND[2]!r} log --json | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_is_said(study: Any, more: list[str]) -> None:
    """Where the output cannot be written, the reason is said in a sentence."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "log", *more], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "snakeprov: error: The output cannot be written (No space left on device).\nWrite it to another file.\n"
    )


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, study: Any, snakeprov: Run) -> None:
    """Ctrl-C ends the command with status 130 and no traceback."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("snakeprov.places.locate", interrupt)
    answer = snakeprov("log")
    assert answer.status == 130
    assert "Traceback" not in answer.err


def test_an_unexpected_error_is_one_line(monkeypatch: pytest.MonkeyPatch, study: Any, snakeprov: Run) -> None:
    """A bug in snakeprov is reported in one line that says how to see more; the variable shows the traceback."""

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("division\x1b by zero")

    monkeypatch.setattr("snakeprov.places.locate", fail)
    answer = snakeprov("log")
    assert answer.status == 1
    assert answer.err.splitlines() == [
        "snakeprov: error: unexpected ZeroDivisionError: division\\x1b by zero",
        "This is a mistake in snakeprov. Set SNAKEPROV_DEBUG=1 to see where it happened, and please report it.",
    ]
    monkeypatch.setenv(failure.DEBUG_VARIABLE, "1")
    assert "Traceback" in snakeprov("log").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lineag", "a"], "No such command 'lineag'. Did you mean 'lineage'?"),
        (["xyzzy"], "No such command 'xyzzy'.\n"),
        (["log", "--nope"], "--nope"),
        (["show"], "Missing argument 'PATH[@N]'"),
        (["show", "a", "b"], "Got unexpected extra argument (b)"),
        (["lineage", "a", "--depth", "0"], "0 is not in the range 1<=x<=1000"),
        (["lineage", "a", "--depth", "many"], "'many' is not a valid integer"),
        (["log", "-n", "0"], "0 is not in the range 1<=x<=100000"),
        (["run", "abc"], "'abc' is too short to name a run."),
    ],
)
def test_what_cannot_be_taken_is_refused(study: Any, snakeprov: Run, arguments: list[str], message: str) -> None:
    """Wrong usage says what is wrong, points at help, and exits with 2."""
    answer = snakeprov(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("snakeprov: error: ")
    assert message in answer.err
    assert len(answer.err.splitlines()) == 2


@pytest.mark.parametrize("run_id", ["zzzz", "ffffffffffff", "../..", "%00%00"])
def test_a_run_that_does_not_exist(study: Any, snakeprov: Run, run_id: str) -> None:
    """An unknown run is named, and the command that lists runs."""
    answer = snakeprov("run", run_id)
    assert answer.status == 3
    assert answer.err == (
        f"snakeprov: error: No run whose id begins with {run_id!r} is recorded.\n'snakeprov runs' lists them.\n"
    )


def test_a_run_id_that_is_ambiguous(study: Any, snakeprov: Run) -> None:
    """Where two runs' ids begin alike, more of the id is asked for."""
    study.run("bbbb1")
    answer = snakeprov("run", "bbbb")
    assert answer.status == 2
    assert answer.err.startswith("snakeprov: error: 'bbbb' does not name one run.\nGive more of its id.")


@pytest.mark.parametrize("command", [["log"], ["show", "a"], ["lineage", "a"], ["runs"], ["run"], ["status"]])
def test_without_a_repository(tmp_path: Path, snakeprov: Run, monkeypatch: Any, command: list[str]) -> None:
    """Where there is no store, every command says how to make one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    answer = snakeprov(*command)
    assert answer.status == errors.NoStoreError.exit_status
    assert answer.err.startswith(f"snakeprov: error: There is no snakeprov store in {tmp_path}")
    assert "snakeprov.track(workflow)" in answer.err
    assert snakeprov(*command, "--store", "nowhere").status == errors.NoStoreError.exit_status


def test_a_damaged_repository(study: Any, snakeprov: Run) -> None:
    """A store that is damaged is told in a sentence, not with a traceback."""
    study.client.close()
    for path in study.store.glob("provenance.sqlite*"):
        path.unlink()
    (study.store / "provenance.sqlite").write_bytes(b"this is no database at all" * 1000)
    answer = snakeprov("log")
    assert answer.status == errors.CorruptStoreError.exit_status
    assert answer.err.startswith("snakeprov: error: ")
    assert "Traceback" not in answer.err


def test_a_current_folder_that_is_gone(tmp_path: Path, snakeprov: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that was deleted the commands say so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    answer = snakeprov("log")
    assert answer.status == 2
    assert answer.err.startswith("snakeprov: error: The current folder no longer exists.\n")


def test_a_repository_elsewhere(study: Any, snakeprov: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--store` names the folder of a store, or the working directory it lies in, from anywhere."""
    monkeypatch.chdir(tmp_path)
    for store in ("penguins", "penguins/.snakeprov", str(study.store)):
        assert snakeprov("log", "results/table.csv", "--store", store, "--json").status == 0
        assert snakeprov("--store", store, "log", "results/table.csv", "--json").status == 0
        assert snakeprov("--store", store, "verify", "results/table.csv").status == 0
    assert snakeprov("--store", "nowhere", "log", "results/table.csv", "--store", "penguins").status == 0


def test_help_and_version(snakeprov: Run) -> None:
    """Without a command the help is shown; every command has help of its own."""
    help_text = snakeprov("--help")
    assert snakeprov().out == help_text.out
    assert help_text.status == 0
    assert re.search(r"^snakeprov \d+\.\d+", snakeprov("--version").out)
    for command in ("log", "ls", "show", "lineage", "runs", "run", "status", "push"):
        assert f"\n  {command} " in help_text.out
        assert "--json" in snakeprov(command, "-h").out


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_every_error_ends_in_its_exit_status(kind: type[errors.SnakeprovError], capsys: Any) -> None:
    """Whatever error of snakeprov a command ends with, its sentence and hint are printed and its status returned."""
    more: dict[str, Any] = {"status": 400, "reason": "r"} if issubclass(kind, errors.ApiError) else {}
    assert failure.tell(kind("It failed.", hint="Do this.", **more)) == kind.exit_status
    assert capsys.readouterr().err == "snakeprov: error: It failed.\nDo this.\n"


def test_the_help_loads_little() -> None:
    """`snakeprov --help` loads click and nothing else from outside the standard library."""
    script = (
        "import sys; from snakeprov.cli import main; main(['--help']);"
        "print(*{name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stderr.split() if not name.startswith(("_", "sitecustomize"))}
    assert loaded <= {"click", "snakeprov"}


def test_main_takes_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """`main` returns the exit status instead of ending the process."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("snakeprov ")


@pytest.mark.parametrize("command", ["log", "show", "why", "lineage", "runs"])
def test_a_question_loads_only_what_answers_it(study: Any, command: str) -> None:
    """A command that only asks loads no HTTP client, no dialect of another database, and no service for changes."""
    code = (
        "import sys; from snakeprov.cli import main; main(sys.argv[1:]); "
        "unneeded = {'requests', 'urllib3', 'sqlalchemy.dialects.postgresql', 'sqlalchemy.orm', 'alembic', 'git', "
        "'tree_sitter', 'rocrate', 'prov', 'snakeprov.recorder.delivery', 'snakeprov.server.openapi', "
        "'snakeprov.server.uploads', 'snakeprov.server.pruning', 'snakeprov.server.batch'}; "
        "print(*unneeded.intersection(sys.modules), file=sys.stderr)"
    )
    arguments = [] if command == "runs" else ["results/table.csv"]
    run = subprocess.run([sys.executable, "-c", code, command, *arguments], capture_output=True, text=True)
    assert run.stdout
    assert run.stderr.strip() == ""


@pytest.mark.parametrize("command", ["affected", "verify"])
def test_looking_at_files_on_disk_loads_nothing_that_records(study: Any, command: str) -> None:
    """Both answer quickly: neither the delivering process nor a parser of code is loaded."""
    code = (
        "import sys; from snakeprov.cli import main; main(sys.argv[1:]); "
        "print(*{'snakeprov.recorder.delivery', 'tree_sitter'}.intersection(sys.modules), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code, command, "results/table.csv"], capture_output=True, text=True)
    assert run.stdout
    assert run.stderr.strip() == ""
