"""The ``cuda`` executor: Triton kernels on an NVIDIA GPU."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from compiler.architecture import TOO_OLD
from compiler.binary import Binary
from compiler.options import CompileOptions
from compiler.plan.plan import PlanLaunch
from compiler.plan_cache.cached_compiler import CachedCompiler
from compiler.plan_cache.kept_effort import KeptEffort
from compiler.plan_cache.plan_store import PlanStore
from compiler.target import Target, gpu
from compiler.triton.compile.early_start import CAPABILITY
from compiler.triton.tuned.store import TunedStore
from ir.errors import RoasteryError
from ir.graph import Graph, PortKey

from ..backends.backend import Values
from ..backends.per_graph import PerGraph
from ..data.array_pool import ArrayPool
from ..memory.buffers import Buffer
from .driver import Device, DeviceProperties, Driver
from .driver.launch_config import starts_early
from .executor.graph import CudaGraph
from .executor.kernels import Compile, KernelTable, Progress
from .executor.session import Session, Turn
from .kernel_timer import KernelTimer
from .launcher import KernelLoader
from .speed import RatedSpeed, rated_speed

if TYPE_CHECKING:
    from compiler.pipeline import GraphCompiler, Lower

Shape = tuple[int, ...]
_LEAST_BANDWIDTH = 1e10  # bytes a second; less is nothing that a driver means


class CudaBackend:
    """Runs graphs on GPU ``index``. All backends of one GPU share its memory and streams.

    Args:
        progress: told of each kernel that had to be compiled.
        driver, compile: stand-ins for the machine's driver and the kernel compiler, for tests.
        lower: makes kernels; by default by the choices that were tuned on this device, and only
            then plans are kept between processes.
        early: whether kernels begin while those before them end, where device and driver know
            that; None: as ROASTERY_EARLY_START says.

    Attributes:
        tuned: those choices, and what more is found. driver: the CUDA version of its driver.

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
        lower: Lower | None = None,
        early: bool | None = None,
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
        self.driver = ".".join(map(str, device.driver.version))
        self.tuned = TunedStore(self.target, self.driver)
        early = asks_for_early_start() if early is None else early
        early &= self.target.capability >= CAPABILITY and starts_early(device.driver)
        self.kernels = KernelTable(self.target.architecture, progress, compile, early=early)
        self._lower = lower
        self._plans = PlanStore() if lower is None else None
        self._compiled = PerGraph(self._cached)
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
        self.kernels.add_plans([compiled.plan])

        def code(launch: PlanLaunch) -> list[Binary]:
            return [self.kernels.binaries[compiled.plan.kernels[launch.kernel], launch.config]]

        return CudaGraph(
            compiled.plan, compiled.hosts, self.session, self._loader, code, inputs, outputs
        )

    def prepare(self, graphs: Iterable[tuple[Graph, Values]], options: CompileOptions) -> None:
        """Compile the kernels of several graphs, which will be bound later, all at once."""
        self.kernels.add_plans(
            self._compiled(graph, options).at(values).plan for graph, values in graphs
        )

    def compiler(self, graph: Graph, options: CompileOptions) -> GraphCompiler:
        # Many modules, which a graph whose plan is kept does without.
        from compiler.pipeline import GraphCompiler
        from compiler.triton.tuned.lowering import TunedLowering

        kept = None
        if self._plans is not None:
            kept = KeptEffort(graph, options, self._plans, self.tuned.digest())
        lower = self._lower or TunedLowering(self.tuned.find)
        return GraphCompiler(graph, lower, options, kept=kept)

    def _cached(self, graph: Graph, options: CompileOptions) -> CachedCompiler:
        return CachedCompiler(graph, options, self.compiler, self._plans, self.tuned.digest)

    def kernel_timer(self) -> KernelTimer:
        """Of launches whose kernels were added to :attr:`kernels`."""
        binaries = self.kernels.binaries
        return KernelTimer(self.session, self._loader, lambda n: binaries[n.kernel, n.config])

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


def asks_for_early_start() -> bool:
    """Whether the environment does."""
    return os.environ.get("ROASTERY_EARLY_START", "") not in ("", "0")


def _target(device: DeviceProperties) -> Target:
    told = device.attributes
    # Bits of the bus, twice a clock. Newer drivers tell no clock rate, and then it is 0.
    bandwidth = 2e3 * told["memory_clock_rate"] * told["memory_bus_width"] / 8
    return gpu(
        device.name,
        device.capability,
        told["multiprocessors"],
        told["shared_memory_optin"],
        told["l2_cache"],
        bandwidth if bandwidth > _LEAST_BANDWIDTH else 0.0,
    )


@functools.cache
def _session(index: int) -> Session:
    """The one session per GPU of this process."""
    return Session(Device(index))
