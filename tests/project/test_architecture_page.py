"""docs/architecture.md names what is there: every folder, and no file that is not."""

from __future__ import annotations

import re

import pytest

from tests.project.test_layering import MAY_IMPORT, PLANNER, ROOT

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_folder_has_its_line(package: str) -> None:
    part = re.split(r"^In `|^## ", PAGE.partition(f"In `{package}/`:")[2], flags=re.M)[0]
    folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert folders <= set(re.findall(r"`(\w+)/`", part))


def test_what_is_named_is_there() -> None:
    names = set(re.findall(rf"`((?:{'|'.join(MAY_IMPORT)})/[\w/.]*)`", PAGE))
    assert "ir/graph.py" in names
    assert {name for name in names if not (ROOT / name).exists()} == set()


def test_what_tables_name_is_there() -> None:
    for package in MAY_IMPORT:
        part = re.split(r"^In `|^## ", PAGE.partition(f"In `{package}/`:")[2], flags=re.M)[0]
        first = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
        for name in re.findall(r"`([\w/.]+)`", " ".join(first)):
            assert (ROOT / package / name).exists(), name


def test_the_planner_is_named() -> None:
    named = PAGE.partition("The planner (in `compiler/plan` ")[2].partition(")")[0]
    assert set(re.findall(r"`(\w+)`", named)) == set(PLANNER)
