"""Nets whose kernels are plain C: LeNet, and what Caffe recorded of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.op import Property
from ir.ops.fusion import Fused
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.cpu.backend import CpuBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support import c_kernels, golden, program_kernels, sample_nets
from tests.support.scalar_c.backend import CBackend as ScalarBackend
from tests.support.training_run import Training, lowered, train

pytestmark = c_kernels.needs_compiler

LENET = sample_nets.lenet(batch=3)
RECORDED = (
    *("batch_norm_train", "convolution_9", "deconvolution_2", "embed_0", "lrn_0", "lstm_hidden"),
    *("net_inception", "net_lenet", "net_residual_train", "pooling_mask", "softmax_loss_axis"),
)


def trained(backend: Backend, layerwise: bool) -> Training:
    return train(LENET, backend, 3, layerwise=layerwise)


@pytest.mark.parametrize("backend", [c_kernels.backend, ScalarBackend])
@pytest.mark.parametrize("layerwise", [False, True], ids=["fused", "layerwise"])
def test_lenet_trains(layerwise: bool, backend: Callable[[], Backend]) -> None:
    """Losses, parameters and diffs after three steps."""
    found, expected = trained(backend(), layerwise), trained(ReferenceBackend(), layerwise)
    assert len(set(expected.losses)) == 3
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-5)
    for ours, theirs in ((found.data, expected.data), (found.diff, expected.diff)):
        assert ours.keys() == theirs.keys() and len(ours) == 8
        for name, array in theirs.items():
            assert golden.relative_error(ours[name], array) <= 1e-5, name


@pytest.mark.parametrize("backend", [*c_kernels.backends(), ScalarBackend()])
def test_every_group_of_lenet_is_c(backend: CpuBackend | ScalarBackend) -> None:
    graph = program_kernels.training_graph(lowered(LENET))
    compiled = backend.compiler(graph, CompileOptions(backend.target)).at()
    groups = [n for n in compiled.graph.nodes if not n.op.properties & Property.VIEW]
    assert all(isinstance(n.op, Fused) for n in groups)
    assert "ip1_relu_ip1" in {n.op.label for n in groups if isinstance(n.op, Fused)}
    # Which sums are cut into parts follows from this machine's caches.
    second = [n for n in compiled.launches if n.label.endswith((".fold", ".sum"))]
    assert len(compiled.launches) == len(groups) + len(second)
    for kernel, launches in compiled.kernels.items():
        assert kernel.source.startswith(f"void {kernel.entry}(")
        assert "net.prototxt:" in launches[0].readable()


@pytest.mark.parametrize("name", RECORDED)
def test_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "open_backend", lambda device: c_kernels.backend())
    errors = golden.fused_errors(golden.FOLDER / "layers" / f"{name}.npz", "cpu")
    assert errors
    assert {key: error for key, error in errors.items() if not error <= 1e-5} == {}


def test_masks_of_dropout_are_the_references() -> None:
    program = lowered(sample_nets.inputs(data=(40, 25)) + sample_nets.layer("y", "Dropout", "data"))
    kept = []
    for backend in (c_kernels.backend(), ReferenceBackend()):
        options = CompileOptions(backend.target)
        net = PartitionedNet(program, backend, Store(program.variables, seed=5), options=options)
        net.inputs["data"].data.array[...] = 1.0
        for _ in range(2):
            net.forward()
            kept.append(net.output("y") != 0)
    np.testing.assert_array_equal(kept[:2], kept[2:])
    assert (kept[0] != kept[1]).any()


def test_the_scalar_target_is_small() -> None:
    root = Path(__file__).parents[2]
    files = (root / "tests" / "support" / "scalar_c").glob("*.py")
    assert sum(len(file.read_text().splitlines()) for file in files) < 400
