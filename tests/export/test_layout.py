"""Where things lie in a crate, and what leaves it when it is to be public."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.export.crate import crate
from snakeprov.export.layout import RESERVED, Layout
from snakeprov.export.material import Activity, Made, Material, Use
from snakeprov.export.public import public
from snakeprov.model.answers import Version
from snakeprov.model.records import CodeFact, StoredGit

from ..answers import job_record, told_run

NAMES = st.sampled_from(["a", "b", "..", ".", "", "ro-crate-metadata.json", "x" * 300, "é\n", "\\", "SHA256SUMS"])


def version(path: str, number: int = 1) -> Version:
    return Version(entity_id=f"syn{abs(hash(path))}", version_number=number, path=path, sha256="0" * 64)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.lists(NAMES, min_size=1, max_size=4), st.booleans()), max_size=8))
def test_no_path_leads_out_of_a_crate_or_to_another_file(wanted: list[tuple[bool, list[str], bool]]) -> None:
    """Whatever a path is: it stays inside, is taken once, is no name that the crate needs, and has a name that fits."""
    layout, files, folders = Layout(), set(RESERVED), set()
    for is_absolute, names, is_folder in wanted:
        path = "/" * is_absolute + "/".join(names) + "/" * is_folder
        placed = layout.place(version(path, len(files) + len(folders)))
        plain = placed.rstrip("/")

        assert posixpath.normpath(plain) == plain and not plain.startswith(("/", ".."))
        assert plain not in files and plain not in folders
        assert not any(plain.startswith(file + "/") for file in files)
        assert all(len(name.encode()) <= 255 for name in plain.split("/"))
        (folders if placed.endswith("/") else files).add(plain)
        folders |= {plain.rsplit("/", depth)[0] for depth in range(1, plain.count("/") + 1)}
        assert not files & folders


def told(text: str) -> Material:
    """A run in which everything that can be any text is `text`."""
    result, script = version(f"/home/ada/{text}"), version("/home/ada/study/Snakefile")
    job = job_record(
        "sort",
        status="failed",
        shellcmd=f"sort {text} > /dev/null",
        params={"path": text},
        error=text,
        container=text,
        code=[CodeFact(role="snakefile", path=script.path, line=3)],
    )
    activity = Activity(
        id="job_1",
        name="sort",
        run_id="r",
        job=job,
        used=(Use(role="code", version_id=script.id), Use(role="input", url=f"file:///home/ada/{text}", name=text)),
        made=(Made(version_id=result.id, name=text),),
    )
    run = told_run(
        "r",
        user="ada",
        host="laptop",
        working_directory="/home/ada/study",
        snakefile=script.path,
        command_line=f"snakemake {text}",
        config={"data": [text]},
        git=StoredGit(root="/home/ada/study", commit="c" * 40, remote="/srv/git/study"),
        status="failed",
    )
    return Material(
        store="urn:x#",
        run_id="r",
        versions={one.id: one for one in (result, script)},
        activities=(activity,),
        runs={"r": run},
    )


@pytest.mark.parametrize(
    "text",
    [
        "/home/ada/study/in.txt",
        "~/in.txt",
        "--out=/home/ada/x",
        "'/data/laptop/a b'",
        "ada@laptop:/home/ada/x",
        "//home/ada/x",
        "~ada/x",
    ],
)
def test_nothing_public_tells_who_and_where(text: str) -> None:
    """Users, hosts and absolute paths are gone from every record, and the Snakefile is still known as such."""
    material = public(told(text))
    written = repr(material)

    assert not any(private in written for private in ("/home", "'ada'", "laptop", "/srv", "~/", "ada@"))
    assert "/dev/null" in written
    assert material.main_snakefile(material.runs["r"]) is not None


def test_public_keeps_what_is_no_path() -> None:
    """URLs, relative paths, fractions and options stay what they are."""
    text = "https://example.org/a/b results/x.csv 1/2 -F / s3://bucket/key"
    path = public(told(text)).activities[0].job.params["path"]
    assert path.startswith("https://example.org/a/b results/x.csv 1/2")


@pytest.mark.parametrize("text", ["", "\x1b[2J", "<script>", 'a"b', "../../etc", "x" * 100_000, "ü\udc80".encode(
    "utf-8", "replace").decode(), "#", "?q=1", "a b%20c"])  # fmt: skip
def test_no_text_breaks_a_crate(text: str) -> None:
    """Each id is there once, and every reference to an id of the crate's own leads to something."""
    made = crate(told(text), {}, profile="process")
    ids = [entity.id for entity in made.get_entities()]
    references = set(_references([entity.properties() for entity in made.get_entities()]))

    assert len(ids) == len(set(ids))
    assert {one for one in references if one.startswith("#")} <= set(ids)


def _references(value: object) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _references(one)]
    if not isinstance(value, dict):
        return []
    return [str(value["@id"])] if set(value) == {"@id"} else _references(list(value.values()))
