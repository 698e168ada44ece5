"""docs/ as a site: it builds without a warning, and every link leads to something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.project.test_layering import ROOT

pytest.importorskip("mkdocs", reason="`make setup` installs it")


class Page(HTMLParser):
    """The links and the places of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.places.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    del found[site / "404.html"]  # its links begin at the host
    return found


def test_every_page_is_there(site: Path, pages: dict[Path, Page]) -> None:
    wanted = {f"{path.stem}.html" for path in ROOT.glob("docs/*.md")}
    assert wanted | {"index.html", "CHANGELOG.html"} <= {path.name for path in pages}
    start = (site / "index.html").read_text(encoding="utf-8")
    assert "A compiler for Caffe nets" in start
    for name in wanted:
        assert f'href="{name}"' in start, f"the menu lacks {name}"


def test_links_lead_to_places(site: Path, pages: dict[Path, Page]) -> None:
    wrong, count = [], 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            count += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                wrong.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and unquote(parts.fragment) not in pages[target].places:
                wrong.append(f"{path.relative_to(site)}: {link} (no such place)")
    assert count > 1000 and not wrong, "\n".join(wrong)


def test_nothing_comes_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    loaded = re.compile(r"<(?:script|link|img)[^>]*(?:src|href)=\"https?://[^\"]*\"")
    found = {
        match[0] for path in pages for match in loaded.finditer(path.read_text(encoding="utf-8"))
    }
    assert not found


def test_what_pages_link_to_outside_is_shown(site: Path) -> None:
    listing = (site / "ir" / "text.py.html").read_text(encoding="utf-8")
    assert "def " in listing
    folder = (site / "examples" / "lenet" / "index.html").read_text(encoding="utf-8")
    assert "lenet_solver.prototxt" in folder
    assert (site / "benchmarks" / "results" / "cpu.html").is_file()


def test_a_broken_link_would_be_told(tmp_path: Path) -> None:
    """Strictly: the same settings refuse a page that leads nowhere."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("[gone](gone.md) [here](#nowhere)\n")
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    kept = re.sub(r"^hooks:.*\n|^nav:\n(?:  .*\n)*", "", text, flags=re.MULTILINE)
    (tmp_path / "mkdocs.yml").write_text(kept)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(tmp_path / "site")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "gone.md" in done.stderr and "#nowhere" in done.stderr
