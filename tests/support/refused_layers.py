"""The tables of docs/onnx.md and docs/pytorch.md: which layers are refused, by all records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.support.layer_cases import LayerCase

DOCS = Path(__file__).parents[2] / "docs"
HEAD = "| Layer | Refused | Why |\n|---|---|---|\n"


def refused_layers(
    cases: Iterable[LayerCase], refuses: Callable[[LayerCase], bool]
) -> dict[str, bool]:
    """The layers of which at least one record is refused, and whether all are.

    A Python layer that is built in goes by its module.
    """
    found: dict[str, list[bool]] = {}
    for case in cases:
        module = re.search(r'module: "([^"]+)"', case.prototxt)
        name = f"Python: {module[1]}" if module else case.layer_type
        found.setdefault(name, []).append(refuses(case))
    return {name: all(refused) for name, refused in found.items() if any(refused)}


def told_layers(page: str) -> dict[str, bool]:
    """What the table of a page says: the layers, and whether each is refused always."""
    rows = (DOCS / page).read_text(encoding="utf-8").partition(HEAD)[2].partition("\n\n")[0]
    told = {}
    for row in rows.splitlines():
        names, when, why = (cell.strip() for cell in row.strip("|").split("|"))
        assert when and why, row
        told |= dict.fromkeys(names.split(", "), when == "always")
    return told


def differences(told: Mapping[str, bool], found: Mapping[str, bool]) -> list[str]:
    """What is to be changed in a page."""
    words = {True: "always", False: "sometimes"}
    wrong = [f"{name} is not refused" for name in told.keys() - found.keys()]
    for name, always in found.items():
        if told.get(name) is not always:
            wrong.append(f"{name} is refused {words[always]}")
    return sorted(wrong)
