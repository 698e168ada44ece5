"""The file of a notebook: which cells are code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ir.errors import RoasteryError


def read_notebook(path: Path) -> dict[str, Any]:
    """The notebook as it is. Raises RoasteryError where it is none."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RoasteryError(f"cannot read the notebook '{path}': {error}") from error
    except ValueError as error:
        raise RoasteryError(f"'{path}' is no notebook: {error}") from error
    if not isinstance(notebook, dict) or not isinstance(_cells(notebook), list):
        raise RoasteryError(f"'{path}' is no notebook: it has no cells")
    return notebook


def code_cells(notebook: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Its code cells, each with its number among all cells, from 0; of formats 3 and 4."""
    return [
        (number, cell)
        for number, cell in enumerate(_cells(notebook))
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]


def cell_source(cell: dict[str, Any]) -> str:
    """The text of a code cell."""
    source = cell.get("source", cell.get("input", ""))
    return source if isinstance(source, str) else "".join(source)


def _cells(notebook: dict[str, Any]) -> Any:
    if "cells" in notebook:
        return notebook["cells"]
    sheets = notebook.get("worksheets")
    return [c for sheet in sheets for c in sheet.get("cells", [])] if sheets else None
