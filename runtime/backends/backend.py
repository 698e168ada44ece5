"""Executors behind one interface: bind a graph's ports to buffers, then run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeGuard, runtime_checkable

import numpy as np

from compiler.options import CompileOptions
from compiler.plan.plan import Plan
from compiler.target import Target
from ir.ports import WRITES, PortKey
from ir.types import TensorType

from ..memory.buffers import Buffer

if TYPE_CHECKING:
    from ir.graph import Graph

Values = Mapping[str, int] | None
"""What the symbols of a graph's sizes are."""


class BoundGraph(Protocol):
    """A graph whose ports are bound to buffers."""

    def run(self) -> None:
        """Compute the outputs from what the input buffers hold now."""
        ...


@runtime_checkable
class PlannedGraph(BoundGraph, Protocol):
    """One that runs a plan."""

    @property
    def plan(self) -> Plan: ...


@runtime_checkable
class CallingGraph(PlannedGraph, Protocol):
    """One that tells how far it is."""

    def run_calling(self, after: Mapping[int, Callable[[], None]]) -> None:
        """Run, and call ``after[n]`` when the plan's step ``n`` has run, or, on a device that runs
        beside the host, has been queued."""
        ...


@runtime_checkable
class PassingGraph(BoundGraph, Protocol):
    """One that can run for the last time, and lets go of its inputs on the way."""

    def run_last(self, done: Callable[[PortKey], None]) -> None:
        """Run, for the last time.

        Args:
            done: told of each input after the last step that reads it. Nothing here refers to its
                memory any more.
        """
        ...


class Backend(Protocol):
    """An executor. ``name`` is what ``--device`` says; ``target``: the device behind it."""

    name: str

    @property
    def target(self) -> Target: ...

    def bind(
        self,
        graph: Graph,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
        options: CompileOptions,
        values: Values = None,
    ) -> BoundGraph:
        """Prepare a graph (compiling if need be).

        Args:
            inputs, outputs: a buffer per port; an output may share its buffer with an input
                (state, accumulated diffs, in-place).
            options: what decides, besides the graph, what it is compiled to.
            values: of the symbols of sizes; None: as they are at hand.
        """
        ...


@runtime_checkable
class CompilingBackend(Backend, Protocol):
    """An executor that gains from knowing graphs before they run."""

    def prepare(self, graphs: Iterable[tuple[Graph, Values]], options: CompileOptions) -> None:
        """Compile what these graphs need, all at once, before they are bound one by one."""
        ...


@runtime_checkable
class RemoteBackend(Backend, Protocol):
    """An executor with a device of its own: runs are queued, and reading a result waits."""

    @property
    def turn(self) -> AbstractContextManager[object]:
        """Held by one thread at a time, and again by the same: the device's, for what belongs
        together."""
        ...

    def synchronize(self) -> None:
        """Wait until everything that was run is done."""
        ...

    def batch_allocator(self, keep: int) -> Callable[[tuple[int, ...]], np.ndarray]:
        """What data sources should allocate batches with, keeping up to ``keep`` for reuse."""
        ...


def is_remote(backend: Backend) -> TypeGuard[RemoteBackend]:
    """Whether runs are only queued, so that reading a result waits for all work before it."""
    return isinstance(backend, RemoteBackend)


def synchronize(backend: Backend) -> None:
    """Wait until everything that was run is done."""
    if is_remote(backend):
        backend.synchronize()


def prepare(
    backend: Backend, graphs: Iterable[tuple[Graph, Values]], options: CompileOptions
) -> None:
    """Let an executor that gains from it compile several graphs at once."""
    if isinstance(backend, CompilingBackend):
        backend.prepare(graphs, options)


def batch_allocator(backend: Backend, keep: int) -> Callable[[tuple[int, ...]], np.ndarray] | None:
    """What data sources should allocate batches with; None: as they do by themselves."""
    return backend.batch_allocator(keep) if is_remote(backend) else None


def output_buffers(
    outputs: Mapping[PortKey, TensorType], inputs: Mapping[PortKey, Buffer]
) -> dict[PortKey, Buffer]:
    """A new buffer for each output; of a variable that is written, the one that it is read from."""
    found: dict[PortKey, Buffer] = {}
    for key, type in outputs.items():
        variables = (inputs.get(PortKey(role, key.name)) for role in WRITES.get(key.role, ()))
        found[key] = next((buffer for buffer in variables if buffer), None) or Buffer(type)
    return found
