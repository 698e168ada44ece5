"""Memory of an operand or result of a group, in numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ir.graph import Node
from ir.layout_numpy import array_of, memory_of
from ir.ops.fusion import Fused


class Held:
    """How memory holds an operand, or a result, by its number: alone, or in a larger tensor.

    Attributes:
        type: of what its buffer holds.
    """

    def __init__(self, node: Node, number: int) -> None:
        type = (*node.inputs, *node.outputs)[number].type
        start, shape = [0] * type.rank, list(type.shape)
        for place in node.op.places.get(number, ()) if isinstance(node.op, Fused) else ():
            start[place.axis] += place.start
            shape[place.axis] = place.extent
        self.type = replace(type, shape=tuple(shape))
        self._cut = tuple(slice(at, at + d) for at, d in zip(start, type.shape, strict=True))

    def read(self, memory: np.ndarray) -> np.ndarray:
        """What the elements of a buffer say of it."""
        return array_of(memory, self.type)[self._cut]

    def write(self, memory: np.ndarray, array: np.ndarray) -> None:
        """Put it into a buffer, of whose other elements nothing changes."""
        whole = np.array(array_of(memory, self.type))
        whole[self._cut] = array
        memory[...] = memory_of(whole, self.type)
