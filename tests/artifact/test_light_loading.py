"""Loading needs numpy and what an artifact is run by, and imports nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import roastery
from roastery.api.cpu_baselines import compilers_for
from roastery.api.exporting import export_net
from runtime.artifact import Artifact, ArtifactError, load
from runtime.artifact.weights import ALIGNED, mapped_weights, weights_bytes

ROOT = Path(__file__).parents[2]

NET = """
name: "Light"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 16 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""

CHILD = """
import importlib.abc, json, sys
OURS = ("ir", "compiler", "runtime", "roastery", "numpy")

class NumpyAlone(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in OURS and top not in sys.stdlib_module_names and name.isidentifier():
            raise ModuleNotFoundError(f"there is no {name}", name=name)

sys.meta_path.insert(0, NumpyAlone())
import roastery
light = sorted(name for name in sys.modules if name.partition(".")[0] in OURS)
import numpy
net = roastery.load(sys.argv[1], sys.argv[2])
after = sorted(sys.modules)
data = numpy.arange(64, dtype=numpy.float32).reshape(1, 1, 8, 8)
prob = net(data=data)["prob"]
print(json.dumps([light, after, net.baseline, prob.tolist()]))
"""


def exported(folder: Path, baselines: str, *batches: int) -> Path:
    """``batches``: that it is planned for in advance."""
    (folder / "net.prototxt").write_text(NET)
    export_net(
        folder / "net.prototxt",
        None,
        folder / "net.roast",
        cpu_baseline=baselines,
        plan_for=[{"data": (batch, 1, 8, 8)} for batch in batches],
    )
    return folder / "net.roast"


def in_a_process(path: Path, device: str) -> tuple[list[str], list[str], str, list]:
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), device],
        capture_output=True,
        text=True,
        cwd=path.parent,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert run.returncode == 0, run.stderr
    light, after, baseline, prob = json.loads(run.stdout)
    return light, after, baseline, prob


def inside(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def test_machine_code_is_run_by_numpy_and_the_runtime_alone(tmp_path: Path) -> None:
    if not compilers_for(()):
        pytest.skip("no C compiler")
    path = exported(tmp_path, ",".join(compilers_for(())))
    light, after, baseline, prob = in_a_process(path, "cpu")
    assert baseline
    assert [n for n in light if not inside(n, ("roastery._version", "roastery.startup"))] == [
        "roastery"
    ]
    # Neither the graph nor kernels are parsed, made or checked by what compiles.
    never = (
        "ir.graph", "ir.op", "ir.ops", "ir.text", "ir.expr", "compiler.c", "compiler.passes",
        "compiler.kernels", "compiler.pipeline", "compiler.triton", "frontends", "runtime.cuda",
        "runtime.python", "runtime.data", "roastery.api", "roastery.cli", "roastery.building",
        "runtime.artifact.writer", "zipfile", "safetensors", "threadpoolctl", "ctypes.util",
    )  # fmt: skip
    assert [name for name in after if inside(name, never)] == []
    expected = roastery.load(path, "reference")(data=np.arange(64.0).reshape(1, 1, 8, 8))["prob"]
    np.testing.assert_allclose(prob, expected, rtol=1e-4, atol=1e-6)


def test_numpy_runs_the_graph_without_other_libraries(tmp_path: Path) -> None:
    path = exported(tmp_path, "none")
    _, after, baseline, prob = in_a_process(path, "reference")
    assert baseline == ""
    never = ("compiler.c", "compiler.passes", "frontends", "runtime.cuda", "roastery.api")
    assert [name for name in after if inside(name, never)] == []
    expected = roastery.load(path, "reference")(data=np.arange(64.0).reshape(1, 1, 8, 8))["prob"]
    np.testing.assert_allclose(prob, expected, rtol=1e-4, atol=1e-6)


def test_a_net_shows_what_it_takes(tmp_path: Path) -> None:
    net = load(exported(tmp_path, "none"), "reference")
    assert repr(net) == "<LoadedNet 'Light' on reference: data (1, 1, 8, 8) -> prob (1, 10)>"


def test_weights_lie_in_the_file(tmp_path: Path) -> None:
    with Artifact.load(exported(tmp_path, "none")) as artifact:
        weights = artifact.weights()
    whole = [array for array in weights.values() if array.nbytes % ALIGNED == 0]
    assert whole
    assert not any(array.flags.writeable or array.flags.owndata for array in weights.values())
    assert all(array.ctypes.data % ALIGNED == 0 for array in whole)


def test_a_flip_in_the_weights_is_refused_before_there_are_results(tmp_path: Path) -> None:
    path = exported(tmp_path, "none")
    data = bytearray(path.read_bytes())
    with Artifact.load(path) as artifact:
        sought = artifact.weights()["ip/0"].tobytes()
    at = data.index(sought) + len(sought) // 2
    data[at] ^= 1
    path.write_bytes(data)
    for device in ("cpu", "reference"):
        with pytest.raises(ArtifactError, match=r"weights\.safetensors is not what was written"):
            load(path, device)


def test_weights_are_read_as_they_were_written() -> None:
    arrays = {
        "a": np.arange(3, dtype=np.float32),
        "b": np.ones((4, 16), np.float64),
        "none": np.zeros((2, 0), np.int32),
        "scalar": np.array(7, np.uint32),
        "flag": np.array([True, False]),
        "half": np.arange(5, dtype=np.float16),
    }
    data = weights_bytes(arrays)
    found = mapped_weights(memoryview(data))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    safetensors = pytest.importorskip("safetensors.numpy")
    assert safetensors.load(data).keys() == arrays.keys()
    again = mapped_weights(memoryview(safetensors.save(arrays)))
    assert again["b"].tolist() == arrays["b"].tolist()


def test_large_files_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes and places of more than 2 GiB stand elsewhere in a zip; here from 1000 bytes on."""
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 1000)
    path = exported(tmp_path, "none")
    data = bytearray(path.read_bytes())
    assert b"PK\6\7" in data
    with Artifact.load(path) as artifact:
        weights = artifact.weights()
    assert all(
        array.ctypes.data % ALIGNED == 0
        for array in weights.values()
        if array.nbytes % ALIGNED == 0
    )
    found = load(path, "reference")(data=np.ones((1, 1, 8, 8)))
    monkeypatch.undo()
    expected = load(exported(tmp_path, "none"), "reference")(data=np.ones((1, 1, 8, 8)))
    np.testing.assert_array_equal(found["prob"], expected["prob"])
    for at in range(len(data) - 600, len(data)):
        data[at] ^= 4
        path.write_bytes(data)
        with pytest.raises(ArtifactError):
            load(path, "reference")
        data[at] ^= 4
