"""Names, values and contents that were made to do harm, and stores that fail: on every page."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from snakeprov.web.app import POLICY

from ..cli.conftest import Study
from .conftest import Reader, pages_of

MARKUP = "<img src=x onerror=alert(1)>\"'&{{7777*7777}}.csv"
CONTROLS = "a\x1b[2J\x07\u202e\u2066gnp.csv"
QUERY = "50% of #1?a=b&c.csv"
LONG = "\x1b<b>" + "x" * 1_000_000
PAGE_CHARACTERS_MAX = 600_000

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class Markup(HTMLParser):
    """The elements of a page, and every address in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.names.append(tag)
        self.addresses += [value for name, value in attributes if name in ("href", "src", "action")]
        self.handlers += [name for name, _ in attributes if name.startswith("on") or name == "style"]


class Hostile(NamedTuple):
    """The pages of the hostile store, and every address that leads to something of it."""

    reader: Reader
    addresses: list[str]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """A chain of files with hostile names, made by hostile rules, then jobs that failed or never ended."""
    study = Study(tmp_path_factory.mktemp("hostile") / "penguins")
    first = study.run("aaaa", ago=timedelta(days=2), command_line=LONG, host=MARKUP)
    second = study.run("bbbb", status="interrupted", ended_on=None, command_line=MARKUP)
    versions = [study.file(MARKUP, b"raw")]
    for path in (CONTROLS, QUERY, "results/<script>alert(1)</script>.txt"):
        facts: dict[str, Any] = {
            "wildcards": {"<b>": LONG, "sample": MARKUP},
            "params": {"<script>alert(1)</script>": LONG, "n": {"deep": [MARKUP, CONTROLS]}},
            "shellcmd": f"echo {MARKUP} {CONTROLS}\n{LONG}",
            "reason": LONG,
            "resources": {MARKUP: CONTROLS},
        }
        rule = "<script>alert(1)</script>\u202e"
        versions += study.job(first, rule, {path: b"\x00<svg onload=alert(1)>"}, used=[versions[-1]], **facts)
    study.job(second, "r\x1b[2J<b>", {}, used=[versions[-1]], status="failed", error=LONG, log_excerpt=MARKUP + LONG)
    study.job(second, "stopped", {}, used=[versions[-1]], status="interrupted", ended_on=None)
    activity = study.client.activities.create(
        {  # type: ignore[arg-type]
            "name": MARKUP,
            "description": f"{MARKUP} {CONTROLS}",
            "used": [
                {"concreteType": "org.sagebionetworks.repo.model.provenance.UsedURL", "url": url, "wasExecuted": False}
                for url in ("javascript:alert(1)", "https://example.org/<script>", "data:text/html,<script>")
            ],
        }
    )
    versions.append(study.file("by-hand.txt", b"hand", generated_by=str(activity["id"])))
    versions.append(study.file("evil.csv", f"{MARKUP},{CONTROLS}\n".encode() * 10))
    versions.append(study.file("evil.py", f"print('{MARKUP}{CONTROLS}')\n</pre><script>alert(1)</script>".encode()))
    versions.append(study.file("long.json", f'{{"{MARKUP[:4]}": "{LONG[1:]}"}}'.encode()))
    versions.append(study.file("cut.txt", "\u00e4".encode() * 200_000))
    study.client.close()
    addresses = [f"/f/{one.entity_id}.{one.number}" for one in versions]
    addresses += [f"/affected/{one.entity_id}.{one.number}" for one in versions]
    addresses += [f"/f/{one.entity_id}.{one.number}/methods" for one in versions[:4]]
    ids = [f"{one.entity_id}.{one.number}" for one in versions]
    addresses += [f"/compare?a={old}&b={new}&all=1" for old, new in pairwise(ids)]
    addresses += [
        f"/d/{versions[0].sha256}",
        f"/d/sha256:{versions[1].sha256[:8]}",
        "/affected?run=aaaa",
        "/compare?a=run:aaaa&b=run:bbbb",
    ]
    addresses += ["/", "/r/aaaa", "/r/bbbb", "/j/0001", "/j/0004", "/search?q=csv", "/search?q=status=failed"]
    with pages_of(study.store) as reader:
        yield Hostile(reader, addresses)


