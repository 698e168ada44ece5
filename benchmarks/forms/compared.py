"""How far results are from those of the compiled net."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ir.errors import RoasteryError

from .makers import Arrays, Exported, Maker
from .nets import FormNet, Shapes


def results_at(
    net: FormNet, exported: Exported, maker: Maker, sizes: Sequence[Shapes]
) -> Iterator[Arrays]:
    """At all sizes by one file, where sizes may change."""
    with contextlib.ExitStack() as held:
        for number, shapes in enumerate(sizes):
            if number == 0 or not net.dynamic:
                run = held.enter_context(maker(replace(exported, shapes=shapes)))
            yield run(net.inputs(shapes))


def far(ours: Arrays, theirs: Arrays) -> float:
    """The largest difference of any result, of that result's largest element.

    Raises RoasteryError where a result has another shape.
    """
    worst = 0.0
    for name, value in ours.items():
        other = _of_that_name(theirs, name)
        if other.shape != value.shape:
            raise RoasteryError(f"{name}: {list(other.shape)}, not {list(value.shape)}")
        largest = float(np.abs(value).max(initial=0.0)) or 1.0
        worst = max(worst, float(np.abs(value - other).max(initial=0.0)) / largest)
    return worst


def _of_that_name(results: Arrays, name: str) -> np.ndarray:
    """A module for PyTorch of one result gives it no name."""
    return results[name] if name in results else next(iter(results.values()))


def told(ours: Arrays, theirs: Arrays) -> str:
    """A cell of a table: "the same" where no bit of any result differs."""
    distance = far(ours, theirs)
    pairs = [(value, _of_that_name(theirs, name)) for name, value in ours.items()]
    if all(value.tobytes() == other.tobytes() for value, other in pairs):
        return "the same"
    return f"{distance:.1e}"
