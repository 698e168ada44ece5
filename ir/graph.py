"""Graphs of the IR: SSA values, nodes in topological order, named inputs and outputs."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .location import Location
from .op import Op, Steps
from .ports import PortKey as PortKey
from .ports import Role as Role
from .value import Value as Value

NOWHERE = Location()


class Direction(enum.Enum):
    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An op applied to values."""

    op: Op
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    location: Location = NOWHERE
    direction: Direction = Direction.FORWARD

    @property
    def output(self) -> Value:
        """The only result. Raises ValueError when there are several."""
        (value,) = self.outputs
        return value

    @property
    def multiply_adds(self) -> int:
        """What :meth:`ir.op.Op.multiply_adds` says of its op here."""
        inputs, outputs = ([v.type for v in values] for values in (self.inputs, self.outputs))
        return self.op.multiply_adds(inputs, outputs)

    def operations(self, steps: Steps) -> int:
        """What :meth:`ir.op.Op.operations` says of its op here."""
        inputs, outputs = ([v.type for v in values] for values in (self.inputs, self.outputs))
        return self.op.operations(inputs, outputs, steps)


@dataclass(frozen=True, slots=True)
class Port:
    """A named input or output of a graph.

    ``name`` is the blob's or the variable's name (``conv1/0``); an output with role STATE
    or GRADIENT writes the variable of that name.
    """

    name: str
    value: Value
    role: Role

    @property
    def key(self) -> PortKey:
        return PortKey(self.role, self.name)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Graph:
    """Immutable; passes return new graphs that share untouched nodes."""

    name: str
    inputs: tuple[Port, ...] = ()
    nodes: tuple[Node, ...] = ()
    outputs: tuple[Port, ...] = ()
    # Lazily made index of producers; a graph made by dataclasses.replace gets its own.
    _producers: dict[Value, Node] = field(default_factory=dict, init=False, repr=False)

    @property
    def producers(self) -> dict[Value, Node]:
        """The node that makes each value (graph inputs have none)."""
        if not self._producers and self.nodes:
            self._producers.update((v, n) for n in self.nodes for v in n.outputs)
        return self._producers

    def users(self) -> dict[Value, list[Node]]:
        """The nodes that read each value, in order, once each."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                found.setdefault(value, []).append(node)
        return found

    def input(self, name: str) -> Port:
        return _by_name(self.inputs, name, "input")

    def output(self, name: str) -> Port:
        return _by_name(self.outputs, name, "output")

    def values(self) -> Iterator[Value]:
        """Inputs first, then results in order."""
        for port in self.inputs:
            yield port.value
        for node in self.nodes:
            yield from node.outputs


def _by_name(ports: Sequence[Port], name: str, kind: str) -> Port:
    for port in ports:
        if port.name == name:
            return port
    raise KeyError(f"no {kind} {name!r}; there are: {', '.join(p.name for p in ports)}")
