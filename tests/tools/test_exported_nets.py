"""Whole nets through `roastery export`, `roastery run` and roastery.load."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import roastery
from frontends.caffemodel import read_net_and_weights
from roastery.cli.main import main

ROOT = Path(__file__).parents[2]

ROUNDING = 5e-4
"""Scores of the LeNet reach 270, and float32 keeps them to 1e-4 (numpy's are off by as much, from
double precision): a softmax makes that a part of its results."""

LENET = """
name: "LeNet"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 3 dim: 1 dim: 28 dim: 28 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 6 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1"
  inner_product_param { num_output: 20 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "drop" type: "Dropout" bottom: "ip1" top: "ip1" }
layer { name: "prob" type: "Softmax" bottom: "ip1" top: "prob" }
"""

NORMALISED = """
name: "normalised"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 9 dim: 7 } } }
layer { name: "a/conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 bias_term: false
    weight_filler { type: "xavier" } } }
layer { name: "a/bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "a/scale" type: "Scale" bottom: "conv" top: "conv"
  scale_param { bias_term: true filler { type: "uniform" min: 0.5 max: 2 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "number" type: "Scale" bottom: "conv" top: "conv"
  scale_param { axis: 0 num_axes: 0 filler { type: "constant" value: 3 } } }
"""

SEQUENCE = """
name: "sequence"
layer { name: "in" type: "Input" top: "data" top: "cont"
  input_param { shape { dim: 4 dim: 2 dim: 3 } shape { dim: 4 dim: 2 } } }
layer { name: "lstm" type: "LSTM" bottom: "data" bottom: "cont" top: "h"
  recurrent_param { num_output: 5 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
"""

NETS = {"lenet": LENET, "normalised": NORMALISED, "sequence": SEQUENCE}


@pytest.fixture(params=list(NETS))
def net(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prototxt and a caffemodel of this name, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path(f"{request.param}.prototxt").write_text(NETS[request.param])
    return str(request.param)


def trained(net: str) -> roastery.Executable:
    """The net with parameters that no filler makes, written to a file, too."""
    from roastery.reading.nets import read_net as read_prototxt
    from roastery.weights.parameters import save_weights

    executable = roastery.compile(f"{net}.prototxt", device="reference", seed=5)
    draw = np.random.default_rng(1)
    for layer in executable.parameters:
        for blob in executable.parameters[layer]:
            blob += draw.uniform(0.1, 0.3, blob.shape).astype(np.float32)
    message = read_prototxt(f"{net}.prototxt")
    save_weights(f"{net}.caffemodel", message, executable.program, executable._net.store)
    assert read_net_and_weights(Path(f"{net}.caffemodel"))
    return executable


def inputs_of(executable: roastery.Executable, seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    found = {
        name: draw.standard_normal(shape).astype(np.float32)
        for name, shape in executable.inputs.items()
    }
    if "cont" in found:
        found["cont"] = np.ones_like(found["cont"])  # the sequence goes on from call to call
    return found


def export(net: str, *targets: str) -> None:
    words = [f"--model={net}.prototxt", f"--weights={net}.caffemodel", f"--output={net}.roast"]
    assert main(["export", *words, *targets]) == 0


def test_outputs_are_the_executables(net: str) -> None:
    """Three calls in a row, so that state that is carried on counts."""
    executable = trained(net)
    export(net)
    loaded = roastery.load(f"{net}.roast", "cpu")
    for call in range(3):
        given = inputs_of(executable, call)
        wanted, found = executable(**given), loaded(**given)
        assert found.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name], rtol=ROUNDING, atol=1e-6)
            assert np.abs(found[name]).max() > 0
    loaded.close()


def test_the_command_runs_without_parser_and_compiler(net: str) -> None:
    """Not even installed: importing them fails."""
    executable = trained(net)
    export(net)
    given = inputs_of(executable, 0)
    words = []
    for name, array in given.items():
        np.save(f"{name}.npy", array)
        words.append(f"--input={name}={name}.npy")
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
for name in ("lark", "triton", "torch", "google", "lmdb", "h5py", "cv2"):
    sys.modules[name] = None
from roastery.cli.main import main
code = main(["run", "{net}.roast", "--output=y.npz", "--device=cpu", *sys.argv[1:]])
assert not any(name.startswith(("compiler.triton", "frontends.")) for name in sys.modules)
sys.exit(code)
"""
    subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)
    with np.load("y.npz") as found:
        for name, wanted in executable(**given).items():
            np.testing.assert_allclose(found[name], wanted, rtol=ROUNDING, atol=1e-6)


def test_all_parts_for_gpus_are_in_the_file(net: str) -> None:
    trained(net)
    export(net, "--target=cuda:sm_80,sm_90", "--target", "cpu")
    with zipfile.ZipFile(f"{net}.roast") as file:
        names = file.namelist()
        manifest = json.loads(file.read("manifest.json"))
        cubins = [n for n in names if n.endswith(".cubin")]
        texts = [file.read(n).decode() for n in names if n.endswith(".ptx")]
        for arch in ("80", "90"):
            assert any(arch in n for n in cubins)
        assert all(file.read(n)[:4] == b"\x7fELF" for n in cubins)
    assert texts and all(".target sm_80" in text for text in texts)
    for part in ("graph.txt", "weights.safetensors"):
        assert part in names
    assert any(n.endswith(".py") for n in names)  # the sources of the kernels
    assert {"roastery", "numpy", "triton"} <= manifest["versions"].keys()
