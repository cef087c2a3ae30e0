"""The pages in a real browser: no complaint, nothing from elsewhere, with keys only and without scripts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ..cli.conftest import Study
from ..view.browser import chromium
from .conftest import KEY, Reader, pages_of

SCHEMES_NARROW_AND_WIDE = [(scheme, width) for scheme in ("light", "dark") for width in (400, 1400)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all the tests here."""
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        yield driver


@pytest.fixture(scope="module")
def shown(browser: Any, recorded_study: Any) -> Iterator[Reader]:
    """A reader of the recorded study, whom the browser is, too."""
    with pages_of(recorded_study.store) as reader:
        sign_in(browser, reader)
        yield reader


def sign_in(browser: Any, reader: Reader) -> None:
    """Give the browser the cookie of a reader."""
    browser.get(reader.url + "/static/icon.svg")
    for cookie in reader.cookies:
        browser.add_cookie({"name": cookie.name, "value": cookie.value, "path": "/", "httpOnly": True})
    browser.get_log("browser")


ADDRESSES = [
    *("/", "/f/results/table.csv", "/f/data/penguins.csv", "/r/aaaa", "/search?q=table", "/search?q=zzzz"),
    *(
        "/compare?a=results/table.csv@1&b=results/table.csv@2&all=1",
        "/affected?rule=clean",
        "/compare?a=run:aaaa&b=run:bbbb",
        "/f/results/figure.png",
    ),
    "/f/syn3.1/lineage",
]


def complaints(browser: Any, *, apart: str = "404 (Not Found)") -> list[str]:
    """What the browser complained about since it was asked last."""
    return [entry["message"] for entry in browser.get_log("browser") if apart not in entry["message"]]


@pytest.mark.parametrize(("scheme", "width"), SCHEMES_NARROW_AND_WIDE)
def test_every_page_fits_and_nothing_is_complained_about(browser: Any, shown: Reader, scheme: str, width: int) -> None:
    """Light and dark, narrow and wide: no message on the console, nothing from elsewhere, nothing to scroll aside."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for address in ADDRESSES:
            browser.get(shown.url + address)
            assert complaints(browser) == [], address
            loaded = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
            assert [one for one in loaded if not one.startswith(shown.url)] == [], address
            assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), address
            assert "system-ui" in browser.execute_script("return getComputedStyle(document.body).fontFamily"), address
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_link_signs_the_browser_in_and_leaves_the_address_bar(browser: Any, recorded_study: Any) -> None:
    """No trace of the secret stays in the history, and the page can be read."""
    with pages_of(recorded_study.store, is_signed_in=False) as reader:
        browser.get(f"{reader.url}/open?key={KEY}&next=/f/results/table.csv")
        assert browser.current_url.endswith(".2") and KEY not in browser.current_url
        assert "made results/table.csv@2" in browser.find_element("css selector", ".lead").text
        browser.get(f"{reader.url}/")
        assert browser.execute_script("return document.cookie") == ""


def test_keys_are_enough(browser: Any, shown: Reader) -> None:
    """A slash goes to the search, Enter searches, and Tab goes through links that show where one is."""
    from selenium.webdriver.common.keys import Keys

    browser.get(shown.url + "/r/aaaa")
    browser.find_element("css selector", "body").send_keys("/")
    active = browser.switch_to.active_element
    assert active.get_attribute("name") == "q"
    active.send_keys("results/table.csv", Keys.ENTER)
    browser.find_element("css selector", "h1.path")
    assert browser.current_url.endswith(".2")
    browser.find_element("css selector", "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    for _ in range(6):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"


def test_a_command_can_be_copied(browser: Any, shown: Reader) -> None:
    """The button beside it, which only a script can offer, copies it."""
    browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"origin": shown.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    browser.get(shown.url + "/f/results/table.csv")
    browser.find_element("css selector", ".command button").click()
    text = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])")
    assert text == "snakeprov show results/table.csv@2"


def test_a_run_that_is_running_is_shown_live(browser: Any, tmp_path: Path) -> None:
    """New jobs and the end of the run appear by themselves."""
    from selenium.webdriver.support.ui import WebDriverWait

    study = Study(tmp_path / "live")
    run = study.run("aaaa", status="running", ended_on=None)
    with pages_of(study.store) as reader:
        sign_in(browser, reader)
        browser.get(reader.url + "/r/aaaa")
        assert "running" in browser.find_element("css selector", ".lead").text
        study.job(run, "fit", {"fit.txt": b"1"}, ended_on=run.started_on)
        study.client.runs.put(replace(run, status="success", ended_on=run.started_on))
        study.client.close()
        WebDriverWait(browser, 30).until(lambda page: "success" in page.find_element("css selector", ".lead").text)
        assert "fit.txt@1" in browser.find_element("css selector", "main").text
        assert len(browser.find_elements("css selector", ".command button")) == 1
        assert browser.find_elements("css selector", "main[data-live]") == []
        assert complaints(browser) == []


def test_pages_are_whole_without_scripts(browser: Any, shown: Reader) -> None:
    """Where scripts are off everything is shown and every form works."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(shown.url + "/")
        search = browser.find_element("css selector", "input[type=search]")
        search.send_keys("rule=clean")
        search.submit()
        assert "match rule=clean" in browser.find_element("css selector", ".lead").text
        browser.find_element("css selector", "td a.path").click()
        assert "Rule clean made" in browser.find_element("css selector", ".lead").text
        assert browser.find_elements("css selector", ".command button") == []
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_drawing_begins_at_its_file_and_leads_to_pages(browser: Any, shown: Reader) -> None:
    """On a narrow screen the file is in sight, and each box is a link that keys reach, too."""
    size = {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(shown.url + "/f/results/figure.png")
        right = "return document.querySelector('.drawing .root').getBoundingClientRect().right"
        assert 0 < browser.execute_script(right) <= 400
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(shown.url + "/f/results/figure.png")
    raw = browser.find_element("xpath", "//*[local-name()='a'][.//*[contains(text(), 'penguins.csv')]]")
    browser.execute_script("arguments[0].focus()", raw)
    assert browser.execute_script("return document.activeElement === arguments[0]", raw)
    browser.switch_to.active_element.send_keys("\n")
    assert "data/penguins.csv@1 is a raw input" in browser.find_element("css selector", ".lead").text


def test_a_lineage_to_explore_leads_back_to_pages(browser: Any, shown: Reader) -> None:
    """Its title leads to the page of the file, and the details of a box to the page of what it is."""
    file = shown.page("/f/results/figure.png").url
    browser.get(file + "/lineage")
    assert complaints(browser) == []
    browser.find_element("css selector", "#drawing .box.root .face").click()
    assert browser.find_element("link text", "Open its page").get_attribute("href") == file
    browser.find_element("css selector", "h1 a").click()
    assert browser.current_url == file


HARMFUL_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="9" onload="fetch(\'https://example.org/svg\')">'
    b"<script>parent.document.title = 'stolen'; fetch('https://example.org/svg')</script></svg>"
)
HARMFUL_HTML = (
    b"<!doctype html><h1>Report</h1><script>parent.document.title = 'stolen'</script>"
    b"<img src='https://example.org/a.png'><img src='/f/syn1.1/content' onerror='parent.document.title = 1'>"
)


