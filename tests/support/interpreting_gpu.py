"""A fake GPU whose kernels are the printed ones, run by Triton's interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compiler.binary import Binary
from compiler.kernel import Argument, Launch
from compiler.triton.compile import Job
from compiler.triton.lower import lower_node
from ir.graph import Value
from ir.location import Location
from ir.types import TensorType
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
        kernel, choice = job.kernel, job.kernel.configs.index(job.config)

        def body(grid: tuple[int, int, int], *values: Any) -> None:
            arrays: dict[Value, np.ndarray] = {}
            arguments: list[Argument] = []
            for parameter, value in zip(kernel.parameters, values, strict=False):
                if parameter.dtype is None:
                    arguments.append(value)
                    continue
                token = Value(parameter.name, TensorType(()))
                arrays[token] = self.fake.rest(value, parameter.dtype.numpy)
                arguments.append(token)
            launch = Launch(
                kernel, choice, tuple(arguments), grid, job.name, Location(), tuple(arrays)
            )
            self._launcher.bind(launch, lambda item: arrays[item])()  # type: ignore[index]

        return body
