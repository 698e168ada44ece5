"""A net's stored launch plan, run without a GPU: its kernels interpreted on device memory.

The driver is made of Python functions, so what is tested is all but the machine code: that
places, arguments, grids, copies and weights of an artifact compute what its graph means.
"""

from __future__ import annotations

import ast
import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_cuda import FakeCuda
from hypothesis import given, reject

from compiler.architecture import Architecture
from compiler.binary import HIDDEN, Binary, Resources
from compiler.compiled import CompiledGraph
from compiler.kernel import Config, Kernel
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.precision import PRECISIONS, kernel_tolerance
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role
from ir.interpret import run_graph
from ir.op import Property
from ir.ops.convolution import Conv
from ir.types import DType, TensorType
from roastery import compile
from roastery.api import exporting
from runtime.artifact import Artifact, Code, load, write_artifact
from runtime.artifact.code import launched
from runtime.artifact.net import LoadedNet
from runtime.interpret.launcher import InterpretLauncher
from tests.support import sample_nets
from tests.support.graphs import Drawn, examples, graphs
from tests.support.graphs.rounding import SINGLE, TooLarge, expected

BATCH, SIZE, CLASSES = 3, 9, 10


def small_net() -> Graph:
    """Convolution, ReLU, inner product, a kind of softmax; and a count of the images so far."""
    b = Builder("small")
    x = b.input("data", TensorType((BATCH, 2, SIZE, SIZE)))
    w1 = b.input("conv/0", TensorType((4, 2, 3, 3)), Role.PARAMETER)
    b1 = b.input("conv/1", TensorType((1, 4, 1, 1)), Role.PARAMETER)
    w2 = b.input("ip/0", TensorType((CLASSES, 4 * 7 * 7)), Role.PARAMETER)
    seen = b.input("seen", TensorType((1,)), Role.STATE)
    conv = b.emit(Conv((1, 1), (0, 0), (1, 1)), x, w1)
    relu = b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), conv, b1)
    ip = b.matmul(b.reshape(relu, (BATCH, 4 * 7 * 7)), w2, transpose_b=True)
    exps = b.map(e.exp(e.arg(0) * 0.1), ip)
    b.output("prob", b.map(e.arg(0) / e.arg(1), exps, b.sum(exps, [1])))
    b.output("scores", ip)
    now = b.map(e.arg(0) + float(BATCH), seen)
    b.output("seen", now, Role.STATE)
    b.output("images", now)
    return b.finish()


class InterpretingGpu:
    """A fake GPU whose kernels are those that were handed out, interpreted."""

    def __init__(self, folder: Path) -> None:
        self.fake = FakeCuda(90)
        self._launcher = InterpretLauncher(folder)
        self._numbers = itertools.count()

    def binary(self, kernel: Kernel, config: Config) -> list[Binary]:
        image = b"\x7fELF" + next(self._numbers).to_bytes(4, "big")
        kinds = [parameter.kind for parameter in kernel.parameters]
        self.fake.by_image[image] = ((*kinds, *HIDDEN), self._body(kernel, config))
        made = Binary(
            kernel.entry, Architecture(90), config.num_warps, (*kinds, *HIDDEN), (0, 1),
            Resources(0, 0, 0, 0), "3.9.0", image, "",
        )  # fmt: skip
        return [made]

    def take(self, kernel: Kernel, config: Config, binary: Binary) -> None:
        """Have a kernel of an artifact of format 1, whose numbers are f32, by its file."""
        entry = [n for n in ast.parse(kernel.source).body if isinstance(n, ast.FunctionDef)][-1]
        parameters = tuple(
            replace(p, dtype=DType.F32 if p.kind == "pointer" else None) for p in kernel.parameters
        )
        written = Kernel(entry.name, kernel.source, parameters)
        body = self._body(written, config)
        self.fake.kernels[binary.entry] = (binary.arguments, body)

    def _body(self, kernel: Kernel, config: Config) -> Callable[..., None]:
        def body(grid: tuple[int, int, int], *values: Any) -> None:
            arguments = [
                value if p.dtype is None else self.fake.rest(value, p.dtype.numpy)
                for p, value in zip(kernel.parameters, values, strict=False)
            ]
            written = range(len(arguments))
            self._launcher.prepare(kernel, config, grid, arguments, written, kernel.entry)()

        return body


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    made = {
        port.name: rng.standard_normal(port.value.shape, dtype=np.float32)
        for port in small_net().inputs
        if port.role is Role.PARAMETER
    }
    return {**made, "seen": np.zeros(1, np.float32)}


