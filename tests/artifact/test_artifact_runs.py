"""Artifacts run: on the CPU from their IR text, on a GPU from their launch plan."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import OPTIONS
from fake_cuda import FakeCuda

from ir.errors import RoasteryError
from ir.types import TensorType
from roastery.cli.main import main
from runtime.artifact import Artifact, load

Write = Callable[..., Path]
W = np.linspace(-1, 1, 50, dtype=np.float32)


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(50, dtype=np.float32)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_outputs_and_state(write: Write, fake_gpu: FakeCuda, x: np.ndarray, device: str) -> None:
    net = load(write(), device)
    assert net.device.startswith(device)
    assert net.inputs == {"data": TensorType((50,))}
    results = [net(data=x * step)["out"] for step in (1, 2, 3, 4)]
    sums = (0, 1, 3, 6)
    for step, total, result in zip((1, 2, 3, 4), sums, results, strict=True):
        np.testing.assert_allclose(result, x * (step / 2 + total) + W, rtol=1e-5, atol=1e-6)
    fake_gpu.check()
    # Loading again starts over: nothing was written to the file.
    np.testing.assert_array_equal(load(write(), device)(data=x)["out"], results[0])
    net.close()


def test_on_a_gpu_all_calls_after_the_first_are_captured(
    write: Write, fake_gpu: FakeCuda, x: np.ndarray
) -> None:
    net = load(write())
    assert net.device == "cuda:0"
    for _ in range(3):
        net(data=x)
    assert [name for name, *_ in fake_gpu.launches] == ["axpy"] * 9
    assert fake_gpu.images == [b"\x7fELF"]  # the three launches share one module
    net.close()
    assert not fake_gpu.allocations


@pytest.mark.parametrize(
    ("capability", "image"), [(80, b"\x7fELF"), (120, b".version 7.4 // sm_80\n")]
)
def test_other_gpus(
    write: Write, fake_gpu: FakeCuda, x: np.ndarray, capability: int, image: bytes
) -> None:
    fake_gpu.capability = capability
    result = load(write(), "cuda:0")(data=x)["out"]
    np.testing.assert_allclose(result, x / 2 + W, rtol=1e-5, atol=1e-6)
    assert fake_gpu.images == [image]


def test_a_gpu_without_code(write: Write, fake_gpu: FakeCuda) -> None:
    fake_gpu.capability = 75
    with pytest.raises(RoasteryError, match=r"tiny.roast: there is no code for this GPU .sm_75"):
        load(write(), "cuda")


def test_choosing_the_device(
    write: Write, fake_gpu: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, cpu = write(), write("cpu.roast", plan=None, code=None)
    gpu = write("gpu.roast", cpu=False)
    assert load(both).device == "cuda:0"
    assert load(both, "reference").device == "reference"
    assert load(cpu).device == "cpu"
    with pytest.raises(RoasteryError, match="exported for cpu, not for a GPU"):
        load(cpu, "cuda")
    with pytest.raises(RoasteryError, match="exported for cuda:sm_80, cuda:sm_90, not for the CPU"):
        load(gpu, "cpu")
    with pytest.raises(RoasteryError, match="there is no CUDA device 3"):
        load(gpu, "cuda:3")
    with pytest.raises(RoasteryError, match="unknown device 'tpu'"):
        load(both, "tpu")
    fake_gpu.devices = 0
    assert load(both).device == "cpu"
    with pytest.raises(RoasteryError, match="there is no GPU: no CUDA device: the driver"):
        load(gpu)
    with pytest.raises(RoasteryError, match="device cuda is not there"):
        load(both, "cuda")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "input 'data': f32.50. is not given"),
        ({"dta": np.zeros(50)}, "has no input 'dta'(.|\n)*did you mean 'data'"),
        ({"data": np.zeros((1, 50))}, r"shape \(1, 50\), the artifact takes \(50,\)"),
        ({"data": np.array(["a"] * 50)}, "holds <U1, the artifact takes float32"),
        ({"data": [object()] * 50}, "holds object"),
        ({"data": [[1], [2, 3]]}, "input 'data' is no array of float32: "),
    ],
)
def test_inputs_that_do_not_fit(write: Write, arrays: dict, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        load(write(), "cpu")(**arrays)


@pytest.mark.parametrize("device", ["cpu", "reference", "cuda"])
def test_a_net_that_was_closed(
    write: Write, fake_gpu: FakeCuda, x: np.ndarray, device: str
) -> None:
    net = load(write(), device)
    net(data=x)
    net.close()
    net.close()
    with pytest.raises(RoasteryError, match="was closed"):
        net(data=x)


def test_numbers_are_converted(write: Write) -> None:
    net = load(write(), "cpu")
    for array in (np.ones(50, np.float64), np.ones(100)[::2], [1] * 50, np.ones(50, bool)):
        net(data=array)
    net = load(write(), "cpu")
    np.testing.assert_allclose(net(data=[2] * 50)["out"], 1 + W, rtol=1e-6)


def test_it_is_there_to_be_read(write: Write) -> None:
    with Artifact.load(write()) as artifact:
        assert artifact.manifest.name == "tiny"
        assert artifact.manifest.targets == ("cpu", "cuda:sm_80", "cuda:sm_90")
        assert artifact.manifest.versions["triton"] == "3.9.0"
        assert artifact.manifest.options == OPTIONS
        assert sorted(artifact.manifest.members) == [
            "code.json",
            "code/sm_80/0000.cubin",
            "code/sm_80/0000.ptx",
            "code/sm_90/0000.cubin",
            "graph.txt",
            "kernels/a_ip.py",
            "plan.json",
            "weights.safetensors",
        ]
        assert artifact.text("kernels/a_ip.py").startswith("# ip: y += a x")
        assert artifact.text("graph.txt").startswith("graph tiny {")
        plan, _ = artifact.plan()
        assert plan.launches[0].location == "tiny.prototxt:3:1 (layer 'ip')"


def test_running_needs_neither_parser_nor_compiler(write: Write) -> None:
    path = write()
    script = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("lark", "triton", "torch", "google", "h5py", "lmdb", "cv2"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
import numpy
from runtime.artifact import load
print(load({str(path)!r}, "cpu")(data=numpy.ones(50))["out"].sum())
assert not any(name.startswith("compiler.triton") or name == "frontends" for name in sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert result.stderr == ""
    assert float(result.stdout) == pytest.approx(25, abs=1e-4)


def test_what_it_was_compiled_by_is_shown(
    write: Write,
    fake_gpu: FakeCuda,
    x: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write()
    np.save(tmp_path / "x.npy", x)
    for device, shown in (
        ("cuda", "cuda:0, tf32, planned for Small with 7 processors"),
        ("cpu",) * 2,
    ):
        assert main(["run", str(path), f"--input={tmp_path / 'x.npy'}", f"--device={device}"]) == 0
        assert capsys.readouterr().out.splitlines()[0] == f"{path}: on {shown}"


def test_what_it_holds_is_shown(
    write: Write, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the plan that would run; without a GPU."""
    assert main(["inspect", str(write())]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("tiny, format 2, for cpu, cuda:sm_80, cuda:sm_90\n")
    for line in (
        "made by roastery 0.1.0, triton 3.9.0, numpy 2.4.0 (tf32, planned for Small with 7 pro",
        "input data: f32, 50",
        "on the CPU: 2 operations, graph.txt",
        "1x1x1  BLOCK=64 warps=4  a_ip.py",
        "a_ip.py  4          3         BLOCK=64       sm_80: 16 registers, 0 bytes shared; sm_90",
        "     0    200  0..1  between",
        "arena 256 bytes; ",
    ):
        assert line in shown
    assert main(["inspect", str(write("cpu.roast", plan=None, code=None))]) == 0
    assert "arena" not in capsys.readouterr().out
    assert main(["inspect", str(data_dir / "artifacts" / "v1.roast")]) == 0
    shown = capsys.readouterr().out
    assert "conv_relu  9x1x1  M=32 N=32 K=16 SPLIT=0 warps=4  conv_relu.py" in shown
    assert "arena 15360 bytes, of buffers whose sizes format 1 leaves out" in shown
