"""A fake GPU whose kernels are the printed ones, run by Triton's interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compiler.binary import Binary
from compiler.triton.compile import Job
from compiler.triton.lower import lower_node
from runtime.cuda.backend import CudaBackend
from runtime.interpret.launcher import InterpretLauncher
from tests.support.fake_gpu import FakeGpu


class InterpretingGpu(FakeGpu):
    """``folder`` takes the kernels' files. Each access must lie in an allocation."""

    def __init__(self, folder: Path, memory: int = 1 << 26) -> None:
        super().__init__(memory)
        self._launcher = InterpretLauncher(folder)

    def backend(self) -> CudaBackend:
        return CudaBackend(0, driver=self.fake.driver(), compile=self.compile, lower=lower_node)

    def compile(self, jobs: Sequence[Job], progress: object = None) -> list[Binary]:
        return [self.install(job, self._interpreted(job)) for job in jobs]

    def _interpreted(self, job: Job) -> Any:
        kernel = job.kernel

        def body(grid: tuple[int, int, int], *values: Any) -> None:
            arguments = [
                value if p.dtype is None else self.fake.rest(value, p.dtype.numpy)
                for p, value in zip(kernel.parameters, values, strict=False)
            ]
            written = range(len(arguments))
            self._launcher.prepare(kernel, job.config, grid, arguments, written, job.name)()

        return body
