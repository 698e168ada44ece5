"""Layers without tops (file outputs, Python sinks, Silence) under every command and executor."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.cli.main import main
from roastery.files.hdf5_writing import PatientFile
from runtime.artifact import load
from tests.support.sample_nets import with_host_op

SINK = """
import caffe
class Sink(caffe.Layer):
    seen = []
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): pass
    def forward(self, bottom, top): self.seen.append(bottom[0].data.copy())
    def backward(self, top, propagate_down, bottom): pass
"""

DATA = """layer { name: "d" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 2 dim: 3 } shape { dim: 2 } data_filler { value: 0.5 }
  data_filler { value: 1 } } }"""
INPUT = """layer { name: "d" type: "Input" top: "x" top: "y"
  input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }"""
BODY = """
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "a"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "scale" type: "Scale" bottom: "a" top: "b" }
layer { name: "sink" type: "Python" bottom: "b"
  python_param { module: "a_sink" layer: "Sink" } }
layer { name: "quiet" type: "Silence" bottom: "b" bottom: "x" }
layer { name: "file" type: "HDF5Output" bottom: "b" bottom: "y"
  hdf5_output_param { file_name: "out.h5" } include { phase: PHASE } }
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "b" bottom: "y" top: "loss" }\n'
BLIND = 'layer { type: "Silence" bottom: "a" }\n'


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.chdir(tmp_path)
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "a_sink.py").write_text(SINK)
    monkeypatch.syspath_prepend(modules)
    for phase in ("TRAIN", "TEST"):
        body = BODY.replace("PHASE", phase)
        Path(f"{phase}.prototxt").write_text(DATA + body + LOSS)
        Path(f"{phase}_blind.prototxt").write_text(DATA + body + BLIND)
        Path(f"{phase}_input.prototxt").write_text(INPUT + body + LOSS)
    Path("solver.prototxt").write_text(
        'net: "TRAIN.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2 '
        'test_iter: 1 test_interval: 1 snapshot_prefix: "s"'
    )


def rows() -> int:
    with h5py.File("out.h5") as file:
        return len(file["data"])


@pytest.mark.parametrize("net", ["TEST", "TEST_blind"])
def test_testing(net: str) -> None:
    caffe.Net(f"{net}.prototxt", caffe.TEST).save("w")
    assert main(["test", f"--model={net}.prototxt", "--weights=w", "--iterations=3"]) == 0
    assert rows() == 6


@pytest.mark.parametrize("net", ["TRAIN", "TRAIN_blind"])
@pytest.mark.parametrize("plan", ["--fused", "--nofused"])
def test_timing(net: str, plan: str) -> None:
    assert main(["time", f"--model={net}.prototxt", "--iterations=1", plan]) == 0
    assert rows() >= 4


@pytest.mark.parametrize("net", ["TRAIN", "TRAIN_blind", "TEST", "TRAIN_input"])
@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_compiling(net: str, phase: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"{net}.prototxt", f"--phase={phase}", "--dump=stages"]
    assert main(["compile", *words]) == 0
    assert "sink runs on the host" in capsys.readouterr().out
    assert "host_call" in Path("stages/graph_lowered.ir").read_text()


def test_training() -> None:
    assert main(["train", "--solver=solver.prototxt"]) == 0
    assert rows() == 4


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("net", ["TRAIN_input", "TEST_input"])
def test_an_executable(net: str, phase: str, freeze: bool) -> None:
    compiled = roastery.compile(f"{net}.prototxt", phase=phase, freeze=freeze, device="reference")
    sink = __import__("a_sink").Sink.seen
    sink.clear()
    x, y = np.ones((4, 3), np.float32), np.zeros(4, np.float32)
    for _ in range(2):
        assert list(compiled(x=x, y=y)) == ["loss"]
    assert [array.shape for array in sink] == [(4, 3), (4, 3)]
    if net.startswith(phase):
        assert rows() == 8


