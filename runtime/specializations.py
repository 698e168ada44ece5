"""What a fused net keeps for each set of input sizes, so that sizes may take turns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ir.graph import PortKey
from ir.program import NetProgram

from .backends.backend import BoundGraph
from .memory.buffers import Buffer
from .whole_graphs import WholeGraphs

Shape = tuple[int, ...]

_KEPT = 8
_KEPT_BYTES = 1 << 30
"""What sizes that are not in use may hold, together."""


@dataclass
class Specialization:
    """A net at one set of sizes.

    Attributes:
        graphs: what it may run.
        buffers: of all but variables, by port. inputs: those of the net's inputs, by name.
        variables: buffers of the store that graphs are bound to, by name.
    """

    program: NetProgram
    graphs: WholeGraphs
    buffers: dict[PortKey, Buffer] = field(default_factory=dict)
    inputs: dict[str, Buffer] = field(default_factory=dict)
    variables: dict[str, Buffer] = field(default_factory=dict)
    forward: BoundGraph | None = None
    train: BoundGraph | None = None
    pair: tuple[BoundGraph, BoundGraph] | None = None

    def follow(self, variables: Mapping[str, Buffer]) -> None:
        """Let go of graphs that are bound to variables which the store has replaced since."""
        if any(variables.get(name) is not buffer for name, buffer in self.variables.items()):
            self.forward = self.train = self.pair = None
            self.variables.clear()

    @property
    def nbytes(self) -> int:
        return sum(buffer.memory.raw.nbytes for buffer in self.buffers.values())


class Specializations:
    """Those that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[tuple[str, Shape], ...], Specialization] = OrderedDict()

    def find(self, sizes: Mapping[str, Shape]) -> Specialization | None:
        return self._kept.get(_key(sizes))

    def use(self, sizes: Mapping[str, Shape], plan: Specialization) -> None:
        """Keep a plan as the newest, and as many others as there is room for."""
        key = _key(sizes)
        self._kept[key] = plan
        self._kept.move_to_end(key)
        others = sum(p.nbytes for p in self._kept.values()) - plan.nbytes
        while len(self._kept) > 1 and (len(self._kept) > _KEPT or others > _KEPT_BYTES):
            _, oldest = self._kept.popitem(last=False)
            others -= oldest.nbytes


def _key(sizes: Mapping[str, Shape]) -> tuple[tuple[str, Shape], ...]:
    return tuple(sorted((name, tuple(shape)) for name, shape in sizes.items()))