def test_no_page_holds_markup_that_was_recorded(hostile: Hostile) -> None:
    """There is no element, no event and no address but those of the templates, and no character that deceives."""
    for address in hostile.addresses:
        page = hostile.reader.page(address)
        markup = Markup(page.text)

        assert "img" not in markup.names and markup.names.count("script") == 1, address
        assert not {"foreignobject", "object", "embed", "style", "base"} & set(markup.names), address
        assert markup.handlers == [], address
        outside = [one for one in markup.addresses if not one.startswith(("/", "#", "https://example.org/"))]
        assert outside == [], address
        assert UNSAFE.findall(page.text) == [], address
        assert "60481729" not in page.text, address
        assert len(page.text) < PAGE_CHARACTERS_MAX, (address, len(page.text))


def test_every_link_of_every_page_leads_somewhere(hostile: Hostile) -> None:
    """Names with any character in them are found again by their links."""
    found = set()
    for address in hostile.addresses:
        found |= {one for one in Markup(hostile.reader.page(address).text).addresses if one.startswith(("/f/", "/r/"))}
    assert len(found) > 8
    for address in found:
        hostile.reader.page(address)


def test_what_is_asked_comes_back_as_text(hostile: Hostile) -> None:
    """A search, an id or a path with markup in it is shown, not executed."""
    for address in (
        "/search?q=<script>alert(1)</script>",
        "/search?q=%22%3E%3Cimg+src=x+onerror=alert(1)%3E",
        "/search?q=" + "x" * 5000,
        "/search?q=%ff%fe",
        "/search?q=a%00b=c",
        "/f/<script>alert(1)</script>",
        "/f/%ff%00",
        "/r/<script>",
        "/j/%3Cscript%3E",
        "/?after=<script>",
        "/f/syn1.1?after=%3Cscript%3E",
        "/r/aaaa?rule=<script>",
    ):
        page = hostile.reader.get(hostile.reader.url + address, timeout=30)
        assert page.status_code in (200, 400, 404), (address, page.status_code)
        assert Markup(page.text).names.count("script") == 1, address
        assert "Traceback" not in page.text and "img" not in Markup(page.text).names, address


def test_a_lineage_to_explore_holds_no_markup_that_was_recorded(hostile: Hostile) -> None:
    """It runs its own script only, and its policy allows nothing else."""
    for address in hostile.addresses:
        if address.startswith("/f/") and "methods" not in address:
            page = hostile.reader.page(address + "/lineage")
            markup = Markup(page.text)
            assert "img" not in markup.names and markup.names.count("script") == 2, address
            assert UNSAFE.findall(page.text) == [], address
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
            for kind in ("svg", "html"):
                saved = hostile.reader.page(f"{address}/lineage.{kind}")
                assert saved.headers["Content-Disposition"].startswith("attachment")
                assert "<img" not in saved.text and "<script>alert" not in saved.text


CONTENTS = {
    "evil.svg": (
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script>'
        b'<image href="https://example.org/a.png"/><a href="javascript:alert(1)"><text>a</text></a></svg>'
    ),
    "evil.html": (
        b"<!doctype html><title>report</title><script>top.document.title = 'stolen'</script><h1>Report</h1>"
        b"<img src='https://example.org/a.png' onerror='alert(1)'><form action='/logout' method=post></form>"
        b"<meta http-equiv='refresh' content='0;url=https://example.org/'>"
    ),
    "false.png": b"<html><script>alert(1)</script></html>",
    "broken.png": b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
    "bomb.txt.gz": gzip.compress(b"0" * 50_000_000),
    "false.csv.gz": b"not packed",
    "binary.bin": bytes(range(256)) * 10,
    "empty.txt": b"",
    "wide.csv": b",".join(b"%d" % number for number in range(5000)) + b"\n1,2\n",
    "quoted.csv": b'"never closed' + b"x,\n" * 200_000,
    "deep.json": b"[" * 100_000,
}


@pytest.fixture(scope="module")
def previews(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, dict[str, str]]]:
    """A reader of a store with harmful contents, and the address of each by its name."""
    study = Study(tmp_path_factory.mktemp("contents") / "penguins")
    versions = {name: study.file(name, content) for name, content in CONTENTS.items()}
    study.client.close()
    with pages_of(study.store) as reader:
        yield reader, {name: f"/f/{one.entity_id}.{one.number}" for name, one in versions.items()}


