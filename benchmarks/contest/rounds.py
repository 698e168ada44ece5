"""One net at one batch and number of threads: outputs compared, then times taken in turn."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .child import Child, Failed
from .contenders import ROASTERY, Entry

_PAUSE = 0.02
"""Seconds after which the threads of one contender, which may spin, leave the next one alone."""


@dataclass
class Bout:
    """What was found.

    Attributes:
        milliseconds: the median of a pass, by contender, in its fastest setting.
        setting: which that was, where there are several.
        differences: from Roastery's results, by contender: the largest, relative to the largest
            element; of diffs, by norms.
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
            for child in children:
                times[child.entry] += child.seconds(seconds, 2)
                time.sleep(_PAUSE)
    for entry, found in times.items():
        median = 1e3 * statistics.median(found)
        if median < bout.milliseconds.get(entry.name, float("inf")):
            bout.milliseconds[entry.name] = median
            bout.setting[entry.name] = entry.setting


def _compare(bout: Bout, children: Sequence[Child]) -> None:
    ours = next((child.results for child in children if child.entry.name == ROASTERY), None)
    for child in children if ours else ():
        assert ours is not None
        worst = max(_difference(child.results[name], ours[name]) for name in ours)
        before = bout.differences.get(child.entry.name, 0.0)
        bout.differences[child.entry.name] = max(worst, before)
    bout.differences.pop(ROASTERY, None)


def _difference(theirs: np.ndarray, ours: np.ndarray) -> float:
    theirs, ours = theirs.reshape(ours.shape).astype(np.float64), ours.astype(np.float64)
    if ours.ndim:
        size = np.linalg.norm(theirs)
        return float(np.linalg.norm(theirs - ours) / size) if size else float(np.abs(ours).max())
    return float(abs(theirs - ours) / max(abs(theirs), 1e-30))
