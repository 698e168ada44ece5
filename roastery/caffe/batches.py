"""Arrays of any length cut into a net's batches, and outputs put together again.

Caffe: Net.forward_all and Net._batch in python/caffe/pycaffe.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ir.errors import RoasteryError


def batches(arrays: Mapping[str, np.ndarray], size: int) -> Iterator[dict[str, np.ndarray]]:
    """Pieces of ``size`` rows; the last one is filled up with zeros.

    Raises RoasteryError for arrays of different lengths.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise RoasteryError(f"the arrays have different numbers of rows: {lengths}")
    total = next(iter(lengths.values()), 0)
    for begin in range(0, total, size):
        piece = {name: np.asarray(array[begin : begin + size]) for name, array in arrays.items()}
        missing = size - (min(total, begin + size) - begin)
        if missing:
            piece = {
                name: np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])
                for name, rows in piece.items()
            }
        yield piece


class Collected:
    """Copies of what each pass gives, joined along the first axis."""

    def __init__(self) -> None:
        self._parts: dict[str, list[np.ndarray]] = {}

    def add(self, arrays: Mapping[str, np.ndarray]) -> None:
        for name, array in arrays.items():
            self._parts.setdefault(name, []).append(np.array(array, ndmin=1))

    def joined(self, rows: int | None, size: int) -> dict[str, np.ndarray]:
        """All of it; of what has a row for each input, only the first ``rows``.

        Args:
            rows: how many inputs there were (None: keep everything). size: the batch size.
        """
        result = {}
        for name, parts in self._parts.items():
            whole = np.concatenate(parts)
            per_input = all(len(part) == size for part in parts)
            result[name] = whole[:rows] if per_input and rows is not None else whole
        return result
