"""How numbers of the host get to a GPU, on a driver made of Python."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ir.types import TensorType
from runtime.cuda.executor.device_copy import device_side
from runtime.cuda.executor.uploads import CHUNK
from runtime.memory.buffers import Buffer
from runtime.solver.solver import Solver
from tests.support.fake_gpu import FakeGpu
from tests.support.sample_nets import inception
from tests.support.training_run import train


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8])
def test_inputs_go_through_pinned_memory(kind: type) -> None:
    """Whatever they hold, in chunks of which none is filled before it was read."""
    gpu = FakeGpu(1 << 26)
    backend = gpu.backend()
    buffer = Buffer(TensorType((2 * CHUNK // 4 + 100,)))
    device_side(buffer.memory, backend.session).to_device()
    assert gpu.fake.pageable == []
    values = (np.arange(buffer.type.size) % 250).astype(kind)
    expected = values.astype(np.float32)
    for _ in range(3):
        buffer.put(values)
        values[...] = 0
        np.testing.assert_array_equal(buffer.read_later()(), expected)
        values[...] = expected
    calls, pages = gpu.fake.calls, gpu.fake.calls.count("cuMemHostAlloc")
    assert gpu.fake.pageable == []
    assert pages == 3  # two chunks, and what was read
    waits = calls.count("cuEventSynchronize")
    uploads = calls.count("cuMemcpyHtoDAsync_v2")
    assert uploads == 12 and waits >= uploads - 2
    # What somebody holds a view of shows it, and what is small is taken over by the driver.
    held, small = buffer.array, Buffer(TensorType((3,)))
    buffer.put(values + 1)
    np.testing.assert_array_equal(held, expected + 1)
    device_side(small.memory, backend.session).to_device()
    small.put(np.arange(3))
    assert small.array.tolist() == [0, 1, 2]
    gpu.fake.check()


def test_inputs_of_any_order_in_memory() -> None:
    backend = FakeGpu().backend()
    buffer = Buffer(TensorType((3, 200, 100)))
    device_side(buffer.memory, backend.session).to_device()
    images = np.random.default_rng(0).random((200, 100, 3))
    buffer.put(images.transpose(2, 0, 1))
    np.testing.assert_array_equal(buffer.peek(), images.transpose(2, 0, 1).astype(np.float32))


def test_numbers_of_a_step_travel_as_arguments() -> None:
    """Rates, corrections and numbers of passes, which change in every step: besides the batch
    nothing is copied."""
    gpu, settings = FakeGpu(1 << 25), {"type": "Adam", "momentum": 0.9}
    copied: list[list[int]] = []

    def watch(solver: Solver) -> None:
        solver.on_start.append(lambda: copied.append(list(gpu.fake.uploaded)))

    found = train(inception(2, 8), gpu.backend(), 6, prepare=watch, **settings)
    later = [len(b) - len(a) for a, b in itertools.pairwise(copied[2:])]
    assert later == [2] * 3  # images and labels
    gpu.fake.check()
    plain = FakeGpu(1 << 25)
    del plain.fake.cuMemsetD32Async
    backend = plain.backend()
    copying = train(inception(2, 8), backend, 6, **settings)
    assert copying.losses == found.losses
    assert len(plain.fake.uploaded) > len(gpu.fake.uploaded)


@pytest.mark.parametrize("size", [1, 4, 5])
def test_few_numbers_are_current_on_both_sides(size: int) -> None:
    gpu = FakeGpu()
    buffer = Buffer(TensorType((size,)))

    def put(value: float) -> None:
        buffer.put(np.full(size, value))

    side = device_side(buffer.memory, gpu.backend().session)
    put(1.0)
    assert side.state == "host ahead"  # all of it goes there first
    side.to_device()
    gpu.fake.uploaded.clear()
    put(2.0)
    assert side.state == ("equal" if size <= 4 else "host ahead")
    assert (buffer.peek() == 2.0).all() and (buffer.read_later()() == 2.0).all()
    view = buffer.array
    put(3.0)
    assert (view == 3.0).all() and side.state == "host ahead"
    side.to_device()
    assert gpu.fake.array(side.address, size, np.float32).tolist() == [3.0] * size
    gpu.fake.check()
