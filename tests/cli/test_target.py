"""What people type for a file and a version, and the message when it does not exist."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakeprov.cli.target import ranges
from snakeprov.cli.targetsyntax import candidates
from snakeprov.model.entities import File

Run = Callable[..., Any]


def test_a_path_is_relative_to_the_current_folder(study: Any, snakeprov: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder below, the short path is found, and so is the long one that other commands print."""
    monkeypatch.chdir(study.folder / "results")
    for typed in (
        "table.csv",
        "./table.csv",
        "../results/table.csv",
        "results/table.csv",
        str(study.folder / "results/table.csv"),
    ):
        assert snakeprov("log", typed, "--json").json["entity"]["path"] == "results/table.csv"


def test_a_path_through_a_link_is_found(study: Any, snakeprov: Run, tmp_path: Path) -> None:
    """A path that leads through a symbolic link to the working directory means the file in it."""
    (tmp_path / "link").symlink_to(study.folder)
    answer = snakeprov("log", str(tmp_path / "link" / "results" / "table.csv"), "--json")
    assert answer.json["entity"]["path"] == "results/table.csv"


@pytest.mark.parametrize(
    "path",
    [
        'with space/it\'s "quoted".txt',
        "per%20cent#1.txt",
        "ünïcode/日本.txt",
        "-dash.txt",
        "--json",
        "back\\slash.txt",
        "q?a=b&c=d.txt",
        "a@b.txt",
        "a@2",
        "syn12",
        "new\nline.txt",
    ],
)
def test_any_name_can_be_asked_for(study: Any, snakeprov: Run, path: str) -> None:
    """Whatever a file is called, it is found as typed (after `--` where it looks like an option), at any version."""
    study.job(study.run("cccc"), "make", {path: b"1"})
    study.job(study.run("dddd"), "make", {path: b"2"})
    typed = f"./{path}" if path == "syn12" else path
    answer = snakeprov("show", "--json", "--", typed)
    assert (answer.status, answer.err) == (0, "")
    assert (answer.json["entity"]["path"], answer.json["version"]["versionNumber"]) == (path, 2)
    assert snakeprov("show", "--json", "--", f"{typed}@1").json["version"]["versionNumber"] == 1
    assert snakeprov("lineage", "--", typed).status == 0


def test_a_name_that_is_not_utf8_can_be_asked_for(study: Any, snakeprov: Run) -> None:
    """Bytes that are no UTF-8 are taken as the shell passes them, and as snakeprov shows them."""
    study.job(study.run("cccc"), "make", {"caf\\xe9.txt": b"1"})
    for typed in (os.fsdecode(b"caf\xe9.txt"), "caf\\xe9.txt"):
        assert snakeprov("log", typed, "--json").json["entity"]["path"] == "caf\\xe9.txt"


def test_a_file_outside_of_the_working_directory(study: Any, snakeprov: Run, tmp_path: Path) -> None:
    """An output that lies elsewhere is asked for by its absolute path, or relative to the current folder."""
    outside = str(tmp_path / "shared" / "big.txt")
    study.job(study.run("cccc"), "make", {outside: b"1"})
    for typed in (outside, "../shared/big.txt"):
        assert snakeprov("log", typed, "--json").json["entity"]["path"] == outside


def test_a_directory_that_is_one_output(study: Any, snakeprov: Run) -> None:
    """A directory recorded as one thing is found with and without its slash."""
    (file,) = study.job(study.run("cccc"), "make", {"some.json": b"{}"})
    like = study.client.entities.get(file.entity_id)
    answer = study.client.entities.create(
        File(name="parts/", parent_id=like.parent_id, data_file_handle_id=like.data_file_handle_id)
    )
    for typed in ("parts", "parts/", "./parts"):
        assert snakeprov("log", typed, "--json").json["entity"]["id"] == answer.id


def test_an_entity_can_be_named_by_its_id(study: Any, snakeprov: Run) -> None:
    """`syn12`, `syn12.1` and `syn12@1` name an entity and a version of it."""
    entity_id = snakeprov("log", "results/table.csv", "--json").json["entity"]["id"]
    assert snakeprov("show", entity_id, "--json").json["version"]["versionNumber"] == 2
    for typed in (f"{entity_id}.1", f"{entity_id}@1"):
        assert snakeprov("show", typed, "--json").json["version"]["versionNumber"] == 1


def test_a_whole_name_wins_over_a_version(study: Any, snakeprov: Run) -> None:
    """Where both `a` and `a@1` were recorded, `a@1` is the file of that name."""
    study.job(study.run("cccc"), "make", {"a": b"1", "a@1": b"2"})
    assert snakeprov("show", "a@1", "--json").json["entity"]["path"] == "a@1"
    assert snakeprov("show", "a@1@1", "--json").json["entity"]["path"] == "a@1"


