"""Who may see the pages: the one user of `snakeprov ui`, and the users of a server."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from snakeprov.apps.accounts import Accounts
from snakeprov.apps.listener import listen
from snakeprov.apps.serve import together
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.server import create_app
from snakeprov.web import sessions

from ..cli.conftest import Study
from .conftest import KEY, Reader, pages_of, text_of

COMMAND = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())"]


@contextmanager
def ui(folder: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Give the address that `snakeprov ui` prints, and its process."""
    import json

    command = [*COMMAND, "ui", "--no-browser", "--json", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield json.loads(line)["url"], process
        finally:
            process.kill()


def test_ui_prints_an_address_that_signs_in_once(recorded_study: Study) -> None:
    """The secret becomes a cookie and leaves the address bar; a second browser with the same link stays outside."""
    with ui(recorded_study.folder, "results/table.csv") as (url, process):
        assert urlsplit(url).hostname == "127.0.0.1"
        base = url.partition("/open")[0]
        with Reader(base) as first, Reader(base) as second:
            response = first.get(url, allow_redirects=False, timeout=30)
            assert response.status_code == 303
            cookie = response.headers["Set-Cookie"]
            assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
            assert re.fullmatch(r"/f/syn\d+\.2", response.headers["Location"])
            assert "made results/table.csv@2" in first.lead(response.headers["Location"])
            assert "made results/table.csv@2" in text_of(first.get(url, timeout=30).text)

            assert second.get(url, timeout=30).status_code == 401
            assert "open only to who started them" in second.lead("/", status=401)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 0


def test_ui_opens_on_a_run(recorded_study: Study) -> None:
    """`run:last` is the latest."""
    with ui(recorded_study.folder, "run:last") as (url, _):
        assert parse_qs(urlsplit(url).query)["next"][0].startswith("/r/bbbb")


def test_ui_refuses_what_is_not_recorded(recorded_study: Study) -> None:
    """It ends with the message and the status of every command."""
    command = [*COMMAND, "ui", "--no-browser", "results/tabel.csv"]
    run = subprocess.run(command, cwd=recorded_study.folder, capture_output=True, text=True)
    assert run.returncode == 3
    assert "results/table.csv" in run.stderr


def test_a_wrong_secret_does_not_sign_in(pages: Reader) -> None:
    """Nor does none."""
    with Reader(pages.url) as stranger:
        for path in ("/open?key=wrong", "/open", f"/open?key={KEY}", "/f/results/table.csv", "/r/bbbb"):
            assert stranger.page(path, status=401).headers.get("Set-Cookie") is None


def test_another_name_of_the_machine_is_refused(pages: Reader) -> None:
    """A page of another site whose name suddenly means this machine (DNS rebinding) gets nothing."""
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
        response = pages.get(pages.url, headers={"Host": host}, timeout=30)
        assert response.status_code in (400, 421)
        assert "runs are recorded" not in response.text
    # The cookie belongs to the other name, so that one is not signed in there.
    assert pages.get(pages.url, headers={"Host": "localhost:1"}, timeout=30).status_code == 401


def test_a_link_leads_to_pages_of_this_site_only(pages: Reader) -> None:
    """Where to go after signing in cannot be somewhere else."""
    for to in ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"):
        response = pages.get(f"{pages.url}/open", params={"next": to}, allow_redirects=False, timeout=30)
        assert response.headers["Location"] == "/"


def test_a_link_from_another_site_works_for_who_is_signed_in(pages: Reader) -> None:
    """The browser sends no strict cookie then; the page that comes loads the right one from here."""
    with Reader(pages.url) as colleague:
        response = colleague.page("/f/syn1.1?a=1&b=2", headers={"Sec-Fetch-Site": "cross-site"})
        assert '<meta http-equiv="refresh" content="0;url=/f/syn1.1?a=1&amp;b=2">' in response.text
        response = colleague.page("//evil.example/", headers={"Sec-Fetch-Site": "cross-site"})
        assert "url=//" not in response.text and 'href="//' not in response.text


def test_nothing_changes_without_the_token_of_a_form(pages: Reader) -> None:
    """And nothing but that is changed by these pages; other methods are refused."""
    assert pages.post(pages.url + "/logout", timeout=30).status_code == 403
    assert pages.post(pages.url + "/logout", data={"form": "0" * 64}, timeout=30).status_code == 403
    assert pages.put(pages.url, timeout=30).status_code == 405
    assert "runs are recorded" in pages.lead("/")


# On a server.


class Team:
    """A server with pages, and its accounts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = open_database(folder, create=True)
        self.blobs = LocalBlobs(folder / "blobs")
        self.app = create_app(self.database, self.blobs)
        self.server = listen(together(self.app), host="127.0.0.1", port=0)
        self.url = f"http://127.0.0.1:{self.server.effective_port}"
        self.accounts = Accounts(self.database)
        threading.Thread(target=self.server.run, daemon=True).start()

    def token(self, name: str, *, scopes: Any = ("view", "download", "modify")) -> str:
        if name not in [account.name for account in self.accounts.all()]:
            self.accounts.add(name)
        return self.accounts.create_token(name, scopes=scopes, expires_on=None).token

    def reader(self, token: str) -> Reader:
        """Return a reader who signed in with a token on the page for that."""
        reader = Reader(self.url)
        sign_in(reader, token)
        return reader

    def close(self) -> None:
        self.blobs.close()
        self.database.close()


def sign_in(reader: Reader, token: str, *, to: str = "/", status: int = 200) -> requests.Response:
    """Fill in the form of the login page and send it."""
    page = reader.page(f"/login?next={to}").text
    form = re.search(r'name="form" value="([0-9a-f]+)"', page)
    assert form is not None
    response = reader.post(f"{reader.url}/login?next={to}", data={"form": form[1], "token": token}, timeout=30)
    assert response.status_code == status, text_of(response.text)
    return response


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A server on which ada recorded a study that nobody else may read."""
    folder = tmp_path_factory.mktemp("team")
    team = Team(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAKEPROV_TOKEN", team.token("ada"))
        study = Study(folder / "penguins", store=team.url)
        run = study.run("aaaa")
        (made,) = study.job(run, "fit", {"results/fit.txt": b"1"}, used=[study.file("data/raw.txt", b"0")])
        study.client.close()
    team.made = made  # type: ignore[attr-defined]
    yield team
    team.close()


def test_a_server_asks_for_a_token_and_returns_to_the_page(team: Team) -> None:
    """Without a session every page leads to the login, and from there to where one wanted to go."""
    with Reader(team.url) as reader:
        response = reader.page("/f/results/fit.txt")
        assert response.url == f"{team.url}/login?next=%2Ff%2Fresults%2Ffit.txt"
        assert "results/fit.txt@1" not in response.text
        page = sign_in(reader, team.token("ada"), to="%2Ff%2Fresults%2Ffit.txt")
        assert "Rule fit made results/fit.txt@1" in text_of(page.text)


def test_a_wrong_token_is_refused(team: Team) -> None:
    """So are nothing, what cannot be one, and a form that was not given to this browser."""
    with Reader(team.url) as reader:
        for token in ("wrong", "", "two words", "x" * 2000):
            assert "This token is not known" in text_of(sign_in(reader, token, status=401).text)
        answer = reader.post(f"{team.url}/login", data={"form": "0" * 64, "token": team.token("ada")}, timeout=30)
        assert answer.status_code == 403
        assert "/login" in reader.page("/").url


def test_each_user_sees_what_the_access_lists_allow(team: Team) -> None:
    """Another user's pages do not even say that a file is there."""
    made: Any = team.made  # type: ignore[attr-defined]
    with team.reader(team.token("ada")) as ada, team.reader(team.token("eve")) as eve:
        address = f"/f/{made.entity_id}.{made.number}"
        assert "Rule fit made" in ada.lead(address)
        assert ada.page(address + "/download").content == b"1"
        assert "results/fit.txt" in ada.read("/search?q=fit.txt")
        assert "aaaa" in ada.read("/")

        assert eve.lead("/") == "No run has been recorded yet, or none is shared with you."
        for path in (address, address + "/download", "/r/aaaa", "/j/0001", "/f/results/fit.txt"):
            page = eve.get(eve.url + path, timeout=30)
            assert page.status_code in (403, 404), path
            assert "fit.txt@1" not in page.text and "raw.txt" not in page.text
        assert "fit.txt@" not in eve.read("/search?q=fit.txt", status=404)


def test_a_token_that_may_only_view_downloads_nothing(team: Team) -> None:
    """The page is shown, the bytes are refused with a sentence."""
    made: Any = team.made  # type: ignore[attr-defined]
    with team.reader(team.token("ada", scopes=("view",))) as reader:
        address = f"/f/{made.entity_id}.{made.number}"
        assert "Rule fit made" in reader.lead(address)
        reader.page(address + "/download", status=403)


def test_who_signs_out_is_out(team: Team) -> None:
    """The cookie is taken away, and worthless."""
    with team.reader(team.token("ada")) as reader:
        cookies = reader.cookies.get_dict()
        form = re.search(
            r'action="/logout"><input type="hidden" name="form" value="([0-9a-f]+)"', reader.page("/").text
        )
        assert form is not None
        reader.post(f"{team.url}/logout", data={"form": form[1]}, timeout=30)
        assert "/login" in reader.page("/").url
        reader.cookies.update(cookies)
        assert "/login" in reader.page("/").url


def test_a_session_ends_with_its_token(team: Team) -> None:
    """Who is disabled is asked to sign in again."""
    with team.reader(team.token("bob")) as bob:
        assert "No run has been recorded yet" in bob.lead("/")
        team.accounts.disable("bob")
        assert "/login" in bob.page("/").url


def test_a_session_ends_when_nobody_uses_it(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """After hours without a request one signs in again."""
    with team.reader(team.token("ada")) as reader:
        later = sessions.time.monotonic() + sessions.IDLE_S_MAX + 1
        monkeypatch.setattr(sessions.time, "monotonic", lambda: later)
        assert "/login" in reader.page("/").url


def test_programs_find_the_services_where_they_were(team: Team) -> None:
    """`GET /` answers JSON to who asks for it, and the cookie of the pages opens nothing of the REST API."""
    for accept in ("application/json", "*/*"):
        answer = requests.get(team.url, headers={"Accept": accept}, timeout=30)
        assert (answer.status_code, answer.json()) == (200, {})
    with team.reader(team.token("ada")) as reader:
        assert reader.get(f"{team.url}/repo/v1/userProfile", timeout=30).json()["userName"] == "anonymous"
        assert reader.get(f"{team.url}/snakeprov/v1/runs", timeout=30).json()["results"] == []


def test_a_cookie_travels_encrypted_where_the_pages_do(tmp_path: Path) -> None:
    """Behind a proxy that speaks https it is marked so."""
    from snakeprov.web.http import Request

    environ = {"REQUEST_METHOD": "GET", "SERVER_PORT": "443", "wsgi.url_scheme": "https"}
    assert "; Secure" in sessions.set_cookie(Request(environ), "value")[1]
    assert "Secure" not in sessions.set_cookie(Request({**environ, "wsgi.url_scheme": "http"}), "value")[1]


def test_pages_of_a_remote_store_are_shown_to_its_user(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """`snakeprov ui --store https://…` shows what the token in the environment may see."""
    monkeypatch.setenv("SNAKEPROV_TOKEN", team.token("ada"))
    with pages_of(team.url) as reader:
        assert "Rule fit made" in reader.lead("/f/results/fit.txt")
        assert "ada" in reader.read("/")
