"""One server for the tests that only look and click, servers of their own for those that break things; one browser.

They end with this folder: while one of Playwright's synchronous browsers is open, the process can run no asyncio test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from e2e.server import Server


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh start whose first pipeline has ended."""
    running = Server(tmp_path_factory.mktemp("petinsure") / "data")
    running.start()
    try:
        running.first_run()
        yield running
    finally:
        running.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, not started yet, with a small book: these tests are about what breaks."""
    own = Server(tmp_path / "data", PETINSURE_DEMO_CLAIMS="600")
    try:
        yield own
    finally:
        own.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    assert path, "The browser tests need Chromium: `make test` installs it as root; else install it or set CHROMIUM."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own (another user's browser, so to say)."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", timezone_id="UTC")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
