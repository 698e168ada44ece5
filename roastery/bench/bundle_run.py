"""Kernels that share a launch: run together and alone, on the same random numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from compiler.bundles.body import BundlePart
from compiler.bundles.bundle import bundle_of
from compiler.kernel import Kernel, Launch, Scratch
from compiler.plan.plan import PlanArgument, Ref
from ir.graph import Value
from ir.narrow import narrowed
from ir.size import value_of
from ir.types import DType
from runtime.interpret.launcher import InterpretLauncher


class BundleRun:
    """Launches that may share one, each with memory of its own.

    Attributes:
        together: the one that does what all of them do.
    """

    def __init__(self, launches: Sequence[Launch]) -> None:
        self._rng = np.random.default_rng(0)
        self._start: list[np.ndarray] = []
        self._written: set[int] = set()
        self._parts = [BundlePart(launch, tuple(self._arguments(launch))) for launch in launches]
        self.together, self._given = bundle_of(self._parts)

    def _arguments(self, launch: Launch) -> Iterator[PlanArgument]:
        own: dict[Value | Scratch, int] = {}
        for parameter, argument in zip(launch.kernel.parameters, launch.arguments, strict=True):
            if not isinstance(argument, Value | Scratch):
                yield argument
                continue
            assert parameter.dtype is not None, "a pointer has one"
            if argument not in own:
                own[argument] = len(self._start)
                self._start.append(self._random(argument, parameter.dtype))
                if argument in launch.outputs:
                    self._written.add(own[argument])
            yield Ref(own[argument])

    def _random(self, place: Value | Scratch, dtype: DType) -> np.ndarray:
        """As many elements as a buffer has; integers are 0, so that they are places anywhere."""
        if isinstance(place, Scratch):
            count = place.nbytes // dtype.itemsize
        else:
            count = place.type.memory_size
        count = -(-value_of(count) // 16) * 16
        if not dtype.is_float:
            return np.zeros(count, dtype.numpy)
        return narrowed(self._rng.standard_normal(count).astype(np.float32), dtype)

    def compared(self, kernel: Kernel) -> Iterator[tuple[str, bool]]:
        """Of each part whether ``kernel``, in the place of the one for all, gives the same bits."""
        launcher = InterpretLauncher()
        ours, theirs = ([array.copy() for array in self._start] for _ in range(2))
        self._run(launcher, self.together, kernel, self._given, ours)
        for part in self._parts:
            self._run(launcher, part.launch, part.launch.kernel, part.arguments, theirs)
            used = [argument.buffer for argument in part.arguments if isinstance(argument, Ref)]
            same = all(ours[n].tobytes() == theirs[n].tobytes() for n in used)
            yield part.launch.label, same

    def _run(
        self,
        launcher: InterpretLauncher,
        launch: Launch,
        kernel: Kernel,
        given: Sequence[PlanArgument],
        memory: list[np.ndarray],
    ) -> None:
        arguments = [memory[a.buffer] if isinstance(a, Ref) else value_of(a) for a in given]
        written = [
            i for i, a in enumerate(given) if isinstance(a, Ref) and a.buffer in self._written
        ]
        x, y, z = map(value_of, launch.grid)
        launcher.prepare(kernel, launch.config, (x, y, z), arguments, written, launch.label)()
