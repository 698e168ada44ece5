"""How numbers of the host get to a GPU, on a driver made of Python."""

from __future__ import annotations

import numpy as np
import pytest

from ir.types import TensorType
from runtime.cuda.executor.device_copy import device_side
from runtime.cuda.executor.uploads import CHUNK
from runtime.memory.buffers import Buffer
from tests.support.fake_gpu import FakeGpu


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
