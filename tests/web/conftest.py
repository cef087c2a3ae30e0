"""The pages of recorded stores, on real sockets."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from snakeprov.apps.connect import connecting
from snakeprov.apps.listener import listen
from snakeprov.web import Pages, Site, Waiting

from ..cli.conftest import recorded_study

__all__ = ["recorded_study"]

KEY = "the-secret-of-the-link"


class Reader(requests.Session):
    """Somebody's browser, as far as it sends requests and keeps cookies.

    Attributes:
        url: Of the pages.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.headers["Accept"] = "text/html,*/*;q=0.8"

    def page(self, path: str, *, status: int = 200, **options: Any) -> requests.Response:
        """Return a page, redirects followed, and check its status."""
        response = self.get(self.url + path, timeout=60, **options)
        assert response.status_code == status, (path, response.status_code, text_of(response.text))
        return response

    def read(self, path: str, *, status: int = 200) -> str:
        """Return what a page says."""
        return text_of(self.page(path, status=status).text)

    def lead(self, path: str, *, status: int = 200) -> str:
        """Return the first sentence of a page."""
        found = re.search(r'<p class="lead">(.*?)</p>', self.page(path, status=status).text, re.DOTALL)
        assert found is not None
        return text_of(found[1])


def text_of(html: str) -> str:
    """Return the text of HTML, in one line."""
    apart = re.sub(r"</?(?:t[dhr]|d[dt]|p|h\d|li|pre|div|section|button|option)\b[^>]*>", " ", html)
    return " ".join(unescape(re.sub("<[^>]*>", "", apart)).split())


@contextmanager
def pages_of(
    store: Path | str, *, waiting: Callable[[], Waiting] | None = None, is_signed_in: bool = True
) -> Iterator[Reader]:
    """Give a reader, who is signed in, of the pages of a store, as `snakeprov ui` shows them."""
    with ExitStack() as stack:
        client = stack.enter_context(connecting(str(store)))
        hosts = frozenset({"127.0.0.1", "localhost"})
        site = Site(connect=lambda _: client(), key=KEY, waiting=waiting, hosts=hosts)
        server = listen(Pages(site), host="127.0.0.1", port=0)
        # To end it takes long; it goes on listening.
        threading.Thread(target=server.run, daemon=True).start()
        reader = stack.enter_context(Reader(f"http://127.0.0.1:{server.effective_port}"))
        if is_signed_in:
            reader.page(f"/open?key={KEY}")
        yield reader


@pytest.fixture(scope="session")
def pages(recorded_study: Any) -> Iterator[Reader]:
    """A reader of the pages of the recorded study."""
    with pages_of(recorded_study.store) as reader:
        yield reader
