"""The manifest of a directory."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.disk import tree
from snakeprov.disk.files import digest_file
from snakeprov.disk.sidebyside import SIDE_BY_SIDE_BYTES
from snakeprov.disk.tree import digest_directory
from snakeprov.errors import CaptureError, ChangedFileError, CorruptStoreError, NewerStoreError
from snakeprov.model.digest import Digest
from snakeprov.model.manifest import Entry, read_manifest
from snakeprov.model.paths import TIMESTAMP, to_os

NAMES = st.one_of(
    st.sampled_from([b"a", b"b", b"a.txt", b"a-b", b"caf\xe9", "café".encode(), b"with space", rb"back\x5c", b"#1"]),
    st.binary(min_size=1, max_size=4).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b"..")),
)
TREES = st.recursive(
    st.binary(max_size=20),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
).filter(lambda made: isinstance(made, dict))


def make(path: bytes, made: object) -> None:
    if isinstance(made, dict):
        os.mkdir(path)  # noqa: PTH102
        for name, inner in made.items():
            make(path + b"/" + name, inner)
    else:
        Path(os.fsdecode(path)).write_bytes(made)  # type: ignore[arg-type]


def leaves(made: object, prefix: bytes = b"") -> dict[bytes, bytes | None]:
    """The files of a made tree and its empty directories, by path."""
    if not isinstance(made, dict):
        return {prefix: made}  # type: ignore[dict-item]
    if not made and prefix:
        return {prefix: None}
    found: dict[bytes, bytes | None] = {}
    for name, inner in made.items():
        found |= leaves(inner, prefix + b"/" + name if prefix else name)
    return found


@settings(max_examples=40, deadline=None)
@given(made=TREES)
def test_manifest_names_every_member_in_order_and_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, made: object
) -> None:
    """A manifest holds exactly the files and empty directories, sorted by bytes, and reading it gives it back."""
    folder = tmp_path_factory.mktemp("tree")
    make(os.fsencode(folder / "tree"), made)
    manifest = digest_directory(str(folder / "tree"), digest_file)
    expected = leaves(made)
    assert [os.fsencode(to_os(entry.path)) for entry in manifest.entries] == sorted(expected)
    for entry in manifest.entries:
        content = expected[os.fsencode(to_os(entry.path))]
        assert (entry.type, entry.size_bytes) == (("directory", None) if content is None else ("file", len(content)))
    assert read_manifest(manifest.content) == manifest


@settings(max_examples=15, deadline=None)
@given(made=TREES)
def test_equal_trees_have_equal_manifests(tmp_path_factory: pytest.TempPathFactory, made: object) -> None:
    """Two directories with the same content have byte for byte the same manifest, whatever order they were made in."""

    def turned(made: object) -> object:
        return {name: turned(made[name]) for name in reversed(made)} if isinstance(made, dict) else made

    folder = tmp_path_factory.mktemp("tree")
    make(os.fsencode(folder / "one"), made)
    make(os.fsencode(folder / "two"), turned(made))
    one, two = (digest_directory(str(folder / name), digest_file) for name in ("one", "two"))
    assert one.content == two.content
    assert one.digest == two.digest


def test_manifest_has_this_form(tmp_path: Path) -> None:
    """The manifest is this JSON, which other programs may read and whose digest must never change."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "run.sh").write_bytes(b"")
    (tmp_path / "sub" / "run.sh").chmod(0o755)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("/nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / TIMESTAMP).touch()
    manifest = digest_directory(str(tmp_path), digest_file)
    assert manifest.content == (
        b'{"manifestVersion":1,"entries":['
        b'{"path":"empty","type":"directory"},'
        b'{"path":"link","type":"symlink","target":"/nowhere"},'
        b'{"path":"pipe","type":"other"},'
        b'{"path":"sub/run.sh","type":"file","sizeBytes":0,'
        b'"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",'
        b'"executable":true}]}'
    )
    assert [path for path, _ in manifest.files] == ["sub/run.sh"]
    assert read_manifest(manifest.content) == manifest


def test_members_with_many_bytes_are_read_side_by_side(tmp_path: Path) -> None:
    """The manifest is the same as that of members read one after the other, also where one cannot be read."""
    for number in range(5):
        (tmp_path / f"{number}").write_bytes(bytes([number]) * (SIDE_BY_SIDE_BYTES // 4))
    names: set[str] = set()
    meeting = threading.Barrier(2, timeout=20)

    def digest(path: str) -> Digest:
        names.add(threading.current_thread().name)
        if path.endswith(("0", "1")):
            meeting.wait()
        if path.endswith("3"):
            raise CaptureError("no")
        return digest_file(path)

    manifest = digest_directory(str(tmp_path), digest)

    assert len(names) > 1
    assert [(one.path, one.type, one.sha256) for one in manifest.entries] == [
        (name, "file", digest_file(str(tmp_path / name)).sha256) if name != "3" else (name, "unreadable", None)
        for name in "01234"
    ]


def test_order_is_that_of_bytes(tmp_path: Path) -> None:
    """Members are sorted by the bytes of their paths, which is another order than that of Python's text."""
    names = [b"a-b", b"a/c", b"a0", "\U0001f600".encode(), b"\xff"]
    for name in names:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.touch()
    manifest = digest_directory(str(tmp_path), digest_file)
    assert [os.fsencode(to_os(entry.path)) for entry in manifest.entries] == names


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link to a directory, even to the one it lies in, is noted as a link and not entered."""
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "file").touch()
    manifest = digest_directory(str(tmp_path), digest_file)
    assert [(entry.path, entry.type) for entry in manifest.entries] == [("file", "file"), ("loop", "symlink")]


def test_directory_may_be_reached_by_a_link(tmp_path: Path) -> None:
    """The directory itself may be named by a link; its manifest is the same."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").touch()
    (tmp_path / "link").symlink_to("real")
    real, link = (digest_directory(str(tmp_path / name), digest_file) for name in ("real", "link"))
    assert real == link


def test_only_the_marker_of_the_directory_itself_is_left_out(tmp_path: Path) -> None:
    """Snakemake's marker at the top is no member; a file of that name further down is one."""
    (tmp_path / TIMESTAMP).touch()
    assert digest_directory(str(tmp_path), digest_file).entries == []
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / TIMESTAMP).touch()
    assert [entry.path for entry in digest_directory(str(tmp_path), digest_file).entries] == [f"sub/{TIMESTAMP}"]


def test_one_unreadable_member_does_not_spoil_the_rest(tmp_path: Path) -> None:
    """Members that cannot be read, vanish or change are noted as unreadable, and the others are recorded."""

    def digest(path: str) -> Digest:
        if path.endswith("changed"):
            raise ChangedFileError("changed")
        if path.endswith("gone"):
            Path(path).unlink()
        return digest_file(path)

    for name in ("changed", "fine", "gone"):
        (tmp_path / name).touch()
    types = {entry.path: entry.type for entry in digest_directory(str(tmp_path), digest).entries}
    assert types == {"changed": "unreadable", "fine": "file", "gone": "unreadable"}


def test_unreadable_folder_is_noted(tmp_path: Path) -> None:
    """A folder that may not be listed is noted as unreadable."""
    (tmp_path / "closed").mkdir(mode=0)
    if os.access(tmp_path / "closed", os.R_OK):
        pytest.skip("this user (root, say) may read everything")
    assert digest_directory(str(tmp_path), digest_file).entries == [Entry(path="closed", type="unreadable")]


def test_deep_directory_is_no_problem(tmp_path: Path) -> None:
    """Depth is bounded by the file system and not by Python's recursion."""
    folders = [tmp_path]
    for _ in range(1200):
        folders.append(Path(f"{folders[-1]}/d"))
        folders[-1].mkdir()
    (entry,) = digest_directory(str(tmp_path), digest_file).entries
    for folder in reversed(folders[1:]):
        folder.rmdir()  # pytest's own cleaning up recurses
    assert entry == Entry(path="/".join(["d"] * 1200), type="directory")


def test_number_of_members_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory at the bound is recorded; with one member more it is refused before anything is digested."""
    monkeypatch.setattr(tree, "MAX_ENTRIES", 5)
    for name in "abcde":
        (tmp_path / name).touch()
    assert len(digest_directory(str(tmp_path), digest_file).entries) == 5
    (tmp_path / "f").touch()
    with pytest.raises(CaptureError, match=r"has more than 5 members, the most .* may have\. Pack them") as info:
        digest_directory(str(tmp_path), lambda path: pytest.fail(f"{path} was digested"))
    assert info.value.hint


@pytest.mark.parametrize(
    ("name", "reason"), [("missing", "No such file"), ("file", "Not a directory"), ("nul\0", "null")]
)
def test_what_is_no_directory_is_a_capture_error(tmp_path: Path, name: str, reason: str) -> None:
    """A path that is not a directory gives our sentence with the reason, and the cause chained."""
    (tmp_path / "file").touch()
    with pytest.raises(CaptureError, match=f"{name}' cannot be recorded as a directory: .*{reason}") as info:
        digest_directory(f"{tmp_path}/{name}", digest_file)
    assert info.value.__cause__ is not None


FILE = {"type": "file", "sizeBytes": 0, "sha256": "", "md5": ""}


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ([{"path": "../x", **FILE}], "'../x' is not the path of a member"),
        ([{"path": "a/../../x", **FILE}], "is not the path of a member"),
        ([{"path": "/etc/passwd", **FILE}], "'/etc/passwd' is not the path of a member"),
        ([{"path": "//x", **FILE}], "is not the path of a member"),
        ([{"path": ".", **FILE}], "'.' is not the path of a member"),
        ([{"path": "", **FILE}], "'' is not the path of a member"),
        ([{"path": "a/", **FILE}], "is not the path of a member"),
        ([{"path": "a\0", **FILE}], "is not the path of a member"),
        ([{"path": "\\x2e\\x2e/x", **FILE}], "is not the path of a member"),
        ([{"path": "a", **FILE}, {"path": "a", **FILE}], "'a' is named twice"),
        (
            [{"path": "a", "type": "symlink", "target": "/etc"}, {"path": "a/b/passwd", **FILE}],
            "'a/b/passwd' lies in 'a', which has no members",
        ),
        ([{"path": "a", "type": "file"}], "'a' is a file and has the digest of something else"),
        ([{"path": "a", **FILE, "type": "other"}], "'a' is a other and has the digest of something else"),
        ([{"path": "a", "type": "symlink"}], "'a' is a symlink and has the target of something else"),
        ([{"path": "a", "type": "door"}], "Invalid enum value 'door'"),
    ],
)
def test_manifest_that_no_directory_gives_is_refused(entries: list[dict[str, object]], what: str) -> None:
    """A manifest that could write outside of its directory, or contradicts itself, is damaged."""
    with pytest.raises(CorruptStoreError, match=r"^The manifest of a directory is damaged: ") as info:
        read_manifest(json.dumps({"manifestVersion": 1, "entries": entries}).encode())
    assert what in info.value.message


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"manifestVersion": "1"}', b'{"manifestVersion": 1}']
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    """Bytes that are not a manifest are damaged, with the cause chained."""
    with pytest.raises(CorruptStoreError, match="manifest of a directory is damaged") as info:
        read_manifest(content)
    assert info.value.__cause__ is not None


def test_newer_manifest_is_refused_by_its_version() -> None:
    """A manifest of a later version is distinguished from a damaged one, whatever else it holds."""
    with pytest.raises(NewerStoreError, match=r"has version 2; this snakeprov reads up to 1\. Update snakeprov\."):
        read_manifest(b'{"manifestVersion": 2, "members": {}}')


def test_folders_of_tools_are_named_and_not_looked_into(tmp_path: Path) -> None:
    """Whatever changes in `.git`, `.snakemake` and `.snakeprov`, at any depth, the manifest is the same."""
    for name in (".snakeprov", "sub/.git", "sub/deeper/.snakemake"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "a.txt").touch()
    before = digest_directory(str(tmp_path), digest_file)
    (tmp_path / ".snakeprov" / "provenance.sqlite").touch()
    (tmp_path / "sub" / ".git" / "HEAD").touch()
    after = digest_directory(str(tmp_path), digest_file)

    assert before == after == read_manifest(after.content)
    assert [(entry.path, entry.type) for entry in after.entries] == [
        (".git", "leftOut"),
        (".snakeprov", "leftOut"),
        ("a.txt", "file"),
        ("sub/.git", "leftOut"),
        ("sub/deeper/.snakemake", "leftOut"),
    ]
