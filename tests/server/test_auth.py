"""Tokens: who a request is from, over a real socket."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database
from snakeprov.db.tokens import SCOPES
from snakeprov.errors import NotRecordedError, UsageError
from snakeprov.model import times

from .live import ANONYMOUS, Served, Socket, User, stored_files


def test_a_token_says_who_asks(served: Served) -> None:
    """Each token stands for its user; several of one user stand for the same."""
    ada, again, eve = served.user("ada"), served.user("ada"), served.user("eve")

    assert [who.get("/repo/v1/userProfile")["userName"] for who in (ada, again, eve)] == ["ada", "ada", "eve"]
    assert ada.id == again.id != eve.id


def test_no_token_is_the_anonymous_user(served: Served) -> None:
    """Without a token one is 273950, who can look and never write."""
    nobody = served.nobody()

    assert (nobody.id, nobody.get("/repo/v1/userProfile")["userName"]) == (ANONYMOUS, "anonymous")
    assert nobody.get("/repo/v1") == {}
    assert nobody.reason("POST", "/repo/v1/activity", {}, expect=403) == (
        "Only users may do this: send an access token."
    )


@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer", "Bearer ", "Basic YTpi", "spt_x", "Bearer a b", "Bearer " + "x" * 5000],
)
def test_what_is_no_token_is_refused(served: Served, header: str) -> None:
    """Anything but a valid bearer token is 401 with the one reason, also where anonymous users may look."""
    for path in ("/repo/v1/userProfile", "/repo/v1", "/snakeprov/v1/blobs/" + "0" * 64):
        answer = requests.get(served.url + path, headers={"Authorization": header}, timeout=30)
        assert (answer.status_code, answer.json()["reason"]) == (401, "Invalid access token")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80))
def test_guessing_does_not_help(served: Served, guess: str) -> None:
    """No text that was not given as a token is one."""
    answer = requests.get(served.url + "/repo/v1/userProfile", headers={"Authorization": f"Bearer {guess}"}, timeout=30)
    assert answer.status_code == 401


def test_an_expired_token_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is good until the moment it expires."""
    until = times.now() + timedelta(hours=1)
    ada = served.user("ada", expires_on=until)
    monkeypatch.setattr(times, "now", lambda: until - timedelta(seconds=1))
    assert ada.get("/repo/v1/userProfile")["userName"] == "ada"
    monkeypatch.setattr(times, "now", lambda: until)
    assert ada.reason("GET", "/repo/v1/userProfile", expect=401) == "Invalid access token"


def test_a_revoked_token_is_refused_at_once(served: Served) -> None:
    """Revoking one token leaves the others of its user."""
    ada, other = served.user("ada"), served.user("ada")
    first = served.accounts.tokens()[0]
    served.accounts.revoke(first.id)

    ada.reason("GET", "/repo/v1/userProfile", expect=401)
    assert other.get("/repo/v1/userProfile")["userName"] == "ada"
    assert served.accounts.revoke(first.id).revoked_on is not None


def test_a_disabled_user_is_nobody(served: Served) -> None:
    """All tokens of a disabled user are refused, and there are no new ones."""
    ada = served.user("ada")
    project = ada.project()
    served.accounts.disable("ada")

    ada.reason("GET", f"/repo/v1/entity/{project['id']}", expect=401)
    with pytest.raises(UsageError, match="'ada' is disabled"):
        served.accounts.create_token("ada")


