"""A net's stored launch plan, run without a GPU: its kernels interpreted on device memory.

The driver is made of Python functions, so what is tested is all but the machine code: that
places, arguments, grids, copies and weights of an artifact compute what its graph means.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_cuda import FakeCuda

from compiler.architecture import Architecture
from compiler.binary import HIDDEN, Binary, Resources
from compiler.kernel import Argument, Config, Kernel, Launch
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role, Value
from ir.interpret import run_graph
from ir.location import Location
from ir.ops.convolution import Conv
from ir.text import format_graph
from ir.types import TensorType
from runtime.artifact import Artifact, load, store_graph, write_artifact
from runtime.artifact.cuda import CudaRunner
from runtime.launch.interpret import InterpretLauncher

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

        self.fake.by_image[image] = ((*kinds, *HIDDEN), body)
        made = Binary(
            kernel.entry, Architecture(90), config.num_warps, (*kinds, *HIDDEN), (0, 1),
            Resources(0, 0, 0, 0), "3.9.0", image, "",
        )  # fmt: skip
        return [made]


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    made = {
        port.name: rng.standard_normal(port.value.shape, dtype=np.float32)
        for port in small_net().inputs
        if port.role is Role.PARAMETER
    }
    return {**made, "seen": np.zeros(1, np.float32)}


def test_the_stored_plan_computes_what_the_graph_means(
    tmp_path: Path, weights: dict[str, np.ndarray]
) -> None:
    graph = small_net()
    compiled = compile_graph(graph, lower_node, CompileOptions())
    gpu = InterpretingGpu(tmp_path / "kernels")
    stored = store_graph(compiled, gpu.binary)
    path = tmp_path / "small.roast"
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
    on_cpu = load(path, "cpu")
    with Artifact.load(path) as artifact:
        on_gpu = CudaRunner(artifact, 0, gpu.fake.driver())
    rng = np.random.default_rng(1)
    seen = weights["seen"]
    for images in (3, 6, 9):  # the third call is a captured graph's second
        x = rng.standard_normal((BATCH, 2, SIZE, SIZE), dtype=np.float32)
        cells = {**weights, "seen": seen, "data": x}
        prob, scores, seen, _ = run_graph(graph, [cells[p.name] for p in graph.inputs])
        for results in (on_cpu(data=x), on_gpu.run({"data": x})):
            gpu.fake.check()
            np.testing.assert_allclose(results["prob"], prob, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(results["scores"], scores, rtol=1e-4, atol=1e-4)
            np.testing.assert_array_equal(results["images"], [images])
    on_gpu.close()
    assert not gpu.fake.allocations
