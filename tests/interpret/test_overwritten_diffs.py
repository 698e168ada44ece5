"""A training pass overwrites the diffs of parameters; who adds to them zeroes them first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.partitions import Partitioning, by_layer, whole
from ir.graph import Role
from ir.program import NetProgram
from roastery.reading.nets import net_from_text
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.interpret.backend import InterpretBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.solver.solver import Solver
from tests.support import c_kernels, sample_nets
from tests.support.interpreting_gpu import InterpretingGpu
from tests.support.lowering import inputs, layers_of
from tests.support.training_run import Training, train

XAVIER = 'weight_filler { type: "xavier" } bias_filler { type: "constant" value: 0.1 }'
# Weights that layers of three partitions share, a frozen layer, one that no diff reaches, and two
# parameters with one diff, which is what a top's diff is.
NET = (
    inputs(x=(4, 3), s=(4,), t=(1, 2))
    + f"""
layer {{ name: "a" type: "InnerProduct" bottom: "x" top: "a" param {{ name: "w" }}
  inner_product_param {{ num_output: 3 {XAVIER} }} }}
layer {{ name: "p" type: "PReLU" bottom: "a" top: "a" param {{ name: "slope" }} }}
layer {{ name: "f" type: "Filter" bottom: "a" bottom: "s" top: "f" }}
layer {{ name: "b" type: "InnerProduct" bottom: "f" top: "b" param {{ name: "w" }}
  inner_product_param {{ num_output: 3 {XAVIER} }} }}
layer {{ name: "q" type: "PReLU" bottom: "b" top: "q" param {{ name: "slope" }} }}
layer {{ name: "frozen" type: "InnerProduct" bottom: "q" top: "c"
  param {{ lr_mult: 0 }} param {{ lr_mult: 0 }} inner_product_param {{ num_output: 2 {XAVIER} }} }}
layer {{ name: "off" type: "InnerProduct" bottom: "q" top: "off"
  inner_product_param {{ num_output: 2 {XAVIER} }} }}
layer {{ name: "quiet" type: "Silence" bottom: "off" }}
layer {{ name: "l" type: "Reduction" bottom: "c" top: "l" loss_weight: 1
  reduction_param {{ operation: SUMSQ }} }}
