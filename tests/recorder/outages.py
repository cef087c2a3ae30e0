"""A store that fails or dawdles, on a socket."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

WAYS = ["cut before", "cut after", "cut in the middle", "500", "503", "429", "503 after"]
"""What becomes of a request: `after` means that the store has done what it was asked."""


class Repository(WSGIServer):
    """A server on a socket that fails from its request number `fails_from` on, in the way `way`.

    Attributes:
        requests: How many requests have come.
        gate: While it is closed nothing is done and nothing answered; it is open at first.
        delay_s: How long each answer takes.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fails_from: float = float("inf")
        self.way = ""
        self.requests = 0
        self.gate = threading.Event()
        self.gate.set()
        self.delay_s = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were cut."""


class Handler(WSGIRequestHandler):
    """Answers one request, or fails to."""

    server: Repository

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            return
        length = int(self.headers.get("Content-Length", 0))
        body = io.BytesIO(self.rfile.read(length))
        self.server.requests += 1
        self.server.gate.wait()
        time.sleep(self.server.delay_s)
        way = self.server.way if self.server.requests >= self.server.fails_from else "answer"
        answer = io.BytesIO()
        if way in ("answer", "cut after", "cut in the middle", "503 after"):
            handler = SimpleHandler(body, answer, io.StringIO(), self.get_environ(), multithread=False)
            handler.run(self.server.get_app())
        whole = answer.getvalue()
        if way == "answer":
            self.wfile.write(whole)
        elif way.startswith("cut"):
            self.wfile.write(whole[: len(whole) // 2] if way == "cut in the middle" else b"")
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()  # at once, and with what is called a reset
        else:
            reason = b'{"reason": "not now"}'
            head = f"HTTP/1.0 {way[:3]} No\r\nContent-Length: {len(reason)}\r\n\r\n"
            self.wfile.write(head.encode() + reason)
