"""``--memory-budget``, ROASTERY_MEMORY_BUDGET and ``memory_budget=``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import roastery
from ir.byte_size import parse_byte_size
from ir.errors import RoasteryError
from roastery.cli.main import main
from tests.support.sample_nets import bottlenecks, normalised

DATA = """
layer { name: "data" type: "DummyData" top: "x" top: "t" dummy_data_param {
  shape { dim: 4 dim: 8 dim: 16 dim: 16 } shape { dim: 4 }
  data_filler { type: "uniform" } data_filler { type: "constant" value: 1 } } }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROASTERY_MEMORY_BUDGET", raising=False)
    Path("net.prototxt").write_text(normalised(10, 16, 4))
    layers = normalised(6, 16, 4)
    Path("fed.prototxt").write_text(DATA + layers[layers.index('layer { name: "b0"') :])
    Path("solver.prototxt").write_text(
        'net: "fed.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 3 display: 1 random_seed: 3 '
        'momentum: 0.9 snapshot_prefix: "s"'
    )


def peak(capsys: pytest.CaptureFixture[str]) -> int:
    """Bytes."""
    found = re.search(r"^peak ([0-9.]+ [KM]iB): values inside ", capsys.readouterr().out, re.M)
    assert found is not None
    count = parse_byte_size(found[1])
    assert count is not None
    return count


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_compile_shows_the_peak_and_keeps_a_budget(
    device: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["compile", "net.prototxt", f"--device={device}"]
    assert main(words) == 0
    most = peak(capsys)
    budget = int((0.9 if device == "cpu" else 0.75) * most)
    assert main([*words, f"--memory-budget={budget}"]) == 0
    assert peak(capsys) <= budget + 1000  # four digits are shown
    monkeypatch.setenv("ROASTERY_MEMORY_BUDGET", f"{budget / 1024:.3f}K")
    assert main(words) == 0
    assert peak(capsys) <= budget + 1000
    assert main([*words, "--memory-budget=None"]) == 0
    assert peak(capsys) == most  # so small a net computes nothing again unasked
    assert main([*words, "--memory-budget=9KB"]) == 1
    said = capsys.readouterr().err
    assert "the memory budget is 8.789 KiB, and graph" in said and "bytes suffices" in said


def test_a_large_net_needs_less_on_a_gpu_unless_none_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("large.prototxt").write_text(bottlenecks(4, 64, 64))
    words = ["compile", "large.prototxt", "--target=cuda:sm_90"]
    assert main(words) == 0
    less = peak(capsys)
    assert main([*words, "--memory-budget=none"]) == 0
    assert less < 0.9 * peak(capsys)
    monkeypatch.setenv("ROASTERY_MEMORY_BUDGET", "none")
    assert main(words) == 0
    assert less < 0.9 * peak(capsys)


@pytest.mark.parametrize("size", ["", "much", "0", "-3", "1e9"])
def test_what_is_no_size(
    size: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["compile", "net.prototxt", f"--memory-budget={size}"]) == 1
    assert f"the memory budget is '{size}', which is no number of bytes" in capsys.readouterr().err
    if size:
        monkeypatch.setenv("ROASTERY_MEMORY_BUDGET", size)
        assert main(["compile", "net.prototxt"]) == 1
        assert f"ROASTERY_MEMORY_BUDGET is '{size}'" in capsys.readouterr().err


def losses(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"loss = ([0-9.e+-]+)", text)]


def test_training_within_a_budget(capsys: pytest.CaptureFixture[str]) -> None:
    """On the CPU: with less memory it computes the same; what momentum takes counts, too."""
    words = ["train", "--solver=solver.prototxt", "--device=cpu"]
    assert main(words) == 0
    printed = capsys.readouterr().err
    expected = losses(printed)
    assert "memory of an iteration " not in printed  # unasked on GPUs alone
    assert main([*words, "--memory-budget=1KiB"]) == 1
    said = capsys.readouterr().err
    least = re.search(r"budget of (\d+) bytes", said)
    assert least is not None and "history of the solver " in said
    assert main([*words, f"--memory-budget={least[1]}"]) == 0
    printed = capsys.readouterr().err
    assert printed.count("memory of an iteration ") == 1
    assert printed.index("memory of an iteration ") < printed.index("Iteration 0")
    told = re.search(r"memory of an iteration ([0-9.]+ [KM]iB): values inside ", printed)
    assert told is not None and abs((parse_byte_size(told[1]) or 0) - int(least[1])) < 1024
    found = losses(printed)
    assert len(found) == len(expected) > 3
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_other_commands_and_calls(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["time", "--model=net.prototxt", "--fused", "--device=cpu", "--iterations=1"],
        ["bench", "net.prototxt", "--phase=TRAIN", "--device=cpu", "--repeats=0"],
    ):
        assert main([*words, "--memory-budget=1GiB"]) == 0
        capsys.readouterr()
        assert main([*words, "--memory-budget=1KiB"]) == 1
        assert "the memory budget is 1 KiB, and graph" in capsys.readouterr().err
    time = ["time", "--model=net.prototxt", "--device=cpu", "--iterations=1"]
    assert main([*time, "--memory-budget=1KiB"]) == 0
    printed = capsys.readouterr()
    note = "layer by layer all blobs are kept: the memory budget has no effect"
    assert note in printed.out + printed.err
    with pytest.raises(RoasteryError, match="the memory budget is 'some'"):
        roastery.compile("net.prototxt", memory_budget="some")
    net = roastery.compile("net.prototxt", device="cpu", memory_budget=1000)
    given = {"x": np.zeros((4, 8, 16, 16)), "t": np.zeros(4)}
    with pytest.raises(RoasteryError, match=r"the memory budget is 1000 bytes, and graph"):
        net(**given)
    net = roastery.compile("net.prototxt", device="reference", memory_budget="1MB")
    assert net(**given)["loss"] > 0
