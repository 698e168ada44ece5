"""One net at one batch and number of threads: outputs compared, then times taken in turn."""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .child import Child, Failed
from .contenders import ROASTERY, Entry

Results = Mapping[str, np.ndarray]

_PAUSE = 0.02
"""Seconds after which the threads of one contender, which may spin, leave the next one alone."""


@dataclass
class Bout:
    """What was found.

    Attributes:
        milliseconds: the median of a pass, by contender, in its fastest setting.
        setting: which that was, where there are several.
        differences: from Roastery's results, by contender: relative, of all probabilities by
            norms; of a training pass that of the loss, or of all diffs by norms. Of several
            settings that of the nearest: PyTorch's channels_last sums less exactly.
        remarks: why somebody did not take part.
    """

    net: str
    batch: int
    threads: int
    trains: bool
    milliseconds: dict[str, float] = field(default_factory=dict)
    setting: dict[str, str] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def ratio(self, other: str) -> float | None:
        """How many times as fast as another one Roastery is."""
        if not {ROASTERY, other} <= self.milliseconds.keys():
            return None
        return self.milliseconds[other] / self.milliseconds[ROASTERY]


def fight(
    bout: Bout,
    entries: Sequence[Entry],
    job: Path,
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> None:
    """Fill in what is found.

    Args:
        seconds: of a contender's turn; it has at least two passes.
        tell: what is being done.
    """
    with contextlib.ExitStack() as stack:
        children = []
        for entry in entries:
            tell(f"{entry} loads")
            try:
                children.append(stack.enter_context(Child(entry, job, bout.threads)))
            except Failed as error:
                bout.remarks.append(str(error))
        _compare(bout, children)
        times: dict[Entry, list[float]] = {child.entry: [] for child in children}
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            for child in list(children):
                try:
                    times[child.entry] += child.seconds(seconds, 2)
                except Failed as error:
                    bout.remarks.append(str(error))
                    children.remove(child)
                time.sleep(_PAUSE)
    for entry, found in times.items():
        median = 1e3 * statistics.median(found or [math.inf])
        if median < bout.milliseconds.get(entry.name, float("inf")):
            bout.milliseconds[entry.name] = median
            bout.setting[entry.name] = entry.setting


def _compare(bout: Bout, children: Sequence[Child]) -> None:
    ours = next((child.results for child in children if child.entry.name == ROASTERY), None)
    if ours is None:
        return
    for child in children:
        if child.entry.name != ROASTERY:
            name, found = child.entry.name, _difference(child.results, ours)
            bout.differences[name] = min(found, bout.differences.get(name, math.inf))


def _difference(theirs: Results, ours: Results) -> float:
    """The larger of those of a loss and of all else, by norms: where diffs nearly cancel out, what
    is left is rounding."""
    off = loss = total = 0.0
    for name, array in ours.items():
        want = theirs[name].reshape(array.shape).astype(np.float64)
        if array.ndim:
            off += float(np.square(want - array).sum())
            total += float(np.square(want).sum())
        else:
            loss = float(abs(want - array) / max(abs(want), 1e-30))
    return max(loss, math.sqrt(off / max(total, 1e-30)))
