"""`find` as people type it, and the completion of what they type."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snakeprov.view import found as view

Run = Callable[..., Any]

DOCS = Path(__file__).parents[2] / "docs" / "commands"


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (["rule=clean"], "2 versions of 2 files match rule=clean."),
        (["island=biscoe", "rule=summ*"], "results/table.csv@2 matches island=biscoe and rule=summ*."),
        (["minimum=3.0"], "results/table.csv@2 matches minimum=3.0."),
        (["run=last"], "2 versions of 2 files match run=last."),
        (["user=nobody"], "No version that is recorded matches user=nobody."),
        (["path=results/*", "-n", "2"], "More than 2 versions of 2 files match path=results/*."),
    ],
)
def test_the_first_line_says_what_was_found(study: Any, snakeprov: Run, terms: list[str], sentence: str) -> None:
    """One version is named, several are counted."""
    assert snakeprov("find", *terms).out.splitlines()[0] == sentence


def test_the_list_says_what_made_each(study: Any, snakeprov: Run) -> None:
    """Under the sentence each result has its rule, wildcards, run, commit and digest, the latest first."""
    study.job(study.run("cccc"), "plot", {}, status="failed", wildcards={"island": "dream"})
    out = snakeprov("find", "island=biscoe", "island=dream").out
    lines = [re.sub(r"\d+ \w+ ago", "[age]", " ".join(line.split())) for line in out.splitlines()]
    assert lines == [
        "results/table.csv@2 matches island=biscoe or island=dream.",
        "",
        "version when rule wildcards run commit sha256",
        "no output [age] plot island=dream failed cccc41fc 1a2b3c4+dirty",
        f"results/table.csv@2 [age] summarise island=biscoe bbbb65ba 1a2b3c4+dirty {lines[-1][-8:]}",
    ]


def test_a_file_is_recognised_by_its_content(study: Any, snakeprov: Run, tmp_path: Path) -> None:
    """Renamed and copied anywhere, a file is known again; other bytes are not; more can be asked besides."""
    copy = tmp_path / "download (1).csv"
    copy.write_bytes(b"mean 1\n")
    assert snakeprov("find", "--file", str(copy)).out.startswith(f"results/table.csv@1 has the content of {copy}.\n")
    answer = snakeprov("find", "--file", str(copy), "--json").json
    assert [(one["path"], one["versionNumber"]) for one in answer["results"]] == [("results/table.csv", 1)]
    assert [list(one) for one in answer["files"]] == [["file", "sha256", "md5"]]
    out = snakeprov("find", "--file", str(copy), "run=last").out
    assert out == f"No version that is recorded has the content of {copy} and matches run=last.\n"
    raw = snakeprov("find", "--file", "data/penguins.csv").out.splitlines()[-1]
    assert "raw input" in raw


def test_the_content_of_a_large_file_has_no_md5(study: Any, snakeprov: Run, tmp_path: Path) -> None:
    """Nobody needs it for a store in a folder; the key is there nevertheless."""
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(100_000))
    (asked,) = snakeprov("find", "--file", str(large), "--json").json["files"]
    assert (list(asked), asked["md5"]) == (["file", "sha256", "md5"], None)


def test_the_json_has_its_keys_and_they_are_documented(study: Any, snakeprov: Run) -> None:
    """Each result has every key, in a fixed order, and docs/commands/find.md names them."""
    answer = snakeprov("find", "status=success", "--json").json
    assert list(answer) == ["terms", "files", "results", "truncated"]
    assert [list(one) for one in answer["results"]] == [list(view.ResultDocument.__struct_encode_fields__)] * 5
    told = set(re.findall(r"`(\w+)`", (DOCS / "find.md").read_text(encoding="utf-8")))
    assert {*view.ResultDocument.__struct_encode_fields__, *answer, *("file", "sha256", "md5")} <= told


def test_hostile_names_do_nothing(study: Any, snakeprov: Run) -> None:
    """Escape sequences in names, wildcards, keys and values are shown as text."""
    study.job(study.run("cccc"), "r\x1b[2J", {"a\x1b[2J\nb": b"1"}, wildcards={"s\x1b": "x\x07" * 1000})
    answer = snakeprov("find", "rule=r\x1b*")
    assert answer.out.count("\n") == 4
    assert "\x1b" not in answer.out + snakeprov("find", "\x1b[2J=1").err


@pytest.mark.parametrize(
    ("arguments", "status", "message", "hint"),
    [
        ([], 2, "No search term is given.", "For example: snakeprov find rule=align sample=a."),
        (["rule"], 2, "'rule' is not of the form KEY=VALUE.", "For example:"),
        (["=a"], 2, "'=a' is not of the form KEY=VALUE", "For example:"),
        (
            ["Snakefile"],
            2,
            "'Snakefile' is not of the form KEY=VALUE",
            "--file Snakefile recognises a file by its content.",
        ),
        (
            ["ilsand=b"],
            2,
            "'ilsand' is not a key, and no recorded job has such a wildcard or param",
            "Did you mean island? Keys: rule, status,",
        ),
        (["rule=claen"], 3, "No job of a rule 'claen' is recorded.", "Did you mean clean?"),
        (["since=soon"], 2, "since='soon': a date was expected, such as", "'snakeprov find --help' lists the keys."),
        (["run=zzzz"], 3, "No run whose id begins with 'zzzz' is recorded.", "'snakeprov runs' lists them."),
        (["--file", "nowhere"], 2, "'nowhere' cannot be read", "Name a file or a directory that can be read."),
    ],
)
def test_questions_that_make_no_sense(
    study: Any, snakeprov: Run, arguments: list[str], status: int, message: str, hint: str
) -> None:
    """What is missing, unknown or impossible is said in a sentence, with what to do."""
    answer = snakeprov("find", *arguments)
    told = answer.err.splitlines()
    assert (answer.status, answer.out, len(told)) == (status, "", 2)
    assert message in told[0].replace(str(study.folder) + "/", "") and hint in told[1]


@pytest.mark.parametrize(
    ("folder", "typed", "offered"),
    [
        (".", "results/t", ["results/table.csv"]),
        ("results", "cl", ["clean/adelie.csv", "clean/gentoo.csv"]),
        ("results", "../da", ["../data/penguins.csv"]),
        (".", "nothing", []),
    ],
)
def test_a_shell_completes_recorded_paths(study: Any, folder: str, typed: str, offered: list[str]) -> None:
    """What is typed goes on to recorded paths, as seen from the current folder, on disk or not."""
    (study.folder / "results/table.csv").unlink()
    variables = {"_SNAKEPROV_COMPLETE": "bash_complete", "COMP_WORDS": f"snakeprov show {typed}", "COMP_CWORD": "2"}
    program = Path(sys.executable).with_name("snakeprov")
    environment = {"PATH": "/usr/bin:/bin", **variables}
    done = subprocess.run(
        [program], cwd=study.folder / folder, env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout.split(), done.stderr) == ([f"plain,{one}" for one in offered], "")


def test_completion_offers_nothing_where_there_is_no_repository(study_folder: Path) -> None:
    """Without a store a shell is offered no paths, and hears no complaint."""
    variables = {"_SNAKEPROV_COMPLETE": "bash_complete", "COMP_WORDS": "snakeprov show a", "COMP_CWORD": "2"}
    done = subprocess.run(
        [Path(sys.executable).with_name("snakeprov")], cwd=study_folder, env=variables, capture_output=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == (b"", b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_a_shell(snakeprov: Run, shell: str) -> None:
    """The script calls snakeprov back in that shell's way; another shell is refused."""
    answer = snakeprov("completion", shell)
    assert (answer.status, f"_SNAKEPROV_COMPLETE={shell}_complete" in answer.out) == (0, True)
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in snakeprov("completion", "tcsh").err