def exported(
    graph: Graph, weights: dict[str, np.ndarray], path: Path, gpu: InterpretingGpu
) -> tuple[LoadedNet, LoadedNet]:
    """A graph as an artifact, loaded for both kinds of devices."""
    compiled = compile_graph(graph, lower_node, CompileOptions())
    used = {(launch.kernel, launch.config): None for launch in launched(compiled.plan)}
    code = {key: gpu.binary(compiled.plan.kernels[key[0]], key[1]) for key in used}
    write_artifact(
        path,
        versions={"roastery": "0.1.0"},
        options=CompileOptions(),
        weights=weights,
        graph=compiled.graph,
        cpu=True,
        plan=compiled.plan,
        code=code,
        sources=[kernel.source for kernel in compiled.plan.kernels],
    )
    with Artifact.load(path) as artifact:
        return load(path, "cpu"), LoadedNet(artifact, "cuda:0", gpu.fake.driver())


def test_the_stored_plan_computes_what_the_graph_means(
    tmp_path: Path, weights: dict[str, np.ndarray]
) -> None:
    graph = small_net()
    gpu = InterpretingGpu(tmp_path / "kernels")
    on_cpu, on_gpu = exported(graph, weights, tmp_path / "small.roast", gpu)
    rng = np.random.default_rng(1)
    seen = weights["seen"]
    for images in (3, 6, 9):  # the third call is a captured graph's second
        x = rng.standard_normal((BATCH, 2, SIZE, SIZE), dtype=np.float32)
        variables = {**weights, "seen": seen, "data": x}
        prob, scores, seen, _ = run_graph(graph, [variables[p.name] for p in graph.inputs])
        for results in (on_cpu(data=x), on_gpu(data=x)):
            gpu.fake.check()
            np.testing.assert_allclose(results["prob"], prob, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(results["scores"], scores, rtol=1e-4, atol=1e-4)
            np.testing.assert_array_equal(results["images"], [images])
    on_gpu.close()
    assert not gpu.fake.allocations


def exportable(drawn: Drawn) -> bool:
    """What an artifact runs alone: nothing on the host, and something on a GPU."""
    nodes = drawn.graph.nodes
    return not any(n.op.properties & Property.HOST for n in nodes)


@examples(12)
@given(graphs(most=6).filter(exportable))
def test_random_graphs_as_artifacts(drawn: Drawn) -> None:
    ports = tuple(
        replace(p, role=Role.PARAMETER) if p.role is Role.HYPER else p for p in drawn.graph.inputs
    )
    graph = replace(drawn.graph, inputs=ports)
    try:
        wanted = expected(graph, drawn.arrays(), SINGLE)
    except TooLarge:
        reject()
    given = dict(zip(ports, drawn.arrays(double=False), strict=True))
    results = [i for i, p in enumerate(graph.outputs) if p.role is Role.RESULT]
    with tempfile.TemporaryDirectory() as folder:
        gpu = InterpretingGpu(Path(folder) / "kernels")
        weights = {p.name: a for p, a in given.items() if p.role is not Role.DATA}
        on_cpu, on_gpu = exported(graph, weights, Path(folder) / "net.roast", gpu)
        data = {p.name: a for p, a in given.items() if p.role is Role.DATA}
        for found in (on_cpu(**data), on_gpu(**data)):
            gpu.fake.check()
            for i in results:
                wanted.check_one(i, found[graph.outputs[i].name], graph.outputs[i].name)
        on_gpu.close()


LENET = """
name: "LeNet"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 3 dim: 1 dim: 12 dim: 12 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 3 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1"
  inner_product_param { num_output: 20 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "prob" type: "Softmax" bottom: "ip1" top: "prob" }
"""


PARTS = (
    sample_nets.inputs(data=(2, 8, 5, 4))
    + sample_nets.conv("a", "data", 8, 3, "pad: 1")
    + sample_nets.relu("a")
    + sample_nets.conv("b", "a", 16, 1)
    + sample_nets.relu("b")
    + sample_nets.layer("y", "Concat", "a b data")
    + sample_nets.conv("z", "y", 8, 1)
    + sample_nets.layer("w", "Concat", "y z")
    + sample_nets.layer("cut", "Slice", "w", "slice_param { slice_point: 16 }", "q r")
    + sample_nets.conv("v", "q", 4, 3)
    + sample_nets.layer("prob", "Softmax", "v")
    + sample_nets.pool("mean", "r", "pool: AVE global_pooling: true")
)


def exported_net(text: str, path: Path, gpu: InterpretingGpu, precision: str) -> CompiledGraph:
    """By `roastery export`, but for the machine code."""
    found: list[CompiledGraph] = []

    def code(compiled: CompiledGraph, *_: object) -> Code:
        found.append(compiled)
        used = {(x.kernel, x.config): None for x in launched(compiled.plan)}
        return {key: gpu.binary(compiled.plan.kernels[key[0]], key[1]) for key in used}

    path.with_suffix(".prototxt").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "_compiled_code", code)
        targets = ["cpu", "cuda:sm_90"]
        exporting.export_net(
            path.with_suffix(".prototxt"), None, path, targets, precision=precision
        )
    return found[0]


