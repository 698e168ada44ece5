"""Winograd's minimal filtering: matrices that make a correlation of products of numbers.

``y = A^T [(G w) * (B^T x)]`` are ``tile`` results of a window of ``TAPS`` over ``tile + TAPS - 1``
inputs, by so many products instead of ``tile * TAPS``. In two dimensions matrices stand on either
side: ``A^T [(G w G^T) * (B^T x B)] A``.

Sources: S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast
Algorithms for Convolutional Neural Networks, 2016. The points are those by which float32 loses
least (B. Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution for
Deep Neural Networks, 2020).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .patches import Matrix

TAPS = 3
POINTS = {2: (0, 1, -1), 4: (0, 1, -1, Fraction(1, 2), -2)}
"""By the results of a tile, where polynomials are evaluated; also at infinity."""

CHANNELS = {2: 4096, 4: 512}
"""By the results of a tile, for how many channels of inputs its error is stated."""

ERRORS = {2: 3e-6, 4: 8e-6}
"""By the results of a tile, how far results are at most from those of exact arithmetic, of the
largest, for weights and inputs as nets have them; a direct sum of 512 channels has 2e-6."""


class Winograd(NamedTuple):
    """``results`` (A^T): tile x t. ``weights`` (G): t x TAPS. ``inputs`` (B^T): t x t."""

    results: Matrix
    weights: Matrix
    inputs: Matrix


def inputs_of(tile: int) -> int:
    """Inputs, and products, of a tile along one axis."""
    return tile + TAPS - 1


@functools.cache
def matrices(tile: int) -> Winograd:
    """Those of a size of tile, one of :data:`POINTS`."""
    points = [Fraction(p) for p in POINTS[tile]]
    count = len(points) + 1
    results = [[p**j for p in points] + [Fraction(j == tile - 1)] for j in range(tile)]
    weights, inputs = [], []
    for i, point in enumerate(points):
        others = points[:i] + points[i + 1 :]
        scale = Fraction(1)
        for other in others:
            scale *= point - other
        weights.append([point**j / scale for j in range(TAPS)])
        inputs.append(_polynomial(others, count))
    weights.append([Fraction(j == TAPS - 1) for j in range(TAPS)])
    inputs.append(_polynomial(points, count))
    return Winograd(_numbers(results), _numbers(weights), _numbers(inputs))


def _polynomial(roots: Sequence[Fraction], count: int) -> list[Fraction]:
    """Coefficients, from the lowest power on, of that which is 0 at the roots and begins by 1."""
    found = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *found]
        found = [a - root * b for a, b in zip(shifted, [*found, Fraction(0)], strict=True)]
    return found + [Fraction(0)] * (count - len(found))


def _numbers(rows: Sequence[Sequence[Fraction]]) -> Matrix:
    return tuple(tuple(float(x) for x in row) for row in rows)
