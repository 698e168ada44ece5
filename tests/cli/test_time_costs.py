"""What `roastery time` prints besides Caffe's lines: layers by cost, and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from roastery.bench.layer_costs import LayerCost, NetCosts
from roastery.cli.main import main
from tests.support.sample_nets import lenet

SHAPED = ["--iterations=2", "--device=cpu"]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(lenet(batch=4))
    return path


def timed(net: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    assert main(["time", f"--model={net}", *SHAPED, *words]) == 0
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_the_dearest_layer_comes_first(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = timed(net, capsys)
    head, _, *rows = out.splitlines()
    assert head.split()[:2] == ["layer", "type"] and "percent" in head and "GFLOP/s" in head
    costs = [float(row.split()[4]) for row in rows[:-1]]
    assert costs == sorted(costs, reverse=True)
    percents = [float(row.split()[5]) for row in rows[:-1]]
    assert sum(percents) == pytest.approx(100, abs=0.06 * len(percents))
    assert rows[-1].split()[0] == "all" and float(rows[-1].split()[4]) == 100.0
    # Caffe's lines are as they were, in the net's order.
    assert "Average time per layer: \n" in err and "*** Benchmark ends ***" in err
    assert err.index("     conv1\tforward: ") < err.index("     conv1\tbackward: ")
    assert err.index("     conv1\tbackward: ") < err.index("       ip1\tforward: ")


def test_json_takes_the_place_of_the_table(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(timed(net, capsys, "--json")[0])
    layers = {each["layer"]: each for each in found["layers"]}
    assert (found["phase"], found["device"], found["iterations"]) == ("TRAIN", "cpu", 2)
    whole = found["whole"]
    assert whole["multiply_adds"] == sum(each["multiply_adds"] for each in layers.values())
    # LeNet's second convolution makes 50 maps of 8 by 8, each value of 20 * 5 * 5 products.
    assert layers["conv2"]["forward_multiply_adds"] == 4 * 50 * 8 * 8 * 20 * 5 * 5
    conv = layers["conv2"]
    rate = 2e-6 * conv["multiply_adds"] / (conv["forward_ms"] + conv["backward_ms"])
    assert conv["gflops"] == pytest.approx(rate)
    assert layers["pool1"]["gflops"] is None
    assert sum(each["percent"] for each in layers.values()) == pytest.approx(100)


def test_json_in_a_file_leaves_the_table(
    net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times.json"
    out, _ = timed(net, capsys, f"--json={path}", "--fused")
    assert out.splitlines()[-1].split()[0] == "all" and "GFLOP/s" in out
    found = json.loads(path.read_text())
    assert found["layers"] == [] and found["whole"]["multiply_adds"] > 0


def test_json_before_another_flag(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(timed(net, capsys, "--json", "--phase=TEST")[0])["phase"] == "TEST"


def costs(*layers: LayerCost, peak: float = 0.0) -> NetCosts:
    whole = LayerCost("all", "", sum(c.forward for c in layers), sum(c.backward for c in layers))
    return NetCosts("net", "cpu", "TEST", 1, layers, whole, 1.0, peak)


def test_columns_that_say_nothing_are_left_out() -> None:
    text = costs(LayerCost("a", "ReLU", 1, 0), LayerCost("b", "ReLU", 2, 1)).table()
    assert "GFLOP/s" not in text
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["b", "a", "all"]


def test_layers_that_take_no_time() -> None:
    found: Any = costs(LayerCost("a", "Input", 0, 0, 5)).document()
    assert found["layers"][0]["percent"] == 0 and found["layers"][0]["gflops"] is None


def test_of_peak() -> None:
    found: Any = costs(LayerCost("a", "InnerProduct", 1, 1, 10**6), peak=2e9).document()
    assert found["layers"][0]["gflops"] == 1.0 and found["layers"][0]["of_peak"] == 0.5
    assert found["peak_gflops"] == 2.0
