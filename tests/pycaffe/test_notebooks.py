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
    return run_words(output.parent, str(notebook), "--output", str(output))


def run_words(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ROASTERY_DEVICE": "reference", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), *words],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
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


def write(path: Path, *cells: str) -> Path:
    made = [{"cell_type": "code", "metadata": {}, "source": c, "outputs": []} for c in cells]
    path.write_text(json.dumps({"cells": made, "nbformat": 4}))
    return path


def printed(path: Path) -> list[str]:
    cells = json.loads(path.read_text())["cells"]
    return [
        "".join(o.get("text", o.get("data", {}).get("text/plain", "")))
        for c in cells
        for o in c["outputs"]
    ]


def test_several_at_once(tmp_path: Path) -> None:
    """Each gets its own outputs; one that fails stays as it is, and the others are run."""
    write(tmp_path / "a.ipynb", "x = 1", "print(x)\nx + 1")
    write(tmp_path / "b.ipynb", "print(x)")
    write(tmp_path / "c.ipynb", "print('c')")
    done = run_words(tmp_path, "a.ipynb", "b.ipynb", "c.ipynb")
    assert done.returncode == 1
    assert done.stdout == "a.ipynb: done\nb.ipynb: failed\nc.ipynb: done\n"
    assert "NameError" in done.stderr
    assert printed(tmp_path / "a.ipynb") == ["1\n", "2"]
    assert printed(tmp_path / "b.ipynb") == [] and printed(tmp_path / "c.ipynb") == ["c\n"]
    (tmp_path / "done").mkdir()
    assert run_words(tmp_path, "a.ipynb", "c.ipynb", "--output", "done").returncode == 0
    assert printed(tmp_path / "done" / "c.ipynb") == ["c\n"]
    for words in (["a.ipynb", "c.ipynb", "--output", "x.ipynb"], ["a.ipynb", "none.ipynb"], []):
        assert run_words(tmp_path, *words).returncode == 2


def test_a_notebook_of_python2_with_ipythons_lines(tmp_path: Path) -> None:
    pytest.importorskip("fissix", reason="the extra py2 is not installed")
    write(
        tmp_path / "old.ipynb",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nname = 'x'",
        "!echo $name {7 / 2} \\\n   more\nlines = !echo a; echo b\nprint lines, 7 / 2",
        'def f():\n    """\n    %no magic\n    """\n    !echo inner\nf()',
        "%%timeit\nname = 'inner'\nprint 'once'",
        "%time y = 5\nprint name, y\nf?",
        "%%bash\necho bash",
        "plt.plot([1, 2]);",
        "from IPython.display import display, Image\n_ = 3\nxrange(2)",
    )
    done = run_words(tmp_path, "--py2", "old.ipynb")
    assert done.returncode == 0, done.stderr
    assert [t for t in printed(tmp_path / "old.ipynb") if t] == [
        "x 3 more\n['a', 'b'] 3\n",
        "inner\n",
        printed(tmp_path / "old.ipynb")[2],
        printed(tmp_path / "old.ipynb")[3],
        "bash\n",
        "range(0, 2)",
    ]
    assert printed(tmp_path / "old.ipynb")[2].startswith("once\n1 loop: ")
    assert printed(tmp_path / "old.ipynb")[3].endswith("x 5\n")


def test_roastery_python_runs_notebooks(tmp_path: Path) -> None:
    pytest.importorskip("fissix", reason="the extra py2 is not installed")
    write(tmp_path / "new.ipynb", "import caffe\nx: int = 3", "print(f'{x}')\ncaffe.__version__")
    old = {"cell_type": "code", "input": ["print 7 / 2"], "outputs": [], "language": "python"}
    text = {"worksheets": [{"cells": [old]}], "nbformat": 3}
    (tmp_path / "old.ipynb").write_text(json.dumps(text))
    write(tmp_path / "bad.ipynb", "1", "def f():\n    return 1 / 0\n\nf()")
    (tmp_path / "none.ipynb").write_text("[]")
    words = [sys.executable, "-m", "roastery", "python"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def roastery(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*words, *more], cwd=tmp_path, capture_output=True, text=True, env=environment
        )

    assert roastery("new.ipynb").stdout == "3\n'1.0.0'\n"
    assert roastery("--py2", "old.ipynb").stdout == "3\n"
    done = roastery("bad.ipynb")
    assert done.returncode == 1
    assert 'File "<bad.ipynb, cell 1>", line 2, in f' in done.stderr
    assert "return 1 / 0" in done.stderr and "session.py" not in done.stderr
    done = roastery("none.ipynb")
    assert done.returncode == 1 and "'none.ipynb' is no notebook" in done.stderr
    done = roastery("old.ipynb")
    assert "run it by `roastery python --py2`" in done.stderr
