"""The documentation site: it builds without a warning and without network, and every link in it leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from snakeprov.cli import snakeprov as command_group

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILD_TIMEOUT_S = 600


class Page(HTMLParser):
    """What a page links to and loads, and the anchors in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.anchors.add(str(values["id"]))
        if tag == "a" and values.get("href"):
            self.links.add(str(values["href"]))
        elif tag in ("script", "img") and values.get("src"):
            self.loaded.add(str(values["src"]))
        elif tag == "link" and values.get("rel") == "stylesheet":
            self.loaded.add(str(values["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `python -m sphinx -W docs OUT` builds it, where no network can be reached."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(folder)],
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Each page of the site, by its file."""
    return {
        path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if "_static" not in path.parts
    }


def test_every_link_inside_leads_somewhere(pages: dict[Path, Page]) -> None:
    """Each link to another page of the site has a file, and each `#place` an anchor."""
    broken = []
    for path, page in pages.items():
        for link in page.links | page.loaded:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else set()
            if not target.exists() or (parts.fragment and target in pages and unquote(parts.fragment) not in anchors):
                broken.append(f"{path.name}: {link}")

    assert len(pages) > 50
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    """No page loads a script, a style or a picture from another machine."""
    loaded = {one for page in pages.values() for one in page.loaded}

    assert loaded
    assert [one for one in loaded if urlsplit(one).netloc] == []


def test_every_command_has_a_page() -> None:
    """Each command has a page with its own help in it, and a row in the list of commands, in the order of the help."""
    commands = command_group.list_commands(None)  # type: ignore[arg-type]
    listed = re.findall(
        r"^\| \[`snakeprov (\w+)`\]\((\w+)\.md\)", (DOCS / "commands/index.md").read_text(), re.MULTILINE
    )

    assert listed == [(name, name) for name in commands]
    assert {path.stem for path in (DOCS / "commands").glob("*.md")} == {*commands, "index"}
    for name in commands:
        assert f"\n.. click:: snakeprov.cli.{name}:command\n" in (DOCS / "commands" / f"{name}.md").read_text()


def test_no_markup_is_left_in_the_text(site: Path) -> None:
    """No page shows a directive instead of what it stands for, as Sphinx does where it takes it for text."""
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]

    assert [path.name for path in pages if re.search(r"<p>\s*(?:\.\. \w|\| \w|:\w+:)", path.read_text())] == []


def test_the_options_of_a_command_have_anchors(site: Path) -> None:
    """The help of a command is on its page, each option with a link to it."""
    page = (site / "commands" / "log.html").read_text(encoding="utf-8")

    assert 'id="cmdoption-snakeprov-log-n"' in page
    assert "# its versions, newest first" in page


def test_generated_references(site: Path) -> None:
    """The pages of settings, exit statuses, JSON and tables hold what the code holds."""
    settings = (site / "reference/settings.html").read_text(encoding="utf-8")
    statuses = (site / "reference/exit-statuses.html").read_text(encoding="utf-8")

    assert all(name in settings for name in ("keep_bytes_max", "100MB", "wait_max_s"))
    assert all(name in statuses for name in ("NotRecordedError", "StaleError", "47"))
    assert "whyDocument".lower() in (site / "reference/json.html").read_text(encoding="utf-8").lower()
    assert "alembic_version" in (site / "reference/files.html").read_text(encoding="utf-8")
