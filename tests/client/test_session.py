"""The session against real sockets: what is repeated, what is not, and how failures are reported."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from snakeprov.client import session as session_module
from snakeprov.client.session import RETRIES_MAX, Session
from snakeprov.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RemoteError,
    ServerError,
    StaleError,
    UnauthorizedError,
    UnreachableError,
)
from snakeprov.model.answers import About


class Server(ThreadingHTTPServer):
    """Answers with a prepared list of statuses, then 200; notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.seen: list[tuple[str, str, str | None]] = []
        self.body = b'{"ok": true}'
        self.retry_after: str | None = None
        self.location: str | None = None


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 0:  # hang up without a word
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = self.server.body if status < 400 else json.dumps({"reason": f"reason {status}"}).encode()
        self.send_response(status)
        if self.server.location is not None and status == 302:
            self.send_header("Location", self.server.location)
        if status >= 400 and self.server.retry_after is not None:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A real server; waiting between attempts is made short."""
    monkeypatch.setattr(session_module, "BACKOFF_FIRST_S", 0.001)
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def session(server: Server) -> Iterator[Session]:
    """A session with that server."""
    made = Session(f"http://127.0.0.1:{server.server_port}", token="secret")  # noqa: S106
    yield made
    made.close()


@pytest.mark.parametrize("failures", [[503], [429, 500], [502, 503, 504, 0]])
def test_what_is_safe_to_repeat_is_repeated(server: Server, session: Session, failures: list[int]) -> None:
    """GET survives an answer of 429 or 5xx and a connection that breaks."""
    server.statuses = failures.copy()

    assert session.get("/x") == {"ok": True}
    assert len(server.seen) == len(failures) + 1


def test_attempts_are_bounded(server: Server, session: Session) -> None:
    """A server that stays down is given up on, with its reason."""
    server.statuses = [503] * 50

    with pytest.raises(ServerError, match="answered 503 to GET /x: reason 503"):
        session.get("/x")
    assert len(server.seen) == RETRIES_MAX + 1


@pytest.mark.parametrize(("failure", "error"), [(503, ServerError), (0, UnreachableError)])
def test_a_post_is_not_repeated_unless_the_caller_says_it_may(
    server: Server, session: Session, failure: int, error: type[RemoteError]
) -> None:
    """A request that may have been carried out is not sent twice."""
    server.statuses = [failure]
    with pytest.raises(error):
        session.post("/x", {})
    assert len(server.seen) == 1

    server.statuses = [failure]
    assert session.post("/x", {}, repeatable=True) == {"ok": True}


def test_a_post_that_came_too_fast_is_repeated(server: Server, session: Session) -> None:
    """429 says that it was not carried out."""
    server.statuses = [429, 429]

    assert session.post("/x", {}) == {"ok": True}
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("said", "waited_s"), [("3", 3.0), ("86400", 8.0), ("Fri, 31 Dec 1999 23:59:59 GMT", None)])
def test_what_the_server_says_of_when_to_come_back_is_kept_to(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch, status: int, said: str, waited_s: float | None
) -> None:
    """In seconds, and within bounds; a date is passed over."""
    waits: list[float] = []
    monkeypatch.setattr(session_module.time, "sleep", waits.append)
    server.statuses, server.retry_after = [status], said

    assert session.get("/x") == {"ok": True}
    (wait,) = waits
    assert wait < 1 if waited_s is None else wait == waited_s


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequestError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (405, BadRequestError),
        (409, ConflictError),
        (412, StaleError),
    ],
)
def test_a_refusal_is_a_typed_error_with_the_servers_reason(
    server: Server, session: Session, status: int, error: type[ApiError]
) -> None:
    """Each status has its class; nothing is repeated."""
    server.statuses = [status]

    with pytest.raises(error) as caught:
        session.get("/x")
    assert (caught.value.status, caught.value.reason, len(server.seen)) == (status, f"reason {status}", 1)


@pytest.mark.parametrize("place", ["own", "presigned", "redirected"])
def test_netrc_never_replaces_the_token(
    server: Server, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A `default` entry is for other programs: our server gets our token, and a signed URL gets no login."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    elsewhere = f"http://localhost:{server.server_address[1]}/signed"
    if place == "redirected":
        server.statuses, server.location = [302], elsewhere
    session.get(elsewhere if place == "presigned" else "/x")

    expected = {"own": ["Bearer secret"], "presigned": [None], "redirected": ["Bearer secret", None]}
    assert [authorization for _, _, authorization in server.seen] == expected[place]


def test_the_token_goes_to_the_repository_and_nowhere_else(server: Server, session: Session) -> None:
    """A presigned URL on another host is asked for without the token."""
    session.get("/mine")
    session.send("GET", f"http://localhost:{server.server_port}/theirs")

    assert [authorization for _, _, authorization in server.seen] == ["Bearer secret", None]


def test_an_answer_that_is_no_json_is_told_as_such(server: Server, session: Session) -> None:
    """A web page instead of a store gives a sentence with a hint."""
    server.body = b"<html>hello</html>"

    with pytest.raises(RemoteError, match=r"something that is not JSON\. Is this the address"):
        session.get("/x")


def test_an_answer_of_another_shape_is_told_with_what_is_wrong(server: Server, session: Session) -> None:
    """A server that is none of ours, or another version of it, gives one sentence, whatever was asked."""
    server.body = b'{"name": "snakeprov", "version": 1}'

    for ask in (lambda: session.ask("/about", About), lambda: session.ask_with("/about", About, {})):
        with pytest.raises(RemoteError, match=r"something unexpected: Expected `str`, got `int` - at `\$\.version`"):
            ask()


def test_no_answer_where_one_is_needed_is_told_as_no_json(server: Server, session: Session) -> None:
    """An empty body is no value of any type."""
    server.body = b""

    with pytest.raises(RemoteError, match="something that is not JSON"):
        session.ask("/about", About)


def test_nobody_there_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that nobody listens on."""
    monkeypatch.setattr(session_module, "BACKOFF_FIRST_S", 0.001)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port} cannot be reached: no connection could be made"):
        Session(f"http://127.0.0.1:{port}").get("/x")
    with pytest.raises(UnreachableError) as told:
        Session(f"http://ada:hunter2@127.0.0.1:{port}").get("/x")
    assert "hunter2" not in str(told.value), "what is printed is copied into mails"
