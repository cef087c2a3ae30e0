"""One file has one path, however it is spelled and by whatever links it is reached."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.places import Places
from snakeprov.model.paths import to_os


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory: `/home_link` leads to its home, `latest` to a folder of it, `scratch` to one elsewhere."""
    folder = tmp_path / "real" / "project"
    for name in ("results/v1", "data"):
        (folder / name).mkdir(parents=True)
    (tmp_path / "disk" / "ada" / "deep").mkdir(parents=True)
    (tmp_path / "home_link").symlink_to("real")
    (folder / "latest").symlink_to("results/v1")
    (folder / "scratch").symlink_to(tmp_path / "disk" / "ada")
    (folder / "data" / "far").symlink_to(tmp_path / "disk" / "ada" / "deep")
    (folder / "above").symlink_to("..")
    return folder


def test_a_file_in_the_working_directory(work: Path, tmp_path: Path) -> None:
    """It is recorded by its path in it."""
    places = Places(str(work))
    spellings = {
        "results/v1/a.txt": [
            "results/v1/a.txt",
            "./results//v1/./a.txt",
            f"{work}/results/v1/a.txt",
            f"{tmp_path}/home_link/project/results/v1/a.txt",
            "latest/a.txt",
            "latest/../v1/a.txt",
            "above/project/latest/a.txt",
        ],
        "a.txt": ["a.txt", "./a.txt", "data/../a.txt", f"{tmp_path}/home_link/project/a.txt"],
        "results/a.txt": ["latest/../a.txt"],
        "scratch/a.txt": ["scratch/a.txt", f"{tmp_path}/disk/ada/a.txt", "scratch/deep/../a.txt"],
        "scratch/deep/a.txt": [f"{tmp_path}/disk/ada/deep/a.txt", "data/far/a.txt", "scratch/deep/a.txt"],
        ".": [".", "./", str(work), f"{work}/", f"{tmp_path}/home_link/project", "latest/../.."],
        "data": ["data", "data/", f"{tmp_path}/home_link/project/data", "latest/../../data/."],
    }

    for expected, written in spellings.items():
        assert {one: places.path(one) for one in written} == dict.fromkeys(written, expected)


def test_a_file_elsewhere(work: Path, tmp_path: Path) -> None:
    """It has one absolute path, also where a `..` follows a link; a link that is the file keeps its name."""
    places = Places(str(work))
    (work / "ref.fa").symlink_to(tmp_path / "disk" / "ref.fa")

    assert places.path(f"{tmp_path}/home_link/x.fa") == places.path("../x.fa") == f"{tmp_path}/real/x.fa"
    assert places.path("scratch/../x.fa") == f"{tmp_path}/disk/x.fa"
    assert (places.path("ref.fa"), places.path("latest")) == ("ref.fa", "latest")
    assert (places.path("/x"), places.path("/"), places.path("//etc//x")) == ("/x", "/", "/etc/x")


def test_a_link_to_a_folder_keeps_its_name_also_with_a_slash_behind_it(work: Path) -> None:
    """As the output of a rule that makes the link."""
    places = Places(str(work))

    assert places.path("latest/") == places.path("latest//") == places.path("latest") == "latest"


def test_of_several_links_to_a_folder_elsewhere_the_nearest_counts(work: Path, tmp_path: Path) -> None:
    """And of those that lead to the same folder, the first by name."""
    for name in ("z_deep", "y_deep", "x_deep"):
        (work / name).symlink_to(tmp_path / "disk" / "ada" / "deep")
    places = Places(str(work))

    assert places.path(f"{tmp_path}/disk/ada/deep/a.txt") == places.path("z_deep/a.txt") == "x_deep/a.txt"
    assert places.path("x_deep/../a.txt") == "scratch/a.txt"


def test_folders_that_do_not_exist_yet_are_looked_at_again(work: Path, tmp_path: Path) -> None:
    """A job can make the folder of its output as a link."""
    places = Places(str(work))
    with places.assumed():
        assert places.path("new/deep/a.txt") == "new/deep/a.txt"
        (work / "new").symlink_to("results")
        (work / "results" / "deep").mkdir()
        assert places.path("new/deep/a.txt") == "new/deep/a.txt"
    assert places.path("new/deep/a.txt") == "results/deep/a.txt"


def test_links_that_lead_nowhere_or_in_circles(work: Path) -> None:
    """They are taken as they are written, and nothing is raised."""
    (work / "loop").symlink_to("loop")
    (work / "nowhere").symlink_to("/does/not/exist")
    places = Places(str(work))

    assert places.path("loop/a.txt").endswith("loop/a.txt")
    assert places.path("nowhere/a.txt") == "/does/not/exist/a.txt"
    assert places.path("a\0b/c.txt") == "a\0b/c.txt"


def test_names_that_are_no_utf8(work: Path) -> None:
    """They have their text form, which is that of the whole path."""
    (work / os.fsdecode(b"caf\xe9")).mkdir()
    assert Places(str(work)).path(os.fsdecode(b"caf\xe9/a\\b.txt")) == "caf\\xe9/a\\\\b.txt"


def test_a_folder_that_is_known_costs_no_system_call(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of files in it, and however the folder is spelled."""
    places = Places(str(work))
    places.path(f"{work}/results/v1/a.txt")
    places.path("latest/a.txt")
    monkeypatch.setattr(os, "readlink", None)
    monkeypatch.setattr(os, "scandir", None)

    assert places.path(f"{work}/results/v1/b.txt") == places.path("latest/b.txt") == "results/v1/b.txt"


_STEPS = st.lists(
    st.sampled_from(["..", ".", "", "results", "v1", "latest", "scratch", "deep", "above", "data", "far"])
)


@settings(max_examples=200, deadline=None)
@given(steps=_STEPS)
def test_it_agrees_with_the_system(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    """Whatever exists is the same file by its recorded path, and two spellings of one folder never differ."""
    folder = tmp_path_factory.getbasetemp() / "places"
    if not folder.exists():
        (folder / "project" / "results" / "v1").mkdir(parents=True)
        (folder / "disk" / "deep").mkdir(parents=True)
        (folder / "project" / "latest").symlink_to("results/v1")
        (folder / "project" / "scratch").symlink_to(folder / "disk")
        (folder / "project" / "above").symlink_to("..")
    work = folder / "project"
    written = "/".join([*steps, "file"]).lstrip("/")
    recorded = Places(str(work)).path(written)
    above = (work / written).parent  # pathlib leaves `..` to the system
    if above.is_dir():
        real = above.resolve()
        assert (work / to_os(recorded)).parent.resolve() == real
        assert Places(str(work)).path(f"{real}/file") == recorded