@pytest.mark.parametrize("command", ["log", "show", "lineage"])
def test_a_path_that_was_never_recorded(study: Any, snakeprov: Run, command: str) -> None:
    """The error names the path and the store, and offers what is near."""
    answer = snakeprov(command, "results/tabel.csv")
    assert (answer.status, answer.out) == (3, "")
    message, hint = answer.err.splitlines()
    assert message == f"snakeprov: error: results/tabel.csv is not recorded in {study.store}."
    assert hint.startswith("Did you mean results/table.csv")


def test_a_file_that_exists_but_was_never_recorded(study: Any, snakeprov: Run) -> None:
    """Where the file is there but unknown and nothing is near, the hint says what that means."""
    (study.folder / "zzzzzzzzzzzzzzzz").touch()
    answer = snakeprov("show", "zzzzzzzzzzzzzzzz")
    assert answer.status == 3
    assert "The file exists, but no recorded job has read or written it." in answer.err
    assert "'snakeprov log' lists what the last run wrote." in snakeprov("show", "qqqqqqqqqqqqqqqqqqqqq").err


@pytest.mark.parametrize("number", ["99", "0", "3", "999999999999999999"])
@pytest.mark.parametrize("command", ["show", "lineage"])
def test_a_version_that_does_not_exist(study: Any, snakeprov: Run, command: str, number: str) -> None:
    """The error says which versions there are."""
    answer = snakeprov(command, f"results/table.csv@{number}")
    assert answer.status == 3
    assert answer.err == (
        f"snakeprov: error: results/table.csv has no version {int(number)}.\nIt has versions 1 and 2.\n"
    )


def test_log_takes_no_version(study: Any, snakeprov: Run) -> None:
    """`log PATH@N` is a mistake that is explained."""
    answer = snakeprov("log", "results/table.csv@1")
    assert answer.status == 2
    assert "'snakeprov show results/table.csv@1' shows that one." in answer.err


def test_an_id_that_does_not_exist(study: Any, snakeprov: Run) -> None:
    """An unknown entity is named, and the way to mean a file of that name is said."""
    answer = snakeprov("show", "syn99999")
    assert answer.status == 3
    assert answer.err == (
        "snakeprov: error: There is no file syn99999 in this store.\n"
        "If a file called syn99999 is meant, write ./syn99999.\n"
    )


def test_nothing_typed(study: Any, snakeprov: Run) -> None:
    """An empty path, as an unset shell variable gives, is refused with an example."""
    answer = snakeprov("show", "")
    assert answer.status == 2
    assert answer.err.startswith("snakeprov: error: The path is empty.\n")


def test_a_path_in_several_projects(
    study: Any, snakeprov: Run, make_study: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """In a shared store the project of this folder is meant; elsewhere the projects are listed to choose from."""
    other = make_study(tmp_path / "seals", project="seals", store=study.store)
    other.job(other.run("cccc"), "make", {"results/table.csv": b"seals"})
    assert snakeprov("log", "results/table.csv", "--json").json["versions"][0]["versionNumber"] == 2
    monkeypatch.chdir(tmp_path)
    answer = snakeprov("log", "results/table.csv", "--store", str(study.store), "--project", "seals", "--json")
    assert len(answer.json["versions"]) == 1
    study.folder.rename(tmp_path / "elsewhere")
    store = str(tmp_path / "elsewhere" / ".snakeprov")
    answer = snakeprov("log", "results/table.csv", "--store", store)
    assert answer.status == 2
    assert answer.err == (
        "snakeprov: error: results/table.csv is recorded in several projects: penguins, seals.\n"
        "Say which is meant with --project NAME.\n"
    )


@given(st.lists(st.integers(1, 40), unique=True).map(sorted))
def test_ranges_name_every_number_once(numbers: list[int]) -> None:
    """The words for a list of versions can be read back into it."""
    back: list[int] = []
    for part in ranges(numbers).replace(" and ", ", ").split(", "):
        first, _, last = part.partition(" to ")
        back += range(int(first), int(last or first) + 1) if part != "none" else []
    assert back == numbers


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1), min_size=1))
def test_a_path_is_the_same_wherever_one_stands(names: list[str]) -> None:
    """A file means the same when it is typed in its folder, in the folder above, or from anywhere as absolute."""
    names = [name for name in names if name not in (".", "..")] or ["a"]
    path, folder = "/".join(names), "/".join(["/nowhere", *names[:-1]])
    found = {
        candidates(path, here="/nowhere", root="/nowhere")[0],
        candidates(names[-1], here=folder, root="/nowhere")[0],
        candidates(f"/nowhere/{path}", here="/elsewhere", root="/nowhere")[0],
    }
    assert found == {path}


