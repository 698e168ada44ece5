"""Run notebooks' code cells in order and keep what they print and draw, without Jupyter.

    python examples/notebooks/run.py classification.ipynb fine_tuning.ipynb    # outputs into each
    python examples/notebooks/run.py classification.ipynb --output other.ipynb
    python examples/notebooks/run.py *.ipynb --output done/              # a folder that is there
    python examples/notebooks/run.py --py2 old.ipynb

Of several, each is run in a process of its own, and one that fails does not keep the others from
running. Pictures are those that matplotlib has open after a cell. To run one of others' without
keeping anything: `roastery python [--py2] NOTEBOOK`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from roastery.notebooks.document import cell_source, code_cells, read_notebook
from roastery.notebooks.session import CellSession

Output = dict[str, Any]


def run_notebook(path: Path, session: CellSession) -> dict[str, Any]:
    """The notebook with new outputs. An exception of a cell gets a note that says which."""
    notebook = read_notebook(path)
    with session.running():
        for count, (number, cell) in enumerate(code_cells(notebook), 1):
            try:
                cell["outputs"] = run_cell(cell_source(cell), session, count)
            except Exception as error:
                error.add_note(f"{path.name}, cell {number}")
                raise
            cell["execution_count"] = count
    return notebook


def run_cell(source: str, session: CellSession, count: int) -> list[Output]:
    """Run one cell; what it printed, the value of its last line, and its pictures."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        value = session.run(source, f"cell {count}")
    outputs: list[Output] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines(text)})
    if value is not None:
        data = {"text/plain": lines(repr(value))}
        outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": count,
                "data": data,
                "metadata": {},
            }
        )
    return outputs + pictures()


def lines(text: str) -> list[str]:
    """Text as notebooks store it."""
    return text.splitlines(keepends=True)


def pictures() -> list[Output]:
    """The open figures as PNG; they are closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    found = []
    for number in pyplot.get_fignums():
        data = io.BytesIO()
        pyplot.figure(number).savefig(data, format="png", dpi=60, bbox_inches="tight")
        image = {"image/png": base64.b64encode(data.getvalue()).decode()}
        found.append({"output_type": "display_data", "data": image, "metadata": {}})
    pyplot.close("all")
    return found


def run_one(path: Path, target: Path, python2: bool) -> None:
    """Run a notebook in this process, in whose folder its files are, and write it."""
    import matplotlib

    matplotlib.use("Agg")
    with contextlib.ExitStack() as stack:
        session = CellSession()
        if python2:
            from roastery.python2.mode import python2 as rewriting
            from roastery.python2.running import names_of_main, tree_of_cell

            stack.enter_context(rewriting(folder=str(path.resolve().parent)))
            session = CellSession(tree_of_cell, names_of_main())
        notebook = run_notebook(path, session)
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run notebooks and keep their outputs.")
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    parser.add_argument(
        "--output", type=Path, help="a notebook, or of several a folder; without it each one itself"
    )
    parser.add_argument("--py2", action="store_true", help="they are Python 2")
    given = parser.parse_args()
    folder = given.output is not None and given.output.is_dir()
    if len(given.notebooks) > 1 and given.output is not None and not folder:
        parser.error(f"--output {given.output}: of several notebooks it must be a folder")
    missing = [path for path in given.notebooks if not path.is_file()]
    if missing:
        parser.error(f"there is no notebook {missing[0]}")
    targets = [
        given.output / path.name if folder else given.output or path for path in given.notebooks
    ]
    if len(given.notebooks) == 1:
        run_one(given.notebooks[0], targets[0], given.py2)
        return 0
    failed = []
    for path, target in zip(given.notebooks, targets, strict=True):
        words = [str(path), "--output", str(target), *(["--py2"] if given.py2 else [])]
        done = subprocess.run([sys.executable, os.path.abspath(__file__), *words])
        print(f"{path}: {'failed' if done.returncode else 'done'}")
        if done.returncode:
            failed.append(path)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
