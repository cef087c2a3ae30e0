"""A headless Chromium for tests, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
)

PAGE_TIMEOUT_S = 120


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Give a WebDriver with a new profile in the folder `profile`; skip the test where there is no browser."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="the tests of the page need selenium")
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("the tests of the page need chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
    try:
        page.set_page_load_timeout(PAGE_TIMEOUT_S)
        page.set_script_timeout(PAGE_TIMEOUT_S)
        yield page
    finally:
        page.quit()
