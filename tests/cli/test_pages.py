"""`roastery help PAGE` shows the pages of docs/, and what we print names no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from roastery.cli.glog_flags import LOGGING
from roastery.cli.help_text import RUNNING
from roastery.cli.main import main
from roastery.cli.pages import page_names, page_of_docs
from roastery.cli.registry import command_names

ROOT = Path(__file__).parents[2]
PACKAGES = ("ir", "compiler", "runtime", "frontends", "roastery")


def shown_strings() -> Iterator[tuple[str, str]]:
    """Every string of the code that is no docstring, with its file."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
            for node in ast.walk(tree):
                constant = isinstance(node, ast.Constant) and id(node) not in alone
                if constant and isinstance(node.value, str):
                    yield str(path.relative_to(ROOT)), node.value


def test_all_pages_are_there() -> None:
    assert page_names() == sorted(path.stem for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", ["forks", "forks.md", "docs/forks.md", "python_api"])
def test_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", name]) == 0
    page = (ROOT / "docs" / f"{'python-api' if 'api' in name else 'forks'}.md").read_text()
    assert capsys.readouterr().out.startswith(page.rstrip())


def test_a_command_goes_before_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "layers"]) == 0
    assert capsys.readouterr().out.startswith("usage: roastery layers")
    assert main(["help", "layers.md"]) == 0
    assert capsys.readouterr().out.startswith("# Layers")


def test_the_nearest_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "precison"]) == 1
    assert "did you mean 'precision'?" in capsys.readouterr().err
    assert main(["help", "../README"]) == 1
    assert page_of_docs("../README") is None


def test_the_overview_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"(^|\s){name}[,.]", shown) for name in page_names())
    assert all(len(line) < 96 for line in shown.splitlines())


def test_what_is_printed_names_pages_that_users_have() -> None:
    files = {file for file, text in shown_strings() if re.search(r"\bdocs/[\w-]+\.md", text)}
    assert files == {"roastery/cli/commands/layers.py"}  # which writes it


def test_every_topic_that_is_named_exists() -> None:
    topics = {*page_names(), *command_names(), RUNNING, LOGGING, "PAGE", "NAME"}
    named = {
        topic
        for _, text in shown_strings()
        for topic in re.findall(r"`roastery help ([\w-]+)`", text)
    }
    assert {"forks", "precision", "adding-a-layer"} <= named <= topics
