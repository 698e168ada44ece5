"""``--precision bfloat16`` on CPUs: weights that memory is waited for, and nothing else."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest

import roastery
from compiler.options import CompileOptions
from compiler.partitions import frozen
from compiler.passes.precision.narrow_constants import FEW
from compiler.pipeline import run_passes, verify_each
from ir.graph import Graph, Role
from ir.text import format_graph
from ir.types import BF16
from roastery.cli.main import main
from runtime.artifact import load
from runtime.machine.processor import cpu_target
from tests.support.c_kernels import needs_compiler
from tests.support.sample_nets import conv, dense, inputs, relu
from tests.support.training_run import lowered

NOTE = "precision bfloat16 on the CPU is that of large weights of inner products in nets that are"


def net(batch: int) -> str:
    """Inner products of 1 MiB and of less."""
    body = conv("c", "data", 8, 3) + dense("wide", "c", 512) + relu("wide") + dense("y", "wide", 10)
    return inputs(data=(batch, 3, 10, 10)) + body


def rest_of(batch: int, precision: str = "bfloat16") -> Graph:
    program = lowered(net(batch))
    options = CompileOptions(cpu_target(), precision)
    _, rest = frozen(program.general.graph if program.general else program.graph, options)
    return run_passes(rest, options, [verify_each])


def narrow_ports(graph: Graph) -> list[str]:
    return [p.name for p in graph.inputs if p.value.type.dtype is BF16]


@needs_compiler
@pytest.mark.parametrize("batch", [1, FEW, FEW + 1])
def test_what_has_16_bits(batch: int) -> None:
    graph = rest_of(batch)
    assert narrow_ports(graph) == (["frozen:wide/0.bf16"] if batch <= FEW else [])
    exact = rest_of(batch, "float32")
    assert len(graph.nodes) == len(exact.nodes)  # nothing is made f32 in memory
    made = [v.type.dtype for node in graph.nodes for v in node.outputs]
    assert BF16 not in made
    if batch > FEW:
        assert format_graph(graph) == format_graph(exact)


@needs_compiler
def test_results_and_their_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(net(1))
    found = {}
    x = np.random.default_rng(0).standard_normal((1, 3, 10, 10), dtype=np.float32)
    with caplog.at_level(logging.INFO):
        for precision in ("float32", "bfloat16"):
            for batch in (1, 3):  # another batch has the same weights
                compiled = roastery.compile(
                    path, device="cpu", precision=precision, freeze=True, seed=1
                )
                assert compiled.precision == precision
                found[precision, batch] = compiled(data=np.repeat(x, batch, 0))["y"]
    assert caplog.text.count(NOTE) == 2
    for batch in (1, 3):
        exact, ours = found["float32", batch], found["bfloat16", batch]
        error = np.abs(exact - ours).max() / np.abs(exact).max()
        assert 0 < error < 1e-2
        np.testing.assert_allclose(ours, np.repeat(found["bfloat16", 1], batch, 0), rtol=1e-5)
    plain = roastery.compile(path, device="cpu", precision="bfloat16", seed=1)(data=x)["y"]
    np.testing.assert_array_equal(plain, found["float32", 1])  # parameters may change


@needs_compiler
def test_an_artifact_and_a_folder_of_c(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(net(1))
    x = np.random.default_rng(0).standard_normal((1, 3, 10, 10), dtype=np.float32)
    results, sizes = [], []
    for precision in ("float32", "bfloat16"):
        name = f"{precision}.roast"
        flags = ["export", "--model=net.prototxt", f"--precision={precision}", f"--output={name}"]
        assert main([*flags, "--target=cpu"]) == 0
        said = "".join(capfd.readouterr()) + caplog.text
        assert said.count(NOTE) == (precision == "bfloat16")
        results.append([load(name, device)(data=x)["y"] for device in ("cpu", "reference")])
        with zipfile.ZipFile(name) as archive:
            sizes.append(archive.getinfo("weights.safetensors").file_size)
    (exact, _), (ours, by_numpy) = results
    assert 0 < np.abs(exact - ours).max() < 1e-2 * np.abs(exact).max()
    np.testing.assert_allclose(ours, by_numpy, rtol=1e-4, atol=1e-6)
    assert sizes[1] < 0.6 * sizes[0]
    flags = ["export", "--model=net.prototxt", "--target=c", "--output=folder"]
    assert main([*flags, "--precision=bfloat16"]) == 0
    assert any("real_of_bf16" in p.read_text() for p in Path("folder").glob("*.c"))


@needs_compiler
def test_the_reference_ignores_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(net(1))
    for precision in ("bfloat16", "float16"):
        with caplog.at_level(logging.INFO):
            compiled = roastery.compile(path, device="reference", precision=precision)
        assert compiled.precision == "float32"
        assert caplog.text.count(f"precision {precision} has no effect on the CPU") == 1


def test_ports_keep_their_roles() -> None:
    assert all(p.role is not Role.DATA for p in rest_of(1).inputs if p.value.type.dtype is BF16)
