"""Rows beside rows: some of the same label, some of others, out of those that came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RoasteryError
from ..op import Op, Property, register, require
from ..types import I32, TensorType


@register
@dataclass(frozen=True)
class DrawSequences(Op):
    """(rows[N,D], labels[N] i32, cache[L,C,D], counts[L], drawn[N,T]) -> (found[T,N,D], their
    labels i32[N,T], cache, counts).

    First the cache takes the rows: those of a label stand before its older ones, in their order,
    what finds no room is dropped, and ``counts`` says how many there are. Then T rows are found for
    each: with ``matching`` the first has the same label, and is another row, at random; all others
    have another label, at random, and are the next of that label's, from the newest on. With
    ``balanced``, where T is 1, rows of even number get one of the same label, those of odd number
    one of another.

    ``drawn`` are numbers from 0 to below 1, which choose. ``start`` is the label that the first
    rows of the cache are of; the next label follows.

    Source: MyCaffe: CudaDnnDLL/Cuda Files/math.cu (copy_batch, copy_sequence), where the first and
    the last row of a label, and the first and the last label, come half as often as the others.
    """

    matching: bool
    balanced: bool = False
    start: int = 0
    name = "draw_sequences"
    properties = Property.HOST

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        rows, labels, cache, counts, drawn = inputs
        require(rows.rank == 2 and cache.rank == 3, f"{rows} and {cache}; ranks 2 and 3 expected")
        require(rows.shape[1] == cache.shape[2], f"{rows} and {cache}")
        require(rows.dtype.is_float, f"{rows} are no rows")
        require(cache.dtype is counts.dtype is drawn.dtype is rows.dtype, f"{rows} and {cache}")
        require(labels == TensorType(rows.shape[:1], I32), f"{labels}: one i32 for each of {rows}")
        require(counts.shape == cache.shape[:1], f"{counts} and {cache}")
        require(cache.shape[0] >= 2 and cache.shape[1] >= 1, f"{cache}: two labels, a row of each")
        require(drawn.rank == 2 and drawn.shape[0] == rows.shape[0], f"{drawn} and {rows}")
        require(drawn.shape[1] == 1 or not self.balanced, f"{drawn} for balanced pairs")
        found = TensorType((drawn.shape[1], *rows.shape), rows.dtype)
        return found, TensorType(drawn.shape, I32), cache, counts

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        rows, drawn = inputs[0], inputs[4]
        cache, counts = inputs[2].copy(), inputs[3].copy()
        labels = inputs[1].astype(np.int64) - self.start
        self._check(labels, len(cache))
        number = np.clip(np.nan_to_num(counts), 0, cache.shape[1]).astype(int)
        for label in np.unique(labels):
            new = rows[labels == label][::-1][: cache.shape[1]][::-1]
            cache[label, len(new) :] = cache[label, : cache.shape[1] - len(new)].copy()
            cache[label, : len(new)] = new
            number[label] = min(number[label] + len(new), cache.shape[1])
        found = np.zeros(results[0].shape, rows.dtype)
        chosen = np.zeros(results[1].shape, np.int64)
        own, others = np.zeros(len(cache), int), np.zeros(len(cache), int)
        for t in range(drawn.shape[1]):
            for i, label in enumerate(labels):
                if (self.matching and t == 0) or (self.balanced and i % 2 == 0):
                    at = _another(own[label], number[label], drawn[i, t], int(label) + self.start)
                    _advance(own, label, number)
                    found[t, i], chosen[i, t] = cache[label, at], label
                else:
                    other = _draw(len(cache) - 1, drawn[i, t])
                    other += other >= label
                    found[t, i], chosen[i, t] = cache[other, others[other]], other
                    _advance(others, other, number)
        named = (chosen + self.start).astype(np.int32)
        return [found, named, cache, number.astype(counts.dtype)]

    def _check(self, labels: np.ndarray, count: int) -> None:
        stray = labels[(labels < 0) | (labels >= count)]
        if stray.size:
            raise RoasteryError(
                f"label {stray[0] + self.start}, where there are labels {self.start} to "
                f"{self.start + count - 1}",
                hint="data_sequence_param { label_start: ... label_count: ... } says which there "
                "are",
            )


def _draw(count: int, drawn: float) -> int:
    """A number below ``count``."""
    return min(int(drawn * count), count - 1)


def _another(here: int, count: int, drawn: float, label: int) -> int:
    """The place of a row of the label that is not ``here``."""
    if count < 2:
        raise RoasteryError(
            f"there is one row of label {label} so far, and none to go with it",
            hint="take larger batches, which have more rows of each label",
        )
    at = _draw(count - 1, drawn)
    return at + (at >= here)


def _advance(cursors: np.ndarray, label: int, number: np.ndarray) -> None:
    cursors[label] += 1
    if cursors[label] >= number[label]:
        cursors[label] = 0
