"""What a task is: nets with what goes before and after them, and what comes out in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.forms.makers import Run


@dataclass(frozen=True)
class Found:
    """The end results of one picture, or of all of them together.

    Attributes:
        words: what is found or not found: classes, texts, who is who.
        numbers: what is measured: boxes, scores, likeness.
    """

    words: tuple[object, ...] = ()
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(0))


class Task(Protocol):
    """Attributes:
    name: what the table calls it.
    nets: the names of the nets that it needs.
    unit: of the numbers.
    """

    name: str
    nets: tuple[str, ...]
    unit: str

    def find(self, nets: Mapping[str, Run], folder: Path) -> Sequence[Found]:
        """The end results, of pictures in a folder. Raises FileNotFoundError."""
        ...

    def told(self, found: Sequence[Found]) -> str:
        """What was found, in a few words."""
        ...


def compared(ours: Sequence[Found], theirs: Sequence[Found]) -> str:
    """A cell of the table: whether the same was found, and how far the numbers are."""
    differ = [
        number
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True))
        if one.words != other.words or one.numbers.shape != other.numbers.shape
    ]
    if differ:
        return f"differs in {len(differ)} of {len(ours)}"
    away = max(
        float(np.abs(one.numbers - other.numbers).max(initial=0.0))
        for one, other in zip(ours, theirs, strict=True)
    )
    return "the same" if away == 0 else f"the same, within {away:.0e}"
