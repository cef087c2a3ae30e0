"""What Synapse's client asks before or after what it was asked to do: types, teams, and notes to oneself."""

from __future__ import annotations

from .api import MODEL, Api
from .live import Served


def test_an_entity_is_told_as_a_listing_shows_it(api: Api) -> None:
    """`type` gives the header of an entity, the same as the list of its parent's children has."""
    project = api.project()
    folder = api.folder_in(project, "F")
    header = api.get(f"/repo/v1/entity/{folder['id']}/type")
    assert (header["id"], header["name"], header["type"]) == (folder["id"], "F", MODEL + "Folder")
    children = api.post("/repo/v1/entity/children", {"parentId": project["id"], "includeTypes": ["folder"]}, expect=200)
    assert children["page"] == [header]
    assert api.reason("GET", "/repo/v1/entity/syn999/type", expect=404) == "Entity syn999 does not exist."


def test_nobody_is_in_a_team(api: Api) -> None:
    """There are no teams; whose they would be has to be a number all the same."""
    assert api.get("/repo/v1/user/101/team?limit=50&offset=0") == {"results": [], "totalNumberOfResults": 0}
    assert "'ada'" in api.reason("GET", "/repo/v1/user/ada/team", expect=404)


def test_only_a_note_to_oneself_is_taken(served: Served) -> None:
    """A message that would have to be delivered is refused, and so is one of nobody."""
    ada, eve, nobody = served.user("ada"), served.user("eve"), served.nobody()
    note = {"recipients": [str(ada.id)], "fileHandleId": "1", "subject": "done"}
    assert ada.post("/repo/v1/message", note) == {"createdBy": str(ada.id), **note}
    for sender, recipients in ((ada, [eve.id]), (ada, [ada.id, eve.id]), (ada, []), (eve, [ada.id])):
        body = {**note, "recipients": [str(id_) for id_ in recipients]}
        assert "delivers no messages" in sender.reason("POST", "/repo/v1/message", body, expect=403)
    assert "access token" in nobody.reason("POST", "/repo/v1/message", note, expect=403)
    assert "recipients" in ada.reason("POST", "/repo/v1/message", {"fileHandleId": "1"}, expect=400)
