"""Convolutions of frozen nets by Winograd's minimal filtering: exact enough, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import roastery
from compiler.c.lanes import with_layout
from compiler.options import CompileOptions
from compiler.passes.context import PassContext
from compiler.passes.freeze import constants, freeze
from compiler.passes.fuel import Fuel
from compiler.passes.layouts import choose_layouts
from compiler.passes.winograd import LARGEST_ERROR, by_winograd
from ir.errors import RoasteryError
from ir.graph import Graph
from ir.ops.convolution import Conv
from ir.ops.winograd import WinogradInput, WinogradOutput, WinogradWeights
from ir.types import TensorType
from ir.winograd import CHANNELS, ERRORS, POINTS, matrices
from roastery.devices.compile_options import CompileRequest
from roastery.reading import nets
from runtime.backends.reference import ReferenceBackend
from runtime.machine.processor import cpu_target
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.c_kernels import backend, needs_compiler
from tests.support.lowering import program_of
from tests.support.sample_nets import inputs, layer

OPTIONS = CompileOptions(with_layout(cpu_target()))


def convolutions(channels: int, extent: int, batch: int = 1) -> str:
    """Two plain convolutions, one with a stride, and what is added to the second."""
    dense = "convolution_param {{ num_output: {0} kernel_size: 3 pad: 1 stride: {1} {2} }}"
    he = 'weight_filler { type: "msra" } bias_filler { type: "gaussian" std: 0.1 }'
    return (
        inputs(data=(batch, channels, extent, extent))
        + layer("first", "Convolution", "data", dense.format(channels, 1, he))
        + layer("relu", "ReLU", "first")
        + layer("second", "Convolution", "relu", dense.format(channels, 1, he))
        + layer("sum", "Eltwise", "second data")
        + layer("strided", "Convolution", "sum", dense.format(channels, 2, he))
    )


def ops_of(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


@pytest.mark.parametrize("tile", POINTS)
def test_its_error_is_as_stated(tile: int) -> None:
    """In float32, against exact arithmetic, at the most channels for which it is stated."""
    rng = np.random.default_rng(tile)
    x = np.maximum(rng.standard_normal((4, 512, 8, 8)), 0)
    w = rng.standard_normal((16, 512, 3, 3)) * np.sqrt(2 / (9 * 512))
    conv = Conv((1, 1), (1, 1), (1, 1))
    exact = run(conv, x, w)
    x, w = x.astype(np.float32), w.astype(np.float32)
    taken, learnt = WinogradInput(tile, pad=(1, 1)), WinogradWeights(tile)
    products = run(Conv((1, 1), (0, 0), (1, 1), taken.products), run(taken, x), run(learnt, w))
    found = run(WinogradOutput(tile, spatial=(8, 8)), products)
    assert found.dtype == np.float32
    error = np.abs(found - exact).max() / np.abs(exact).max()
    assert error <= ERRORS[tile] <= LARGEST_ERROR


def run(op: object, *arrays: np.ndarray) -> np.ndarray:
    types = op.infer([TensorType(a.shape) for a in arrays])  # type: ignore[attr-defined]
    return op.reference(arrays, types)[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("tile", POINTS)
def test_matrices_are_a_correlation(tile: int) -> None:
    rng = np.random.default_rng(0)
    results, weights, patch = (np.array(m) for m in matrices(tile))
    x, w = rng.standard_normal(tile + 2), rng.standard_normal(3)
    found = results @ ((weights @ w) * (patch @ x))
    assert np.allclose(found, np.correlate(x, w), rtol=1e-12, atol=1e-12)


def test_plain_convolutions_of_frozen_graphs_alone() -> None:
    program = program_of(nets.net_from_text(convolutions(32, 28), "net.prototxt"), "TEST")
    _, frozen = freeze(program.graph, PassContext(OPTIONS))
    names = ops_of(frozen)
    assert names.count("winograd_input") == names.count("winograd_output") == 2
    assert names.count("conv") == 3
    nothing = by_winograd(program.graph, set(), PassContext(OPTIONS))
    assert "winograd_input" not in ops_of(nothing)
    exact = replace(OPTIONS, winograd=False)
    assert "winograd_input" not in ops_of(freeze(program.graph, PassContext(exact))[1])
    row_major = replace(OPTIONS, target=replace(OPTIONS.target, layout="row-major"))
    assert "winograd_input" not in ops_of(freeze(program.graph, PassContext(row_major))[1])
    _, without = freeze(program.graph, PassContext(OPTIONS, Fuel(0)))
    assert "winograd_input" not in ops_of(without)


def test_images_that_come_row_major_are_laid_out_for_it() -> None:
    """Transforms have vectors of channels, or are many times slower than plain convolutions."""
    program = program_of(nets.net_from_text(convolutions(32, 28), "net.prototxt"), "TEST")
    _, frozen = freeze(program.graph, PassContext(OPTIONS))
    laid = choose_layouts(frozen, PassContext(OPTIONS))
    transforms = [n for n in laid.nodes if n.op.patches]
    assert len(transforms) == 4
    for node in transforms:
        for value in (*node.inputs, *node.outputs):
            assert value.type.layout is not None
            assert value.type.layout.block(1) == OPTIONS.target.vector // 4


def test_small_images_stay_as_they_are() -> None:
    """There a tile reaches far over the image, and the weights are many times as large."""
    program = program_of(nets.net_from_text(convolutions(64, 2), "net.prototxt"), "TEST")
    known = constants(program.graph)
    assert by_winograd(program.graph, known, PassContext(OPTIONS)) is program.graph


def test_many_channels_take_tiles_that_lose_less() -> None:
    most = CHANNELS[4]
    for channels, tiles in ((most, {4}), (most + 64, {2}), (CHANNELS[2] + 64, set())):
        program = program_of(nets.net_from_text(convolutions(channels, 28), "net.prototxt"), "TEST")
        found = by_winograd(program.graph, constants(program.graph), PassContext(OPTIONS))
        assert {n.op.tile for n in found.nodes if isinstance(n.op, WinogradInput)} == tiles


@needs_compiler
def test_its_error_in_kernels_is_as_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They sum up in an order of their own."""
    path, channels = tmp_path / "net.prototxt", CHANNELS[4]
    dense = "convolution_param { num_output: 32 kernel_size: 3 bias_term: false }"
    path.write_text(
        inputs(data=(1, channels, 26, 26)) + layer("conv", "Convolution", "data", dense)
    )
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, channels, 26, 26), np.float32)
    w = rng.standard_normal((32, channels, 3, 3), np.float32)
    exact = run(Conv((1, 1), (0, 0), (1, 1)), x.astype(np.float64), w.astype(np.float64))
    found = []
    for asked in ("1", "0"):
        monkeypatch.setenv("ROASTERY_WINOGRAD", asked)
        net = roastery.compile(str(path), device="cpu", freeze=True)
        net.parameters["conv"][0][...] = w
        found.append(net(data=x)["conv"])
    error = np.abs(found[0] - exact).max() / np.abs(exact).max()
    assert error <= ERRORS[4] and not np.array_equal(*found)


