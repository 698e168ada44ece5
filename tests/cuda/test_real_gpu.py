"""On a real GPU: compiled kernels launch, from cubin and PTX, directly and captured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.architecture import Architecture
from compiler.kernel import Config, Kernel, Parameter
from compiler.triton.compile import Job, compile_jobs
from compiler.triton.compile.store import BinaryStore
from ir.types import DType
from runtime.cuda.driver import Device
from runtime.cuda.launcher import KernelLoader

pytestmark = pytest.mark.gpu

AXPY = Kernel(
    "axpy",
    """
import triton
import triton.language as tl


@triton.jit
def axpy(x, y, count, first, a, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    value = tl.load(x + first + at, mask=inside) * a + tl.load(y + at, mask=inside)
    tl.store(y + at, value, mask=inside)
""",
    (
        Parameter("x", "pointer", DType.F32, divisible=True),
        Parameter("y", "pointer", DType.F32, divisible=True),
        Parameter("count", "i32"),
        Parameter("first", "i64"),
        Parameter("a", "f32"),
    ),
)
GRID = (4, 1, 1)


def test_cubin_ptx_and_capture(tmp_path: Path) -> None:
    device = Device(0)
    stream = device.stream()
    store = BinaryStore(tmp_path)
    config = Config((("BLOCK", 256),))
    x = np.random.default_rng(0).standard_normal(1024, dtype=np.float32)
    source, target = device.allocate(x.nbytes), device.allocate(x.nbytes)
    stream.upload(source.address, x)
    result = np.empty_like(x)

    def expect(times: int) -> None:
        stream.download(result, target.address)
        stream.synchronize()
        expected = np.zeros_like(x)
        expected[:1000] = x[16:1016] * np.float32(0.5) * times
        np.testing.assert_allclose(result, expected, rtol=1e-6)

    own_architecture = Architecture(device.properties.capability)
    (own,) = compile_jobs([Job(AXPY, config, own_architecture)], store=store)
    loader = KernelLoader(device, stream)
    values = [source.address, target.address, 1000, 16, 0.5]
    run = loader.prepare(own, own.cubin, GRID, values, "axpy")
    stream.clear(target.address, target.nbytes)
    run()
    expect(1)
    graph = stream.capture(run)
    expect(1)
    graph.launch(stream)
    graph.launch(stream)
    expect(3)

    (portable,) = compile_jobs([Job(AXPY, config, Architecture(80))], store=store)
    run = loader.prepare(portable, portable.ptx, GRID, values, "axpy")
    stream.clear(target.address, target.nbytes)
    run()
    expect(1)
