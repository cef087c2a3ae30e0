"""What may explain bytes seen at a path: earlier versions, the current one, other files, and who read it first."""

from __future__ import annotations

from typing import Any

from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE

from .api import Api, Json, digests, used
from .live import Served

OWN = "/snakeprov/v1"


def explained(api: Api, path: str, content: bytes, *, elsewhere: bool = False) -> Json:
    """Return what may explain a content at a path."""
    seen = {"path": path, "sha256": digests(content)["sha256"], "elsewhere": elsewhere}
    answer = api.post(f"{OWN}/evidence", {"project": "P", "seen": [seen]}, expect=200)
    return dict(answer["results"][0])


def write(api: Api, file: Json, content: bytes, query: str = "") -> Json:
    """Make the next version of a file."""
    handle = api.handle(content)
    return api.update(file, query=f"?newVersion=true{query}", dataFileHandleId=handle)


def test_an_earlier_version_is_the_newest_that_did_not_itself_go_back(api: Api) -> None:
    """A version that was put back by hand is told as the one that it was put back to; one made again is told itself."""
    project = api.project()
    made, remade = api.activity()["id"], api.activity()["id"]
    file = api.file_in(project, "a", handle=api.handle(b"one"), query=f"?generatedBy={made}")
    again = f"&meaning=again&meaningOf={file['id']}&meaningOfVersion=1"
    file = write(api, file, b"two")
    file = write(api, file, b"one", f"{again}&generatedBy={made}")
    file = write(api, file, b"three")
    put_back = explained(api, "a", b"one")
    file = write(api, file, b"one", f"{again}&generatedBy={remade}")
    file = write(api, file, b"four")

    this = {"entityId": file["id"], "isWork": True}
    assert put_back["earlier"] == {**this, "versionNumber": 1, "activityId": made}
    assert explained(api, "a", b"one")["earlier"] == {**this, "versionNumber": 5, "activityId": remade}
    assert explained(api, "a", b"two")["earlier"] == {**this, "versionNumber": 2, "isWork": False}
    assert "earlier" not in explained(api, "a", b"never seen") and "earlier" not in explained(api, "a", b"four")
    assert explained(api, "nowhere", b"one") == {}


def test_what_comes_from_work_is_work(api: Api) -> None:
    """What a job made is work, and so is what was edited after it or copied from it; a copy of a raw file is not."""
    project = api.project()
    api.run()
    raw = api.file_in(project, "raw", handle=api.handle(b"raw"))
    made = api.file_in(project, "made", query=f"?generatedBy={api.activity()['id']}")
    of_made = f"meaningOf={made['id']}&meaningOfVersion=1"
    edited = write(api, api.file_in(project, "edited", handle=api.handle(b"0")), b"1", f"&meaning=edited&{of_made}")
    write(api, write(api, edited, b"2"), b"1", f"&meaning=again&meaningOf={edited['id']}&meaningOfVersion=2")
    write(api, write(api, raw, b"x"), b"raw", f"&meaning=again&meaningOf={raw['id']}&meaningOfVersion=1")
    copied = api.file_in(project, "copied", query=f"?meaning=sameContent&{of_made}")
    of_raw = f"meaningOf={raw['id']}&meaningOfVersion=1"
    rawcopy = api.file_in(project, "rawcopy", query=f"?meaning=sameContent&{of_raw}")
    remade = api.file_in(project, "remade")
    again = {"role": "output", "path": "remade", "outcome": "reproduced", "entityId": remade["id"], "versionNumber": 1}
    api.job("1", files=[again], activity=api.activity()["id"])

    def works(*paths: str) -> dict[str, bool]:
        return {path: explained(api, path, b"something else")["current"]["isWork"] for path in paths}

    paths = ("raw", "made", "edited", "copied", "rawcopy", "remade")
    expected = {"raw": False, "made": True, "edited": True, "copied": True, "rawcopy": False, "remade": True}
    assert works(*paths) == expected
    for file in (copied, rawcopy):
        write(api, write(api, file, b"x"), b"y", f"&meaning=again&meaningOf={file['id']}&meaningOfVersion=1")
    write(api, remade, b"x")
    assert works(*paths) == {**expected, "remade": False}


def test_other_files_are_of_the_project_and_made_ones_come_first(api: Api) -> None:
    """The newest that an activity made; else the newest; never of another project, and only where asked for."""
    project, other = api.project(), api.project("Q")
    made = api.activity()["id"]
    first = api.file_in(project, "first", handle=api.handle(b"same"), query=f"?generatedBy={made}")
    api.file_in(project, "raw", handle=api.handle(b"same"))
    api.file_in(other, "far", handle=api.handle(b"far"), query=f"?generatedBy={made}")
    raw = api.file_in(project, "near", handle=api.handle(b"near"))

    def elsewhere(path: str, content: bytes) -> Any:
        return explained(api, path, content, elsewhere=True).get("elsewhere")

    assert elsewhere("new", b"same")["entityId"] == first["id"]
    assert elsewhere("new", b"near") == {"entityId": raw["id"], "versionNumber": 1, "isWork": False}
    assert elsewhere("near", b"near") is None and elsewhere("new", b"far") is None
    assert "elsewhere" not in explained(api, "new", b"same")


