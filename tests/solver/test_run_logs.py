"""The log of a run is Caffe's, line by line, apart from times, rates, and what fillers drew."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from roastery.tools.log_reader import read_log

Run = Callable[..., str]

_PREFIX = re.compile(r"^([IWEF])\d{4} [\d:.]+ +\d+ (\S+\] ?)(.*)$")
_TIME = re.compile(r"-?\d+\.?\d*(e[+-]?\d+)?(?= iter/s|s/\d+ iters| ms)")
_RATE = re.compile(r"(?<= ms\.) [\d.e+]+ GFLOP/s(, \d+% of peak)?$")
"""What Caffe does not show: how much of what the device can do a layer reaches."""

_DRAWN = re.compile(r"output #|loss|Batch|accuracy =|\[Forward\]|\[Backward\]|clipping")
_NUMBER = re.compile(r"(= |: |norm |factor |\(|, |> )-?\d+\.?\d*(e[+-]?\d+)?")

RUNS = {
    "one_test.log": ("train", "--solver=one_test_solver.prototxt"),
    "main.log": ("train", "--solver=main_solver.prototxt"),
    "debug_info.log": ("train", "--solver=debug_solver.prototxt"),
    "clip_gradients.log": ("train", "--solver=clip_solver.prototxt"),
    "multistep.log": ("train", "--solver=multistep_solver.prototxt"),
    "resume.log": (
        "train",
        "--solver=main_solver.prototxt",
        "--snapshot=main_iter_25.solverstate",
    ),
    "test.log": (
        "test",
        "--model=train_test.prototxt",
        "--weights=main_iter_50.caffemodel",
        "--iterations=6",
    ),
    "time.log": ("time", "--model=train_test.prototxt", "--iterations=3"),
    "time_test_phase.log": (
        "time",
        "--model=train_test.prototxt",
        "--phase=TEST",
        "--iterations=2",
    ),
}

EXACT = ("resume.log", "test.log")
"""Runs that start from recorded weights: their losses are Caffe's too."""


def lines(text: str, *, exact: bool) -> list[str]:
    """A log without times, rates, threads, what hangs on drawn numbers or another thread says."""
    result = []
    for line in text.splitlines():
        if "Restarting data prefetching" in line:
            continue
        found = _PREFIX.match(line)
        kept = " ".join(found.groups()) if found else line
        kept = _TIME.sub("T", _RATE.sub("", kept))
        if not exact and _DRAWN.search(kept):
            kept = _NUMBER.sub(r"\1N", kept)
        result.append(kept)
    return result


@pytest.mark.parametrize("name", RUNS)
def test_log_is_caffes(name: str, data_dir: Path, log_folder: Path, roastery: Run) -> None:
    ours = lines(roastery(*RUNS[name]), exact=name in EXACT)
    theirs = lines((data_dir / "logs" / name).read_text(), exact=name in EXACT)
    assert ours == theirs


def test_end_of_the_data_is_logged(log_folder: Path, roastery: Run) -> None:
    log = roastery(*RUNS["one_test.log"])
    assert "data_layer.cpp:73] Restarting data prefetching from start." in log


def test_a_log_can_be_plotted(log_folder: Path, roastery: Run) -> None:
    (log_folder / "train.log").write_text(roastery(*RUNS["one_test.log"]))
    points = read_log(log_folder / "train.log")
    assert {p.iteration for p in points if p.kind == "test"} == {0, 20, 40}


def test_json_log(log_folder: Path, roastery: Run) -> None:
    import json

    roastery(*RUNS["one_test.log"], "--log-json=run.json")
    events = [json.loads(line) for line in (log_folder / "run.json").read_text().splitlines()]
    tests = [event for event in events if event["event"] == "test"]
    assert [event["iteration"] for event in tests] == [0, 20, 40]
    assert set(tests[0]["outputs"]) == {"accuracy", "loss"}


def test_layerwise_and_fused_times(log_folder: Path, roastery: Run) -> None:
    log = roastery("time", "--model=train_test.prototxt", "--fused", "--iterations=1")
    assert "Average Forward-Backward" in log
    assert "Average time per layer" not in log
