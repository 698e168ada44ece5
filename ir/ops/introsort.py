"""The order in which C++ programs leave equal elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..op import Op, Property, register, require
from ..types import I32, TensorType

SHORT = 16
"""Runs of so many elements are left to the insertion sort at the end."""


@register
@dataclass(frozen=True)
class IntroSort(Op):
    """(x[R, K], marked i32[R, K], wanted i32[R]) -> i32[R, k]: where the largest of x are.

    Of each row that is wanted, the places of the ``k`` largest elements that are marked (1), in
    the order in which ``std::sort`` by ``>`` leaves them: equal elements are moved about as
    libstdc++'s quicksort does. Beyond their number, and in other rows, 0. NaN is not marked.

    Whoever sorts so has no order of equal elements in mind, but what comes first is kept and what
    comes last is cut off. As quicksort with the median of three as pivot, runs of up to 16 elements
    sorted by insertion, at any depth.

    ``pivot``: ``median`` is that; ``first`` stands for a quicksort that people write themselves,
    whose pivot is the first element of a run, down to runs of one
    (luoyetx/mini-caffe: src/layers/proposal_layer.cpp).
    """

    k: int
    pivot: str = "median"
    name = "introsort"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, marked, wanted = inputs
        floats = x.dtype.is_float and not x.dtype.is_narrow
        require(x.rank == 2 and floats, f"rows of numbers, not {x}")
        require(marked == TensorType(x.shape, I32), f"{marked} marks {x}")
        require(wanted == TensorType(x.shape[:1], I32), f"{wanted} for rows of {x}")
        require(1 <= self.k <= x.shape[1], f"{self.k} largest of {x.shape}")
        require(self.pivot in ("median", "first"), f"unknown pivot {self.pivot!r}")
        return (TensorType((x.shape[0], self.k), I32),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, marked, wanted = inputs
        found = np.zeros(results[0].shape, np.int32)
        for row in np.flatnonzero(wanted):
            places = np.flatnonzero(marked[row] == 1)
            numbers = x[row][places].tolist()
            order = _sorted(numbers) if self.pivot == "median" else _by_first(numbers, self.k)
            order = order[: found.shape[1]]
            found[row, : len(order)] = places[order]
        return [found]


def _sorted(x: list[float]) -> list[int]:
    """The places of all elements, largest first."""
    order = list(range(len(x)))
    runs = [(0, len(x))]
    while runs:
        first, last = runs.pop()
        while last - first > SHORT:
            cut = _partition(x, order, first, last)
            runs.append((cut, last))
            last = cut
    for i in range(1, len(order)):
        _insert(x, order, i)
    return order


def _by_first(x: list[float], k: int) -> list[int]:
    """The places of all elements, the ``k`` largest first; those behind them in any order."""
    order = list(range(len(x)))
    runs = [(0, len(x))]
    while runs:
        first, last = runs.pop()
        while last - first > 1:
            pivot, left, right = order[first], first, last - 1
            while left < right:
                while left < right and x[order[right]] <= x[pivot]:
                    right -= 1
                order[left] = order[right]
                while left < right and x[order[left]] >= x[pivot]:
                    left += 1
                order[right] = order[left]
            order[left] = pivot
            if left + 1 < k:
                runs.append((left + 1, last))
            last = left
    return order


def _partition(x: list[float], order: list[int], first: int, last: int) -> int:
    """Larger ones to the left, smaller ones to the right of where it returns; equal ones to both.

    The pivot, the median of the second, the middle and the last element, ends up first.
    """
    low, middle, high = first + 1, first + (last - first) // 2, last - 1
    a, b, c = x[order[low]], x[order[middle]], x[order[high]]
    if a > b:
        median = middle if b > c else high if a > c else low
    else:
        median = low if a > c else high if b > c else middle
    order[first], order[median] = order[median], order[first]
    pivot = x[order[first]]
    left, right = first + 1, last
    while True:
        while x[order[left]] > pivot and left < last - 1:
            left += 1
        right -= 1
        while pivot > x[order[right]] and right > first:
            right -= 1
        if left >= right:
            return left
        order[left], order[right] = order[right], order[left]
        left += 1


def _insert(x: list[float], order: list[int], i: int) -> None:
    """An element to its place among those before it, behind equal ones."""
    moved = order[i]
    value = x[moved]
    while i > 0 and value > x[order[i - 1]]:
        order[i] = order[i - 1]
        i -= 1
    order[i] = moved
