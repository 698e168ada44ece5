"""``--precision``: from the command line into the machine code, the cache and the artifact."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from compiler.options import CompileOptions
from compiler.target import typical
from compiler.triton.compile import Job
from compiler.triton.lower import lower_node
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.cli.main import main
from roastery.devices.compile_options import CompileRequest, choose_precision, compile_options
from runtime.artifact import Artifact, load
from runtime.cuda.backend import CudaBackend
from tests.support.fake_gpu import FakeGpu

NET = """
name: "small"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 8 dim: 12 dim: 12 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 32 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 20 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""
TF32 = re.compile(r"mma\.\S*\.tf32\.tf32\.")
NOTE = "precision tf32 has no effect on "
NO_UNITS = "which has no units for it: products are of float32 there"


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.delenv("ROASTERY_PRECISION", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)


def ptx(path: Path) -> str:
    """All PTX of an artifact."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".ptx")]
        assert names
        return "\n".join(archive.read(name).decode() for name in names)


def exported(*flags: str, name: str = "net.roast") -> Path:
    assert main(["export", "--model=net.prototxt", f"--output={name}", *flags]) == 0
    return Path(name)


def test_it_reaches_the_ptx_of_an_artifact(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--target=cuda:sm_80", "--target=cpu")
    fast = exported(*flags, "--precision=tf32", name="fast.roast")
    said = capsys.readouterr().out
    assert "kernels (tf32, planned for A100 with 108 processors), " in said
    exact = exported(*flags, name="exact.roast")
    assert "kernels (float32, planned for A100 with 108 processors), " in capsys.readouterr().out
    strict = exported(*flags, "--precision=ieee", name="strict.roast")
    assert len(TF32.findall(ptx(fast))) >= 2  # the convolution and the inner product
    assert not TF32.search(ptx(strict)) and "fma.rn.f32" in ptx(strict)
    # Three products of tf32 for each, at least.
    assert len(TF32.findall(ptx(exact))) >= 3 * len(TF32.findall(ptx(fast)))
    for path, precision in ((fast, "tf32"), (exact, "float32"), (strict, "ieee")):
        with Artifact.load(path) as artifact:
            options = artifact.manifest.options
            assert options == CompileOptions(typical(options.target.architecture), precision)
            kernel = next(n for n in artifact.manifest.members if n.endswith("conv_relu.py"))
            assert f'precision: "{precision}"' in artifact.text(kernel)
    # The graph is the same, and so is what the CPU computes.
    x = np.random.default_rng(0).standard_normal((2, 8, 12, 12), dtype=np.float32)
    ours, theirs = (load(path, "cpu")(data=x)["prob"] for path in (fast, exact))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("precision", "fast"), [("tf32", True), ("float32", True), ("ieee", False)]
)
def test_it_reaches_the_ptx_that_compile_dumps(
    precision: str, fast: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [f"--precision={precision}", "--target=cuda:sm_80", "--dump=out"]
    assert main(["compile", "net.prototxt", "--phase=TEST", *flags]) == 0
    assert f"({precision}, planned for A100 with 108 processors)" in capsys.readouterr().out
    texts = {path.name: path.read_text() for path in Path("out/ptx/sm_80").iterdir()}
    assert {"conv_relu.ptx", "ip.ptx", "prob.ptx"} <= set(texts)
    assert bool(TF32.search(texts["conv_relu.ptx"])) == fast
    assert bool(TF32.search(texts["ip.ptx"])) == fast
    assert not TF32.search(texts["prob.ptx"])


@pytest.mark.parametrize(("precision", "kind"), [("bfloat16", "bf16"), ("float16", "f16")])
def test_products_of_16_bits(precision: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [f"--precision={precision}", "--target=sm_80", "--dump=out"]
    assert main(["compile", "net.prototxt", "--phase=TEST", *flags]) == 0
    assert f"({precision}, planned for A100 with" in capsys.readouterr().out
    texts = {path.name: path.read_text() for path in Path("out/ptx/sm_80").iterdir()}
    product = re.compile(rf"mma\.\S*\.f32\.{kind}\.{kind}\.f32")
    assert product.search(texts["conv_relu.ptx"]) and not TF32.search(texts["conv_relu.ptx"])
    assert not product.search(texts["prob.ptx"])


def test_floats_of_16_bits_that_a_device_lacks(capfd: pytest.CaptureFixture[str]) -> None:
    """Kernels are made once: where one of the targets has none, none has."""
    for targets, also in (("sm_75", False), ("sm_75,sm_90", True)):
        flags = [f"--target={targets}", "--precision=bfloat16", "--dump=out"]
        assert main(["compile", "net.prototxt", *flags]) == 0
        said = "".join(capfd.readouterr())
        assert said.count(f"precision bfloat16 has no effect on cuda:sm_75, {NO_UNITS}") == 1
        assert ("for all targets: they are of float32" in said) == also
        assert "(float32, planned for" in said
        assert not any("bf16" in path.read_text() for path in Path("out/ptx/sm_75").iterdir())
    flags = ["--target=sm_80", "--precision=bfloat16", "--passes=simplify,fuse"]
    assert main(["compile", "net.prototxt", *flags]) == 0
    said = "".join(capfd.readouterr())
    assert said.count("precision bfloat16 has no effect without the pass precision") == 1


def test_an_artifact_keeps_weights_of_16_bits(capsys: pytest.CaptureFixture[str]) -> None:
    plain = exported("--target=cuda:sm_80", name="plain.roast")
    small = exported("--target=cuda:sm_80", "--precision=bfloat16", name="small.roast")
    assert "kernels (bfloat16, planned for A100" in capsys.readouterr().out
    with Artifact.load(plain) as wide, Artifact.load(small) as narrow:
        assert narrow.manifest.options.precision == "bfloat16"
        sizes = [a.manifest.members["weights.safetensors"].size for a in (wide, narrow)]
    assert sizes[1] < 0.6 * sizes[0]


def test_kernels_are_planned_for_the_device_with_the_most_processors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["compile", "net.prototxt"]) == 0
    assert "(float32, planned for any GPU with 128 processors)" in capsys.readouterr().out
    exported("--target=sm_75,cuda:sm_90")
    assert "planned for H100 SXM with 132 processors" in capsys.readouterr().out


def test_turing_multiplies_without_matrix_units(capfd: pytest.CaptureFixture[str]) -> None:
    """Triton does; a note says so, once."""
    flags = ["--target=sm_75", "--precision=tf32", "--dump=out"]
    assert main(["compile", "net.prototxt", *flags]) == 0
    assert (
        "".join(capfd.readouterr()).count(
            NOTE + "cuda:sm_75, which has no units for it: products are of float32 there"
        )
        == 1
    )
    assert not any(TF32.search(path.read_text()) for path in Path("out/ptx/sm_75").iterdir())


@pytest.mark.parametrize(
    "command",
    [
        ["time", "--model=net.prototxt", "--iterations=1", "--phase=TEST"],
        ["time", "--model=net.prototxt", "--iterations=1", "--phase=TEST", "--fused"],
        ["test", "--model=net.prototxt", "--weights=w.caffemodel", "--iterations=1"],
        ["train", "--solver=solver.prototxt"],
        ["export", "--model=net.prototxt", "--output=net.roast"],
        ["export", "--model=net.prototxt", "--output=net.roast", "--target=cpu"],
        ["compile", "net.prototxt", "--device=cpu"],
    ],
    ids=lambda words: " ".join(words[:1] + words[4:]),
)
@pytest.mark.parametrize("by", ["flag", "environment"])
def test_on_a_cpu_it_has_no_effect_and_a_note_says_so_once(
    command: list[str],
    by: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caffe.Net("net.prototxt", caffe.TEST).save("w.caffemodel")
    Path("solver.prototxt").write_text(
        'net: "train.prototxt"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 1\n'
        "snapshot_after_train: false\ntest_iter: 1\ntest_interval: 1\n"
    )
    loss = 'layer { name: "loss" type: "EuclideanLoss" bottom: "prob" bottom: "prob" top: "l" }'
    Path("train.prototxt").write_text(NET + loss)
    if by == "flag":
        command = [*command, "--precision=tf32"]
    else:
        monkeypatch.setenv("ROASTERY_PRECISION", "tf32")
    capfd.readouterr()
    assert main(command) == 0
    said = "".join(capfd.readouterr()) + caplog.text
    assert said.count(f"{NOTE}the CPU, {NO_UNITS}") == 1


def test_unknown_precisions_are_refused(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["compile", "net.prototxt"], ["time", "--model=net.prototxt"]):
        assert main([*command, "--precision=fp8"]) == 1
        said = capfd.readouterr().err
        assert "fp8" in said and "ieee" in said and "tf32" in said and "Traceback" not in said
    for call in (
        lambda: roastery.compile("net.prototxt", precision="fp8"),
        lambda: export_net("net.prototxt", None, "net.roast", precision="fp8"),
    ):
        with pytest.raises(RoasteryError, match="unknown precision 'fp8'") as error:
            call()
        assert error.value.hint == "precisions: float32, tf32, bfloat16, float16, ieee"
    for odd in ("", 32, "TF32", "a\x1b[1m"):
        with pytest.raises(RoasteryError, match="unknown precision"):
            roastery.compile("net.prototxt", precision=odd)  # type: ignore[arg-type]
    monkeypatch.setenv("ROASTERY_PRECISION", "TF32")
    with pytest.raises(RoasteryError, match="ROASTERY_PRECISION has an unknown precision 'TF32'"):
        roastery.compile("net.prototxt")
    assert roastery.compile("net.prototxt", precision="ieee").precision == "ieee"
    assert not Path("net.roast").exists()
    for other, meant in (("bf16", "bfloat16"), ("half", "float16"), ("FP32", "float32")):
        with pytest.raises(RoasteryError, match=f"unknown precision '{other}'") as error:
            choose_precision(other)
        assert error.value.hint is not None and error.value.hint.endswith(
            f"; did you mean {meant}?"
        )


def test_what_others_call_a_precision(capfd: pytest.CaptureFixture[str]) -> None:
    for other, meant in (("fp16", "float16"), ("HALF", "float16"), ("fp32", "float32")):
        assert main(["time", "--model=net.prototxt", f"--precision={other}"]) == 1
        assert f"did you mean '{meant}'?" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["time", "train"])
def test_a_precision_that_nobody_chose_is_explained_on_a_gpu(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    backend = FakeGpu(1 << 26).backend()
    monkeypatch.setattr("roastery.devices.backends.cuda_missing", lambda: None)
    monkeypatch.setattr("roastery.devices.backends._cuda_backend", lambda index: backend)
    net = tmp_path / "learning.prototxt"
    net.write_text(
        'layer { name: "x" type: "DummyData" top: "x" '
        "dummy_data_param { shape { dim: 2 dim: 8 } } }"
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" '
        "inner_product_param { num_output: 2 } }"
        'layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" }'
    )
    solver = tmp_path / "solver.prototxt"
    solver.write_text(f'net: "{net}" base_lr: 0.1 lr_policy: "fixed" max_iter: 1')
    words = {"time": [f"--model={net}", "--iterations=1"], "train": [f"--solver={solver}"]}[command]

    def said(*more: str) -> str:
        assert main([command, *words, "--device=cuda", *more]) == 0
        return capfd.readouterr().err

    hint = "three of tf32, as exact; --precision tf32 takes one and is faster"
    assert said().count(hint) == 1
    assert hint not in said("--precision=float32") and hint not in said("--precision=ieee")
    monkeypatch.setenv("ROASTERY_PRECISION", "float32")
    assert hint not in said()


def test_the_first_of_flag_environment_and_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_precision(None) == "float32"
    monkeypatch.setenv("ROASTERY_PRECISION", "")
    assert choose_precision(None) == "float32"
    monkeypatch.setenv("ROASTERY_PRECISION", "tf32")
    assert choose_precision(None) == "tf32"
    assert choose_precision("ieee") == "ieee"
    said: list[str] = []
    gpu = FakeGpu().backend()
    options = compile_options(gpu, CompileRequest(), said.append)
    assert options == CompileOptions(gpu.target, "tf32")
    assert not said


def test_nets_of_one_process_do_not_share_kernels_of_another_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu = FakeGpu()

    def compiled(jobs: list[Job], progress: object) -> list:
        return [gpu.install(job, lambda grid, *values: None) for job in jobs]

    backend = CudaBackend(0, driver=gpu.fake.driver(), compile=compiled, lower=lower_node)  # type: ignore[arg-type]
    monkeypatch.setattr("roastery.api.compiling.open_backend", lambda name: backend)
    x = np.zeros((2, 8, 12, 12), np.float32)
    counts = []
    for precision in ("ieee", "tf32", "ieee", "tf32"):
        net = roastery.compile("net.prototxt", device="cpu", precision=precision)
        assert net.precision == precision
        net(data=x)
        counts.append(len(gpu.compiled))
    sources = [job.kernel.source for job in gpu.compiled]
    assert all(sum(f'"{word}"' in s for s in set(sources)) == 2 for word in ("tf32", "ieee"))
    assert counts[0] < counts[1] == counts[2] == counts[3]  # what was compiled is found again
    assert counts[1] - counts[0] < counts[0]  # what multiplies nothing is shared


def test_pycaffe_takes_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu()
    monkeypatch.setattr("roastery.caffe.net.open_backend", lambda name: gpu.backend())
    monkeypatch.setattr("roastery.training.solvers.open_backend", lambda name: gpu.backend())
    Path("solver.prototxt").write_text(
        'net: "net.prototxt"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 1\n'
        "snapshot_after_train: false\n"
    )

    def precisions(**given: str) -> set[str]:
        net = caffe.Net("net.prototxt", caffe.TEST, **given)
        solver = caffe.get_solver("solver.prototxt", **given)
        return {one._net.options.precision for one in (net, solver.net)}

    assert precisions() == {"float32"}
    assert precisions(precision="tf32") == {"tf32"}
    monkeypatch.setenv("ROASTERY_PRECISION", "tf32")
    assert precisions() == {"tf32"}
    assert precisions(precision="ieee") == {"ieee"}
    try:
        caffe.set_precision("float32")  # goes before the environment, behind an argument
        assert precisions() == {"float32"}
        assert precisions(precision="ieee") == {"ieee"}
        for wrong in ("half", "", 16):
            with pytest.raises(RoasteryError, match="unknown precision"):
                caffe.set_precision(wrong)  # type: ignore[arg-type]
        assert precisions() == {"float32"}
    finally:
        caffe.set_precision(None)
    assert precisions() == {"tf32"}
    with pytest.raises(RoasteryError, match="unknown precision 'half'"):
        precisions(precision="half")