@pytest.mark.parametrize(("name", "content"), [("a.svg", HARMFUL_SVG), ("a.html", HARMFUL_HTML)])
def test_what_is_shown_of_a_file_can_do_nothing(browser: Any, tmp_path: Path, name: str, content: bytes) -> None:
    """A picture or a page with scripts neither runs them nor loads anything, inside its page and on its own."""
    study = Study(tmp_path / "harmful")
    made = study.file(name, content)
    study.client.close()
    with pages_of(study.store) as reader:
        sign_in(browser, reader)
        address = f"{reader.url}/f/{made.entity_id}.{made.number}"
        for shown in (address, address + "/content"):
            browser.get(shown)
            time.sleep(0.3)
            assert "stolen" not in browser.title
            said = [one for one in complaints(browser) if "example.org" in one]
            assert all("Content Security Policy" in one for one in said), said
            # What a frame of its own complains about is not among the messages of the page.
            assert said or name == "a.svg" or shown == address
        browser.get(address)
        if name == "a.svg":
            width = "return document.querySelector('.picture img').naturalWidth"
            assert browser.execute_script(width) == 99
        else:
            browser.switch_to.frame(browser.find_element("css selector", "iframe"))
            assert browser.find_element("css selector", "h1").text == "Report"
            browser.switch_to.default_content()
        browser.get_log("browser")


def test_a_reader_of_the_screen_finds_its_way(browser: Any, shown: Reader) -> None:
    """Each page has a language, a title, one main part, one first heading, and a name for every field and column."""
    for address in ADDRESSES[:-1]:
        browser.get(shown.url + address)
        found = json.loads(
            browser.execute_script(
                """
                const all = (what) => [...document.querySelectorAll(what)];
                return JSON.stringify({
                  language: document.documentElement.lang, title: document.title,
                  mains: all("main").length, first: all("h1").length,
                  nameless: all("input:not([type=hidden])")
                    .filter((one) => !one.labels.length && !one.ariaLabel).length,
                  columns: all("thead th").filter((one) => !one.textContent.trim() || one.scope !== "col").length,
                  links: all("a").filter((one) => !one.textContent.trim()).length,
                  ids: all("[id]").length - new Set(all("[id]").map((one) => one.id)).size,
                });
                """
            )
        )
        assert found.pop("language") == "en" and found.pop("title")
        assert found == {"mains": 1, "first": 1, "nameless": 0, "columns": 0, "links": 0, "ids": 0}, address
