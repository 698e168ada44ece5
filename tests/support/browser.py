"""Chromium without a window, where it is installed: pages are looked at as users see them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The path of the browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


def browsers() -> Iterator[Any]:
    """One browser, for as long as somebody uses it."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    with api.sync_playwright() as play:
        # The sandbox needs rights that containers do not have.
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Looked:
    """A page that was opened. ``said``: what its console had, errors among it; ``asked``: every
    address that it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def look_at(browser: Any, address: str, **options: Any) -> Looked:
    """Open a page, and wait until it has drawn."""
    looked = Looked(browser.new_page(**{"viewport": {"width": 1400, "height": 860}} | options))
    page = looked.page
    page.on("console", lambda message: looked.said.append(message.text))
    page.on("pageerror", lambda error: looked.said.append(str(error)))
    page.on("request", lambda request: looked.asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("body[data-ready]", state="attached", timeout=60_000)
    return looked
