"""Executors behind one interface: bind a graph's ports to buffers, then run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from ir.graph import Graph

from .buffers import Buffer


class BoundGraph(Protocol):
    """A graph whose ports are bound to buffers."""

    def run(self) -> None:
        """Compute the outputs from what the input buffers hold now."""
        ...


class Backend(Protocol):
    """An executor. ``name`` is what ``--device`` says."""

    name: str

    def bind(
        self, graph: Graph, inputs: Mapping[str, Buffer], outputs: Mapping[str, Buffer]
    ) -> BoundGraph:
        """Prepare a graph (compiling if need be).

        Args:
            inputs, outputs: a buffer per port, keyed ``role:name`` (see :func:`port_key`);
                an output may share its buffer with an input (state, accumulated diffs, in-place).
        """
        ...


# What only executors with a device of their own have.


def is_remote(backend: Backend) -> bool:
    """Whether runs are only queued, so that reading a result waits for all work before it."""
    return bool(getattr(backend, "remote", False))


def synchronize(backend: Backend) -> None:
    """Wait until everything that was run is done."""
    if is_remote(backend):
        _extra(backend).synchronize()


def prepare(backend: Backend, graphs: Iterable[Graph]) -> None:
    """Compile what these graphs need, all at once, before they are bound one by one."""
    if is_remote(backend):
        _extra(backend).prepare(graphs)


def batch_allocator(backend: Backend, keep: int) -> Callable[[tuple[int, ...]], np.ndarray] | None:
    """What data sources should allocate batches with; None: as they do by themselves."""
    return _extra(backend).batch_allocator(keep) if is_remote(backend) else None


def _extra(backend: Backend) -> Any:
    return backend


def port_key(role: object, name: str) -> str:
    """Key of a port: its role and name (a cell is read as ``parameter:conv1/0``)."""
    return f"{getattr(role, 'value', role)}:{name}"
