"""What a partition keeps for each set of sizes, so that sizes may take turns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.partitions import SizedPartition
from ir.graph import Graph

from ..memory.buffers import Buffer
from .blobs import Shape
from .context import BoundPartition, SizesByName

_KEPT = 8
_KEPT_BYTES = 1 << 30
"""What sizes that are not in use may hold, together."""


@dataclass
class Specialization:
    """A partition at one set of sizes.

    Attributes:
        sized: what it may run, at which sizes. bound: the graphs that were run, and the buffers
            they use.
        constants: what was computed once from parameters that never change, by name.
    """

    sized: SizedPartition
    bound: dict[Graph, BoundPartition] = field(default_factory=dict)
    constants: dict[str, Buffer] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        return sum(buffer.memory.raw.nbytes for buffer in self.constants.values())


class Specializations:
    """Those that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[tuple[str, Shape], ...], Specialization] = OrderedDict()

    def __iter__(self) -> Iterator[Specialization]:
        return iter(self._kept.values())

    def find(self, sizes: SizesByName) -> Specialization | None:
        return self._kept.get(_key(sizes))

    def use(self, sizes: SizesByName, newest: Specialization) -> Specialization:
        """Keep one as the newest, and as many others as there is room for."""
        key = _key(sizes)
        self._kept[key] = newest
        self._kept.move_to_end(key)
        others = sum(each.nbytes for each in self._kept.values()) - newest.nbytes
        while len(self._kept) > 1 and (len(self._kept) > _KEPT or others > _KEPT_BYTES):
            _, oldest = self._kept.popitem(last=False)
            others -= oldest.nbytes
        return newest


def _key(sizes: SizesByName) -> tuple[tuple[str, Shape], ...]:
    return tuple(sorted((name, tuple(shape)) for name, shape in sizes.items()))
