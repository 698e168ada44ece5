"""``roastery summary``, and ``net.summary()``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from roastery.cli.main import main
from tests.support.sample_nets import conv, dense, inputs, layer, lenet

TRAIN = (
    'layer { name: "d" type: "DummyData" top: "data" top: "label" include { phase: TRAIN }\n'
    "  dummy_data_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 } } }\n"
    + conv("a", "data", 4, 3)
    + dense("ip", "a", 5)
    + layer("loss", "SoftmaxWithLoss", "ip label")
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lenet.prototxt").write_text('name: "LeNet"\n' + lenet(batch=2))
    Path("train.prototxt").write_text(TRAIN)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["summary", *words]) == 0
    return capsys.readouterr().out


def test_a_table_and_sums(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "lenet.prototxt").splitlines()
    assert lines[0].split() == [
        "layer", "type", "bottom", "top", "parameters", "multiply-adds", "bytes", "field",
    ]  # fmt: skip
    conv1 = next(line for line in lines if line.startswith("conv1")).split()
    assert conv1 == [
        "conv1", "Convolution", "2x1x28x28", "2x20x24x24", "520", "576,000", "92,160", "5x5",
    ]  # fmt: skip
    assert lines[-1].startswith("LeNet, phase TEST: 10 layers, 431,080 parameters (1.644 MiB), ")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "lenet.prototxt", "--json"))
    assert found["phase"] == "TEST"
    assert found["totals"]["multiply_adds"] == sum(x["multiply_adds"] for x in found["layers"])


def test_phase_is_that_which_the_net_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "phase TRAIN" in printed(capsys, "train.prototxt")
    assert "phase TRAIN" in printed(capsys, "lenet.prototxt", "--phase=TRAIN")


def test_a_missing_input_in_a_phase_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "train.prototxt", "--phase=TEST"]) == 1
    assert capsys.readouterr().err.count("error:") == 1


def test_other_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    assert "7x1x28x28" in printed(
        capsys, "lenet.prototxt", "--shape", "data=7,1,28,28", "--shape", "label=7"
    )


def test_pycaffe_and_executables_print_it(capsys: pytest.CaptureFixture[str]) -> None:
    expected = printed(capsys, "lenet.prototxt")
    net = caffe.Net("lenet.prototxt", caffe.TEST)
    capsys.readouterr()
    net.summary()
    assert capsys.readouterr().out == expected
    roastery.compile("lenet.prototxt", device="reference").summary()
    assert capsys.readouterr().out == expected


def test_after_a_reshape(capsys: pytest.CaptureFixture[str]) -> None:
    Path("small.prototxt").write_text(inputs(data=(1, 3, 8, 8)) + conv("a", "data", 4, 3))
    net = caffe.Net("small.prototxt", caffe.TEST)
    net.blobs["data"].reshape(1, 3, 12, 12)
    net.reshape()
    net.summary()
    assert "1x4x10x10" in capsys.readouterr().out


def test_an_executable_has_the_shapes_that_it_ran_at(capsys: pytest.CaptureFixture[str]) -> None:
    net = roastery.compile("lenet.prototxt", device="reference")
    net(data=np.zeros((5, 1, 28, 28), np.float32), label=np.zeros(5, np.float32))
    capsys.readouterr()
    net.summary()
    assert "5x20x24x24" in capsys.readouterr().out


def test_sizes_that_are_lowered_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Windows of a pooling pyramid are other ones for other images."""
    text = inputs(data=(1, 3, 8, 8)) + conv("a", "data", 4, 3)
    text += layer("pyramid", "SPP", "a", "spp_param { pyramid_height: 2 }")
    Path("spp.prototxt").write_text(text)
    net = caffe.Net("spp.prototxt", caffe.TEST)
    net.blobs["data"].reshape(1, 3, 13, 13)
    net.reshape()
    net.summary()
    assert "1x4x11x11" in capsys.readouterr().out
