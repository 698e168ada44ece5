"""Executors behind one interface: bind a graph's ports to buffers, then run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

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


def port_key(role: object, name: str) -> str:
    """Key of a port: its role and name (a cell is read as ``parameter:conv1/0``)."""
    return f"{getattr(role, 'value', role)}:{name}"
