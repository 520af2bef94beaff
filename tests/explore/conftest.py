"""A browser without a network, and pages that it opens from files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from phasegrok.explore import explore

REFERENCE: Final = Path(__file__).parents[2] / "results" / "reference"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox in containers; nothing that a browser does of its own accord.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP: Final = (1300, 900)

OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium of the system with an empty profile."""
    found = os.environ.get("PHASEGROK_BROWSER") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    if not found:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}, or set PHASEGROK_BROWSER")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[OpenPage]:
    """Write folders as a page and open it from file://; at the end nothing may have gone wrong.

    The network is off, and a request for anything but the file fails the test. So does whatever
    the page writes to the console.
    """
    contexts, said, asked = [], [], []

    def open_(
        *folders: Path, at: str = "", size: tuple[int, int] = DESKTOP, dark: bool = False
    ) -> Any:
        path = explore(folders, tmp_path / "page.html").path
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            offline=True,
            has_touch=size[0] < 500,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + (f"#{at}" if at else ""))
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
