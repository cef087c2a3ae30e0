"""The transport without a socket hands an application what PEP 3333 promises it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest

from snakeprov.client import wsgi
from snakeprov.client.session import Session
from snakeprov.errors import ConflictError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answers with what it was asked."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    seen: dict[str, Any] = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"].encode("latin-1").decode(),
        "query": environ["QUERY_STRING"],
        "user": environ["REMOTE_USER"],
        "type": environ.get("CONTENT_TYPE"),
        "body": environ["wsgi.input"].read(length).decode(),
    }
    body = json.dumps(seen).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("409 Conflict" if seen["path"] == "/taken" else "200 OK", headers)
    return [body]


@pytest.fixture
def session() -> Session:
    """A session with the application, through the standard's own checker."""
    return Session(wsgi.PREFIX, transport=wsgi.Application(validator(echo), user="ada"))


def test_a_request_arrives_whole(session: Session) -> None:
    """Method, decoded path, query, user and body."""
    assert session.post("/a%2Fb/ü", {"x": 1}, query={"q": "ä b", "flag": True, "none": None}) == {
        "method": "POST",
        "path": "/a/b/ü",
        "query": "q=%C3%A4+b&flag=true",
        "user": "ada",
        "type": "application/json; charset=UTF-8",
        "body": '{"x":1}',
    }


def test_an_error_status_is_the_same_error_as_over_a_socket(session: Session) -> None:
    """The caller cannot tell that there is no socket."""
    with pytest.raises(ConflictError):
        session.get("/taken")


def test_a_put_without_a_body_arrives_as_one(session: Session) -> None:
    """No body is a body of length 0."""
    assert session.put("/x")["body"] == ""


def test_a_body_is_read_as_it_comes() -> None:
    """One that is streamed is never whole in memory, and is closed at its end or when nobody wants more of it."""
    made: list[int] = []
    closed: list[str] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(3):
                made.append(number)
                yield b"piece" if number != 1 else b""

        def close(self) -> None:
            closed.append("closed")

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Pieces()

    session = Session(wsgi.PREFIX, transport=wsgi.Application(application, user="ada"))
    whole = session.stream("/x", chunk_bytes=1024)
    assert (next(whole), made, closed) == (b"piece", [0], [])
    assert (list(whole), made, closed) == ([b"piece"], [0, 1, 2], ["closed"])
    broken_off = session.stream("/x", chunk_bytes=1024)
    next(broken_off)
    broken_off.close()
    assert (made, closed) == ([0, 1, 2, 0], ["closed", "closed"])
    assert session.send("GET", "/x").content == b"piecepiece"


def test_the_url_of_another_host_is_fetched_over_a_socket(tmp_path: Path) -> None:
    """A file whose bytes lie elsewhere can be downloaded through an embedded store too."""
    (tmp_path / "data.csv").write_bytes(b"elsewhere")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    thread = Thread(target=server.serve_forever)
    thread.start()
    session = Session(wsgi.PREFIX, transport=wsgi.Application(validator(echo), user="ada"))
    try:
        url = f"http://127.0.0.1:{server.server_port}/data.csv"
        assert b"".join(session.stream(url, chunk_bytes=1024)) == b"elsewhere"
    finally:
        session.close()
        server.shutdown()
        thread.join()
        server.server_close()
