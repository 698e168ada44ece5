"""A script's own ``runtime``, ``compiler``, ``ir`` and ``frontends`` are found, and so are ours."""

from __future__ import annotations

import builtins
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from roastery.cli.main import main
from roastery.startup import own_names
from tests.pycaffe.test_children import run, said

NET = """
layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "d" top: "ip"
  inner_product_param { num_output: 3 } }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runtime.py").write_text(
        "import caffe\nX = 'mine'\nclass Thing:\n    pass\n"
        "def work(n):\n    return Thing(), n + 1\n"
    )
    (tmp_path / "ir.py").write_text("X = 'my ir'\n")
    (tmp_path / "compiler").mkdir()
    (tmp_path / "compiler" / "__init__.py").write_text(
        "from .inner import X\nfrom compiler.inner import X as same\nimport compiler.inner\n"
    )
    (tmp_path / "compiler" / "inner.py").write_text("import ir\nfrom . import other\nX = ir.X\n")
    (tmp_path / "compiler" / "other.py").write_text("import compiler\n")
    (tmp_path / "net.prototxt").write_text(NET)
    return tmp_path


def test_both_are_found(folder: Path) -> None:
    (folder / "main.py").write_text(
        "import runtime, compiler.inner, importlib, pickle\n"
        "import compiler as c\n"
        "from ir import X\n"
        "import caffe, roastery, frontends\n"
        "assert runtime.X == 'mine' and X == 'my ir' and c is compiler\n"
        "assert compiler.inner.X == compiler.X == compiler.same == 'my ir'\n"
        "assert importlib.import_module('runtime') is runtime\n"
        "assert importlib.import_module('compiler.other').compiler is compiler\n"
        "thing = runtime.Thing()\n"
        "assert type(pickle.loads(pickle.dumps(thing))) is runtime.Thing\n"
        "net = caffe.Net('net.prototxt', caffe.TEST, device='cpu')\n"
        "assert net.forward()['ip'].shape == (1, 3)\n"
        "roastery.compile('net.prototxt')\n"
        "from roastery.caffe import Net\n"
        "from roastery import load\n"
        "assert roastery.RoasteryError.__module__ == 'ir.errors'\n"
        "assert frontends.__file__.startswith(roastery.__path__[0][:-8])\n"
        "for name in ('compiler.nosuch', 'runtime.nosuch'):\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        assert error.name == name and '__script__' not in str(error), error\n"
        "    else:\n"
        "        raise SystemExit('found')\n"
        "print('done')\n"
    )
    assert said(run(folder, "main.py")) == ["done"]


def test_on_a_path_that_the_script_adds(folder: Path) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / "frontends.py").write_text("X = 'added'\n")
    (folder / "main.py").write_text(
        "import sys, caffe\nsys.path.insert(0, 'lib')\nimport frontends\nprint(frontends.X)\n"
    )
    assert said(run(folder, "main.py")) == ["added"]


def test_a_folder_that_is_no_package_hides_nothing(folder: Path) -> None:
    (folder / "frontends").mkdir()
    (folder / "main.py").write_text(
        "import frontends\nprint(len(frontends.__path__), frontends.__file__)"
    )
    assert said(run(folder, "main.py"))[1].endswith("frontends/__init__.py")


def test_as_a_module_to_run(folder: Path) -> None:
    (folder / "compiler" / "__main__.py").write_text("import compiler\nprint(compiler.X)\n")
    assert said(run(folder, "-m", "compiler"))[-2:] == ["my", "ir"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_in_children(folder: Path, method: str) -> None:
    (folder / "main.py").write_text(
        "import multiprocessing, subprocess, runtime\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(1) as pool:\n"
        "        thing, n = pool.apply(runtime.work, (1,))\n"
        "    assert type(thing) is runtime.Thing and n == 2\n"
        "    code = 'import runtime, caffe; print(runtime.X, caffe.__name__)'\n"
        "    subprocess.run(['python', '-c', code], check=True)\n"
    )
    assert said(run(folder, "main.py")) == ["mine", "roastery.caffe"]


def test_as_the_module_of_a_python_layer(folder: Path) -> None:
    (folder / "frontends.py").write_text(
        "import caffe\nclass Five(caffe.Layer):\n"
        "    def setup(self, bottom, top): pass\n"
        "    def reshape(self, bottom, top): top[0].reshape(1)\n"
        "    def forward(self, bottom, top): top[0].data[...] = 5\n"
        "    def backward(self, top, down, bottom): pass\n"
    )
    (folder / "layer.prototxt").write_text(
        'layer { name: "p" type: "Python" top: "p"\n'
        '  python_param { module: "frontends" layer: "Five" } }\n'
    )
    code = "import caffe; print(caffe.Net('layer.prototxt', caffe.TEST).forward()['p'])"
    assert said(run(folder, "-c", code)) == ["[5.]"]


def test_a_traceback_holds_the_scripts_frames_only(folder: Path) -> None:
    (folder / "runtime.py").write_text("import ir\nir.nosuch\n")
    (folder / "main.py").write_text("import runtime\n")
    done = run(folder, "main.py")
    assert done.returncode == 1
    files = [line.split('"')[1] for line in done.stderr.splitlines() if line.startswith("  File")]
    assert [Path(file).name for file in files if "frozen" not in file] == ["main.py", "runtime.py"]


def test_afterwards_imports_are_pythons(folder: Path) -> None:
    plain = builtins.__import__, importlib.import_module, list(sys.meta_path)
    (folder / "main.py").write_text("import ir\nassert ir.X == 'my ir'\n")
    assert main(["python", str(folder / "main.py")]) == 0
    assert (builtins.__import__, importlib.import_module) == plain[:2]
    assert own_names.SCRIPT not in sys.modules and "__script__.ir" not in sys.modules
    assert own_names.users_name("ir") == "ir"


def test_without_roastery_python_it_is_refused_in_words(folder: Path) -> None:
    (folder / "main.py").write_text("import roastery.caffe\n")
    done = subprocess.run(
        [sys.executable, str(folder / "main.py")], cwd=folder, capture_output=True, text=True
    )
    assert "ShadowedPackageError" in done.stderr and "`roastery python` runs scripts" in done.stderr
