"""Loading a net imports a Python layer's module only where the user chose that module or said so.

The module here leaves a file behind when it is imported, which is what must not happen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.api.gradient_check import check_gradient
from roastery.cli.main import main
from roastery.training.solvers import build_solver
from runtime.python.module_search import find_file

MODULE = """
import pathlib, caffe
pathlib.Path(__file__).with_name("imported").touch()
class Same(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(*bottom[0].shape)
    def forward(self, bottom, top): top[0].data[...] = bottom[0].data
    def backward(self, top, down, bottom): bottom[0].diff[...] = top[0].diff
"""
NET = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }
layer { name: "py" type: "Python" bottom: "x" top: "y"
  python_param { module: "strange_layers" layer: "Same" } }
layer { name: "ip" type: "InnerProduct" bottom: "y" top: "z" inner_product_param { num_output: 2 } }
layer { name: "loss" type: "Reduction" bottom: "z" top: "loss" loss_weight: 1 }
"""
SOLVER = 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 1 snapshot_prefix: "s"'

COMMANDS = {
    "compile": "compile net.prototxt",
    "time": "time --model=net.prototxt --iterations=1",
    "test": "test --model=net.prototxt --weights=w.caffemodel --iterations=1",
    "export": "export --model=net.prototxt --output=net.roast",
    "train": "train --solver=solver.prototxt",
    "extract_features": "extract_features w.caffemodel net.prototxt z feature_db 1 lmdb",
    "classify": "classify x.npy out.npy --model_def=net.prototxt --pretrained_model=w.caffemodel",
    "segment": "segment net.prototxt w.caffemodel x.png",
    "detect": "detect windows.csv out.csv --crop_mode=list --model_def=net.prototxt "
    "--pretrained_model=w.caffemodel",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a net, its module, and whatever the commands read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROASTERY_PYTHON_LAYERS", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    (tmp_path / "strange_layers.py").write_text(MODULE)
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    plain = NET.replace('type: "Python"', 'type: "ReLU"')
    (tmp_path / "plain.prototxt").write_text(plain)
    caffe.Net(str(tmp_path / "plain.prototxt"), caffe.TEST).save("w.caffemodel")
    np.save("x.npy", np.zeros((1, 4, 4, 3), np.float32))
    (tmp_path / "windows.csv").write_text("filename,ymin,xmin,ymax,xmax\na.png,0,0,3,3\n")
    yield tmp_path
    sys.modules.pop("strange_layers", None)


def imported(folder: Path) -> bool:
    return (folder / "imported").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_tells_what_it_would_import(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(COMMANDS[name].split()) == 1
    assert not imported(folder)
    error = capsys.readouterr().err
    file = folder / "strange_layers.py"
    assert f"module 'strange_layers' would be imported from {file}" in error
    assert "net.prototxt:4:18 (layer 'py')" in error
    assert 'python_param { module: "strange_layers" layer: "Same" }' in error
    assert "--python-layers" in error and "ROASTERY_PYTHON_LAYERS=1" in error


@pytest.mark.parametrize("flag", ["--python-layers", "-python_layers", "--python_layers=true"])
def test_a_flag_allows_it(flag: str, folder: Path) -> None:
    assert main(["compile", "net.prototxt", flag]) == 0
    assert imported(folder)


@pytest.mark.parametrize("name", ["time", "test", "train", "classify"])
def test_every_command_has_the_flag(name: str, folder: Path) -> None:
    assert main([*COMMANDS[name].split(), "--python-layers"]) == 0
    assert imported(folder)


def test_the_environment_allows_it_and_the_flag_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROASTERY_PYTHON_LAYERS", "1")
    assert main(["compile", "net.prototxt", "--nopython_layers"]) == 1
    assert not imported(folder)
    assert main(["compile", "net.prototxt"]) == 0
    assert imported(folder)
    monkeypatch.setenv("ROASTERY_PYTHON_LAYERS", "perhaps")
    assert main(["compile", "net.prototxt"]) == 1
    assert "ROASTERY_PYTHON_LAYERS=perhaps: must be 1 or 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    "load",
    [
        lambda **options: roastery.compile("net.prototxt", **options),
        lambda **options: build_solver("solver.prototxt", **options),
        lambda **options: check_gradient("net.prototxt", **options),
    ],
    ids=["compile", "build_solver", "check_gradient"],
)
def test_calls_take_an_argument(load, folder: Path) -> None:
    with pytest.raises(RoasteryError, match="would be imported from"):
        load()
    with pytest.raises(RoasteryError, match="would be imported from"):
        load(allow_python=False)
    assert not imported(folder)
    load(allow_python=True)
    assert imported(folder)


def test_pycaffe_imports_unless_told_not_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RoasteryError, match="would be imported from"):
        caffe.Net("net.prototxt", caffe.TEST, allow_python=False)
    with pytest.raises(RoasteryError, match="would be imported from"):
        caffe.get_solver("solver.prototxt", allow_python=False)
    monkeypatch.setenv("ROASTERY_PYTHON_LAYERS", "0")
    with pytest.raises(RoasteryError, match="would be imported from"):
        caffe.Net("net.prototxt", caffe.TEST)
    assert not imported(folder)
    monkeypatch.delenv("ROASTERY_PYTHON_LAYERS")
    caffe.get_solver("solver.prototxt").step(1)
    assert imported(folder)


# --- what Python's own path says: real processes ------------------------------------------


def run(folder: Path, *words: str, python: str = sys.executable, **environment: str) -> str:
    """Standard error of a Python process in the folder."""
    kept = {
        n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "ROASTERY_PYTHON_LAYERS")
    }
    done = subprocess.run(
        [python, *words], cwd=folder, env={**kept, **environment}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    return done.stderr


@pytest.mark.parametrize("path", ["", ":", ".", "./", ":/nowhere:"])
def test_the_working_directory_is_nobodys_choice(path: str, folder: Path) -> None:
    assert "would be imported" in run(
        folder, "-m", "roastery", "compile", "net.prototxt", PYTHONPATH=path
    )
    assert not imported(folder)


def test_a_folder_on_pythonpath_is_chosen(folder: Path) -> None:
    (folder / "net").mkdir()
    (folder / "net.prototxt").rename(folder / "net" / "net.prototxt")
    error = run(folder / "net", "-m", "roastery", "compile", "net.prototxt", PYTHONPATH=str(folder))
    assert error == "" and imported(folder)


def test_the_chosen_module_comes_before_one_beside_the_net(folder: Path) -> None:
    """Also before one that the module itself imports under a common name."""
    chosen = folder / "chosen"
    chosen.mkdir()
    (chosen / "strange_layers.py").write_text("import helper\n" + MODULE)
    (chosen / "helper.py").write_text("")
    (folder / "helper.py").write_text("raise SystemExit('the wrong helper')")
    error = run(folder, "-m", "roastery", "compile", "net.prototxt", PYTHONPATH=str(chosen))
    assert error == "" and imported(chosen) and not imported(folder)


def test_an_installed_module_is_chosen(folder: Path, tmp_path_factory) -> None:
    home = tmp_path_factory.mktemp("home") / "venv"
    venv.create(home, symlinks=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "theirs.pth").write_text("\n".join(path for path in sys.path if path))
    (folder / "strange_layers.py").rename(packages / "strange_layers.py")
    python = str(home / "bin" / "python")
    assert run(folder, "-m", "roastery", "compile", "net.prototxt", python=python) == ""
    assert imported(packages)


SCRIPT = """
import sys, {module}
{call}
"""


def test_a_script_of_ones_own(folder: Path) -> None:
    """pycaffe imports what lies beside the script; ``roastery.compile`` does not."""
    compiles = SCRIPT.format(module="roastery", call='roastery.compile("net.prototxt")')
    (folder / "script.py").write_text(compiles)
    assert "would be imported" in run(folder, "script.py")
    assert "would be imported" in run(folder, "-c", compiles)
    assert not imported(folder)
    assert run(folder, "-m", "roastery", "python", "script.py") == ""
    assert imported(folder)
    (folder / "imported").unlink()
    (folder / "script.py").write_text(
        SCRIPT.format(module="roastery.caffe as caffe", call='caffe.Net("net.prototxt", 1)')
    )
    assert run(folder, "script.py") == "" and imported(folder)


@pytest.mark.parametrize("path", ["", ":", ".", ":/nowhere:"])
@pytest.mark.parametrize("start", [["-m", "roastery"], ["start.py"]])
def test_the_working_directory_does_not_stand_in_for_our_imports(
    start: list[str], path: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither where an empty entry of PYTHONPATH means it."""
    program = tmp_path_factory.mktemp("bin") / "start.py"
    program.write_text("from roastery.__main__ import main\nmain()\n")
    words = [str(program)] if start == ["start.py"] else start
    for name in ("lark", "numpy", "json"):
        (folder / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    error = run(folder, *words, "compile", "net.prototxt", PYTHONPATH=path)
    assert "would be imported" in error and "the wrong module" not in error


@pytest.mark.parametrize("path", ["", ":", "/nowhere:.", "..::/nowhere"])
def test_a_script_of_ones_own_has_pythons_path(path: str, folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "script.py").write_text("import sys; sys.exit(repr(sys.path))")
    expected = run(folder, "inner/script.py", PYTHONPATH=path)
    assert run(folder, "-m", "roastery", "python", "inner/script.py", PYTHONPATH=path) == expected


# --- names -------------------------------------------------------------------------------


@pytest.mark.parametrize("allow", [False, True])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("os", "a part of Python itself"),
        ("os.path", "a part of Python itself"),
        ("antigravity", "a part of Python itself"),
        ("test.support", "a part of Python itself"),
        ("ir", "a part of Roastery itself"),
        ("runtime.layers", "a part of Roastery itself"),
        ("caffe.io", "a part of Roastery itself"),
        (".strange_layers", "is not the name of a Python module"),
        ("strange_layers.", "is not the name of a Python module"),
        ("../strange_layers", "is not the name of a Python module"),
        ("/etc/x", "is not the name of a Python module"),
        (r"strange\000layers", "is not the name of a Python module"),
        (r"strange\nlayers", "is not the name of a Python module"),
        (r"strange\377layers", "is not the name of a Python module"),
        ("", "is not the name of a Python module"),
        ("nowhere.at.all", "there is no Python module 'nowhere.at.all'"),
        ("strange_layers.inner", "there is no Python module 'strange_layers.inner'"),
        ("__main__", "has no class 'Same'"),
    ],
)
def test_names_that_lead_nowhere(name: str, message: str, allow: bool, folder: Path) -> None:
    (folder / "net.prototxt").write_text(NET.replace("strange_layers", name))
    with pytest.raises(RoasteryError, match=r"net\.prototxt:4:") as caught:
        roastery.compile("net.prototxt", allow_python=allow)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", ["Popen", "system", "load", "ndarray"])
def test_an_installed_module_gives_layers_only(kind: str, folder: Path) -> None:
    text = NET.replace("strange_layers", "numpy").replace('layer: "Same"', f'layer: "{kind}"')
    (folder / "net.prototxt").write_text(text)
    with pytest.raises(RoasteryError, match=r"is no class of layers|has no class"):
        roastery.compile("net.prototxt")


def test_looking_runs_nothing(folder: Path) -> None:
    """Parents of a dotted name are not imported, nor what a folder of plain files holds."""
    package = folder / "pack"
    (package / "inner").mkdir(parents=True)
    for part in (package / "__init__.py", package / "inner" / "layers.py"):
        part.write_text(MODULE)
    path = [str(folder)]
    assert find_file("pack", path) == str(package / "__init__.py")
    assert find_file("pack.inner", path) == str(package / "inner")
    assert find_file("pack.inner.layers", path) == str(package / "inner" / "layers.py")
    assert find_file("pack.missing.layers", path) is None
    (folder / "net.prototxt").write_text(NET.replace("strange_layers", "pack.inner.layers"))
    with pytest.raises(RoasteryError, match=str(package / "inner" / "layers.py")):
        roastery.compile("net.prototxt")
    assert not list(folder.rglob("imported"))
    assert "pack" not in sys.modules
    roastery.compile("net.prototxt", allow_python=True)
    assert len(list(folder.rglob("imported"))) == 2


def test_the_working_directory_may_be_gone(folder: Path) -> None:
    gone = folder / "gone"
    gone.mkdir()
    script = (
        "import os, roastery.cli.main as m; os.rmdir(os.getcwd()); "
        f"m.main(['compile', {str(folder / 'net.prototxt')!r}])"
    )
    assert "would be imported" in run(gone, "-c", script)


def test_a_module_named_like_one_of_pythons_says_so(folder: Path) -> None:
    (folder / "strange_layers.py").rename(folder / "code.py")
    (folder / "net.prototxt").write_text(NET.replace("strange_layers", "code"))
    with pytest.raises(RoasteryError, match=rf"{folder / 'code.py'} is not reached"):
        roastery.compile("net.prototxt", allow_python=True)


def test_an_artifact_holds_no_python(folder: Path) -> None:
    with pytest.raises(RoasteryError, match=r"layer 'py'.* cannot be exported"):
        export_net("net.prototxt", None, "net.roast", allow_python=True)
    assert not (folder / "net.roast").exists()
