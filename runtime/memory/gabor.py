"""Gabor filters: the banks that Intel's Caffe starts first convolutions with.

intel/caffe: include/caffe/gabor.hpp. A bank belongs to a number of filters of a size: those of
CIFAR-10's quick net, GoogLeNet, VGG and AlexNet. Filters of three channels are one plane, a wave
under a bell, times a weight for each channel. With x and y from -1 to 1, it is
strength * exp(-(x² + y²) / (2 spread²)) * cos(frequency * (x cos(angle) - y sin(angle)) + phase).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np

Colors = tuple[float, float, float]
"""The weights of the three channels."""

_GREY: Colors = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Gabor:
    """One filter; see the formula above."""

    strength: float
    spread: float
    frequency: float
    angle: float = 0.0
    phase: float = 0.0
    colors: Colors = _GREY

    def plane(self, size: int) -> np.ndarray:
        """(size, size) values in double precision."""
        along = 2.0 * np.arange(size) / (size - 1) - 1.0
        y, x = along[:, np.newaxis], along
        bell = np.exp(-(x * x + y * y) / (2.0 * self.spread * self.spread))
        place = x * np.cos(self.angle) - y * np.sin(self.angle)
        wave: np.ndarray = np.cos(place * self.frequency + self.phase)
        return self.strength * bell * wave


def gabor_filters(count: int, size: int) -> np.ndarray | None:
    """(count, 3, size, size) float32; None where there is no bank of so many of that size."""
    bank = _BANKS.get((count, size))
    if bank is None:
        return None
    filters = [bank(number, pi * (size - 1) / 2) for number in range(count)]
    planes = np.stack([each.plane(size) for each in filters])
    colors = np.array([each.colors for each in filters])
    return (colors[:, :, np.newaxis, np.newaxis] * planes[:, np.newaxis]).astype(np.float32)


def known_banks() -> list[tuple[int, int]]:
    """How many filters of which size there are banks of."""
    return list(_BANKS)


Bank = Callable[[int, float], Gabor]
"""A filter by its number, and by the frequency that goes with its size."""


def _cifar(number: int, high: float) -> Gabor:
    plain = Gabor(0.5, 0.6, high)
    if number < 8:
        return replace(plain, angle=number * pi / 8)
    if number < 14:
        return replace(plain, frequency=high / 2, angle=(number - 2) % 6 * pi / 6 + pi / 12)
    if number < 16:
        phase = number % 2 * pi
        return Gabor(0.5, 0.75, high / 8, phase=phase, colors=(1.0, -1.0, 1.0))
    edge = replace(plain, frequency=high / 4, phase=pi / 2)
    corner, half = number % 4 * pi / 2 + pi / 4, number % 2 * pi / 2 + pi / 4
    if number < 20:
        return replace(edge, angle=corner + pi / 8)
    if number < 24:
        return replace(edge, angle=corner + pi / 8, colors=(1.0, 0.0, -1.0))
    if number < 28:
        return replace(edge, angle=corner + pi / 8, colors=(-1.0, 1.0, 1.0))
    if number < 30:
        return replace(edge, angle=half - pi / 8, colors=(-1.0, 1.0, -1.0))
    return replace(edge, angle=half + pi / 8, colors=(1.0, 1.0, 0.0))


def _googlenet(number: int, high: float) -> Gabor:
    if number < 32:
        return _waves(number, high, Gabor(1.0, 0.4, high), pi / 4)
    if number < 40:
        return Gabor(0.5, 0.45, high, angle=number % 8 * pi / 8, phase=pi)
    if number < 46:
        return _blob(1.0, (number - 1) // 3, (number - 1) % 3)
    if number < 48:
        edge = Gabor(2 / 3, 1.0, high / 12, angle=number % 8 * pi + pi / 8)
        return replace(edge, phase=pi / 2, colors=(1.0, 0.1, -0.5))
    edge = Gabor(2 / 3, 1.0, high / 12, phase=pi / 2)
    if number < 56:
        return replace(edge, angle=number % 8 * pi / 4 + pi / 32, colors=(-0.5, 0.1, 1.0))
    edge = replace(edge, angle=number % 8 * pi / 2 + pi / 8)
    if number < 60:
        return replace(edge, strength=1.0, colors=(0.25, -1.0, 1.0))
    return replace(edge, colors=(-1.0, -1.0, 1.0))


def _vgg(number: int, high: float) -> Gabor:
    return replace(_googlenet(number, high), spread=1.0)


_ALEXNET: Sequence[tuple[int, Gabor, tuple[int, float, float]]] = (
    # Up to which number; strength in thirds, spread, frequency in parts of the highest, colors;
    # the angle: number modulo the first, times the second, plus the third.
    (60, Gabor(1 / 1.5, 0.75, 1 / 8, colors=(-1.0, 1.0, -0.5)), (4, pi / 2, pi / 8)),
    (64, Gabor(1 / 3, 2.0, 1 / 8, colors=(1.0, -0.5, -0.75)), (4, pi / 2, pi / 8)),
    (72, Gabor(1 / 1.5, 0.75, 1 / 4, colors=(1.0, 0.1, -0.75)), (8, pi / 4, pi / 32)),
    (80, Gabor(1 / 1.5, 1.0, 1 / 12, colors=(-0.5, 0.1, 1.0)), (8, pi / 4, pi / 32)),
    (88, Gabor(1 / 2.5, 1.0, 1 / 8, colors=(-1.0, -1.0, 1.0)), (8, pi / 4, pi / 32)),
    (92, Gabor(1.0, 0.6, 1 / 16), (4, pi / 2, pi / 16)),
    (96, Gabor(1 / 4, 0.75, 1 / 4, colors=(-1.0, -1.0, 1.0)), (8, pi / 4, pi / 32)),
)


def _alexnet(number: int, high: float) -> Gabor:
    if number < 48:
        return _waves(number, high, Gabor(1 / 3, 0.5, high), pi / 6)
    if number < 56:
        return _blob(1 / 3, number // 4, number % 4)
    _, found, (every, step, start) = next(row for row in _ALEXNET if number < row[0])
    return replace(
        found,
        strength=found.strength / 3,
        frequency=found.frequency * high,
        angle=number % every * step + start,
        phase=pi / 2,
    )


def _waves(number: int, high: float, first: Gabor, turn: float) -> Gabor:
    """Eight filters of falling frequency for each angle, every second one turned round."""
    lower = number % 8
    return replace(
        first,
        strength=first.strength / (1 + lower / 8),
        spread=first.spread + 0.2 * lower / 8,
        frequency=high / (1 + lower / 2),
        angle=number // 8 * turn,
        phase=number % 2 * pi + pi * 12 / 32,
    )


def _blob(strength: float, halves: int, smaller: int) -> Gabor:
    """A spot of colour, or the lack of one."""
    return Gabor(
        strength / (1 + smaller / 2),
        1 / (2.5 - smaller / 2),
        pi / 4,
        phase=halves * pi,
        colors=(0.25, -1.0, 1.0),
    )


_BANKS: Mapping[tuple[int, int], Bank] = {
    (32, 5): _cifar,
    (64, 7): _googlenet,
    (64, 3): _vgg,
    (96, 11): _alexnet,
}
