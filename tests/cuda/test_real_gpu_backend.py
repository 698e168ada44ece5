"""On a real GPU: training and views through the whole executor."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.types import TensorType
from runtime.backends.reference import ReferenceBackend
from runtime.cuda.backend import CudaBackend
from runtime.cuda.executor.device_copy import device_side
from runtime.cuda.executor.graph import CudaGraph
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.sample_nets import conv, dense, inputs, layer, lenet
from tests.support.training_run import lowered, train, worst

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def backend() -> CudaBackend:
    return CudaBackend(0)


@pytest.mark.parametrize("plan", ["fused", "layerwise"])
@pytest.mark.parametrize("limit", [-1.0, 0.5])
def test_lenet_learns_as_on_the_reference(backend: CudaBackend, plan: str, limit: float) -> None:
    settings = {"clip_gradients": limit, "layerwise": plan == "layerwise", "display": 2}
    ours = train(lenet(4), backend, 5, **settings)
    theirs = train(lenet(4), ReferenceBackend(), 5, **settings)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    assert worst(ours.data, theirs.data) < 1e-4
    again = train(lenet(4), backend, 5, **settings)
    assert all(np.array_equal(again.data[name], array) for name, array in ours.data.items())


@pytest.mark.parametrize(
    ("precision", "least", "most"), [("ieee", 0, 1e-5), ("float32", 0, 1e-5), ("tf32", 1e-5, 5e-3)]
)
def test_precision(backend: CudaBackend, precision: str, least: float, most: float) -> None:
    """Relative errors of a convolution and an inner product, against the reference."""
    if precision not in backend.target.precisions:
        pytest.skip("this GPU has no such units")
    program = lowered(inputs(x=(4, 16, 12, 12)) + conv("c", "x", 32, 3) + dense("y", "c", 40))
    x = np.random.default_rng(0).standard_normal((4, 16, 12, 12), dtype=np.float32)
    results = []
    for where, options in (
        (backend, CompileOptions(backend.target, precision)),
        (ReferenceBackend(), CompileOptions()),
    ):
        net = PartitionedNet(program, where, Store(program.variables, seed=1), options=options)
        net.inputs.take({"x": x})
        net.forward()
        results.append(net.output("y").astype(np.float64))
    ours, theirs = results
    assert least <= np.linalg.norm(ours - theirs) / np.linalg.norm(theirs) < most


def test_views_stay_live(backend: CudaBackend) -> None:
    text = inputs(data=(3, 5)) + layer("twice", "Power", "data", "power_param { scale: 2 }")
    program = lowered(text)
    net = PartitionedNet(
        program, backend, Store(program.variables, seed=1), options=CompileOptions(backend.target)
    )
    x = net.inputs["data"].data.array
    net.forward()
    y = net.output("twice")[1:]
    for value in (1.0, 2.0, 3.0):
        x[...] = value
        net.forward()
        np.testing.assert_array_equal(y, np.full((2, 5), 2.0 * value))


def test_garbage_found_while_capturing(backend: CudaBackend) -> None:
    device = backend.session.device

    class Cycle:
        def __init__(self) -> None:
            self.itself = self
            self.held = device.allocate(1 << 16), device.pinned(4096), device.event()

    text = inputs(data=(3, 5)) + layer("twice", "Power", "data", "power_param { scale: 2 }")
    program = lowered(text + dense("ip", "twice", 4))
    net = PartitionedNet(
        program, backend, Store(program.variables, seed=1), options=CompileOptions(backend.target)
    )
    bound: list[CudaGraph] = []
    bind = backend.bind

    def remember(*arguments: Any) -> CudaGraph:
        bound.append(bind(*arguments))
        return bound[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "bind", remember)
        net.inputs.take({"data": np.ones((3, 5), np.float32)})
        net.forward()
    expected = net.output("ip").copy()
    segment = bound[0]._steps[0][0]
    segment.calls.insert(1, ("garbage", lambda: gc.collect() and None))  # type: ignore[union-attr]
    for _ in range(3):
        Cycle()
        net.forward()
        np.testing.assert_array_equal(net.output("ip"), expected)
    assert segment._captured is not None  # type: ignore[union-attr]


def test_copies_from_pinned_memory(backend: CudaBackend) -> None:
    buffer = Buffer(TensorType((1000, 1000)))
    device_copy = device_side(buffer.memory, backend.session)
    allocate = backend.batch_allocator(4)
    rng = np.random.default_rng(0)
    for _ in range(8):
        batch = allocate((1000, 1000))
        batch[...] = rng.random((1000, 1000))
        expected = batch.copy()
        buffer.fill(batch)
        del batch
        reading = buffer.read_later()
        assert device_copy.state == "device ahead"
        np.testing.assert_array_equal(reading(), expected)


def test_copies_from_any_memory(backend: CudaBackend) -> None:
    """Through pinned chunks, each filled again when the device has read it."""
    buffer = Buffer(TensorType((9_000_001,)))
    device_side(buffer.memory, backend.session).to_device()
    rng = np.random.default_rng(0)
    values = rng.random(buffer.type.size)
    for _ in range(4):
        expected = values.astype(np.float32)
        buffer.put(values)
        values[...] = rng.random(values.size)
        np.testing.assert_array_equal(buffer.read_later()(), expected)


def test_memory_that_does_not_fit(backend: CudaBackend) -> None:
    _, total = backend.session.device.free_memory()
    with pytest.raises(RoasteryError, match="bytes do not fit into the memory of"):
        backend.session.reserve(2 * total, "a net")
    backend.session.reserve(1 << 20, "a net")
