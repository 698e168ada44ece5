"""``--passes``, ``passes=`` and ROASTERY_PASSES: which passes run, on every device and command."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from compiler.passes.context import PassContext
from compiler.passes.registry import PASSES
from ir.errors import RoasteryError
from ir.graph import Graph, Node
from ir.ops.pointwise import Map
from roastery.cli.main import main
from roastery.devices.compile_options import choose_passes

NET = """
name: "small"
layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
  shape { dim: 2 dim: 3 } shape { dim: 2 dim: 1 } data_filler { type: "constant" value: 2 } } }
layer { name: "r" type: "ReLU" bottom: "x" top: "r" }
layer { name: "ip" type: "InnerProduct" bottom: "r" top: "ip" inner_product_param {
  num_output: 1 weight_filler { type: "constant" value: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 1 display: 1
snapshot_after_train: false
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROASTERY_PASSES", raising=False)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(SOLVER)
    caffe.Net("net.prototxt", caffe.TRAIN).save("net.caffemodel")


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pass works any more, and no plan is there that was made when they did."""
    monkeypatch.setenv("ROASTERY_CACHE", str(tmp_path / "cache"))

    def fails(graph: Graph, context: PassContext | None = None) -> Graph:
        raise RoasteryError("a pass has run")

    for name in PASSES:
        monkeypatch.setitem(PASSES, name, fails)
    monkeypatch.setattr("compiler.passes.freeze.simplify", fails)


COMMANDS = {
    "train": "train --solver=solver.prototxt",
    "test": "test --model=net.prototxt --weights=net.caffemodel --iterations=1",
    "time": "time --model=net.prototxt --iterations=1",
    "time --fused": "time --model=net.prototxt --iterations=1 --fused",
    "compile": "compile net.prototxt",
    "compile TEST": "compile net.prototxt --phase=TEST",
    "export": "export --model=net.prototxt --output=net.roast",
    "extract": "extract_features net.caffemodel net.prototxt ip out 1 lmdb",
    "python": "python script.py",
}


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("command", COMMANDS)
def test_with_none_no_pass_runs(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("script.py").write_text(
        "import caffe\ncaffe.get_solver('solver.prototxt').step(1)\n"
        "caffe.Net('net.prototxt', caffe.TEST).forward()\n"
    )
    words = COMMANDS[command].split()
    flags = [] if command.startswith(("compile", "export")) else ["--device=cpu"]
    first = words[:1] + flags + words[1:]
    assert main(first) == 1
    assert "a pass has run" in capsys.readouterr().err
    assert main([first[0], "--passes=fuze", *first[1:]]) == 1
    said = capsys.readouterr().err
    assert "there is no pass 'fuze'" in said and "  simplify " in said
    assert main([first[0], "--passes=none", *first[1:]]) == 0
    if command == "extract":
        return
    if flags:
        assert main([first[0], "--device=reference", *words[1:]]) == 0
    monkeypatch.setenv("ROASTERY_PASSES", "none")
    assert main(first) == 0


def _doubled(graph: Graph, context: PassContext) -> Graph:
    """A wrong pass: what a ReLU gives is twice as much."""

    def wrong(node: Node) -> Node:
        if node.location.layer != "r" or not isinstance(node.op, Map):
            return node
        op = Map(tuple(x * 2.0 for x in node.op.exprs), node.op.shape)
        return Node(op, node.inputs, node.outputs, node.location, node.direction)

    nodes = tuple(map(wrong, graph.nodes))
    return Graph(graph.name, graph.inputs, nodes, graph.outputs)


def test_a_wrong_pass_shows_against_the_reference(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(PASSES, "doubled", _doubled)

    def relu(device: str, passes: object = None) -> float:
        net = roastery.compile(
            "net.prototxt", device=device, passes=passes, observe=["r"], freeze=True
        )
        found = {float(net()["r"][0, 0])}
        layered = caffe.Net("net.prototxt", caffe.TEST, device=device, passes=passes)
        layered.forward()
        found.add(float(layered.blobs["r"].data[0, 0]))
        (value,) = found
        return value

    assert relu("reference") == relu("cpu") == relu("cpu", "none") == relu("cpu", []) == 2
    assert relu("cpu", ["simplify", "doubled"]) == relu("cpu", "doubled") == 4
    assert not caplog.records
    with caplog.at_level(logging.INFO, "roastery"):
        assert relu("reference", "doubled") == 2
    assert "reference runs graphs as they were lowered" in caplog.text
    monkeypatch.setenv("ROASTERY_PASSES", "doubled,simplify")
    assert (relu("cpu"), relu("cpu", "default"), relu("reference")) == (4, 2, 2)


def test_the_first_of_the_call_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_passes(None) is None
    monkeypatch.setenv("ROASTERY_PASSES", "")
    assert choose_passes(None) is None
    monkeypatch.setenv("ROASTERY_PASSES", "none")
    assert choose_passes(None) == ()
    assert choose_passes("default") is None
    assert choose_passes("simplify,fuse") == choose_passes(["simplify", "fuse"])
    assert choose_passes([]) == choose_passes("") == ()
    monkeypatch.setenv("ROASTERY_PASSES", "fuze")
    with pytest.raises(RoasteryError, match="ROASTERY_PASSES: there is no pass 'fuze'"):
        choose_passes(None)


def test_passes_that_no_net_can_run(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("test", "time", "time --fused", "compile TEST"):
        name, *words = COMMANDS[command].split()
        assert main([name, "--passes=differentiate", *words]) == 1
        assert "the passes differentiate change the inputs of graph" in capsys.readouterr().err
    with pytest.raises(RoasteryError, match="there is no pass '1'"):
        roastery.compile("net.prototxt", passes=[1])  # type: ignore[list-item]


def test_results_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []
    for device, passes in (("cpu", "default"), ("cpu", "none"), ("reference", None)):
        net = roastery.compile("net.prototxt", "net.caffemodel", "TRAIN", device, passes=passes)
        losses.append(float(net()["loss"]))
        net.backward()
        losses.append(float(net.parameter_diffs["ip"][0][0, 0]))
    np.testing.assert_allclose(losses[2:], losses[:2] * 2, rtol=1e-6)