def test_exporting_leaves_them_out(caplog: pytest.LogCaptureFixture) -> None:
    caffe.Net("TEST_input.prototxt", caffe.TEST).save("w")
    export_net("TEST_input.prototxt", "w", "n.roast")
    for layer in ("sink", "file"):
        assert f"(layer '{layer}') is left out: it has no top" in caplog.text
    x, y = np.ones((2, 3), np.float32), np.zeros(2, np.float32)
    net = roastery.compile("TEST_input.prototxt", "w", device="reference")
    found, wanted = load("n.roast", "cpu")(x=x, y=y)["loss"], net(x=x, y=y)["loss"]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)  # kernels in C round after other sums


def test_a_layer_on_the_host_that_matters_is_not_exported() -> None:
    text = (
        INPUT
        + """
    layer { name: "p" type: "Python" bottom: "x" top: "z"
      python_param { module: "a_sink" layer: "Sink" } }"""
    )
    Path("n.prototxt").write_text(text)
    with pytest.raises(RoasteryError, match="runs on the host and cannot be exported"):
        export_net("n.prototxt", None, "n.roast")
    assert not Path("n.roast").exists()


def test_drawing_and_extracting() -> None:
    assert main(["draw_net", "TRAIN.prototxt", "n.svg"]) == 0
    caffe.Net("TEST.prototxt", caffe.TEST).save("w")
    assert main(["extract_features", "w", "TEST.prototxt", "b", "features", "2", "lmdb"]) == 0


@pytest.mark.parametrize("words", [["compile"], ["time", "--fused"], ["time"]])
def test_a_net_of_nothing_else(words: list[str]) -> None:
    Path("n.prototxt").write_text(DATA + 'layer { type: "Silence" bottom: "x" bottom: "y" }')
    model = ["n.prototxt"] if words == ["compile"] else ["--model=n.prototxt", "--iterations=1"]
    assert main([*words, *model]) == 0


def test_a_file_that_is_written_twice_is_named() -> None:
    text = Path("TEST.prototxt").read_text()
    Path("TEST.prototxt").write_text(
        text + text[text.index('layer { name: "file"') : text.index('layer { name: "loss"')]
    )
    net = roastery.compile("TEST.prototxt", device="reference")
    with pytest.raises(RoasteryError, match="already open") as caught:
        net()
    assert "give each a file of its own" in str(caught.value)
    del net, caught
    Path("TEST.prototxt").write_text(text)
    roastery.compile("TEST.prototxt", device="reference")()  # the file is free again


def test_a_file_that_could_not_be_had_closes_no_other() -> None:
    """Nor the file that got its number meanwhile."""
    with PatientFile("taken"):
        with pytest.raises(BlockingIOError) as caught:
            PatientFile("taken")
        with open("other", "w") as other:
            caught.value.__traceback__ = None
            del caught
            gc.collect()
            os.fstat(other.fileno())


def test_logs_are_json_too() -> None:
    caffe.Net("TEST.prototxt", caffe.TEST).save("w")
    words = ["--model=TEST.prototxt", "--weights=w", "--iterations=1", "--log_json=log"]
    assert main(["test", *words]) == 0
    assert [json.loads(line) for line in Path("log").read_text().splitlines()]


def test_a_pure_op_without_a_kernel_is_exported_for_the_cpu(tmp_path: Path) -> None:
    text, given = with_host_op()
    Path("boxes.prototxt").write_text(text)
    export_net("boxes.prototxt", None, "boxes.roast")
    expected = roastery.compile("boxes.prototxt", phase="TEST")(**given)["loss"]
    np.testing.assert_array_equal(load("boxes.roast", "cpu")(**given)["loss"], expected)
    with pytest.raises(RoasteryError, match="has no kernel and cannot") as caught:
        export_net("boxes.prototxt", None, "boxes.roast", ["cuda:sm_80"])
    assert caught.value.hint == "export the net for the CPU: --target=cpu"