layer {{ name: "u" type: "Parameter" top: "u" parameter_param {{ shape {{ dim: 1 dim: 2 }} }} }}
layer {{ name: "v" type: "Parameter" top: "v" parameter_param {{ shape {{ dim: 1 dim: 2 }} }} }}
layer {{ name: "uv" type: "Eltwise" bottom: "u" bottom: "v" top: "uv" }}
layer {{ name: "m" type: "EuclideanLoss" bottom: "uv" bottom: "t" top: "m" }}
"""
)
UNREACHED = {"frozen/0", "frozen/1", "off/0", "off/1"}


def interpreting_gpu(folder: Path) -> Backend:
    return InterpretingGpu(folder).backend()


BACKENDS: dict[str, Callable[[Path], Backend]] = {
    "reference": lambda folder: ReferenceBackend(),
    "interpret": lambda folder: InterpretBackend(),
    "cpu": lambda folder: c_kernels.backend(),
    "cuda": interpreting_gpu,
}


def built(
    backend: Backend, cut: Callable[[NetProgram], Partitioning] = whole, text: str = NET
) -> PartitionedNet:
    layers = layers_of(net_from_text(text), "TRAIN")
    net = PartitionedNet(
        layers.program,
        backend,
        Store(layers.program.variables, seed=1),
        lower_again=layers.part,
        partitioning=cut(layers.program),
        options=CompileOptions(backend.target),
    )
    rng = np.random.default_rng(0)
    arrays = {name: rng.standard_normal(blob.shape) for name, blob in net.inputs.items()}
    net.inputs.put({**arrays, "s": np.array([1, 0, 1, 1])} if "s" in arrays else arrays)
    return net


def fill_diffs(net: PartitionedNet, value: float) -> None:
    for diff in net.store.diff.values():
        diff.array[...] = value


def diffs_of(net: PartitionedNet) -> dict[str, np.ndarray]:
    return {name: diff.peek().copy() for name, diff in net.store.diff.items()}


@pytest.mark.parametrize("cut", [whole, by_layer])
@pytest.mark.parametrize("device", BACKENDS)
def test_what_was_there_is_not_read(
    device: str, cut: Callable[[NetProgram], Partitioning], tmp_path: Path
) -> None:
    net = built(BACKENDS[device](tmp_path), cut)
    fill_diffs(net, np.nan)
    net.forward_backward()
    found = diffs_of(net)
    fill_diffs(net, 2.0)
    net.forward_backward(adding=True)
    assert all(np.isfinite(diff).all() for diff in found.values())
    for name, diff in diffs_of(net).items():
        np.testing.assert_allclose(diff, found[name] + 2.0, rtol=1e-5, err_msg=name)
        assert (name in UNREACHED) != found[name].any(), name


def test_a_pass_in_one_has_diffs_as_outputs_alone() -> None:
    (part,) = built(ReferenceBackend(), text=sample_nets.lenet(2, 16)).parts
    graphs, flow = part.graphs, part.partition.training
    ports = [
        [port.role for port in graph.inputs].count(Role.GRADIENT)
        for graph in (graphs.joint(flow), graphs.joint(flow, frozenset({"ip1/0"})))
    ]
    assert ports == [0, 1]
    assert graphs.joint(flow, frozenset({"other"})) is graphs.joint(flow)


def test_a_scaled_diff_is_unscaled_before_it_is_added() -> None:
    net = built(ReferenceBackend())
    net.forward_backward()
    found = diffs_of(net)
    net = built(ReferenceBackend())
    net.scale_diffs().value = 1024.0
    for adding in (False, True):
        net.forward_backward(adding=adding)
    for name, diff in diffs_of(net).items():
        np.testing.assert_allclose(diff, 2 * found[name], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("layerwise", [False, True])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_several_passes_of_an_iteration_add(device: str, layerwise: bool, tmp_path: Path) -> None:
    settings = {"layerwise": layerwise, "momentum": 0.9}
    ours = trained(BACKENDS[device](tmp_path), iter_size=2, **settings)
    theirs = trained(ReferenceBackend(), iter_size=2, **settings)
    assert close(ours, theirs)
    assert not close(ours, trained(ReferenceBackend(), iter_size=1, **settings))


TWICE = (
    inputs(data=(2, 3), label=(2,))
    + f"""
layer {{ name: "a" type: "InnerProduct" bottom: "data" top: "a" param {{ name: "w" }}
  inner_product_param {{ num_output: 3 {XAVIER} }} }}
layer {{ name: "c" type: "InnerProduct" bottom: "a" top: "c" param {{ name: "w" }}
  inner_product_param {{ num_output: 3 {XAVIER} }} }}
layer {{ name: "b" type: "InnerProduct" bottom: "c" top: "b"
  inner_product_param {{ num_output: 10 {XAVIER} }} }}
layer {{ name: "l" type: "SoftmaxWithLoss" bottom: "b" bottom: "label" top: "l" }}
"""
)


def trained(backend: Backend, **settings: object) -> Training:
    return train(TWICE, backend, 2, **settings)  # type: ignore[arg-type]


def close(ours: Training, theirs: Training) -> bool:
    return all(
        np.allclose(getattr(ours, kind)[name], array, rtol=1e-3, atol=1e-5)
        for kind in ("data", "diff")
        for name, array in getattr(theirs, kind).items()
    )


def test_who_looks_before_a_pass_sees_zeros() -> None:
    seen: list[float] = []

    def watch(solver: Solver) -> None:
        diffs = solver.train.store.diff
        solver.on_start.append(
            lambda: seen.append(sum(float(np.abs(d.peek()).sum()) for d in diffs.values()))
        )

    watched = train(TWICE, ReferenceBackend(), 3, prepare=watch)
    assert seen == [0.0] * 3
    assert close(watched, train(TWICE, ReferenceBackend(), 3))


def test_who_looks_during_a_pass_sees_what_caffe_has_there() -> None:
    net = built(ReferenceBackend(), by_layer)
    fill_diffs(net, 5.0)
    seen: list[dict[str, np.ndarray]] = []
    net.before_backward.append(lambda number: seen.append(diffs_of(net)))
    net.forward_backward()
    assert not any(diff.any() for diff in seen[0].values())
    assert any(diff.any() for diff in seen[-1].values())
