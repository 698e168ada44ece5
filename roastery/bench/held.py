"""Memory of an operand or result of a group, in numpy."""

from __future__ import annotations

import numpy as np

from ir.graph import Node
from ir.layout_numpy import array_of, memory_of
from ir.ops.fusion import Fused, whole_type


class Held:
    """How memory holds an operand, or a result, by its number: alone, or in a larger tensor.

    Attributes:
        type: of what its buffer holds.
    """

    def __init__(self, node: Node, number: int) -> None:
        type = (*node.inputs, *node.outputs)[number].type
        places = node.op.places.get(number, ()) if isinstance(node.op, Fused) else ()
        start = [0] * type.rank
        for place in places:
            start[place.axis] += place.start
        self.type = whole_type(type, places)
        self._cut = tuple(slice(at, at + d) for at, d in zip(start, type.shape, strict=True))

    def read(self, memory: np.ndarray) -> np.ndarray:
        """What the elements of a buffer say of it."""
        return array_of(memory, self.type)[self._cut]

    def write(self, memory: np.ndarray, array: np.ndarray) -> None:
        """Put it into a buffer, of whose other elements nothing changes."""
        whole = np.array(array_of(memory, self.type))
        whole[self._cut] = array
        memory[...] = memory_of(whole, self.type)
