"""Where curves stop being finite."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .curves import Curve, Panels

#: What is larger is no number that a net computed, and more than an axis can show.
LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Mark:
    """The first value of a curve that is NaN, or the first that is infinite."""

    label: str
    word: str
    iteration: int
    seconds: float

    @property
    def text(self) -> str:
        """What a person reads."""
        return f"{self.word} from iteration {self.iteration} on"


def is_finite(value: float) -> bool:
    """Whether a value can be drawn."""
    return -LARGEST < value < LARGEST


def find_marks(panels: Panels) -> list[Mark]:
    """The marks of all curves of all panels."""
    return [
        mark
        for curves in panels.values()
        for label, curve in curves.items()
        for mark in curve_marks(label, curve)
    ]


def curve_marks(label: str, curve: Curve) -> Iterator[Mark]:
    """At most two: where NaN began, and where infinite values began."""
    seen = set()
    for at, value in enumerate(curve.values):
        if not is_finite(value):
            word = "NaN" if math.isnan(value) else "infinite"
            if word not in seen:
                seen.add(word)
                yield Mark(label, word, curve.iterations[at], curve.seconds[at])
