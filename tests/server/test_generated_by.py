"""`generatedBy` and `etag` wherever the services take them: whose activity, which version, and who was first."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import pytest

from snakeprov.server.routes import all_services

from .api import MODEL, Api, Json
from .live import Served, User

E = "/repo/v1/entity"


class Way(NamedTuple):
    """A service that connects an entity version with an activity.

    Attributes:
        body: What the body is: the entity, a bundle with it, or nothing.
        makes: "entity", "version", or nothing new.
    """

    method: str
    path: str
    body: str
    makes: str


WAYS = [
    Way("POST", E, "entity", "entity"),
    Way("POST", E + "/bundle", "bundle", "entity"),
    Way("POST", E + "/bundle2/create", "bundle", "entity"),
    Way("PUT", E + "/{id}", "entity", ""),
    Way("PUT", E + "/{id}?newVersion=true", "entity", "version"),
    Way("PUT", E + "/{id}/version", "entity", "version"),
    Way("PUT", E + "/bundle", "bundle", ""),
    Way("PUT", E + "/{id}/bundle", "bundle", ""),
    Way("PUT", E + "/{id}/bundle2", "bundle", ""),
    Way("PUT", E + "/{id}/generatedBy", "", ""),
    Way("PUT", E + "/{id}/version/1/generatedBy", "", ""),
]


class World:
    """Ada's project, in which eve may do everything, with a file; both have an activity; nobody has no token."""

    def __init__(self, served: Served) -> None:
        self.ada, self.eve, self.nobody = served.user("ada"), served.user("eve"), served.nobody()
        self.project = self.ada.project()
        self.ada.share(self.project, **{f"u{self.eve.id}": ["READ", "DOWNLOAD", "CREATE", "UPDATE", "DELETE"]})
        self.old, self.theirs = self.ada.activity()["id"], self.ada.activity()["id"]
        self.own = self.eve.activity()["id"]
        self.file = self.ada.file_in(self.project, "a", query=f"?generatedBy={self.old}")
        self.handle = self.eve.handle()

    def send(self, who: User, way: Way, activity: str, *, expect: int) -> Any:
        """Ask for a connection with an activity, and for nothing else."""
        entity: Json = {
            "concreteType": MODEL + "FileEntity",
            "name": "new",
            "parentId": self.project["id"],
            "dataFileHandleId": self.handle,
        }
        if way.makes != "entity":
            entity = {**self.ada.get(f"{E}/{self.file['id']}"), "versionLabel": None}
        body = {"entity": entity, "bundle": {"entity": entity}}.get(way.body)
        path = way.path.format(id=self.file["id"])
        path += f"{'&' if '?' in path else '?'}generatedBy={activity}"
        return who.send(way.method, path, body, expect=expect)

    def state(self) -> Any:
        """Return what must be as before after a request that was refused."""
        versions = self.ada.get(f"{E}/{self.file['id']}/version")["results"]
        generated = [self.ada.get(f"/repo/v1/activity/{id_}/generated") for id_ in (self.old, self.theirs)]
        children = self.ada.post(
            f"{E}/children", {"parentId": self.project["id"], "includeTypes": ["file"]}, expect=200
        )
        return self.ada.get(f"{E}/{self.file['id']}"), versions, generated, children

    def activity_of_newest(self) -> str | None:
        """Return the activity of the newest version of the newest file."""
        body = {"parentId": self.project["id"], "includeTypes": ["file"]}
        page = self.ada.post(f"{E}/children", body, expect=200)["page"]
        newest = max((item["id"] for item in page), key=lambda id_: int(id_[3:]))
        answer = self.ada.ask("GET", f"{E}/{newest}/generatedBy")
        return str(answer.json()["id"]) if answer.status_code == 200 else None


@pytest.fixture
def world(served: Served) -> World:
    return World(served)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.method} {way.path}")
def test_an_activity_is_connected_by_its_creator_only(world: World, way: Way) -> None:
    """Somebody else's is 403, an unknown one 404, what is no number 400, no token 403; then nothing has changed."""
    before = world.state()

    assert "Only the user who created activity" in world.send(world.eve, way, world.theirs, expect=403)["reason"]
    assert world.send(world.eve, way, "999", expect=404)["reason"] == "Activity id 999 not found."
    for odd in ("x", "-2", "1e3", "", "9" * 30):
        assert "generatedBy=" in world.send(world.eve, way, odd, expect=400)["reason"]
    world.send(world.nobody, way, world.theirs, expect=403)
    assert world.state() == before
    world.send(world.eve, way, world.own, expect=201 if way.makes == "entity" else 200)
    assert world.activity_of_newest() == world.own


@pytest.mark.parametrize("way", [way for way in WAYS if way.makes != "entity"], ids=lambda way: way.path)
def test_minus_one_unlinks(world: World, way: Way) -> None:
    """`generatedBy=-1` leaves the newest version without an activity, and the activity where it was."""
    world.send(world.eve, way, "-1", expect=200 if way.body else 204)

    assert world.activity_of_newest() is None
    assert world.ada.get(f"/repo/v1/activity/{world.old}")["id"] == world.old


