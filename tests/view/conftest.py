"""Pages of nets, made once for all tests of a session, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roastery.cli.main import main
from tests.support.browser import browsers


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    yield from browsers()


@pytest.fixture(scope="session")
def made_page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes the page of a net's text: ``made_page(text, *flags)`` gives its path."""
    known: dict[tuple[str, ...], Path] = {}

    def make(text: str, *flags: str) -> Path:
        if (text, *flags) not in known:
            folder = tmp_path_factory.mktemp("view")
            net, page = folder / "net.prototxt", folder / "page.html"
            net.write_text(text, encoding="utf-8")
            assert main(["view", str(net), f"--output={page}", *flags]) == 0
            known[text, *flags] = page
        return known[text, *flags]

    return make
