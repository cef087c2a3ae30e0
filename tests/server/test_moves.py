"""Paths under renames and moves, and version numbers under updates: what must hold whatever happens."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, open_database
from snakeprov.model.paths import from_names
from snakeprov.server import create_app

from .api import MODEL, Api, Json, user_of
from .live import Socket

NAMES = st.sampled_from(["a", "b", "(root)", "\\x28root)", "ä%_", "a\\b", "\\xe9", "\\\\xe9"])
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def expected_path(api: Api, entity: Json) -> str:
    steps = api.get(f"/repo/v1/entity/{entity['id']}/path")["path"]
    return from_names(tuple(step["name"] for step in steps[2:]))


def api_on(socket: Socket, store: Database, folder: Path) -> Api:
    app = create_app(store, LocalBlobs(folder), identify=user_of, local_files=True)
    return Api(socket.mount(app), folder)


@FEW
@given(moves=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), NAMES), max_size=8))
def test_paths_follow_every_rename_and_move(socket: Socket, moves: list[tuple[int, int, str]]) -> None:
    """However folders are renamed and moved, within a project or to another, every path is that of its names."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_database(Path(folder), create=True)
        api = api_on(socket, store, Path(folder))
        project, other = api.project("P"), api.project("Q")
        top, root = api.folder_in(project, "a"), api.folder_in(project, "(root)")
        inner = api.folder_in(top, "b")
        things = [project, other, top, root, inner, api.folder_in(inner, "c"), api.folder_in(top, "a b")]
        things.append(api.file_in(inner, "file"))
        for which, where, name in moves:
            entity = api.get(f"/repo/v1/entity/{things[which]['id']}")
            body = {**entity, "name": name, "parentId": entity["parentId"] if which < 2 else things[where]["id"]}
            result = api.ask("PUT", f"/repo/v1/entity/{entity['id']}", body)
            assert result.status_code in (200, 400, 409), result.text
        for entity in things:
            assert api.path_of(entity) == expected_path(api, entity)
        store.close()


@FEW
@given(changes=st.lists(st.tuples(st.sampled_from(["same", "x", "y"]), st.booleans()), max_size=8))
def test_version_numbers_only_grow(socket: Socket, changes: list[tuple[str, bool]]) -> None:
    """A version is made exactly when the content differs or one is asked for; numbers count up, none is lost."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_database(Path(folder), create=True)
        api = api_on(socket, store, Path(folder))
        file = api.file_in(api.project(), "f", handle=api.handle(b"same"))
        contents = ["same"]
        for content, forced in changes:
            options: dict[str, Any] = {"query": "?newVersion=true"} if forced else {}
            file = api.update(file, dataFileHandleId=api.handle(content.encode()), **options)
            if forced or content != contents[-1]:
                contents.append(content)
        versions = api.versions(entityId=file["id"])["results"]

        assert file["versionNumber"] == len(contents)
        assert [version["versionNumber"] for version in versions] == list(range(len(contents), 0, -1))
        assert [version["sizeBytes"] for version in versions] == [len(content) for content in reversed(contents)]
        store.close()


def test_a_folder_does_not_go_into_itself(api: Api) -> None:
    """A move below itself is refused; one to the end of another folder's like-named path is not."""
    project = api.project()
    outer = api.folder_in(project, "a")
    inner = api.folder_in(outer, "b")
    other = api.folder_in(project, "a0")

    assert "cannot be moved into itself" in api.update(outer, parentId=inner["id"], expect=400)["reason"]
    assert "cannot be moved into itself" in api.update(outer, parentId=outer["id"], expect=400)["reason"]
    api.update(outer, parentId=other["id"])
    assert api.path_of(inner) == "a0/a/b"


def test_renaming_the_outside_folder_moves_what_is_in_it(api: Api) -> None:
    """Below `(root)` paths are absolute, and become relative when it is called otherwise."""
    project = api.project()
    root = api.folder_in(project, "(root)")
    file = api.file_in(api.folder_in(root, "data"), "ref.fa")
    before = api.path_of(file)
    api.update(root, name="copy")

    assert (before, api.path_of(file)) == ("/data/ref.fa", "copy/data/ref.fa")


def test_backslashes_are_doubled_where_a_path_needs_it(api: Api) -> None:
    """A folder with a backslash in its name takes along both the paths that double it and those that do not."""
    project = api.project()
    folder = api.folder_in(project, "a\\b")
    neighbour = api.folder_in(project, "a\\\\b")
    plain, raw = api.file_in(folder, "plain"), api.file_in(folder, "caf\\xe9")
    other = api.file_in(neighbour, "other")
    before = [api.path_of(entity) for entity in (plain, raw, other)]
    api.update(folder, name="c\\d")
    after = [api.path_of(entity) for entity in (plain, raw, other)]

    assert before == ["a\\b/plain", "a\\\\b/caf\\xe9", "a\\\\b/other"]
    assert after == ["c\\d/plain", "c\\\\d/caf\\xe9", "a\\\\b/other"]
    api.update(neighbour, name="a")
    assert api.path_of(other) == "a/other"


def test_names_that_become_one_path_are_a_conflict(api: Api) -> None:
    """Two names that stand for the same bytes are not both taken in one folder."""
    project = api.project()
    api.folder_in(project, "\\x")
    body = {"concreteType": MODEL + "Folder", "name": "\\\\x", "parentId": project["id"]}

    assert "already exists" in api.reason("POST", "/repo/v1/entity", body, expect=409)
