"""Pages link to what is there, and every page is linked to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.test_layering import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """Files inside the repository that a page links to, and the places in them."""
    text = re.sub(r"```.*?```|^    .*?$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    found = [link.partition("#") for link in LINK.findall(text) if "://" not in link]
    return [((page.parent / file).resolve() if file else page, at) for file, _, at in found]


def places(page: Path) -> set[str]:
    """The names that a page's titles have in links."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for file, place in links(page):
        assert file.exists(), file
        assert not place or place in places(file), f"{file}#{place}"


def test_every_page_is_linked_to() -> None:
    linked = {file for page in PAGES for file, _ in links(page) if file != page}
    assert set(ROOT.glob("docs/*.md")) - linked == set()
