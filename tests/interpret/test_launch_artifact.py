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
from compiler.kernel import Argument, Config, Kernel, Launch, Parameter
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role, Value
from ir.interpret import run_graph
from ir.location import Location
from ir.op import Property
from ir.ops.convolution import Conv
from ir.text import format_graph
from ir.types import DType, TensorType
from runtime.artifact import Artifact, load, store_graph, write_artifact
from runtime.artifact.cuda import CudaRunner
from runtime.artifact.net import LoadedNet
from runtime.artifact.plan import StoredKernel
from runtime.interpret.launcher import InterpretLauncher
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

    def take(self, stored: StoredKernel, source: str) -> None:
        """Have a kernel of an artifact, whose numbers are f32, by its file."""
        entry = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)][-1].name
        parameters = tuple(
            Parameter(f"p{i}", kind, DType.F32 if kind == "pointer" else None)
            for i, kind in enumerate(stored.kinds)
        )
        binary = stored.binaries[0]
        config = Config(stored.constants, binary.num_warps)
        body = self._body(Kernel(entry, source, parameters, (config,)), config)
        self.fake.kernels[binary.entry] = (binary.arguments, body)

    def _body(self, kernel: Kernel, config: Config) -> Callable[..., None]:
        def body(grid: tuple[int, int, int], *values: Any) -> None:
            arrays: dict[Value, np.ndarray] = {}
            arguments: list[Argument] = []
            for parameter, value in zip(kernel.parameters, values, strict=False):
                if parameter.dtype is None:
                    arguments.append(value)
                    continue
                token = Value(parameter.name, TensorType(()))
                arrays[token] = self.fake.rest(value, parameter.dtype.numpy)
                arguments.append(token)
            launch = Launch(
                kernel, kernel.configs.index(config), tuple(arguments), grid, kernel.entry,
                Location(), tuple(arrays),
            )  # fmt: skip
            self._launcher.bind(launch, lambda item: arrays[item])()  # type: ignore[index]

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
) -> tuple[LoadedNet, CudaRunner]:
    """A graph as an artifact, loaded for both kinds of devices."""
    compiled = compile_graph(graph, lower_node, CompileOptions())
    stored = store_graph(compiled, gpu.binary)
    write_artifact(
        path,
        name=graph.name,
        versions={"roastery": "0.1.0"},
        options=CompileOptions(),
        inputs=stored.inputs,
        outputs=stored.outputs,
        weights=weights,
        graph=format_graph(compiled.graph),
        cpu=True,
        plan=stored.plan,
        sources=stored.sources,
        memory=stored.memory,
    )
    with Artifact.load(path) as artifact:
        return load(path, "cpu"), CudaRunner(artifact, 0, gpu.fake.driver())


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
        for results in (on_cpu(data=x), on_gpu.run({"data": x})):
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
        for found in (on_cpu(**data), on_gpu.run(data)):
            gpu.fake.check()
            for i in results:
                wanted.check_one(i, found[graph.outputs[i].name], graph.outputs[i].name)
        on_gpu.close()


def test_an_artifact_of_an_earlier_version(tmp_path: Path, data_dir: Path) -> None:
    """Its kernels, as the archive shows them, compute on its launch plan what they computed."""
    gpu = InterpretingGpu(tmp_path / "kernels")
    with Artifact.load(data_dir / "artifacts" / "v1.roast") as artifact:
        for stored in artifact.plan().kernels:
            gpu.take(stored, artifact.text(stored.source))
        on_gpu = CudaRunner(artifact, 0, gpu.fake.driver())
    with np.load(data_dir / "artifacts" / "v1.npz") as recorded:
        for _ in range(2):
            result = on_gpu.run({"data": recorded["data"]})
            gpu.fake.check()
            np.testing.assert_allclose(result["prob"], recorded["prob"], rtol=1e-4, atol=1e-6)
    on_gpu.close()
