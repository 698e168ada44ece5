"""``--fuel`` and ROASTERY_FUEL: commands that stop optimising after so many rewrites."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import roastery.caffe as caffe
from roastery.cli.main import main

NET = """
name: "small"
layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
  shape { dim: 2 dim: 3 } shape { dim: 2 dim: 1 } data_filler { type: "constant" value: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
  num_output: 1 weight_filler { type: "constant" value: 1 } } }
layer { name: "bn" type: "BatchNorm" bottom: "ip" top: "bn" }
layer { name: "r" type: "ReLU" bottom: "bn" top: "r" }
layer { name: "loss" type: "EuclideanLoss" bottom: "r" bottom: "t" top: "loss" }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 1 display: 1
snapshot_after_train: false solver_mode: CPU
"""
COMMANDS = {
    "train": "train --solver=solver.prototxt",
    "test": "test --model=net.prototxt --weights=net.caffemodel --iterations=1 --device=cpu",
    "time": "time --model=net.prototxt --iterations=1 --fused --device=cpu",
    "compile": "compile net.prototxt",
    "compile TEST": "compile net.prototxt --phase=TEST",
}
TOLD = r"graph \S+: rewrite 2: \w+: .*%\S+ \(\w+, net.prototxt:\d+\)"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Run:
    """Runs a command in a folder with a net: the exit code, and all that it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROASTERY_FUEL", raising=False)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(SOLVER)
    caffe.Net("net.prototxt", caffe.TRAIN).save("net.caffemodel")

    def run(line: str, *words: str) -> tuple[int, str]:
        caplog.clear()
        code = main([*line.split(), *words])
        return code, "".join([*capsys.readouterr(), *(f"{m}\n" for m in caplog.messages)])

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_the_last_rewrite_is_told(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(COMMANDS[name])
    assert code == 0 and "rewrite" not in said
    code, said = run(COMMANDS[name], "--fuel=2")
    assert code == 0 and re.search(TOLD, said), said
    monkeypatch.setenv("ROASTERY_FUEL", "2")
    code, said = run(COMMANDS[name])
    assert code == 0 and re.search(TOLD, said), said
    code, said = run(COMMANDS[name], "--fuel=0")
    assert code == 0 and "rewrite" not in said


def test_what_runs_no_pass_says_so(run: Run) -> None:
    line = COMMANDS["test"].replace("=cpu", "=reference")
    assert "--fuel has no effect there" in run(line, "--fuel=2")[1]
    assert "no effect" not in run(line)[1]


def test_less_is_fused_with_less_fuel(run: Run) -> None:
    counts = []
    for words in ([], ["--fuel=50"], ["--fuel=0"]):
        said = run("compile net.prototxt", *words)[1]
        counts.append(int(re.findall(r"-> (\d+) launches", said)[0]))
    assert counts == sorted(counts) and counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("fuel", ["many", "-1", "1.5", "9" * 30, "٣"])
def test_a_fuel_that_is_no_number(run: Run, fuel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_FUEL", fuel)
    for line in (COMMANDS["test"], COMMANDS["train"], COMMANDS["compile"], "opt nothing.ir"):
        code, said = run(line)
        assert code == 1 and "error" in said
        if not line.startswith("opt"):
            assert f"ROASTERY_FUEL is '{fuel}'" in said
