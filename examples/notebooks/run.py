"""Run a notebook's code cells in order and keep what they print and draw, without Jupyter.

    python examples/notebooks/run.py classification.ipynb            # writes the outputs into it
    python examples/notebooks/run.py classification.ipynb other.ipynb

Cells are plain Python (no magics). Pictures are those that matplotlib has open after a cell.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

Output = dict[str, Any]


def run_notebook(path: Path) -> dict[str, Any]:
    """The notebook with new outputs. An exception of a cell gets a note that says which."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        count += 1
        try:
            cell["outputs"] = run_cell("".join(cell["source"]), names, count)
        except Exception as error:
            error.add_note(f"{path.name}, cell {number}")
            raise
        cell["execution_count"] = count
    return notebook


def run_cell(source: str, names: dict[str, Any], count: int) -> list[Output]:
    """Run one cell; what it printed, the value of its last line, and its pictures."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"<cell {count}>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"<cell {count}>", "eval"), names)
    outputs: list[Output] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines(text)})
    if value is not None and not source.rstrip().endswith(";"):
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


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: run.py NOTEBOOK [OUTPUT]")
    import matplotlib

    matplotlib.use("Agg")
    notebook = run_notebook(Path(sys.argv[1]))
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    Path(sys.argv[-1]).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
