"""The text form of paths, and the names that paths become in a repository."""

from __future__ import annotations

import os
import posixpath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snakeprov.model import paths
from snakeprov.model.paths import OUTSIDE, from_names, relative_to, to_names, to_os, to_text

# Every byte a path can hold, with those that the text form treats specially made frequent.
_pieces = st.sampled_from(
    [b"\\", b"\\x", b"\\\\", b"\\x28", b"\xe9", b"\xff", "é".encode(), b"(root)", b"a", b" ", b"@2"]
)
_free_bytes = st.binary(min_size=1, max_size=4).map(lambda raw: raw.replace(b"\0", b"0").replace(b"/", b"_"))
_names = st.lists(_pieces | _free_bytes, min_size=1, max_size=4).map(b"".join)
_parts = st.lists(_names | st.sampled_from([b".", b"..", b""]), min_size=1, max_size=5)
_paths = st.builds(lambda root, parts: root + b"/".join(parts), st.sampled_from([b"", b"/", b"//"]), _parts)
_directories = st.lists(_names.filter(lambda name: name not in (b".", b"..")), max_size=3).map(
    lambda names: b"/" + b"/".join(names)
)


@given(_paths)
@settings(max_examples=150)
@example(b"a\\\xff")
@example(b"\\x41")
@example(b"\\\\x\xff\xc3\xa9")
def test_text_form_gives_back_the_bytes(raw: bytes) -> None:
    """Any path on disk has a text form that UTF-8 can hold and that turns back into the same bytes."""
    text = to_text(raw)

    text.encode("utf-8")
    assert os.fsencode(to_os(text)) == raw


@given(_paths, _paths)
@settings(max_examples=100)
def test_text_form_is_unique(one: bytes, other: bytes) -> None:
    """Two paths have the same text form only where they are the same bytes, however they were passed."""
    assert (to_text(one) == to_text(other)) == (one == other)
    assert to_text(os.fsdecode(one)) == to_text(one)


@given(st.text(alphabet=st.sampled_from("\\x4e9dcaé/"), max_size=12))
@settings(max_examples=150)
@example("\\x41")
def test_any_text_names_a_path(text: str) -> None:
    """Text that no path has as its text form still turns into something the operating system accepts."""
    os.fsencode(to_os(text))


@given(_paths, _directories)
@settings(max_examples=200)
@example(b"/a\\b/x\xe9", b"/a\\b")
@example(b"/caf\xe9/a\\b", b"/caf\xe9")
@example(b"../x\xe9", b"/a\\b/c")
@example(b"/", b"/")
@example(b"../c", b"/a/c")
def test_relative_path_is_found_once_and_for_all(raw: bytes, directory_raw: bytes) -> None:
    """Making a path relative twice changes nothing more, gives a text form, and still means the same place."""
    directory = to_text(directory_raw)
    relative = relative_to(to_text(raw), directory)

    assert relative_to(relative, directory) == relative
    assert to_text(to_os(relative)) == relative
    expected = posixpath.normpath(b"/" + posixpath.join(directory_raw, raw).lstrip(b"/"))
    assert posixpath.normpath(posixpath.join(directory_raw, os.fsencode(to_os(relative)))) == expected


@given(_paths, _directories)
@settings(max_examples=100)
@example(b"../c", b"/a/c")
def test_relative_path_does_not_depend_on_how_it_was_written(raw: bytes, directory_raw: bytes) -> None:
    """A path given relative and the same path given absolute become the same text."""
    directory = to_text(directory_raw)
    absolute = to_text(posixpath.join(directory_raw, raw))

    assert relative_to(to_text(raw), directory) == relative_to(absolute, directory)


@given(_paths, _directories, st.booleans())
@settings(max_examples=200)
@example(b"(root)", b"/a", True)
@example(b"/", b"/a", True)
@example(b"\\x28root)", b"/a", False)
def test_names_give_back_the_path(raw: bytes, directory_raw: bytes, is_directory: bool) -> None:
    """The names that a path becomes turn back into it, and only the last of them may hold a slash: at its end."""
    path = relative_to(to_text(raw), to_text(directory_raw))
    if is_directory and path != "/":
        path += "/"
    names = to_names(path)

    assert from_names(names) == path
    assert all(names)
    assert not any("/" in name for name in names[:-1])
    assert "/" not in names[-1].removesuffix("/")


@given(_names, _names, _names)
@settings(max_examples=100)
@example(b"a\\b", b"plain", b"caf\xe9")
def test_one_folder_has_one_name(folder: bytes, one: bytes, other: bytes) -> None:
    """A folder's name does not depend on what lies in it, nor is a file inside taken for one outside."""
    if folder in (b".", b".."):
        return
    first, second = (to_names(to_text(folder + b"/" + name)) for name in (one, other))

    assert first[0] == second[0] != OUTSIDE


@pytest.mark.parametrize("path", ["/home/ada/project", ".", "", "results/..", "../project", "//home/ada/project/"])
def test_working_directory_is_a_dot(path: str) -> None:
    """The working directory itself is `.`, however it is written."""
    assert relative_to(path, "/home/ada/project") == "."


def test_sibling_with_the_same_beginning_is_outside() -> None:
    """A directory whose name begins like the working directory's does not lie inside it."""
    assert relative_to("/home/ada/project-2/a.txt", "/home/ada/project") == "/home/ada/project-2/a.txt"


@given(st.text(alphabet="a./\u00e4", max_size=8))
def test_the_usual_path_is_found_as_any_other(path: str) -> None:
    """That it need not be normalised is seen without normalising it."""
    assert relative_to(path, "/home/ada") == paths._relative_to(path, "/home/ada")