def test_a_new_version_never_inherits_the_activity(world: World) -> None:
    """Neither one that is asked for, in either way, nor one that other content makes; older ones keep theirs."""
    url = f"{E}/{world.file['id']}"
    for path, change in (
        (f"{url}?newVersion=true", {}),
        (f"{url}/version", {}),
        (url, {"dataFileHandleId": world.ada.handle()}),
    ):
        world.ada.put(f"{url}/generatedBy?generatedBy={world.old}")
        entity = world.ada.put(path, {**world.ada.get(url), "versionLabel": None, **change})
        assert world.activity_of_newest() is None
        older = entity["versionNumber"] - 1
        assert world.ada.get(f"{url}/version/{older}/generatedBy")["id"] == world.old
    assert world.ada.get(f"{url}/version")["totalNumberOfResults"] == 4


def bodies(world: World) -> list[tuple[str, Any]]:
    """Return each service that takes an etag, with a body that differs for each writer and has the present etag."""
    file = world.ada.get(f"{E}/{world.file['id']}")
    url = f"{E}/{file['id']}"
    value = {"etag": file["etag"], "annotations": {"who": {"type": "STRING", "value": ["{who}"]}}}
    activity = world.ada.get(f"/repo/v1/activity/{world.old}")
    acl = world.ada.get(f"{E}/{world.project['id']}/acl")
    return [
        (url, {**file, "description": "{who}"}),
        (f"{url}?newVersion=true", {**file, "versionLabel": "{who}"}),
        (f"{url}/version", {**file, "versionLabel": "{who}"}),
        (f"{url}/bundle2", {"entity": {**file, "description": "{who}"}}),
        (f"{E}/bundle", {"entity": {**file, "description": "{who}"}}),
        (f"{url}/annotations2", value),
        (f"{url}/annotations", {"etag": file["etag"], "stringAnnotations": {"who": ["{who}"]}}),
        (f"/repo/v1/activity/{world.old}", {**activity, "name": "{who}"}),
        (f"{E}/{world.project['id']}/acl", {**acl, "note": "{who}"}),
    ]


def signed(body: Any, who: str) -> Any:
    if isinstance(body, dict):
        return {key: signed(value, who) for key, value in body.items()}
    if isinstance(body, list):
        return [signed(value, who) for value in body]
    return who if body == "{who}" else body


@pytest.mark.parametrize("which", range(9))
def test_of_two_writers_at_once_one_wins(world: World, which: int) -> None:
    """Both have the etag; one is answered 200, the other 412, and what is there is what the first has written."""
    path, body = bodies(world)[which]
    others = world.ada.as_another()
    start = threading.Barrier(2)
    answers: dict[str, Any] = {}

    def write(user: User, who: str) -> None:
        start.wait(timeout=10)
        answers[who] = user.ask("PUT", path, signed(body, who))

    threads = [
        threading.Thread(target=write, args=(world.ada, "first")),
        threading.Thread(target=write, args=(others, "second")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    statuses = {who: answer.status_code for who, answer in answers.items()}
    assert sorted(statuses.values()) == [200, 412], {who: answer.text for who, answer in answers.items()}
    winner = next(who for who, status in statuses.items() if status == 200)
    loser = next(who for who in statuses if who != winner)
    assert "updated since you last fetched it" in answers[loser].json()["reason"]
    written = [
        world.ada.ask("GET", f"{E}/{world.file['id']}").text,
        world.ada.ask("GET", f"{E}/{world.file['id']}/annotations2").text,
        world.ada.ask("GET", f"/repo/v1/activity/{world.old}").text,
    ]
    assert not any(f'"{loser}"' in text for text in written)
    assert any(f'"{winner}"' in text for text in written) or path.endswith("/acl")


def test_methods_that_are_not_there_are_405(api: Api) -> None:
    """Every path answers what it does not do with 405 and says what it does."""
    methods: dict[str, set[str]] = {}
    for service in all_services():
        methods.setdefault(service.template, set()).add(service.method)
    for template, there in methods.items():
        path = template.replace("{md5}", "0" * 32).replace("{id}", "1").replace("{version}", "1").replace("{part}", "1")
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH"} - there:
            reason = api.reason(method, path, expect=405)
            assert "supported: " in reason
            assert all(one in reason for one in there)


def test_what_the_design_has_and_nobody_supports_is_405(api: Api) -> None:
    """A version cannot be changed in itself, and neither can its annotations."""
    file = api.file_in(api.project(), "a")
    for below in ("", "/annotations", "/annotations2"):
        api.reason("PUT", f"{E}/{file['id']}/version/1{below}", file, expect=405)
    api.reason("POST", f"{E}/{file['id']}/version", file, expect=405)


def test_what_an_activity_generated_is_paged_with_its_true_number(api: Api) -> None:
    """However many are asked for, the total is that of all; pages neither repeat nor leave out."""
    activity = api.activity()["id"]
    project = api.project()
    made = {api.file_in(project, f"f{number}", query=f"?generatedBy={activity}")["id"] for number in range(12)}
    url = f"/repo/v1/activity/{activity}/generated"
    pages = [api.get(f"{url}?limit=5&offset={offset}") for offset in (0, 5, 10, 15)]

    assert [page["totalNumberOfResults"] for page in pages] == [12] * 4
    assert [len(page["results"]) for page in pages] == [5, 5, 2, 0]
    assert {item["targetId"] for page in pages for item in page["results"]} == made
    assert len(api.get(url)["results"]) == 10
    for query in ("limit=0", "limit=-1", "offset=-1", "limit=x"):
        assert "whole number" in api.reason("GET", f"{url}?{query}")
