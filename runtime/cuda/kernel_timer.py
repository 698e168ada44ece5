"""Times launches on a GPU, each from a cold cache."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from compiler.binary import Binary
from compiler.kernel import Launch, Scratch
from ir.errors import RoasteryError
from ir.graph import Value
from ir.graph_sizes import Substitution
from ir.narrow import narrowed
from ir.types import F32, DType, TensorType
from runtime.cuda.driver import CudaError, DeviceBuffer
from runtime.cuda.launcher import KernelLoader, choose_binary

from .executor.session import Session, failure

_FLUSHED = 2  # times the second-level cache is written over between two measurements
_LEAST_FLUSH = 4 << 20  # bytes, where a driver does not tell how large it is
_FEW, _MANY = 3, 15  # measurements: of what is far from the best, and of what is near
_FAR = 1.25
_LONG = 0.3  # seconds that those of one way take, about
_REFUSED = frozenset({1, 2, 701})  # CUDA_ERROR_INVALID_VALUE, OUT_OF_MEMORY,
# LAUNCH_OUT_OF_RESOURCES: of a launch that cannot be; the context is as it was
_PATTERN = 1 << 20  # random numbers that memory is filled with, again and again
_BEHIND = 256  # bytes that kernels may read behind a tensor

BinaryOf = Callable[[Launch], Binary]
QueuedCall = Callable[[], None]
OperandMemory = dict[Value | Scratch, DeviceBuffer]


class OperandsTooLarge(RoasteryError):
    """The device's memory does not hold the operands of a group by themselves."""


class KernelTimer:
    """Runs the launches of one group of ops at a time, on random numbers.

    Args:
        binary: the code of a launch, which was compiled before.
    """

    def __init__(self, session: Session, loader: KernelLoader, binary: BinaryOf) -> None:
        self._session = session
        self._device = session.device
        self._loader = loader
        self._binary = binary
        attributes = self._device.properties.attributes
        self._flush = self._device.allocate(max(_FLUSHED * attributes["l2_cache"], _LEAST_FLUSH))
        self._marks = self._device.event(timed=True), self._device.event(timed=True)

    def times(
        self,
        ways: Sequence[Sequence[Launch]],
        at: Substitution,
        goes_on: Callable[[], bool],
        wholes: Mapping[Value, TensorType] = MappingProxyType({}),
    ) -> list[float | None]:
        """Seconds of each way to compute a group, the median; None for what was not measured.

        Args:
            ways: the launches of each, on the same operands.
            at: the sizes at hand.
            goes_on: asked before each measurement but the first; ends it where it says no.
            wholes: what tensors lie in that are parts: kernels take its address.

        Raises OperandsTooLarge, and RoasteryError where the device fails.
        """
        found: list[float | None] = []
        with self._session.turn:
            memory = self._memory(ways, at, wholes)
            for launches in ways:
                best = min((seconds for seconds in found if seconds is not None), default=None)
                if found and not goes_on():
                    break
                try:
                    found.append(self._median(self._calls(launches, memory, at), best))
                except CudaError as error:
                    if error.code not in _REFUSED:
                        raise failure(error, f"kernel {launches[0].label}") from error
                    found.append(None)
        return found + [None] * (len(ways) - len(found))

    # --- memory -----------------------------------------------------------------------

    def _memory(
        self,
        ways: Sequence[Sequence[Launch]],
        at: Substitution,
        wholes: Mapping[Value, TensorType],
    ) -> OperandMemory:
        """A buffer for every tensor, and for the largest scratch of each number."""
        sizes: dict[Value | Scratch, int] = {}
        largest: dict[int, int] = {}
        for launch in (launch for launches in ways for launch in launches):
            for argument in launch.arguments:
                if isinstance(argument, Value):
                    sizes[argument] = at.number(wholes.get(argument, argument.type).nbytes)
                elif isinstance(argument, Scratch):
                    nbytes = at.number(argument.nbytes)
                    largest[argument.number] = max(largest.get(argument.number, 0), nbytes)
                    sizes[argument] = 0
        shared = {number: self._allocate(nbytes) for number, nbytes in largest.items()}
        memory: OperandMemory = {}
        for argument, nbytes in sizes.items():
            if isinstance(argument, Scratch):
                memory[argument] = shared[argument.number]
                continue
            memory[argument] = self._allocate(nbytes)
            self._fill(memory[argument], argument.type.dtype)
        return memory

    def _allocate(self, nbytes: int) -> DeviceBuffer:
        try:
            return self._device.allocate(nbytes + _BEHIND)
        except RoasteryError as error:
            raise OperandsTooLarge(error.message, hint=error.hint) from error

    def _fill(self, buffer: DeviceBuffer, dtype: DType) -> None:
        """With random numbers; integers, which may be places, are 0."""
        stream = self._session.compute
        if not dtype.is_float:
            stream.clear(buffer.address, buffer.nbytes)
            return
        pattern = self._pattern(dtype)
        first = pattern[: -(-buffer.nbytes // dtype.itemsize)]
        done = min(first.nbytes, buffer.nbytes)
        stream.upload(buffer.address, first.view(np.uint8)[:done])
        while done < buffer.nbytes:
            nbytes = min(done, buffer.nbytes - done)
            stream.copy(buffer.address + done, buffer.address, nbytes)
            done += nbytes

    def _pattern(self, dtype: DType) -> np.ndarray:
        numbers = np.random.default_rng(0).standard_normal(_PATTERN).astype(F32.numpy)
        return np.ascontiguousarray(narrowed(numbers, dtype).astype(dtype.numpy, copy=False))

    # --- measuring --------------------------------------------------------------------

    def _calls(
        self, launches: Sequence[Launch], memory: OperandMemory, at: Substitution
    ) -> list[QueuedCall]:
        return [self._call(launch, memory, at) for launch in launches]

    def _call(self, launch: Launch, memory: OperandMemory, at: Substitution) -> QueuedCall:
        capability = self._device.properties.capability
        binary, image = choose_binary([self._binary(launch)], capability)
        values = [
            memory[a].address if isinstance(a, Value | Scratch) else at.number(a)
            for a in launch.arguments
        ]
        x, y, z = map(at.number, launch.grid)
        return self._loader.prepare(binary, image, (x, y, z), values, launch.label)

    def _median(self, calls: Sequence[QueuedCall], best: float | None) -> float:
        """Of few measurements where these are far from the best, or long."""
        self._once(calls)  # the driver loads code at its first use
        found = [self._once(calls) for _ in range(_FEW)]
        once = statistics.median(found)
        if best is None or once < _FAR * best:
            more = min(_MANY, int(_LONG / max(once, 1e-9))) - _FEW
            found += [self._once(calls) for _ in range(more)]
        return statistics.median(found)

    def _once(self, calls: Sequence[QueuedCall]) -> float:
        stream, (begin, end) = self._session.compute, self._marks
        stream.clear(self._flush.address, self._flush.nbytes)
        stream.record(begin)
        for call in calls:
            call()
        stream.record(end)
        end.synchronize()
        return end.seconds_since(begin)
