"""``roastery opt --device`` holds kernels against the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.kernel import Launch
from compiler.kernels.launch import Printed
from compiler.options import CompileOptions
from compiler.passes.fuel import Fuel
from compiler.passes.registry import default_passes
from compiler.target import GENERIC
from compiler.triton.lower import lower_node
from compiler.triton.printer.spelling import SPELLING
from ir import expr as e
from ir.graph import Node
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map
from roastery.cli.main import main
from roastery.opt.comparison import Expected
from roastery.opt.passes import optimise
from roastery.opt.running import DeviceRunner
from tests.support.layer_cases import all_cases
from tests.support.layer_run import LayerRun
from tests.support.program_kernels import training_graph

NET = """graph net {
  input %x: f32[4,6] data
  input %w: f32[5,6] parameter
  input %b: f32[1,5] parameter
  %ip: f32[4,5] = matmul(%x, %w) transpose_b=true   # ip net.prototxt:3:1
  %y: f32[4,5] = map(%ip, %b) {add(a0, a1)}         # ip net.prototxt:3:1
  %r: f32[4,5] = map(%y) {max(a0, 0.0)}             # relu net.prototxt:9:1
  %m: f32[4,1] = reduce(%r) kind="sum" axes=(1)     # sum net.prototxt:15:1
  %n: f32[4,1] = map(%m) {exp(neg(a0))}             # exp net.prototxt:21:1
  output %n: f32[4,1] result
}
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    path = tmp_path / "net.ir"
    path.write_text(NET)
    return ["opt", str(path), "--device=interpret", f"--output={tmp_path / 'out.ir'}"]


def without_relu(
    node: Node, options: CompileOptions, number: Callable[[int], int], known: Printed
) -> Sequence[Launch]:
    """A printer that forgets the ReLU of a product which has more than that in its tail."""
    op = node.op
    assert isinstance(op, Fused)
    if op.schedule == "contract" and len(op.body.nodes) > 2:
        *others, last = op.body.nodes
        nodes = (*others, replace(last, op=Map((e.arg(0),))))
        node = replace(node, op=replace(op, body=replace(op.body, nodes=nodes)))
    return lower_node(node, options, number)


def test_kernels_that_are_right(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--check"]) == 0
    assert capsys.readouterr().err == "no output differs after 3 rewrites\n"


def test_the_fusion_of_which_the_kernel_is_wrong_is_found(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.interpret.backend.lower_node", without_relu)
    assert main([*words, "--check", "--fuel=1"]) == 0
    assert main([*words, "--check"]) == 1
    assert main([*words[:3], "--bisect"]) == 1
    lines = capsys.readouterr().out.splitlines()
    joined = "joined %r (relu, net.prototxt:9) to %ip (ip, net.prototxt:3)"
    assert f"rewrite 2: fuse: {joined}" in lines


def test_an_op_whose_kernel_is_wrong_by_itself_is_told(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPELLING, "exp", SPELLING["log"])
    assert main([*words[:3], "--bisect"]) == 1
    assert "wrong without any pass, too" in capsys.readouterr().out


def test_diffs_add_to_their_buffers(words: list[str], tmp_path: Path) -> None:
    diffs = str(tmp_path / "diffs.ir")
    assert main(["opt", words[1], "--passes=differentiate", f"--output={diffs}"]) == 0
    assert "gradient" in Path(diffs).read_text()
    for fuel in (0, 5, 1000):
        assert main(["opt", diffs, *words[2:], "--check", f"--fuel={fuel}"]) == 0


ONE_PER_TYPE = {case.layer_type: case for case in all_cases()}
TYPES = ("BatchNorm", "Convolution", "LRN", "Pooling", "PReLU", "Slice", "SoftmaxWithLoss")


@pytest.mark.parametrize("name", TYPES)
def test_kernels_that_fuel_left_apart_are_right(name: str) -> None:
    graph = training_graph(LayerRun(ONE_PER_TYPE[name]).program)
    expected = Expected(graph, run=DeviceRunner("interpret"))
    names = default_passes(GENERIC)
    optimise(graph, names, fuel := Fuel())
    for limit in (0, fuel.spent // 2):
        assert not expected.differences(optimise(graph, names, Fuel(limit)))
