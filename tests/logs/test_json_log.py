"""``--log-json``: the events of a run as one JSON object per line."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir.errors import RoasteryError
from runtime.logging import CaffeLog, NetOutput


def entries(path: Path) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    text = path.read_text(encoding="utf-8")
    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.json"


def test_one_object_per_displayed_iteration(path: Path) -> None:
    text = io.StringIO()
    with CaffeLog.open(text, json_path=path) as log:
        log.solving("LeNet", "multistep")
        log.iteration(100, 0.25, done=100, seconds=2.0, display=100)
        log.train_outputs(
            [NetOutput("loss", (float(np.float32(0.5)),), 1.0), NetOutput("p", (1, 2, 3))]
        )
        log.learning_rate_step(100, 1)
        log.learning_rate(100, 0.01)
        log.snapshotting("x.caffemodel")
    solving, step, train, snapshot = entries(path)
    assert solving.pop("seconds") == 0
    assert solving == {"event": "solving", "net": "LeNet", "policy": "multistep"}
    assert (step["event"], step["step"]) == ("learning_rate_step", 1)
    assert train.pop("seconds") >= 0
    assert train == {
        "event": "train",
        "iteration": 100,
        "loss": 0.25,
        "iterations_per_second": 50.0,
        "outputs": {"loss": 0.5, "p": [1.0, 2.0, 3.0]},
        "lr": 0.01,
    }
    assert snapshot["path"] == "x.caffemodel"
    assert "Iteration 100 (50 iter/s, 2s/100 iters), loss = 0.25\n" in text.getvalue()


def test_one_object_per_test_net(path: Path) -> None:
    with CaffeLog.open(io.StringIO(), json_path=path) as log:
        for net, accuracy in enumerate((0.75, 0.5)):
            log.testing_net(20, net)
            log.test_loss(1.5)
            log.test_output(0, "accuracy", accuracy)
        log.optimization_done()
    first, second, done = entries(path)
    first.pop("seconds")
    assert first == {
        "event": "test",
        "iteration": 20,
        "net": 0,
        "loss": 1.5,
        "outputs": {"accuracy": 0.75},
    }
    assert (second["net"], second["outputs"]) == (1, {"accuracy": 0.5})
    assert done["event"] == "done"


def test_an_interrupted_run_keeps_what_it_said(path: Path) -> None:
    with CaffeLog.open(io.StringIO(), json_path=path) as log:
        log.iteration(5, 1.0, done=5, seconds=1, display=5)
    (train,) = entries(path)
    assert (train["event"], train["iteration"]) == ("train", 5)


def test_numbers_that_json_lacks(path: Path) -> None:
    with CaffeLog.open(io.StringIO(), json_path=path) as log:
        for value in (math.nan, math.inf, -math.inf):
            log.mean_loss(value)
    assert [entry["loss"] for entry in entries(path)] == ["NaN", "Infinity", "-Infinity"]


def test_warnings_are_kept_and_other_words_are_not(path: Path) -> None:
    with CaffeLog.open(io.StringIO(), json_path=path) as log:
        log.note("by the way")
        log.initialization_done()
        log.warning("the loss is not a number")
    (entry,) = entries(path)
    assert (entry["event"], entry["severity"]) == ("message", "WARNING")
    assert entry["text"] == "the loss is not a number"


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"cannot write the JSON log .*No such file"):
        CaffeLog.open(json_path=tmp_path / "missing" / "log.json")