@pytest.mark.parametrize(
    ("text", "precision", "shapes"),
    [
        (LENET, "float32", [(1, 1, 12, 12), (5, 1, 12, 12), (64, 1, 12, 12)]),
        (
            sample_nets.resizable(2),
            "float32",
            [(1, 3, 17, 23), (5, 3, 12, 9), (64, 3, 6, 5), (1, 3, 6, 1100)],
        ),
        *((PARTS, name, [(2, 8, 5, 4), (1, 8, 7, 3), (3, 8, 3, 3)]) for name in PRECISIONS),
    ],
)
def test_a_saved_plan_at_other_sizes(
    tmp_path: Path, text: str, precision: str, shapes: list[tuple[int, ...]]
) -> None:
    """As the live net, from the plan in the file alone."""
    gpu = InterpretingGpu(tmp_path / "kernels")
    path = tmp_path / "net.roast"
    compiled = exported_net(text, path, gpu, precision)
    parts = [n for n in compiled.graph.nodes if n.op.properties & Property.WHOLE]
    assert len(parts) == (2 if text is PARTS else 0)
    live = compile(path.with_suffix(".prototxt"), device="reference", seed=0)
    with Artifact.load(path) as artifact:
        assert artifact.manifest.options.precision == precision
        on_gpu = LoadedNet(artifact, "cuda:0", gpu.fake.driver())
    on_cpu = load(path, "cpu")
    least = kernel_tolerance(precision)
    rng = np.random.default_rng(0)
    for shape in shapes:
        x = rng.standard_normal(shape, dtype=np.float32)
        wanted = live(data=x)
        for found in (on_cpu(data=x), on_gpu(data=x)):
            gpu.fake.check()
            assert found.keys() == wanted.keys()
            for name, array in found.items():
                np.testing.assert_allclose(array, wanted[name], rtol=least, atol=least / 10)
    on_gpu.close()
    assert not gpu.fake.allocations


def test_an_artifact_of_an_earlier_version(tmp_path: Path, data_dir: Path) -> None:
    """Its kernels, as the archive shows them, compute on its launch plan what they computed."""
    gpu = InterpretingGpu(tmp_path / "kernels")
    with Artifact.load(data_dir / "artifacts" / "v1.roast") as artifact:
        plan, code = artifact.plan()
        for (number, config), (binary,) in code.items():
            gpu.take(plan.kernels[number], config, binary)
        on_gpu = LoadedNet(artifact, "cuda:0", gpu.fake.driver())
    with np.load(data_dir / "artifacts" / "v1.npz") as recorded:
        for _ in range(2):
            result = on_gpu(data=recorded["data"])
            gpu.fake.check()
            np.testing.assert_allclose(result["prob"], recorded["prob"], rtol=1e-4, atol=1e-6)
    on_gpu.close()
