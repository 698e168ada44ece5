"""Learning rates against values computed by hand and those that Caffe logged."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from ir.errors import RoasteryError
from ir.location import Location
from runtime.logging import format_number
from runtime.solver.learning_rate import LearningRate, LearningRateConfig


def rates(iterations: list[int], **config: Any) -> list[float]:
    rate = LearningRate(LearningRateConfig(**config))
    return [rate(iteration) for iteration in iterations]


def test_fixed() -> None:
    assert rates([0, 10, 10**6], policy="fixed", base_lr=0.5) == [0.5, 0.5, 0.5]


def test_step() -> None:
    values = rates([0, 9, 10, 19, 20, 40], policy="step", base_lr=1, gamma=0.5, stepsize=10)
    assert values == [1, 1, 0.5, 0.5, 0.25, 0.0625]


def test_step_keeps_the_current_step_for_snapshots() -> None:
    rate = LearningRate(LearningRateConfig("step", 1, gamma=0.1, stepsize=10))
    rate(35)
    assert rate.current_step == 3


def test_exp() -> None:
    assert rates([0, 1, 3], policy="exp", base_lr=8, gamma=0.5) == [8, 4, 1]


def test_inv() -> None:
    # LeNet's schedule: 0.01 * (1 + 0.0001 * 100) ^ -0.75
    values = rates([0, 100, 10000], policy="inv", base_lr=0.01, gamma=0.0001, power=0.75)
    assert [format_number(value) for value in values] == ["0.01", "0.00992565", "0.00594604"]


def test_poly() -> None:
    values = rates([0, 50, 75, 100, 120], policy="poly", base_lr=2, power=2, max_iter=100)
    assert values == [2, 0.5, 0.125, 0, 0]


def test_sigmoid() -> None:
    values = rates([0, 100, 200], policy="sigmoid", base_lr=1, gamma=-0.0, stepsize=100) + rates(
        [100, 10**9, 0], policy="sigmoid", base_lr=1, gamma=0.1, stepsize=100
    )
    assert values[:3] == [0.5, 0.5, 0.5]
    assert values[3:5] == [0.5, 1.0]
    assert values[5] == pytest.approx(1 / (1 + math.exp(10)), rel=1e-6)


def test_sigmoid_far_before_its_middle() -> None:
    assert rates([0], policy="sigmoid", base_lr=1, gamma=1, stepsize=10**6) == [0]


def test_multistep_takes_one_step_per_iteration() -> None:
    steps: list[tuple[int, int]] = []
    config = LearningRateConfig("multistep", 1, gamma=0.5, stepvalue=(2, 2, 4))
    rate = LearningRate(config, on_step=lambda iteration, step, _: steps.append((iteration, step)))
    assert [rate(iteration) for iteration in range(6)] == [1, 1, 0.5, 0.25, 0.125, 0.125]
    assert steps == [(2, 1), (3, 2), (4, 3)]


def test_multistep_resumes_from_its_step() -> None:
    rate = LearningRate(LearningRateConfig("multistep", 1, gamma=0.5, stepvalue=(2, 4)))
    rate.current_step = 1
    assert [rate(3), rate(4)] == [0.5, 0.25]


def test_rates_are_float32() -> None:
    (value,) = rates([0], policy="fixed", base_lr=0.1)
    assert value == 0.10000000149011612


def test_overflow_is_infinite() -> None:
    assert rates([10**6], policy="exp", base_lr=1, gamma=10) == [math.inf]


@pytest.mark.parametrize(
    ("log", "config"),
    [
        ("main", {"policy": "step", "base_lr": 0.02, "gamma": 0.1, "stepsize": 20}),
        ("sigint", {"policy": "step", "base_lr": 0.02, "gamma": 0.1, "stepsize": 20}),
        ("multistep", {"policy": "multistep", "base_lr": 0.02, "gamma": 0.1, "stepvalue": (4, 7)}),
    ],
)
def test_rates_that_caffe_logged(log: str, config: dict[str, Any], data_dir: Path) -> None:
    text = (data_dir / "logs" / f"{log}.log").read_text()
    logged = {int(i): lr for i, lr in re.findall(r"Iteration (\d+), lr = (\S+)", text)}
    rate = LearningRate(LearningRateConfig(**config))
    ours = {iteration: format_number(rate(iteration)) for iteration in range(max(logged) + 1)}
    assert len(logged) >= 3
    assert {iteration: ours[iteration] for iteration in logged} == logged


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"policy": "stp"},
            r"unknown lr_policy 'stp'(.|\n)*did you mean 'step'\? known: fixed, step",
        ),
        ({"policy": "cosine"}, r"unknown lr_policy 'cosine'(.|\n)*known: fixed"),
        ({"policy": ""}, "has no lr_policy"),
        ({"policy": "plateau", "gamma": 0.1, "plateau_winsize": (5, 0)}, "winsize is 5, 0"),
        ({"policy": "step", "gamma": 0.1}, "needs a stepsize above 0, and it is 0"),
        ({"policy": "sigmoid", "gamma": 0.1, "stepsize": -5}, "above 0, and it is -5"),
        ({"policy": "step", "gamma": -1.0, "stepsize": 1}, "gamma of 0 or more, and it is -1"),
        ({"policy": "exp", "gamma": math.nan}, "gamma of 0 or more, and it is nan"),
        ({"policy": "multistep", "gamma": 0.1, "stepvalue": (4, 2)}, "they fall: 4, 2"),
        ({"policy": "poly", "power": 1}, "max_iter, which must be above 0 and is 0"),
    ],
)
def test_mistakes(config: dict[str, Any], message: str) -> None:
    with pytest.raises(RoasteryError) as caught:
        LearningRate(LearningRateConfig(base_lr=0.1, **config))
    assert re.search(message, str(caught.value))


def test_mistakes_name_the_place() -> None:
    where = Location("solver.prototxt", 3, 1)
    with pytest.raises(RoasteryError, match=r"^solver\.prototxt:3:1: unknown lr_policy"):
        LearningRate(LearningRateConfig("x", 0.1, location=where))