def test_a_copy_that_a_job_made_is_not_where_bytes_come_from(api: Api) -> None:
    """What read the same bytes in another file is passed over for that one, made or raw; alone it is evidence still."""
    project = api.project()
    origin = api.file_in(project, "origin", handle=api.handle(b"same"), query=f"?generatedBy={api.activity()['id']}")
    raw = api.file_in(project, "raw", handle=api.handle(b"raw"))
    copies = [
        api.file_in(project, name, handle=api.handle(content), query=f"?generatedBy={api.activity(used(of, 1))['id']}")
        for name, content, of in (("copy", b"same", origin), ("rawcopy", b"raw", raw))
    ]

    def elsewhere(path: str, content: bytes) -> Any:
        return explained(api, path, content, elsewhere=True)["elsewhere"]["entityId"]

    assert (elsewhere("new", b"same"), elsewhere("new", b"raw")) == (origin["id"], raw["id"])
    assert elsewhere("origin", b"same") == copies[0]["id"]
    # It read something else, whose version has the same number.
    newest = api.file_in(
        project, "z", handle=api.handle(b"same"), query=f"?generatedBy={api.activity(used(raw, 1))['id']}"
    )
    assert elsewhere("new", b"same") == newest["id"]


def test_the_first_reader_is_who_began_first(api: Api) -> None:
    """Outputs are no reading; without a start its end counts."""
    api.run()
    file = api.file_in(api.project(), "a", handle=api.handle(b"read"))
    here = {"path": "a", "entityId": file["id"], "versionNumber": 1}
    output, used = {**here, "role": "output", "outcome": "touched"}, {**here, "role": "input", "outcome": "used"}
    api.job("made", files=[output], startedOn="2026-01-01T00:00:00Z")
    nobody = explained(api, "a", b"read")
    api.job("late", files=[used], startedOn="2026-01-01T03:00:00Z")
    api.job("early", files=[used], endedOn="2026-01-01T02:00:00Z")

    assert "firstReadOn" not in nobody
    assert explained(api, "a", b"read")["firstReadOn"] == "2026-01-01T02:00:00.000Z"

    write(api, file, b"next")
    assert "firstReadOn" not in explained(api, "a", b"next")
    ran = {**here, "versionNumber": 2, "role": "code", "outcome": "executed"}
    api.job("ran", files=[ran], startedOn="2026-01-01T04:00:00Z")
    assert explained(api, "a", b"next")["firstReadOn"] == "2026-01-01T04:00:00.000Z"


def test_questions_that_make_no_sense_are_refused(api: Api, served: Served) -> None:
    """A digest is a digest; without the project there is nothing to tell; it must be readable."""
    wrong = {"project": "P", "seen": [{"path": "a", "sha256": "x"}]}
    right = {"project": "P", "seen": [{"path": "a", "sha256": "0" * 64}]}
    assert "is not a sha256" in api.reason("POST", f"{OWN}/evidence", wrong)
    assert api.post(f"{OWN}/evidence", right, expect=200) == {"results": [{}]}
    served.user("ada").project()
    served.user("eve").reason("POST", f"{OWN}/evidence", right, expect=403)


def test_what_somebody_else_made_stays_made_by_them(served: Served) -> None:
    """Restoring a version, or reading a file of a recorded directory, links it to the activity of its maker."""
    ada, eve = served.user("ada"), served.user("eve")
    project = ada.project()
    ada.share(project, **{f"u{eve.id}": ["READ", "CREATE", "UPDATE"]})
    made, other = ada.activity()["id"], ada.activity()["id"]
    file = ada.file_in(project, "a", query=f"?generatedBy={made}")
    folder = ada.folder_in(project, "d")
    manifest = ada.upload(b"{}", content_type=DIRECTORY_CONTENT_TYPE)
    ada.file_in(project, "d/", handle=manifest, query=f"?generatedBy={made}")
    file = eve.update(ada.update(file, dataFileHandleId=ada.handle()), dataFileHandleId=eve.handle())
    body = {**file, "dataFileHandleId": eve.handle()}
    put = f"/repo/v1/entity/{file['id']}?newVersion=true"
    of = f"&meaning=again&meaningOf={file['id']}&meaningOfVersion="

    for query in (f"&generatedBy={made}", f"{of}2&generatedBy={made}", f"{of}1&generatedBy={other}"):
        assert "Only the user who created" in eve.reason("PUT", put + query, body, expect=403)
    eve.put(put + f"{of}1&generatedBy={made}", body)
    member = eve.file_in(folder, "m", query=f"?generatedBy={made}")

    for linked in (file, member):
        assert ada.get(f"/repo/v1/entity/{linked['id']}/generatedBy")["id"] == made
