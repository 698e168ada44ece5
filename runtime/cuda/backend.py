"""The ``cuda`` executor: Triton kernels on an NVIDIA GPU."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from compiler.architecture import TOO_OLD
from compiler.binary import Binary
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler, Lower
from compiler.plan.plan import PlanLaunch
from compiler.target import Target, gpu
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from ir.graph import Graph, PortKey

from ..backends.backend import Values
from ..backends.per_graph import PerGraph
from ..data.array_pool import ArrayPool
from ..memory.buffers import Buffer
from .driver import Device, DeviceProperties, Driver
from .executor.graph import CudaGraph
from .executor.kernels import Compile, KernelTable, Progress
from .executor.session import Session, Turn
from .launcher import KernelLoader
from .speed import RatedSpeed, rated_speed

Shape = tuple[int, ...]


class CudaBackend:
    """Runs graphs on GPU ``index``. All backends of one GPU share its memory and streams.

    Args:
        progress: told of each kernel that had to be compiled.
        driver, compile, lower: stand-ins for the machine's driver, the kernel compiler and the
            printer, for tests.

    Raises CudaUnavailable without a driver, RoasteryError for an index that does not exist and for
    a GPU that is too old.
    """

    def __init__(
        self,
        index: int = 0,
        progress: Progress | None = None,
        *,
        driver: Driver | None = None,
        compile: Compile | None = None,
        lower: Lower = lower_node,
    ) -> None:
        self.name = f"cuda:{index}"
        self.session = _session(index) if driver is None else Session(Device(index, driver))
        device = self.session.device
        self.target = _target(device.properties)
        if self.target.architecture.too_old:
            raise RoasteryError(
                f"{self.target.name} (sm_{self.target.capability}) is too old: {TOO_OLD}",
                hint="use --device cpu",
            )
        self.kernels = KernelTable(self.target.architecture, progress, compile)
        self._compiled = PerGraph(lambda graph, options: GraphCompiler(graph, lower, options))
        self._loader = KernelLoader(device, self.session.compute)

    def speed(self, threads: int) -> RatedSpeed:
        """By the driver; threads have no part in it."""
        return rated_speed(self.session.device.properties)

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
        values: Values = None,
    ) -> CudaGraph:
        """Compile a graph for ports in these buffers.

        Raises CompileError; RoasteryError when the memory does not suffice.
        """
        compiled = self._compiled(graph, options).at(values)
        self.kernels.add(compiled.launches)

        def code(launch: PlanLaunch) -> list[Binary]:
            return [self.kernels.binaries[compiled.plan.kernels[launch.kernel], launch.config]]

        return CudaGraph(
            compiled.plan, compiled.hosts, self.session, self._loader, code, inputs, outputs
        )

    def prepare(self, graphs: Iterable[tuple[Graph, Values]], options: CompileOptions) -> None:
        """Compile the kernels of several graphs, which will be bound later, all at once."""
        self.kernels.add(
            launch
            for graph, values in graphs
            for launch in self._compiled(graph, options).at(values).launches
        )

    @property
    def turn(self) -> Turn:
        return self.session.turn

    def synchronize(self) -> None:
        """Wait until everything that was run is done."""
        self.session.device.activate()
        self.session.synchronize()

    def batch_allocator(self, keep: int) -> Callable[[Shape], np.ndarray]:
        """Arrays for data sources in pinned memory, from which copies overlap with kernels.

        May be called on any thread. ``keep``: how many arrays of a shape wait for reuse.
        """
        device = self.session.device

        def pinned(shape: Shape) -> np.ndarray:
            device.activate()
            nbytes = int(np.prod(shape, dtype=np.int64)) * np.dtype(np.float32).itemsize
            return device.pinned(nbytes).array(shape, np.float32)

        return ArrayPool(keep, pinned).allocate


def _target(device: DeviceProperties) -> Target:
    told = device.attributes
    return gpu(
        device.name,
        device.capability,
        told["multiprocessors"],
        told["shared_memory_optin"],
        told["l2_cache"],
    )


@functools.cache
def _session(index: int) -> Session:
    """The one session per GPU of this process."""
    return Session(Device(index))
