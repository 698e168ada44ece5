"""``--passes none`` on a device of kernels: each result has its own kernel, and is the same."""

from __future__ import annotations

import numpy as np
import pytest

import roastery
from compiler.options import CompileOptions
from ir.ops.fusion import Fused
from roastery.reading import nets
from runtime.interpret.backend import InterpretBackend
from tests.support.lowering import inputs, program_of

NET = inputs(x=(2, 3, 6, 6), t=(2,)) + (
    'layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param { '
    'num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }\n'
    'layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }\n'
    'layer { name: "relu" type: "ReLU" bottom: "bn" top: "bn" }\n'
    'layer { name: "pool" type: "Pooling" bottom: "bn" top: "pool" pooling_param { '
    "kernel_size: 2 stride: 2 } }\n"
    'layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { '
    'num_output: 3 weight_filler { type: "xavier" } } }\n'
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "t" top: "loss" }\n'
)


def trained(device: str, passes: str | None = None) -> list[np.ndarray]:
    net = roastery.compile(nets.net_from_text(NET), phase="TRAIN", device=device, passes=passes)
    random = np.random.default_rng(0)
    found = [net(x=random.standard_normal((2, 3, 6, 6)), t=np.array([0, 2]))["loss"]]
    net.backward()
    return found + [diff for diffs in net.parameter_diffs.values() for diff in diffs]


@pytest.mark.parametrize("passes", ["none", "simplify", "fuse"])
def test_results(passes: str) -> None:
    for ours, right in zip(trained("interpret", passes), trained("reference"), strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-4, atol=1e-5)


def test_every_result_has_a_kernel() -> None:
    graph = program_of(nets.net_from_text(NET), "TEST").graph
    compiled = InterpretBackend().compiler(graph, CompileOptions(passes=())).at()
    groups = [node for node in compiled.graph.nodes if isinstance(node.op, Fused)]
    assert all(len(node.op.body.nodes) == 1 for node in groups)
    results = [{v for node in g.nodes for v in node.outputs} for g in (compiled.graph, graph)]
    assert results[0] <= results[1]  # what nobody reads is not stored
