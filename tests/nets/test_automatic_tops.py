"""Loss layers that name no top: Caffe calls their blobs ``(automatic)``, and none is an output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.cli.main import main

NET = """
layer { name: "in" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 2 dim: 3 } data_filler { type: "constant" value: 0.5 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "a"
  inner_product_param { num_output: 3 weight_filler { type: "constant" value: 0.1 } } }
layer { name: "l" type: "EuclideanLoss" bottom: "a" bottom: "y" %s }
layer { name: "l" type: "EuclideanLoss" bottom: "a" bottom: "x" loss_weight: 3 %s }
layer { type: "SoftmaxWithLoss" bottom: "a" bottom: "z" %s }
layer { name: "labels" type: "DummyData" top: "z" dummy_data_param { shape { dim: 2 } } }
"""
LINES = NET.strip().splitlines()
LINES.insert(2, LINES.pop())  # the labels before who reads them
SILENT = "\n".join(LINES) % ("", "", "")
NAMED = "\n".join(LINES) % ('top: "p"', 'top: "q"', 'top: "r"')


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.chdir(tmp_path)
    Path("silent.prototxt").write_text(SILENT)
    Path("named.prototxt").write_text(NAMED)


def test_names_as_in_pycaffe() -> None:
    net = caffe.Net("silent.prototxt", caffe.TRAIN)
    assert net._blob_names[-3:] == ["(automatic)"] * 3
    assert list(net.blobs)[-1] == "(automatic)" and "(automatic)@2" not in net.blobs
    assert net.top_names["l"] == ["(automatic)"] == net.top_names[""]
    assert net.outputs == [] and net.forward() == {}
    assert net.blob_loss_weights["(automatic)"] == 1
    named = caffe.Net("named.prototxt", caffe.TRAIN)
    assert net.forward(end="l") == {"(automatic)": named.forward(end="l")["p"]}
    net.backward()
    named.forward()
    named.backward()
    np.testing.assert_array_equal(net.params["ip"][0].diff, named.params["ip"][0].diff)
    assert net.params["ip"][0].diff.any()
    assert net.blobs["(automatic)"].data == named.blobs["r"].data, "the last of them"


def test_a_compiled_net_learns_from_them() -> None:
    nets = [roastery.compile(f"{n}.prototxt", phase="TRAIN") for n in ("silent", "named")]
    for net in nets:
        net()
        net.backward()
    silent, named = (net.parameter_diffs["ip"][0] for net in nets)
    np.testing.assert_allclose(silent, named, rtol=1e-6)
    assert silent.any()


def test_training_and_its_log(capfd: pytest.CaptureFixture[str]) -> None:
    for debug in ("false", "true"):
        learned = []
        for name in ("silent", "named"):
            Path("solver.prototxt").write_text(
                f'net: "{name}.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2 display: 1 '
                f'snapshot_prefix: "{name}" test_iter: 1 test_interval: 2 debug_info: {debug}'
            )
            assert main(["train", "--solver=solver.prototxt"]) == 0
            log = capfd.readouterr().err
            net = caffe.Net("silent.prototxt", f"{name}_iter_2.caffemodel", caffe.TEST)
            learned.append(net.params["ip"][0].data.copy())
            if name == "silent":
                assert "l -> (automatic)\n" in log
                assert "produces output" not in log and "net output #" not in log
                assert "(automatic)@" not in log
        np.testing.assert_allclose(*learned, rtol=1e-6)


@pytest.mark.parametrize(
    "words",
    [
        ["test", "--model=silent.prototxt", "--weights=w", "--iterations=2"],
        ["time", "--model=silent.prototxt", "--iterations=1"],
        ["time", "--model=silent.prototxt", "--iterations=1", "--fused"],
        ["compile", "silent.prototxt"],
        ["compile", "silent.prototxt", "--dump=stages", "--phase=TEST"],
        ["draw_net", "silent.prototxt", "net.svg"],
    ],
)
def test_commands(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    caffe.Net("silent.prototxt", caffe.TRAIN).save("w")
    assert main(words) == 0
    if words[0] == "test":
        assert "Loss: " in capfd.readouterr().err
    export_net("silent.prototxt", "w", "n.roast")


def test_a_users_own_blob_of_that_name() -> None:
    Path("n.prototxt").write_text(
        SILENT + 'layer { name: "s" type: "Power" bottom: "x" top: "(automatic)" }\n'
        'layer { name: "t" type: "Power" bottom: "(automatic)" top: "out" }\n'
    )
    net = caffe.Net("n.prototxt", caffe.TEST)
    np.testing.assert_array_equal(net.forward()["out"], np.full((2, 3), 0.5))


def test_their_gradient_can_be_checked() -> None:
    report = roastery.check_gradient("silent.prototxt", inputs={"z": np.zeros(2)})
    assert report.rows and report.ok


def test_there_is_nothing_to_export_for_a_gpu() -> None:
    with pytest.raises(RoasteryError, match="it computes no output"):
        export_net("silent.prototxt", None, "n.roast", ["cuda:sm_80"])
    assert not Path("n.roast").exists()
