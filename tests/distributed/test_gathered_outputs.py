"""What ranks found in their batches of a test, put together."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import pytest

from runtime.distributed.ranks import Alone
from runtime.distributed.same_state import mean_outputs
from runtime.logging.solver_lines import NetOutput
from runtime.solver.average_precision import DetectionScores
from runtime.solver.class_overlaps import ClassOverlaps
from runtime.solver.means import OutputMean
from runtime.solver.smoothing import SmoothedLoss

T = TypeVar("T")


def test_means_of_outputs() -> None:
    whole, *parts = (OutputMean() for _ in range(3))
    for number, values in enumerate([[1.0], [2.0, 5.0], [4.0, 1.0, 7.0], [0.5]]):
        whole.add(values)
        parts[number % 2].add(values)
    parts[0].join(parts[1])
    assert parts[0].values == whole.values


def test_detections() -> None:
    draw = np.random.default_rng(0)
    whole, *parts = (DetectionScores() for _ in range(3))
    for number in range(6):
        rows = np.zeros((9, 5), np.float32)
        rows[:3] = [[-1, label, 3, 0, 0] for label in (1, 2, 3 + number % 2)]
        rows[3:, 1] = draw.integers(1, 4, 6)
        rows[3:, 2] = draw.random(6)
        rows[3:, 3] = draw.integers(0, 2, 6)
        rows[3:, 4] = 1 - rows[3:, 3]
        whole.add(rows)
        parts[number % 2].add(rows)
    parts[0].join(parts[1])
    assert parts[0].numbers == whole.numbers
    for version in ("Integral", "11point", "MaxIntegral"):
        assert parts[0].precisions(version) == whole.precisions(version)


def test_overlaps_of_classes() -> None:
    whole, *parts = (ClassOverlaps() for _ in range(3))
    pictures = [[0.5, -1.0], [0.25, 0.5, 1.0], [-1.0, 0.75]]
    for number, values in enumerate(pictures):
        whole.add(np.array(values, np.float32))
        parts[number % 2].add(np.array(values, np.float32))
    parts[1].join(parts[0])
    np.testing.assert_array_equal(parts[1].means, whole.means)
    np.testing.assert_array_equal(parts[1].counts, whole.counts)


class Two(Alone):
    """This rank, and another one that has other numbers."""

    count = 2

    def __init__(self, other: Any) -> None:
        self._other = other

    def gathered(self, value: T) -> list[T]:
        return [value, self._other]


def test_outputs_in_the_log() -> None:
    mine = [NetOutput("a", (1.0,), 1.0), NetOutput("b", (2.0, 4.0), 0.0)]
    found = mean_outputs(Two([(3.0,), (4.0,)]), mine)
    assert [output.values for output in found] == [(2.0,), (2.0, 4.0)]
    assert [(o.name, o.loss_weight) for o in found] == [("a", 1.0), ("b", 0.0)]
    assert mean_outputs(Alone(), mine) == mine


def test_smoothed_losses() -> None:
    losses = np.random.default_rng(1).random((7, 2)).astype(np.float32)
    one, two, both = (SmoothedLoss(3) for _ in range(3))
    for first, second in losses:
        one.update(first)
        two.update(second)
        both.update((first + second) / 2)
    others = iter([float(v) for v in (*two._losses, two.value)])
    one.average(lambda numbers: [(mine + next(others)) / 2 for mine in numbers])
    assert float(one.value) == pytest.approx(float(both.value), rel=1e-6)
    for loss in (0.5, 0.25):
        one.update(loss)
        both.update(loss)
    assert float(one.value) == pytest.approx(float(both.value), rel=1e-6)
