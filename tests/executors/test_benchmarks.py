"""The benchmarks run, and the nets that they build in PyTorch are the same nets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.kernel_cases import CASES
from benchmarks.net_kernels import launched
from benchmarks.torch_nets import TorchNet
from benchmarks.zoo import ZOO
from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.plan.plan import PlanLaunch
from compiler.target import typical
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from runtime.backends.reference import ReferenceBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.lowering import program_of
from tests.support.sample_nets import lenet, recurrent, residual

ROOT = Path(__file__).parents[2]


def test_kernels_against_the_reference(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    command = [sys.executable, "benchmarks/kernels.py", "--only", "conv", "--json", str(file)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=dict(os.environ))
    rows = json.loads(file.read_text())["rows"]
    assert [row["op"] for row in rows] == [c.op for c in CASES if "conv" in c.op and not c.real]
    assert all(0 < row["error"] < 1e-6 for row in rows)


def test_whole_nets_on_the_cpu(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    command = [sys.executable, "benchmarks/nets.py", "--batch=2", "--repeats=1", f"--json={file}"]
    done = subprocess.run(
        [*command, "--device=cpu"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "roastery cpu" in done.stdout and file.is_file()


@pytest.mark.parametrize("only", ["YOLO", "6000 flags"])
def test_sorting_and_suppression(only: str) -> None:
    command = [sys.executable, "benchmarks/suppression.py", "--rounds=1", "--seconds=0.001"]
    done = subprocess.run([*command, f"--only={only}"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert only in done.stdout.splitlines()[-1]


def test_nets_on_a_gpu_that_is_not_there() -> None:
    """What it reads before that is sound."""
    command = [sys.executable, "benchmarks/net_kernels.py", "--net=lenet", "--batch=2"]
    none = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=none)
    assert done.returncode == 1 and "device cuda is not there" in done.stderr


@pytest.mark.parametrize("text", [residual(units=2), recurrent()])
def test_kernels_of_a_net_are_told_as_they_run(text: str) -> None:
    """What several share in one launch, and loops turn by turn: the profiler sees no more names."""
    options = CompileOptions(typical(Architecture(90)))
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN")
    compiled = compile_program(program, options, backward=True).compiled
    rows = list(launched(compiled, options.target))
    steps = [step for step in compiled.plan.plain_steps if isinstance(step, PlanLaunch)]
    assert [row.launch.label for row in rows] == [step.label for step in steps]
    assert any(row.launch.parts for row in rows) and all(row.nbytes > 0 for row in rows)


def test_nets_in_pytorch_have_the_same_gradients() -> None:
    for text in (lenet(batch=3), residual(units=2), ZOO["cifar10_quick"].text(2)):
        message = nets.net_from_text(text, "net.prototxt")
        program = program_of(message, "TRAIN")
        net = PartitionedNet(
            program, ReferenceBackend(), Store(program.variables, seed=1), options=CompileOptions()
        )
        random = np.random.default_rng(0)
        for name, buffer in net.inputs.items():
            shape = buffer.shape
            label = name == "label"
            buffer.data.array[...] = random.integers(0, 5, shape) if label else random.random(shape)
        arrays = {name: b.array for name, b in net.store.data.items()}
        arrays |= {name: blob.data.array for name, blob in net.inputs.items()}
        theirs = TorchNet(message, program, arrays, "cpu")
        np.testing.assert_allclose(float(theirs.loss().detach()), net.forward_backward(), rtol=1e-5)
        theirs.step(theirs.loss)
        learning = [c.name for c in program.variables.values() if c.learns]
        for name in learning:
            expected = theirs.weights[name].grad.numpy()
            scale = max(np.abs(expected).max(), 1e-4)
            found = net.store.diff[name].array
            np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4, err_msg=name)


def test_layers_of_regions_are_timed(tmp_path: Path) -> None:
    """Beside torchvision's, where its library fits the PyTorch that is there."""
    file = tmp_path / "rows.json"
    command = [sys.executable, "benchmarks/regions.py", "--only=ps_roi", "--rounds=1"]
    done = subprocess.run(
        [*command, "--seconds=0", f"--json={file}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(file.read_text())["rows"]
    assert [row["step"] for row in rows] == ["forward", "backward"]
    assert all(row["ours"] > 0 for row in rows)
    compared = "torchvision is not there" not in done.stdout
    assert all((row["theirs"] is not None) == compared for row in rows)


def contest(tmp_path: Path, *arguments: str) -> Any:
    """What `benchmarks/cpu.py` finds of small nets, in one short round."""
    file = tmp_path / "found.json"
    command = [sys.executable, "benchmarks/cpu.py", "--threads=1", "--rounds=1", "--seconds=0.01"]
    done = subprocess.run(
        [*command, f"--json={file}", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text())


def test_nets_in_onnx_compute_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    plot = tmp_path / "ratios.png"
    without = ("--without", "OpenCV 4", "PyTorch", "--only=inference", f"--plot={plot}")
    nets = ("--net", "lenet", "cifar10_quick", "--batch", "2")
    found = contest(tmp_path, *nets, *without)
    assert [case["net"] for case in found["cases"]] == ["lenet", "cifar10_quick"]
    for case in found["cases"]:
        assert case["milliseconds"].keys() == {"Roastery", "ONNX Runtime"}
        assert 0 < case["differences"]["ONNX Runtime"] < 1e-5 and case["remarks"] == []
        assert case["ratios"]["ONNX Runtime"] > 0 and case["ratios"]["PyTorch"] is None
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_memory_of_whole_processes(tmp_path: Path) -> None:
    without = ("--without", "OpenCV 4", "ONNX Runtime", "PyTorch", "--only=training")
    found = contest(tmp_path, "--memory", "--net=lenet", "--batch=2", *without)
    peak = found["peak_bytes"]["LeNet b2 training"]["Roastery"]
    assert 10e6 < peak < 300e6, "its own, not that of the process which made the weights"


def test_contenders_that_nobody_knows() -> None:
    command = [sys.executable, "benchmarks/cpu.py", "--without", "Theano"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "no contender is called Theano" in done.stderr


@pytest.mark.slow
def test_torture_in_short(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    command = [sys.executable, "-m", "benchmarks.torture", "--short", f"--output={page}"]
    done = subprocess.run(
        [*command, "--only=torture.prefixes"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "| two trainings of one prefix, started at once | 2 | 0 |" in page.read_text()


def test_starts_cold_and_warm(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    command = [sys.executable, "benchmarks/start.py", "--net=lenet", f"--json={file}"]
    done = subprocess.run(
        [*command, "--only=training"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(file.read_text())
    assert row["case"] == "LeNet b64 training" and row["pass_s"] < row["warm_s"]