def test_a_run_where_a_file_was_expected(study: Any, snakeprov: Run) -> None:
    """The hint says how a run is named; not for what is no run."""
    study.job(study.run("cccccccc"), "make", {"a": b"1"})
    answer = snakeprov("diff", "cccccccc", "a")
    assert answer.status == 3
    assert "run:cccccccc" in answer.err
    assert "run:" not in snakeprov("diff", "dddddddd", "a").err


def test_a_version_can_be_named_by_its_content(study: Any, snakeprov: Run) -> None:
    """`sha256:` or `md5:` with a digest, or at least eight characters of it in either case, names the version."""
    version = snakeprov("show", "results/table.csv@1", "--json").json["version"]
    for typed in (f"sha256:{version['sha256']}", f"sha256:{version['sha256'][:8].upper()}", f"md5:{version['md5']}"):
        answer = snakeprov("show", typed, "--json").json
        assert (answer["entity"]["path"], answer["version"]["versionNumber"]) == ("results/table.csv", 1)
        assert [one["versionNumber"] for one in snakeprov("log", typed, "--json").json["versions"]] == [2, 1]


def test_a_content_of_several_versions(study: Any, snakeprov: Run) -> None:
    """Where several files have a content they are listed to choose from; of one file the latest version is meant."""
    study.job(study.run("cccc"), "copy", {"copies/table.csv": b"mean 2\n"})
    (table,) = study.job(study.run("dddd"), "back", {"results/table.csv": b"mean 1\n"})
    assert snakeprov("show", f"sha256:{table.sha256}", "--json").json["version"]["versionNumber"] == table.number == 3
    digest = snakeprov("show", "results/table.csv@2", "--json").json["version"]["sha256"]
    assert snakeprov("show", f"sha256:{digest}", "--json").json["entity"]["path"] == "copies/table.csv"
    study.job(study.run("eeee"), "copy", {"copies/again.csv": b"mean 2\n"})
    answer = snakeprov("show", f"sha256:{digest[:12]}")
    assert answer.status == 2
    assert answer.err == (
        f"snakeprov: error: sha256:{digest[:12]} is the content of 3 versions.\n"
        "Name one of them: copies/again.csv@1, copies/table.csv@1 or results/table.csv@2.\n"
    )


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        ("sha256:0123456", 2, "is not a digest: expected 8 to 64 hexadecimal digits after sha256:."),
        ("md5:" + "0" * 33, 2, "is not a digest: expected 8 to 32 hexadecimal digits after md5:."),
        ("sha256:nothexnothex", 2, "is not a digest"),
        ("md5:00000000", 3, "has the digest md5:00000000."),
        ("run:bbbb", 2, "run:bbbb names a run; a file was expected here."),
        ("run:b", 2, "'b' is too short to name a run."),
        ("run:cccc", 3, "No run whose id begins with 'cccc' is recorded."),
    ],
)
def test_names_that_mean_no_file(study: Any, snakeprov: Run, typed: str, status: int, message: str) -> None:
    """A malformed or unknown digest, or a run where a file is needed, is refused with what to write instead."""
    answer = snakeprov("show", typed)
    assert answer.status == status
    assert message in answer.err.splitlines()[0]
    assert answer.err.splitlines()[1]


def test_a_file_that_is_called_like_something_else(study: Any, snakeprov: Run) -> None:
    """A file whose name looks like a digest or a run is named with `./` before it."""
    study.job(study.run("cccc"), "make", {"sha256:12345678": b"1", "run:bbbb": b"2"})
    for name in ("sha256:12345678", "run:bbbb"):
        assert snakeprov("show", f"./{name}", "--json").json["entity"]["path"] == name


def test_a_run_is_named_with_and_without_its_prefix(study: Any, snakeprov: Run) -> None:
    """`run bbbb`, `run run:bbbb` and `run last` are the same run; one run of several that begin alike must be said."""
    for typed in ("bbbb", "run:bbbb", "last", "run:last"):
        assert snakeprov("run", typed, "--json").json["run"]["id"].startswith("bbbb")
    study.run("bbbbb")
    answer = snakeprov("run", "run:bbbb")
    assert (answer.status, answer.err) == (
        2,
        "snakeprov: error: 'bbbb' does not name one run.\nGive more of its id. 'snakeprov runs' lists them.\n",
    )
