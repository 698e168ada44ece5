"""Nets, solvers and executables say in a line what they are."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from roastery.cli.main import main

NET = """
name: "tiny"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4
  weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "y" top: "prob" }
"""
TRAINED = """
name: "tiny"
layer { name: "d" type: "DummyData" top: "x" top: "label" dummy_data_param {
  shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 4 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "label" top: "loss" }
"""
SOLVER = (
    'net: "{}" base_lr: 0.1 lr_policy: "fixed" max_iter: 9 type: "Adam" snapshot_prefix: "{}/s"'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "train.prototxt").write_text(TRAINED)
    (tmp_path / "solver.prototxt").write_text(SOLVER.format(tmp_path / "train.prototxt", tmp_path))
    return tmp_path


def test_nets(folder: Path) -> None:
    net = caffe.Net(str(folder / "net.prototxt"), caffe.TEST)
    assert repr(net) == (
        "<Net 'tiny' TEST on reference (3 layers, 16 parameters): x (2, 3) -> prob (2, 4)>"
    )
    net.blobs["x"].reshape(5, 3)
    net.reshape()
    assert "x (5, 3) -> prob (5, 4)" in repr(net)
    trained = caffe.Net(str(folder / "train.prototxt"), caffe.TRAIN)
    assert "TRAIN" in repr(trained) and ": x (2, 3), label (2,) -> loss ()>" in repr(trained)


def test_a_net_in_use_says_it_too(folder: Path) -> None:
    """Another thread's debugger may look at it in the middle of a pass."""
    net = caffe.Net(str(folder / "net.prototxt"), caffe.TEST)
    found: list[str] = []

    def look(_: int) -> None:
        thread = threading.Thread(target=lambda: found.append(repr(net)))
        thread.start()
        thread.join()

    net.before_forward(look)
    net.forward()
    assert len(found) == 3 and found[0].startswith("<Net 'tiny'")


def test_a_net_with_many_inputs_and_odd_names(tmp_path: Path) -> None:
    lines = [
        f'layer {{ name: "{n}" type: "Input" top: "{n}\\n" input_param {{ shape {{ dim: 1 }} }} }}'
        for n in "abcde"
    ]
    (tmp_path / "net.prototxt").write_text("\n".join(lines))
    text = repr(caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST, device="reference"))
    assert "\n" not in text and text.startswith(
        "<Net TEST on reference (5 layers, 0 parameters): a"
    )
    assert text.endswith(", ...>")


def test_solvers(folder: Path) -> None:
    path = str(folder / "solver.prototxt")
    solver = caffe.get_solver(path)
    said = "of 'tiny' on reference: iteration {} of 9, lr 0.1, no test net>"
    assert repr(solver) == "<AdamSolver " + said.format(0)
    solver.step(2)
    assert repr(solver) == "<AdamSolver " + said.format(2)
    assert repr(caffe.SGDSolver(path)) == "<SGDSolver " + said.format(0)


def test_executables(folder: Path) -> None:
    executable = roastery.compile(folder / "net.prototxt")
    assert repr(executable) == (
        "<Executable 'tiny' TEST on reference in float32 (3 layers, 16 parameters): "
        "x (2, 3) -> prob (2, 4)>"
    )
    executable(x=np.zeros((7, 3), np.float32))
    assert "x (7, 3) -> prob (7, 4)" in repr(executable)


def test_loaded_nets(folder: Path) -> None:
    out = folder / "net.roast"
    assert main(["export", str(folder / "net.prototxt"), f"--output={out}"]) == 0
    loaded = roastery.load(out, device="reference")
    assert repr(loaded) == "<LoadedNet 'tiny' on reference: x (2, 3) -> prob (2, 4)>"


def test_what_could_not_be_made() -> None:
    """A debugger shows `self` of a failed __init__, too."""
    assert repr(caffe.Net.__new__(caffe.Net)) == "<Net that could not be made>"
    assert repr(caffe.SGDSolver.__new__(caffe.SGDSolver)) == "<SGDSolver that could not be made>"
