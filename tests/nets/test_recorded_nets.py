"""Layers, shapes and parameters as Caffe reported them when it built the same nets."""

from __future__ import annotations

import json
import math
import re
import time
from pathlib import Path
from typing import Any

import pytest

from examples.googlenet.make_net import googlenet
from ir.program import LayerInfo, NetProgram
from roastery.reading import nets
from tests.support.lowering import lowered, program_of


def described(program: NetProgram, layer: LayerInfo) -> tuple[str, list[Any], list[Any]]:
    tops = [[t, list(v.shape)] for t, v in zip(layer.tops, layer.top_values, strict=True)]
    return layer.type, tops, [list(program.variables[c].type.shape) for c in layer.variables]


@pytest.fixture(scope="module")
def recorded(data_dir: Path) -> dict[str, Any]:
    text = (data_dir / "nets" / "bvlc_googlenet_deploy.json").read_text()
    result: dict[str, Any] = json.loads(text)
    return result


@pytest.fixture(scope="module")
def program() -> NetProgram:
    return lowered(googlenet(batch=10), "TEST")


def test_googlenet_has_the_recorded_layers(recorded: dict[str, Any], program: NetProgram) -> None:
    """Ours is written by a loop, ends in a loss and names its ReLUs otherwise; the rest agrees."""
    ours = {layer.name: described(program, layer) for layer in program.layers}
    theirs = {name: (kind, tops, params) for name, kind, tops, params in recorded["layers"]}
    missing = {name for name in theirs if "relu" not in name} - set(ours)
    ends = {"data", "pool5/7x7_s1", "pool5/drop_7x7_s1", "loss3/classifier", "prob"}
    assert missing <= ends
    common = [name for name in theirs if name in ours and name not in ends]
    assert len(common) >= 130
    assert {n: ours[n] for n in common} == {n: theirs[n] for n in common}
    splits = [n for n in common if theirs[n][0] == "Split"]
    assert len(splits) == 9, "one under every inception module"


def test_googlenet_counts(recorded: dict[str, Any], program: NetProgram) -> None:
    assert sum(math.prod(c.type.shape) for c in program.parameters) == recorded["parameter_count"]
    names = {name for name, *_ in recorded["layers"]}
    body = [layer for layer in program.layers if layer.name in names]
    ours = sum(v.type.size for layer in body for v in layer.top_values if "data" not in layer.tops)
    theirs = sum(
        math.prod(shape)
        for name, _, tops, _ in recorded["layers"]
        for _, shape in tops
        if name in {layer.name for layer in body} and name != "data"
    )
    assert ours == theirs


def test_lowering_is_fast() -> None:
    """A reshaped net is lowered again: it must not be felt. About 30 ms; Caffe has no such step."""
    text = googlenet()
    lowered(text)
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        lowered(text)
        best = min(best, time.perf_counter() - start)
    assert best < 1.5, "parsing and lowering together"


@pytest.mark.parametrize(("phase", "log"), [("TRAIN", "time.log"), ("TEST", "time_test_phase.log")])
def test_backward_as_caffe_logged_it(
    phase: str, log: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which layers Caffe found to need backward, Splits included, last layer first."""
    monkeypatch.chdir(data_dir / "log_runs")
    text = (data_dir / "logs" / log).read_text()
    lines = re.findall(r"\] (\S+) (needs|does not need) backward computation", text)
    assert len(lines) > 8
    net = nets.read_net("train_test.prototxt")
    program = program_of(net, phase)
    ours = [
        (layer.name, "needs" if layer.needs_backward else "does not need")
        for layer in reversed(program.layers)
    ]
    assert ours == lines


def test_memory_as_caffe_logged_it(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data_dir / "log_runs")
    text = (data_dir / "logs" / "time.log").read_text()
    last = re.findall(r"Memory required for data: (\d+)", text)[-1]
    net = nets.read_net("train_test.prototxt")
    program = program_of(net, "TRAIN")
    assert 4 * sum(v.type.size for m in program.layers for v in m.top_values) == int(last)
