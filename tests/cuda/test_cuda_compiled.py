"""Kernels that Triton compiled, as the CUDA executor hands them to the driver."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from fake_cuda import FakeCuda

from compiler.binary import HIDDEN, Binary
from compiler.options import CompileOptions
from compiler.plan.plan import Ref
from compiler.triton.compile import Job
from compiler.triton.compile.store import BinaryStore
from ir import expr as e
from ir.build import Builder
from ir.graph import PortKey, Role
from ir.types import TensorType
from runtime.cuda.backend import CudaBackend
from runtime.cuda.executor.kernels import compile_or_load
from runtime.memory.buffers import Buffer

TYPE = TensorType((3, 50))


def test_arguments_stand_where_the_compiled_kernel_reads_them(tmp_path: Path) -> None:
    """The parameters of the machine code are those of the printed kernel, in place and width."""
    fake = FakeCuda(90)
    seen: dict[str, list[tuple[object, ...]]] = {}
    made: list[Binary] = []

    def compile(jobs: Sequence[Job], progress: object) -> Sequence[Binary]:
        binaries = compile_or_load(jobs, store=BinaryStore(tmp_path))
        for job, binary in zip(jobs, binaries, strict=True):
            assert binary.arguments == (*(p.kind for p in job.kernel.parameters), *HIDDEN)
            entry = seen.setdefault(binary.entry, [])
            fake.kernels[binary.entry] = (binary.arguments, lambda *a, entry=entry: entry.append(a))
        made.extend(binaries)
        return binaries

    b = Builder("net")
    x = b.input("x", TYPE)
    b.output("y", b.map(e.exp(e.arg(0)) * 2.0, x))
    b.output("z", b.sum(x, (1,)))
    ports = {
        PortKey(Role.DATA, "x"): Buffer(TYPE),
        PortKey(Role.RESULT, "y"): Buffer(TYPE),
        PortKey(Role.RESULT, "z"): Buffer(TensorType((3, 1))),
    }
    backend = CudaBackend(0, driver=fake.driver(), compile=compile)
    inputs = {key: buffer for key, buffer in ports.items() if key.role is Role.DATA}
    graph = backend.bind(b.finish(), inputs, ports, CompileOptions())
    graph.run()
    fake.check()
    assert len(made) == len(seen) == 2
    addresses = {b.memory.device_copy.address for b in ports.values()}  # type: ignore[union-attr]
    plan = graph.plan
    for launch in plan.launches:
        ((grid, *values),) = seen[plan.kernels[launch.kernel].entry]
        assert grid == launch.grid
        assert values[-2:] == [0, 0]  # hidden pointers
        for value, planned in zip(values, launch.arguments, strict=False):
            if not isinstance(planned, Ref):
                assert value == planned
            elif planned.buffer in plan.bound:
                assert value in addresses
            else:
                assert fake.array(value, plan.buffers[planned.buffer].type.nbytes, np.uint8).size
    used = {binary.entry: binary for binary in made}
    for entry, _, threads, shared in fake.launches:
        assert (threads, shared) == (used[entry].threads, used[entry].resources.shared)
