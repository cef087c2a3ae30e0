"""`snakeprov serve`, `user` and `token`: a store for others, as processes and over a real socket."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from snakeprov.apps.connect import connect, user_name
from snakeprov.cli import main
from snakeprov.disk.layout import URL_SECRET_NAME
from snakeprov.disk.privacy import prepare_folder
from snakeprov.errors import ForbiddenError, UnauthorizedError
from snakeprov.model.entities import Folder, Project
from snakeprov.server.presigned import kept_secret

Run = Callable[..., Any]

COMMAND = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())"]


@pytest.fixture
def command(snakeprov: Run) -> Run:
    """Give `command(*arguments, expect=0)`: run `snakeprov` in this process and look at its exit status."""

    def call(*arguments: str, expect: int = 0) -> Any:
        answer = snakeprov(*arguments)
        assert answer.status == expect, answer
        return answer

    return call


class Running:
    """A `snakeprov serve` that listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.first_line = process.stdout.readline()

    @property
    def said(self) -> dict[str, str]:
        return dict(json.loads(self.first_line))

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal; return the exit status and what else it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextmanager
def serve(*arguments: str, cwd: Path) -> Iterator[Running]:
    arguments = (*COMMAND, "serve", "--port", "0", *arguments)
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=cwd, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_serve_says_where_it_is_and_lets_its_owner_in(tmp_path: Path) -> None:
    """With --json one line tells the URL and a token, and at that moment it answers; the folder is made."""
    with serve("--store", "new/repository", "--json", cwd=tmp_path) as server:
        said = server.said
        assert set(said) == {"url", "token"}
        with connect(said["url"], token=said["token"]) as client:
            assert client.session.get("/repo/v1/userProfile")["userName"] == user_name()
            assert client.backend.is_local is False
            project = client.entities.create(Project(name="P"))
            client.entities.create(Folder(name="f", parent_id=project.id))
        status, out, err = server.end()
    assert (status, out, err) == (0, "", "")
    assert (tmp_path / "new" / "repository" / ".gitignore").read_text().endswith("*\n")
    with connect(tmp_path / "new" / "repository") as embedded:
        assert embedded.entities.find_child(None, "P") == project.id


def test_signed_urls_survive_a_restart_and_their_secret_is_the_owners(tmp_path: Path) -> None:
    """The secret lies in a file of its own, which nobody else may read, whoever may read the store."""
    folder = tmp_path / "s"
    prepare_folder(folder, shared=True)
    secret = kept_secret(folder)

    assert kept_secret(folder) == secret
    assert stat.S_IMODE((folder / URL_SECRET_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.glob(".new-*")] == []
    (folder / URL_SECRET_NAME).write_bytes(b"cut")
    assert kept_secret(folder) != secret


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server(tmp_path: Path, number: int) -> None:
    """Either signal ends it within moments, with status 0 and nothing to say; the port is free again."""
    with serve("--store", "s", "--json", cwd=tmp_path) as server:
        url = server.said["url"]
        assert requests.get(url, timeout=10).status_code == 200
        assert server.end(number) == (0, "", "")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_the_owners_token_ends_with_the_server(tmp_path: Path) -> None:
    """The token that is printed is another one each time, and kept nowhere."""
    with serve("--store", "s", "--json", cwd=tmp_path) as first:
        old = first.said["token"]
        first.end()
    with serve("--store", "s", "--json", cwd=tmp_path) as second:
        said = second.said
        assert said["token"] != old
        with connect(said["url"], token=old) as client, pytest.raises(UnauthorizedError, match="Invalid access token"):
            client.session.get("/repo/v1/userProfile")


def test_urls_are_those_of_a_trusted_proxy(tmp_path: Path) -> None:
    """Behind a proxy that speaks https, URLs for bytes say so; nobody else can make the server say it."""
    upload = {"fileName": "a", "fileSizeBytes": 1, "partSizeBytes": 5 * 1024 * 1024, "contentMD5Hex": "0" * 32}
    said_by_proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "data.example.org"}
    for proxy, expected in (("127.0.0.1", "https://data.example.org/"), ("127.0.0.2", "http://127.0.0.1:")):
        with serve("--store", "s", "--json", "--trusted-proxy", proxy, cwd=tmp_path) as server:
            headers = {"Authorization": f"Bearer {server.said['token']}", **said_by_proxy}
            url = server.said["url"] + "/file/v1/file/multipart"
            number = requests.post(url, json=upload, headers=headers, timeout=10).json()["uploadId"]
            parts = f"{url}/{number}/presigned/url/batch"
            answer = requests.post(parts, json={"partNumbers": [1]}, headers=headers, timeout=10).json()
            assert answer["partPresignedUrls"][0]["uploadPresignedUrl"].startswith(expected)


