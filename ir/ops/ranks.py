"""What several processes find together while each runs a graph of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, Property, register, require
from ..types import F32, TensorType
from ..value import Value


class Averages(Protocol):
    """Whoever reaches the other ranks: processes that run the same graph on other records.

    ``count``: how many ranks there are, this one included.
    """

    @property
    def count(self) -> int: ...

    def average(self, array: np.ndarray) -> np.ndarray:
        """The mean of each element over all ranks, the same bits on each. All of them call it, as
        often and in the same order; each call waits for the others."""
        ...


@register
@dataclass(frozen=True)
class MeanOverRanks(Op):
    """Each input, a small tensor, averaged over all ranks: all inputs are one message.

    Nobody is part of the text form: a graph that was read runs alone, and its own is the mean.
    """

    ranks: Averages | None = field(default=None, compare=False, repr=False)
    name = "mean_over_ranks"
    properties = Property.HOST | Property.EFFECT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        require(bool(inputs), "it averages nothing")
        for x in inputs:
            require(x.dtype is F32, f"an input of {x.dtype}: it must be f32")
        return tuple(inputs)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        if self.ranks is None:
            return list(inputs)
        found = self.ranks.average(np.concatenate([a.reshape(-1) for a in inputs]))
        ends = accumulate(a.size for a in inputs)
        return [
            found[end - a.size : end].reshape(a.shape) for a, end in zip(inputs, ends, strict=True)
        ]

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        """The mean of what flows back on all ranks: of the mean of their losses each is then that
        rank's part, times the number of ranks, by which averaging gradients divides."""
        flowing = [
            number
            for number, (wanted, g) in enumerate(zip(at.wanted, at.cotangents, strict=True))
            if wanted and g is not None
        ]
        found: list[Value | None] = [None] * len(at.inputs)
        sent = [g for number in flowing if (g := at.cotangents[number]) is not None]
        if sent:
            for number, mean in zip(flowing, b.emit_all(self, *sent), strict=True):
                found[number] = mean
        return found

    @property
    def tells_size(self) -> bool:
        return False
