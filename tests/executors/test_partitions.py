"""A net in partitions: cut where only running tells a size, and doing what one graph would do."""

from __future__ import annotations

import gc
import weakref
from collections import Counter

import numpy as np
import pytest

import roastery
from compiler.options import CompileOptions
from compiler.partitions import Partitioning, by_layer, whole
from ir.graph import Graph
from roastery.reading.nets import net_from_text
from runtime.backends.reference import NumpyGraph, ReferenceBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.lowering import inputs, layers_of

BEFORE = (
    'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { '
    'num_output: 4 weight_filler { type: "xavier" } } }\n'
    'layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }\n'
)
FILTERED = (
    inputs(x=(6, 3), s=(6,), t=(6,))
    + BEFORE
    + 'layer { name: "f" type: "Filter" bottom: "ip" bottom: "t" bottom: "s" top: "y" top: "u" }\n'
    'layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }\n'
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "u" top: "loss" }\n'
)
ROWS = ([1, 0, 1, 0, 0, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0], [1, 0, 1, 0, 0, 1])


class Counting(ReferenceBackend):
    """Counts the runs of graphs by the first layer in them."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: Counter[str] = Counter()

    def bind(self, graph: Graph, inputs, outputs, options, values=None) -> NumpyGraph:
        bound = super().bind(graph, inputs, outputs, options, values)
        run, layer = bound.run, graph.nodes[0].location.layer

        def counted() -> None:
            self.runs[layer] += 1
            run()

        bound.run = counted  # type: ignore[method-assign]
        return bound


def net_of(text: str, cut: str, phase: str = "TRAIN") -> tuple[PartitionedNet, Counting]:
    layers, backend = layers_of(net_from_text(text), phase), Counting()
    program = layers.program
    plan: Partitioning = whole(program) if cut == "whole" else by_layer(program)
    store = Store(program.variables, seed=1)
    net = PartitionedNet(
        program,
        backend,
        store,
        lower_again=layers.part,
        partitioning=plan,
        options=CompileOptions(),
    )
    return net, backend


def feed(net: PartitionedNet, rows: list[int]) -> None:
    random = np.random.default_rng(sum(rows))
    net.inputs.put(
        {"x": random.standard_normal((6, 3)), "s": np.array(rows), "t": np.arange(6) % 4}
    )


def test_training_is_what_it_is_layer_by_layer() -> None:
    nets = [net_of(FILTERED, cut)[0] for cut in ("whole", "layers")]
    for rows in ROWS:
        for net in nets:
            feed(net, rows)
            net.store.clear_diffs()
        one, other = nets
        assert one.forward_backward() == pytest.approx(other.forward_backward(), rel=1e-6)
        for name, diff in one.store.diff.items():
            np.testing.assert_allclose(diff.array, other.store.diff[name].array, atol=1e-6)
        assert one.random_state() == other.random_state()


def test_what_comes_before_a_new_size_runs_once() -> None:
    net, backend = net_of(FILTERED, "whole")
    assert [part.first for part in net.partitioning.parts] == [0, 5, 6]
    for number, rows in enumerate(ROWS, 1):
        feed(net, rows)
        net.forward_backward()
        assert backend.runs["ip"] == number


def test_diffs_cross_partitions() -> None:
    """Those of inputs too, which training does not ask for."""
    net = roastery.compile(net_from_text(FILTERED), phase="TRAIN", device="reference")
    for rows in ROWS:
        x = np.random.default_rng(3).standard_normal((6, 3))
        net(x=x, s=np.array(rows), t=np.arange(6) % 4)
        found = net.backward()
        assert found.keys() == {"x", "s", "t"} and not found["s"].any()
        touched = np.abs(found["x"]).sum(axis=1) > 0
        assert touched.any() and not (touched & (np.array(rows) == 0)).any()


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_what_came_in_stays_where_a_layer_writes_it_in_place(phase: str) -> None:
    text = inputs(x=(2, 3)) + (
        'layer { name: "double" type: "Power" bottom: "x" top: "x" power_param { scale: 2 } }\n'
        'layer { name: "square" type: "Power" bottom: "x" top: "y" power_param { power: 2 } }\n'
    )
    net = roastery.compile(net_from_text(text), phase=phase, device="reference", observe=["x"])
    x = np.arange(6.0).reshape(2, 3) + 1
    for _ in range(2):
        found = net(x=x)
        np.testing.assert_allclose(found["y"], 4 * x**2, rtol=1e-6)
        np.testing.assert_allclose(found["x"], 2 * x)
        diffs = net.backward(y=np.ones((2, 3)))  # in phase TEST the first runs forward again
        np.testing.assert_allclose(diffs["x"], 8 * x, rtol=1e-6)


def test_a_loss_that_a_later_layer_overwrites() -> None:
    text = inputs(x=(2, 3), t=(2, 3)) + (
        'layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "t" top: "l" }\n'
        'layer { name: "p" type: "Power" bottom: "l" top: "l" power_param { scale: 5 } }\n'
    )
    losses = []
    for cut in ("whole", "layers"):
        net, _ = net_of(text, cut)
        net.inputs.put({"x": np.ones((2, 3)), "t": np.zeros((2, 3))})
        losses += [net.forward_loss(), float(net.output("l"))]
    assert losses == [1.5, 7.5, 1.5, 7.5]


def test_sizes_that_take_turns_are_bound_once() -> None:
    net, backend = net_of(inputs(x=(2, 3)) + BEFORE, "layers", "TEST")
    bound = []
    inner = backend.bind

    def counted(graph: Graph, *arguments) -> NumpyGraph:
        bound.append(graph)
        return inner(graph, *arguments)

    backend.bind = counted  # type: ignore[method-assign]
    for rows in (5, 2, 4, 5, 2, 4, 5):
        net.inputs.put({"x": np.ones((rows, 3))})
        net.forward()
    assert len(bound) == 3 * 2


@pytest.mark.parametrize("cut", ["whole", "layers"])
def test_memory_that_was_too_small_is_let_go(cut: str) -> None:
    net, _ = net_of(inputs(x=(2, 3)) + BEFORE, cut)
    net.prepare_backward()
    gone = []
    for rows in (10, 100, 1000):
        net.inputs.put({"x": np.ones((rows, 3))})
        net.forward()
        net.backward_from({"ip": np.ones((rows, 4))})
        gone.append([weakref.ref(blob.data.memory) for blob in net.blobs.values()])
    gc.collect()
    assert [ref() for refs in gone[:2] for ref in refs] == [None] * 2 * len(net.blobs)
    assert all(ref() is not None for ref in gone[2])


def test_backward_follows_forward_at_sizes_that_take_turns() -> None:
    text = inputs(x=(2, 3)) + BEFORE + 'layer { name: "y" type: "TanH" bottom: "ip" top: "ip" }\n'
    for cut in ("whole", "layers"):
        net, _ = net_of(text, cut)
        net.prepare_backward()
        shapes = []
        for rows in (4, 2, 4, 2):
            net.inputs.put({"x": np.ones((rows, 3))})
            net.forward()
            net.backward_from({"ip": np.ones((rows, 4))})
            shapes.append(net.inputs["x"].diff.array.shape)
        assert shapes == [(4, 3), (2, 3)] * 2
