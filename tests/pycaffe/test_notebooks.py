"""The notebooks of ``examples/`` run as they are, and draw what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "notebooks"

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")


def run(notebook: Path, output: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ROASTERY_DEVICE": "reference", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), str(notebook), str(output)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=output.parent,
    )


def pictures(notebook: dict[str, Any]) -> list[int]:
    """How many pictures each cell has."""
    return [
        sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        for cell in notebook["cells"]
    ]


@pytest.mark.parametrize("name", ["classification", "fine_tuning"])
def test_runs(name: str, tmp_path: Path) -> None:
    source = FOLDER / f"{name}.ipynb"
    done = run(source, tmp_path / "out.ipynb")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    stored, made = json.loads(source.read_text()), json.loads((tmp_path / "out.ipynb").read_text())
    assert made["nbformat"] == 4
    assert pictures(made) == pictures(stored), "the stored outputs are of these cells"
    assert sum(pictures(made)) >= 1
    assert [c["execution_count"] for c in made["cells"] if c["cell_type"] == "code"] == list(
        range(1, 1 + sum(c["cell_type"] == "code" for c in made["cells"]))
    )


def test_an_exception_names_its_cell(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": ["1 / 0"], "outputs": []}
    text = {"cell_type": "markdown", "metadata": {}, "source": ["words"]}
    (tmp_path / "bad.ipynb").write_text(json.dumps({"cells": [text, cell], "nbformat": 4}))
    done = run(tmp_path / "bad.ipynb", tmp_path / "out.ipynb")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr and "bad.ipynb, cell 1" in done.stderr
    assert not (tmp_path / "out.ipynb").exists()
