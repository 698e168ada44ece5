"""A wheel, made from a source archive, installs and runs where neither the sources nor pip are.

The environment gets what the wheel says it needs, and nothing else: links to the packages of the
environment that runs the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from roastery import __version__

pytest.importorskip("build", reason="`make setup` installs it")

ROOT = Path(__file__).parent.parent.parent
NET = """
name: "tiny"
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4
  weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "y" top: "prob" }
"""
SOLVER = """
net_param { layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 }
    data_filler { type: "gaussian" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1
    weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 } }
base_lr: 0.1 lr_policy: "fixed" max_iter: 2 display: 1 snapshot_prefix: "tiny" solver_mode: CPU
"""


def run(command: list[object], folder: Path) -> str:
    """Run something that must succeed; what it printed."""
    kept = ("PATH", "HOME", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist of the working tree, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    sources = folder / "sources"
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "*.pyc")
    shutil.copytree(ROOT, sources, ignore=unwanted)
    # Without --sdist and --wheel the wheel is built from the unpacked sdist.
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, sources], folder)
    return folder


@pytest.fixture(scope="module")
def clean(dist: Path) -> Path:
    """A virtual environment with the wheel and its dependencies."""
    home = dist / "venv"
    venv.create(home, symlinks=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (wheel,) = dist.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python"]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    run([*pip, "install", *options, wheel], dist)
    wanted = requirements(metadata.Distribution.at(packages / f"{stem(wheel)}.dist-info"))
    for name in wanted:
        found = metadata.distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
            if not (packages / top).exists():
                (packages / top).symlink_to(found.locate_file(top))
        wanted += [more for more in requirements(found) if more not in wanted]
    return home


def stem(wheel: Path) -> str:
    return "-".join(wheel.name.split("-")[:2])


def requirements(package: metadata.Distribution) -> list[str]:
    """Names of what a package needs, what its extras need left out."""
    lines = [line for line in package.requires or () if not re.search("extra ==|Windows", line)]
    return [re.split(r"[^\w.-]", line)[0] for line in lines]


def test_the_archive_is_the_repository(dist: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "Makefile", "constraints.txt",
                 "docs/security.md", "examples/digits/demo.py", "tests/conftest.py",
                 "tests/data/nets", "benchmarks/results/cpu.md"):  # fmt: skip
        assert name in names, name
    sources = {
        path.relative_to(dist / "sources").as_posix()
        for folder in ("ir", "frontends", "compiler", "runtime", "roastery", "tests")
        for path in (dist / "sources" / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    # That link is docs/, of which the wheel takes the pages alone.
    pages = {name for name in sources if name.startswith("roastery/pages/")}
    sources -= {name for name in pages if not name.endswith(".md")}
    assert not sources - names


def test_the_wheel_holds_packages_and_nothing_else(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        sizes = sum(item.file_size for item in file.infolist())
    tops = {name.split("/")[0] for name in names}
    info = f"{stem(wheel)}.dist-info"
    assert tops == {"ir", "frontends", "compiler", "runtime", "roastery", info}
    assert f"{info}/licenses/LICENSE" in names
    assert {f"{package}/py.typed" for package in tops - {info}} <= names
    for folder in tops - {info}:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".lark", ".json"):
                assert path.relative_to(ROOT).as_posix() in names
    assert {f"roastery/pages/{path.name}" for path in ROOT.glob("docs/*.md")} <= names
    assert "roastery/startup/children/sitecustomize.py" in names
    assert sizes < 7 << 20


def test_it_runs_without_the_sources(clean: Path, tmp_path: Path) -> None:
    python, command = clean / "bin" / "python", clean / "bin" / "roastery"
    place = "import ir, sys; print(ir.__file__, *sys.path)"
    shown = run([python, "-c", place], tmp_path)
    assert str(clean) in shown and str(ROOT) not in shown
    assert run([command, "version"], tmp_path) == f"roastery {__version__}\n"
    assert "# Forks" in run([command, "help", "forks"], tmp_path)
    run([command, "link"], tmp_path)
    assert "roastery.caffe" in run([python, "-c", "import caffe; print(caffe)"], tmp_path)
    run([command, "unlink"], tmp_path)
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    assert "kernels" in run([command, "compile", "net.prototxt"], tmp_path)
    shown = run([command, "train", "--solver=solver.prototxt"], tmp_path)
    assert "Iteration 1" in shown and "Optimization Done." in shown
    save = 'import roastery.caffe as c; c.Net("net.prototxt", c.TEST).save("w.caffemodel")'
    run([python, "-c", save], tmp_path)
    export = ["export", "--model=net.prototxt", "--weights=w.caffemodel", "--output=net.roast"]
    run([command, *export], tmp_path)
    call = 'import numpy as n, roastery as r; print(r.load("net.roast")(x=n.ones((2, 3), "f")))'
    assert "prob" in run([python, "-c", call], tmp_path)
    run([command, "test", "--model=net.prototxt", "--weights=w.caffemodel", "--iterations=2"],
        tmp_path)  # fmt: skip
    run([command, "draw_net", "net.prototxt", "net.svg"], tmp_path)
    assert (tmp_path / "net.svg").exists()
    assert "Convolution" in run([command, "layers"], tmp_path)


def test_what_is_not_installed_is_named(clean: Path, tmp_path: Path) -> None:
    """The extras' packages are not there, and nothing but their own commands misses them."""
    (tmp_path / "net.prototxt").write_text(NET)
    words = ["export", "--model=net.prototxt", "--output=net.roast", "--target=cuda:sm_80"]
    done = subprocess.run(
        [clean / "bin" / "roastery", *words], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={"HOME": str(tmp_path), "ROASTERY_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 1 and "pip install roastery[gpu]" in done.stderr
