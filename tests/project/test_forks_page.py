"""docs/forks.md says which layers of forks run, and which do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from frontends.dialect import dialects
from frontends.lowering.known_layers import layer_types
from frontends.schema.registry import REGISTRY

PAGE = (Path(__file__).parents[2] / "docs/forks.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the tables below a heading."""
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line.split("|")[1:-1] for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines]


def layers(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`([A-Z]\w+)`", cell)}


def test_what_runs_is_there() -> None:
    named = layers([row[2] for row in rows("What runs")[1:]])
    assert len(named) > 30
    assert named <= set(layer_types())


def test_what_does_not_run_is_not() -> None:
    assert not layers([row[1] for row in rows("What does not")]) & set(layer_types())


def test_every_dialect_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", " ".join(row[1] for row in rows("What runs")[1:])))
    assert named == set(dialects()) - {"bvlc"}


@pytest.mark.parametrize("row", rows("Dialects")[1:5], ids=lambda row: row[0])
def test_numbers_that_clash(row: list[str]) -> None:
    message, number = row[0].split()
    own = [field.name for field in REGISTRY.message(message) if field.number == int(number)]
    assert re.findall(r"`(\w+)`", row[1]) == own
    for field, names in re.findall(r"`(\w+)` \(([^)]*)\)", row[-1]):
        for name in re.findall(r"`(\w+)`", names):
            assert dialects()[name].of(message)[field] == int(number)