def test_scopes_bound_what_a_token_is_good_for(served: Served) -> None:
    """A token that is to view does not modify or download, one that is to download does not view."""
    ada = served.user("ada")
    content = b"some bytes"
    file = ada.file_in(ada.project(), "a", handle=ada.handle(content, keep=True))
    asked = {"fileHandleId": file["dataFileHandleId"]}
    urls = {"requestedFiles": [asked], "includePreSignedURLs": True}
    viewer, loader = served.user("ada", scopes=["view"]), served.user("ada", scopes=["download"])
    changer = served.user("ada", scopes=["modify"])

    assert viewer.get(f"/repo/v1/entity/{file['id']}")["name"] == "a"
    assert viewer.post("/file/v1/fileHandle/batch", {"requestedFiles": [asked]}, expect=200)
    for method, path, body in (
        ("POST", "/repo/v1/activity", {}),
        ("PUT", f"/repo/v1/entity/{file['id']}", file),
        ("POST", "/snakeprov/v1/batch", {"requests": []}),
    ):
        assert (
            viewer.reason(method, path, body, expect=403) == "The access token lacks the scope 'modify'; it has: view."
        )
    assert "the scope 'download'" in viewer.reason("POST", "/file/v1/fileHandle/batch", urls, expect=403)
    path = f"/file/v1/fileHandle/{file['dataFileHandleId']}/url?redirect=false"
    assert "the scope 'download'" in viewer.reason("GET", path, expect=403)
    assert loader.ask("GET", path).text.startswith("http")
    assert "the scope 'view'" in loader.reason("GET", f"/repo/v1/entity/{file['id']}", expect=403)
    assert changer.post("/repo/v1/activity", {})["createdBy"] == str(ada.id)
    assert "the scope 'view'" in changer.reason("GET", f"/repo/v1/entity/{file['id']}", expect=403)
    listing = {"requests": [{"method": "GET", "path": "/snakeprov/v1/runs"}]}
    assert "the scope 'view'" in changer.reason("POST", "/snakeprov/v1/batch", listing, expect=403)


def test_a_batch_has_the_rights_of_who_sends_it(served: Served) -> None:
    """Each request of a batch is answered as if its sender had sent it alone."""
    ada, eve = served.user("ada"), served.user("eve")
    project = ada.project()
    requests_ = [
        {"method": "POST", "path": "/repo/v1/activity", "body": {}},
        {"method": "GET", "path": f"/repo/v1/entity/{project['id']}"},
    ]
    answer = eve.post("/snakeprov/v1/batch", {"requests": requests_}, expect=403)

    assert answer["failedRequest"] == 1 and "READ permission" in answer["reason"]
    assert ada.post("/snakeprov/v1/batch", {"requests": requests_}, expect=200)["results"][1]["status"] == 200
    assert served.nobody().send("POST", "/snakeprov/v1/batch", {"requests": []}, expect=403)


def test_only_digests_are_kept(served: Served, tmp_path: Path) -> None:
    """Nothing in the files of the store is a token."""
    served.accounts.add("ada")
    secret = served.accounts.create_token("ada").token

    assert User(served.url, secret).get("/repo/v1/userProfile")["userName"] == "ada"
    assert secret.encode() not in stored_files(tmp_path / "store")


def test_the_token_of_a_session_is_kept_nowhere(store: Database, blobs: LocalBlobs, socket: Socket) -> None:
    """A server can be given a token of its own; it is gone with the server."""
    served = socket.serve(store, blobs, session=("ada", "spt_own"))
    assert User(served.url, "spt_own").get("/repo/v1/userProfile")["userName"] == "ada"
    assert served.accounts.tokens() == []
    User(served.url, "spt_other").reason("GET", "/repo/v1", expect=401)
    served = socket.serve(store, blobs)
    User(served.url, "spt_own").reason("GET", "/repo/v1", expect=401)


def test_accounts_say_what_is_wrong(served: Served) -> None:
    """Names and scopes that cannot be, and users and tokens that are not there, are told apart."""
    accounts = served.accounts
    accounts.add("ada")
    for name in ("", " ada", "a\nb", "x" * 129, "Anonymous"):
        with pytest.raises(UsageError, match="cannot be the name of a user"):
            accounts.add(name)
    with pytest.raises(UsageError, match="There is a user called 'ada' already"):
        accounts.add("ada")
    with pytest.raises(NotRecordedError, match="no user called 'eve'"):
        accounts.create_token("eve")
    with pytest.raises(NotRecordedError, match="no user called 'eve'"):
        accounts.disable("eve")
    with pytest.raises(UsageError, match="'rule' cannot be what a token is good for"):
        accounts.create_token("ada", scopes=["rule"])
    with pytest.raises(UsageError, match="cannot be what a token is good for"):
        accounts.create_token("ada", scopes=[])
    with pytest.raises(UsageError, match="would already be invalid"):
        accounts.create_token("ada", expires_on=times.now() - timedelta(days=1))
    with pytest.raises(NotRecordedError, match="There is no token 7"):
        accounts.revoke(7)
    assert [token.scopes for token in accounts.tokens()] == []
    accounts.create_token("ada", scopes=SCOPES[::-1])
    assert accounts.tokens()[0].scopes == "view download modify"