@pytest.mark.parametrize("name", CONTENTS)
def test_no_content_becomes_markup(previews: tuple[Reader, dict[str, str]], name: str) -> None:
    """Whatever a file holds, its page has its own elements only, comes soon, and is not long."""
    reader, addresses = previews
    page = reader.page(addresses[name])
    markup = Markup(page.text)

    assert markup.names.count("script") == 1 and markup.handlers == []
    assert [one for one in markup.addresses if not one.startswith(("/", "#"))] == []
    assert len(page.text) < PAGE_CHARACTERS_MAX
    assert page.elapsed.total_seconds() < 10


def test_pictures_and_pages_are_confined(previews: tuple[Reader, dict[str, str]]) -> None:
    """They are sent with a policy that lets them run and load nothing, and are what their bytes say."""
    reader, addresses = previews
    for name, kind in (("evil.svg", "image/svg+xml"), ("evil.html", "text/html"), ("broken.png", "image/png")):
        response = reader.page(addresses[name] + "/content")
        assert response.headers["Content-Type"] == kind
        policy = response.headers["Content-Security-Policy"]
        assert "sandbox" in policy and "default-src 'none'" in policy and "script" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("inline")
    assert "<iframe" in reader.page(addresses["evil.html"]).text
    assert " sandbox " in reader.page(addresses["evil.html"]).text
    for name in ("false.png", "binary.bin", "bomb.txt.gz"):
        reader.page(addresses[name] + "/content", status=404)


def test_the_limits_of_a_preview_are_said(previews: tuple[Reader, dict[str, str]]) -> None:
    """So is why there is none."""
    reader, addresses = previews
    assert "The first 262 kB." in reader.read(addresses["bomb.txt.gz"])
    assert "It is not compressed as its name says." in reader.read(addresses["false.csv.gz"])
    assert "There is no preview of this kind of file." in reader.read(addresses["binary.bin"])
    assert "It is empty." in reader.read(addresses["empty.txt"])
    assert "The first 40 of 5,000 columns." in reader.read(addresses["wide.csv"])


def test_every_page_has_the_headers_that_confine_it(hostile: Hostile) -> None:
    """It may load nothing from elsewhere, run nothing of its own, and be framed by nobody."""
    for address in [*hostile.addresses[:8], "/", "/compare", "/nothing", "/static/style.css"]:
        headers = hostile.reader.get(hostile.reader.url + address, timeout=30).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert "unsafe" not in POLICY and "default-src 'none'" in POLICY and "frame-ancestors 'none'" in POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    assert "no-cache" in hostile.reader.page("/").headers["Cache-Control"]


def test_a_static_address_leads_to_static_files_only(hostile: Hostile) -> None:
    """Templates and code of the package are not among them."""
    for name in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "style", "nothing.css", "", "/etc/passwd"):
        assert hostile.reader.get(f"{hostile.reader.url}/static/{name}", timeout=30).status_code == 404, name


@pytest.mark.parametrize("harm", ["garbage", "gone"])
def test_a_store_that_is_damaged_meanwhile_is_told_in_a_sentence(tmp_path: Path, harm: str) -> None:
    """Every page says what is wrong with the store, and none shows a traceback."""
    study = Study(tmp_path / "damaged")
    run = study.run("aaaa")
    (made,) = study.job(run, "fit", {"fit.txt": b"1" * 100_000})
    study.client.close()
    with pages_of(study.store) as reader:
        address = f"/f/{made.entity_id}.{made.number}"
        reader.page(address)
        if harm == "garbage":
            for path in study.store.glob("provenance.sqlite*"):  # type: ignore[union-attr]
                with path.open("r+b") as file:
                    file.write(b"\xff" * path.stat().st_size)
        else:
            shutil.rmtree(study.store)
        for asked in (address, "/", "/r/aaaa", "/search?q=fit", address + "/download"):
            page = reader.get(reader.url + asked, timeout=120)
            assert "Traceback" not in page.text and "sqlalchemy" not in page.text
            assert page.status_code == 200 or "<h1>" in page.text
        if harm == "garbage":
            assert reader.get(reader.url + address, timeout=120).status_code >= 500
