"""A partition's graphs at one set of sizes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from ir.graph import Port, Value
from ir.graph_sizes import Substitution
from ir.types import TensorType

from .graphs import PartitionGraphs

Shape = tuple[int, ...]


class SizedPartition:
    """What a partition's symbols are.

    Args:
        graphs: for all sizes; they are made once, whatever sizes take turns.
        values: of the symbols in them.
    """

    def __init__(self, graphs: PartitionGraphs, values: Mapping[str, int]) -> None:
        self.graphs = graphs
        self.values = values
        self._at = Substitution(values)

    @functools.cached_property
    def tops(self) -> Sequence[tuple[str, TensorType, float]]:
        """Of the layers in order, what has memory: its name there, type and loss weight."""
        return [(name, self._at.type(type), weight) for name, type, weight in self.graphs.tops]

    @functools.cached_property
    def sizes(self) -> dict[str, Shape]:
        """Shapes of what is read, and of what those do not tell."""
        return {name: self._at.part(shape) for name, shape in self.graphs.sizes.items()}

    def type(self, value: Value | Port) -> TensorType:
        return self._at.type(value.value.type if isinstance(value, Port) else value.type)
