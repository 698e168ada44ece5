"""Nets for training, exported as nets that take pictures alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from runtime.pictures import Preprocessing

BODY = """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
"""
HEAD = """
layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "no" batch_size: 7 }
  transform_param { crop_size: 8 mean_value: 3 scale: 0.5 } include { phase: TEST } }
layer { name: "t" type: "Data" top: "data" top: "label" data_param { source: "no" batch_size: 9 }
  transform_param { crop_size: 8 } include { phase: TRAIN } }
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }'
ACCURACY = 'layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" }'
DEPLOY = """
layer { name: "d" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("deploy.prototxt").write_text(
        DEPLOY + BODY + 'layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }'
    )
    caffe.Net("deploy.prototxt", caffe.TEST, device="reference").save("net.caffemodel")
    return tmp_path


def exported(text: str, output: str = "net.roast", **asked: object) -> roastery.LoadedNet:
    Path("train.prototxt").write_text(text)
    options: dict[str, Any] = {"deploy": True, "cpu_baseline": "none", **asked}
    export_net("train.prototxt", "net.caffemodel", output, **options)
    return roastery.load(output, "reference")


def test_it_is_the_net_that_is_deployed(here: Path) -> None:
    net = exported(HEAD + BODY + ACCURACY + LOSS)
    data = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
    wanted = roastery.compile("deploy.prototxt", weights="net.caffemodel", device="reference")
    found = net(data=data)
    assert list(found) == ["prob"]
    one = {name: array[:1] for name, array in found.items()}
    np.testing.assert_allclose(one["prob"], wanted(data=data[:1])["prob"], rtol=1e-6)
    assert net.pictures.preprocessing == Preprocessing(
        "data", mean=(3.0, 3.0, 3.0), input_scale=0.5
    )


def test_other_losses(here: Path) -> None:
    second = LOSS.replace('"loss"', '"other"').replace("SoftmaxWithLoss", "SigmoidCrossEntropyLoss")
    net = exported(HEAD + BODY + LOSS + second)
    assert sorted(net.outputs) == ["loss_prob", "other_prob"]
    last = LOSS.replace("SoftmaxWithLoss", "EuclideanLoss")
    assert list(exported(HEAD + BODY + last).outputs) == ["ip"]


def test_sizes(here: Path) -> None:
    head = HEAD.replace("crop_size: 8 mean", "mean")
    with pytest.raises(RoasteryError, match="does not say how large pictures become"):
        exported(head + BODY + LOSS)
    net = exported(head + BODY + LOSS, shapes={"data": (2, 3, 8, 8), "label": (2,)})
    assert {name: type.shape for name, type in net.inputs.items()} == {"data": (2, 3, 8, 8)}


def test_a_net_that_is_deployed_is_refused(here: Path) -> None:
    with pytest.raises(RoasteryError, match="no one layer of the net reads pictures") as caught:
        exported(Path("deploy.prototxt").read_text())
    assert "leave --deploy out" in str(caught.value.hint)


def test_who_needs_it_is_told(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    Path("train.prototxt").write_text(HEAD + BODY + LOSS)
    shapes = {"data": (2, 3, 8, 8), "label": (2,)}
    export_net("train.prototxt", None, "net.roast", cpu_baseline="none", shapes=shapes)
    assert "it takes data, label: " in caplog.text and "--deploy" in caplog.text