@needs_compiler
@pytest.mark.parametrize(
    ("channels", "extent", "batch"), [(16, 30, 2), (32, 13, 1), (48, 7, 3), (64, 14, 1)]
)
def test_nets(channels: int, extent: int, batch: int) -> None:
    text = convolutions(channels, extent, batch)
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TEST")
    cpu = backend()
    results = []
    for device, frozen in ((ReferenceBackend(), False), (cpu, True)):
        net = PartitionedNet(
            program,
            device,
            Store(program.variables, seed=3),
            options=CompileOptions(device.target),
            freeze=frozen,
        )
        rng = np.random.default_rng(1)
        net.inputs.take({"data": rng.standard_normal((batch, channels, extent, extent))})
        net.forward()
        results.append(net.output("strided").copy())
    wanted, found = results
    assert np.abs(found - wanted).max() <= LARGEST_ERROR * np.abs(wanted).max()


def test_the_environment_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CompileRequest().options(cpu_target()).winograd
    monkeypatch.setenv("ROASTERY_WINOGRAD", "0")
    assert not CompileRequest().options(cpu_target()).winograd
    monkeypatch.setenv("ROASTERY_WINOGRAD", "no")
    with pytest.raises(RoasteryError, match="ROASTERY_WINOGRAD is 'no', not 0 or 1"):
        CompileRequest().options(cpu_target())