def test_a_proxy_has_an_address(tmp_path: Path, command: Run) -> None:
    """A name would never match where a connection comes from; it is refused."""
    answer = command("serve", "--store", str(tmp_path / "s"), "--port", "0", "--trusted-proxy", "localhost", expect=2)
    assert "'localhost' is not an IP address" in answer.err
    assert "such as 127.0.0.1" in answer.err


def test_people_are_told_what_to_do(tmp_path: Path) -> None:
    """Without --json there are the URL, the token, and how to use them."""
    with serve("--store", "s", cwd=tmp_path) as server:
        assert server.process.stdout is not None
        lines = [server.first_line, *(server.process.stdout.readline() for _ in range(5))]
    url, token = lines[0].split()[-1], lines[1].split()[-1]
    assert lines[0].startswith(f"snakeprov serves {tmp_path / 's'} at http://127.0.0.1:")
    assert lines[4].strip() == f"export SNAKEPROV_STORE={url} SNAKEPROV_TOKEN={token}"


def test_commands_use_the_server_that_the_environment_names(
    study: Any, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SNAKEPROV_STORE and SNAKEPROV_TOKEN the reading commands ask the server, and see what they see embedded."""
    embedded = command("log", "results/table.csv", "--json").json
    with serve("--json", cwd=study.folder) as server:
        monkeypatch.setenv("SNAKEPROV_STORE", server.said["url"])
        monkeypatch.setenv("SNAKEPROV_TOKEN", server.said["token"])
        assert command("log", "results/table.csv", "--json").json == embedded
        monkeypatch.setenv("SNAKEPROV_TOKEN", "spt_wrong")
        assert "Invalid access token" in command("log", "results/table.csv", expect=43).err


def test_users_and_their_tokens(tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user is added and given a token while the server runs; what is revoked or disabled is so at once."""
    monkeypatch.chdir(tmp_path)
    with serve("--store", "s", "--json", cwd=tmp_path) as server:
        url = server.said["url"]
        assert "Added user" in command("user", "add", "ada", "--store", "s").out
        made = command("token", "create", "ada", "--scope", "view", "--expires", "30d", "--json", "--store", "s").json
        assert (made["user"], made["scopes"]) == ("ada", ["view"])
        assert made["expiresOn"].endswith("Z")
        with connect(url, token=made["token"]) as ada:
            assert ada.session.get("/repo/v1/userProfile")["userName"] == "ada"
            with pytest.raises(ForbiddenError, match="lacks the scope 'modify'"):
                ada.entities.create(Project(name="P"))
            command("token", "revoke", made["id"], "--store", "s")
            with pytest.raises(UnauthorizedError):
                ada.session.get("/repo/v1/userProfile")
        token = command("token", "create", "ada", "--store", "s").out.strip()
        with connect(url, token=token) as ada:
            ada.entities.create(Project(name="P"))
            command("user", "disable", "ada", "--store", "s")
            with pytest.raises(UnauthorizedError):
                ada.session.get("/repo/v1/userProfile")
    users = command("user", "list", "--json", "--store", "s").json
    assert [(user["name"], user["disabledOn"] is None) for user in users] == [(user_name(), True), ("ada", False)]
    tokens = command("token", "list", "--json", "--store", "s").json
    assert [(one["scopes"], one["revokedOn"] is None) for one in tokens] == [
        (["view"], False),
        (["view", "download", "modify"], True),
    ]
    lines = command("token", "list", "--store", "s").out.splitlines()
    assert lines[0].split()[:3] == ["id", "user", "scopes"]
    assert lines[1].endswith("revoked")
    assert token not in "".join(lines)
    assert "disabled" in command("user", "list", "--store", "s").out


def test_lists_of_nothing(tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store without tokens says so; an expired token is shown as that."""
    monkeypatch.chdir(tmp_path)
    command("user", "add", "ada", "--json", "--store", "s")
    assert command("token", "list", "--store", "s").out == "There are no tokens.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("user", "add", " ada", "--store", "s"), 2, "' ada' cannot be the name of a user"),
        (("user", "disable", "eve", "--store", "s"), 3, "There is no user called 'eve'."),
        (("token", "create", "eve", "--store", "s"), 3, "snakeprov user add eve"),
        (("token", "create", "ada", "--expires", "soon", "--store", "s"), 2, "--expires 'soon' is not a time."),
        (("token", "create", "ada", "--expires", "0d", "--store", "s"), 2, "is not a time"),
        (("token", "create", "ada", "--expires", "2001-01-31", "--store", "s"), 2, "would already be invalid"),
        (("token", "create", "ada", "--scope", "fly", "--store", "s"), 2, "fly"),
        (("token", "revoke", "7", "--store", "s"), 3, "There is no token 7."),
        (("token", "revoke", "x", "--store", "s"), 2, "x"),
        (("user", "list", "--store", "elsewhere"), 31, "no snakeprov store"),
        (("user", "list"), 31, "no snakeprov store"),
        (("serve",), 31, "no snakeprov store"),
        (("serve", "--store", "https://example.org"), 2, "https://example.org is a server"),
        (("serve", "--store", "s", "--port", "70000"), 2, "70000"),
        (("serve", "--store", "s", "--host", "no such host"), 2, "Nothing can listen on port 8642 of 'no such host'"),
    ],
)
def test_what_cannot_be_done_is_told(
    tmp_path: Path,
    command: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    status: int,
    told: str,
) -> None:
    """Names, times, numbers and places that cannot be give a sentence and a status, and change nothing."""
    monkeypatch.chdir(tmp_path)
    command("user", "add", "ada", "--store", "s")
    assert told in command(*arguments, expect=status).err
    assert not (tmp_path / "elsewhere").exists()


def test_a_port_that_is_taken_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where somebody listens already, serving fails at once and says what to choose."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", "--store", str(tmp_path / "s"), "--port", port]) == 2
    assert f"Nothing can listen on port {port} of '127.0.0.1'" in capfd.readouterr().err


def test_whoever_opens_a_server_to_others_is_warned(tmp_path: Path) -> None:
    """A server that other machines can reach says that tokens are not encrypted on the way."""
    with serve("--store", "s", "--json", "--host", "0.0.0.0", cwd=tmp_path) as server:  # noqa: S104
        assert server.said["url"].startswith("http://127.0.0.1:")
        assert "unencrypted" in server.end()[2]


def test_a_second_server_on_a_repository_does_no_harm(tmp_path: Path) -> None:
    """Two servers, and somebody embedded, work on one store at the same time."""
    with (
        serve("--store", "s", "--json", cwd=tmp_path) as one,
        serve("--store", "s", "--json", cwd=tmp_path) as two,
        connect(tmp_path / "s") as embedded,
        connect(one.said["url"], token=one.said["token"]) as first,
        connect(two.said["url"], token=two.said["token"]) as second,
    ):
        made = [client.entities.create(Project(name=f"P{n}")) for n, client in enumerate((first, second, embedded))]
        assert [first.entities.get(str(project.id)).name for project in made] == ["P0", "P1", "P2"]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
