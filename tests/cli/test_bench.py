"""``roastery bench``: kernels of a net alone, against the reference. No time decides anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.bench.devices import benched_devices
from roastery.cli.main import main
from tests.support.c_kernels import COMPILED, needs_compiler
from tests.support.sample_nets import conv, dense, inputs, layer, pool, relu

NET = (
    inputs(data=(2, 3, 8, 8), label=(2,))
    + conv("conv1", "data", 4, 3, "pad: 1")
    + relu("conv1")
    + conv("conv2", "conv1", 4, 3, "pad: 1")
    + relu("conv2")
    + conv("conv3", "conv2", 4, 3, "pad: 1")
    + relu("conv3")
    + pool("pool", "conv3", "pool: MAX kernel_size: 2 stride: 2")
    + dense("ip", "pool", 5)
    + layer("loss", "SoftmaxWithLoss", "ip label", "include { phase: TRAIN }")
)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


@needs_compiler
def test_kernels_of_a_net(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = net.parent / "kernels.json"
    assert main(["bench", str(net), "--device=cpu", "--repeats=1", f"--json={file}"]) == 0
    found = json.loads(file.read_text())
    limits = next(iter(found["limits"].values()))
    assert limits["operations"] > 0 and limits["bytes_copied"] > 0
    products = [row for row in found["kernels"] if row["multiply_adds"]]
    shapes = {row["multiply_adds"]: row["count"] for row in products}
    assert shapes == {2 * 4 * 64 * 27: 1, 2 * 4 * 64 * 36: 2, 2 * 64 * 5: 1}, "equal ones once"
    for row in found["kernels"]:
        assert 0 <= row["error"] < 1e-6 and row["seconds"] > 0 and row["share"] > 0
        assert row["when"] == "forward" and row["nbytes"] > 0
        assert row["limit"] in ("arithmetic", "memory")
    printed = capsys.readouterr().out
    assert "GFLOP/s" in printed and "of limit" in printed and "0 wrong" in printed


@needs_compiler
def test_what_takes_arithmetic_is_bound_by_it(tmp_path: Path) -> None:
    """Random numbers and powers are operations, too."""
    net, file = tmp_path / "net.prototxt", tmp_path / "kernels.json"
    shape = "shape { dim: 2 dim: 32 dim: 8 dim: 8 }"
    net.write_text(
        f"layer {{ name: 'data' type: 'Input' top: 'data' input_param {{ {shape} }} }}\n"
        + layer("drop", "Dropout", "data", "")
        + layer("norm", "LRN", "data", "")
    )
    command = ["bench", str(net), "--device=cpu", "--phase=TRAIN", "--repeats=1"]
    assert main([*command, f"--json={file}"]) == 0
    rows = {row["layer"]: row for row in json.loads(file.read_text())["kernels"]}
    elements = 2 * 32 * 64
    assert rows["drop"]["limit"] == "arithmetic"
    assert rows["drop"]["operations"] == elements * (128 + 3)  # a draw; >=, times, else 0
    assert rows["norm"]["operations"] == elements * (1 + 5 + 1 + 17 + 1)
    assert rows["drop"]["multiply_adds"] == 0 and rows["drop"]["share"] > 0


@needs_compiler
def test_backward_at_another_batch(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = net.parent / "kernels.json"
    command = ["bench", str(net), "--phase=TRAIN", "--repeats=0", f"--json={file}"]
    shapes = ["--shape", "data=3,3,8,8", "--shape", "label=3"]
    assert main([*command, "--device=cpu", *shapes]) == 0
    rows = json.loads(file.read_text())["kernels"]
    assert {row["when"] for row in rows} == {"forward", "backward"}
    assert all(row["seconds"] is row["share"] is row["gflops"] is None for row in rows)
    assert 3 * 4 * 64 * 27 in {row["multiply_adds"] for row in rows}
    assert "us" not in capsys.readouterr().out.split("\n", 1)[0].split(), "no empty columns"


@needs_compiler
def test_an_error_over_the_tolerance(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(net), "--device=cpu", "--repeats=0", "--tolerance=1e-12"]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_devices_without_kernels(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(net), "--device=reference"]) == 1
    assert "has no kernels" in capsys.readouterr().err
    assert main(["bench", str(net), "--tolerance=0"]) == 1
    assert "tolerance" in capsys.readouterr().err
    with pytest.raises(RoasteryError, match="unknown device"):
        benched_devices(["gpu"])
    assert benched_devices(["interpret", "interpret"]) == ["interpret"]
    if COMPILED:
        assert benched_devices(["cpu", "cpu", "interpret"]) == ["cpu", "interpret"]


def test_time_tells_what_layers_that_multiply_do(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = net.parent / "log.json"
    command = ["time", f"--model={net}", "--iterations=1", f"--log-json={file}"]
    assert main([*command, "--device=reference"]) == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    times = [row for row in rows if row["event"] == "layer_time"]
    told = {(row["layer"], row["pass"]) for row in times if "gflops" in row}
    products = ("conv1", "conv2", "conv3", "ip")
    assert told == {(name, step) for name in products for step in ("forward", "backward")}
    row = next(row for row in times if row["layer"] == "conv2" and row["pass"] == "backward")
    both = 2 * 2 * 2 * 4 * 64 * 36  # operations of both gradients
    assert row["gflops"] == pytest.approx(both / row["milliseconds"] / 1e6, rel=1e-3)
    assert "of_peak" not in row and "GFLOP/s" in capsys.readouterr().err


@needs_compiler
def test_time_tells_how_near_to_the_peak(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["time", f"--model={net}", "--iterations=1", "--device=cpu", "--threads=1"]
    assert main(command) == 0
    line = r"conv2\tforward: \S+ ms\. \S+ GFLOP/s, \d+% of peak\n"
    assert re.search(line, capsys.readouterr().err)
