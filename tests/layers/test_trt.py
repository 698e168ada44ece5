"""TRT layers: a net with weights of its own, run inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from roastery import caffe
from roastery.cli.main import main

DEPLOY = """layer { name: "in" type: "Input" top: "data" input_param {
  shape { dim: 1 dim: 3 dim: 5 dim: 4 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param {
  num_output: 6 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
NET = """layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {shape} }} }} }}
layer {{ name: "t" type: "Input" top: "t" input_param {{ shape {{ dim: 1 }} }} }}
layer {{ name: "trt" type: "TRT" bottom: "x" bottom: "t" top: "y" trt_param {{
  trt_mode: FP16 top_k: 5 model: "net.caffemodel" deploy: "{deploy}" {outputs} }} }}
layer {{ name: "a" type: "Accuracy" bottom: "y" bottom: "t" top: "a" }}
"""
ONE = "dim: 1 dim: 3 dim: 5 dim: 4"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deploy.prototxt").write_text(DEPLOY)
    caffe.Net("deploy.prototxt", caffe.TEST).save("net.caffemodel")
    return tmp_path


def written(
    folder: Path,
    shape: str = ONE,
    deploy: str = "deploy.prototxt",
    outputs: str = 'deploy_outputs: "prob"',
) -> Path:
    path = folder / "net.prototxt"
    path.write_text(NET.format(shape=shape, deploy=deploy, outputs=outputs))
    return path


@pytest.mark.parametrize("device", ["reference", "cpu"])
@pytest.mark.parametrize("output", ["prob", "fc"])
def test_the_net_inside_runs(device: str, output: str, folder: Path) -> None:
    path = written(folder, outputs=f'deploy_outputs: "{output}"')
    outer = roastery.compile(path, device=device, observe=["y"])
    inner = roastery.compile("deploy.prototxt", "net.caffemodel", observe=[output], device=device)
    for seed in range(2):
        x = np.random.default_rng(seed).normal(size=(1, 3, 5, 4)).astype(np.float32)
        wanted = inner(data=x)[output]
        label = np.array([wanted.argmax()], np.float32)
        found = outer(x=x, t=label)
        np.testing.assert_allclose(found["y"], wanted, rtol=1e-5, atol=1e-6)
        assert found["a"] == 1


def test_weights_are_not_needed_to_see_the_net(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "net.caffemodel").unlink()
    path = written(folder)
    assert main(["compile", "--phase=TEST", str(path)]) == 0
    assert "1x6" in capsys.readouterr().out
    net = roastery.compile(path, device="reference")
    with pytest.raises(RoasteryError, match=r"there are no weights 'net\.caffemodel'"):
        net(x=np.zeros((1, 3, 5, 4), np.float32), t=np.zeros(1, np.float32))


def test_a_net_that_is_not_there_is_not_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(folder, deploy="gone.prototxt")
    assert main(["compile", "--phase=TEST", str(path)]) == 1
    assert "--shape y=DIM,DIM,..." in capsys.readouterr().err
    assert main(["compile", "--phase=TEST", "--shape", "y=1,6", str(path)]) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": "dim: 2 dim: 3 dim: 5 dim: 4"}, "takes a picture at a time"),
        ({"shape": "dim: 1 dim: 3 dim: 4 dim: 4"}, "has shape 1 x 3 x 4 x 4, and the input 'data'"),
        ({"outputs": ""}, "trt_param has no `deploy_outputs`"),
        ({"outputs": 'deploy_outputs: "z"'}, "has no blob 'z'"),
        ({"deploy": "gone.prototxt"}, "gone.prototxt"),
        ({"deploy": "net.prototxt"}, "has a layer that runs a net itself, 'trt'"),
    ],
)
def test_refused(changes: dict[str, str], message: str, folder: Path) -> None:
    with pytest.raises(RoasteryError, match=message) as caught:
        roastery.compile(written(folder, **changes), device="reference")
    assert caught.value.location is not None and caught.value.location.layer == "trt"
