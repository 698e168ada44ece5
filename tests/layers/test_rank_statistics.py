"""Statistics over the records of all ranks: values and gradients are those of one large batch."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.partitions import whole
from compiler.passes.autodiff import differentiate
from frontends.lowering.part import LayerLowering
from ir.graph import Graph, Role
from ir.interpret import run_graph
from ir.ops.ranks import Averages, MeanOverRanks
from ir.program import LOSS_OUTPUT, NetProgram
from ir.text import format_graph
from roastery.reading import nets
from tests.support.lowering import inputs, layers_of
from tests.support.rank_means import LikeThese, Thread, Threads

BATCH_NORM = 'type: "BatchNorm" batch_norm_param { moving_average_fraction: 0.75 eps: 0.01 }'
SEGNET = 'type: "BN" top: "m" top: "v" bn_param { scale_filler { } shift_filler { } }'
LAYERS = {
    "BatchNorm": BATCH_NORM,
    "eps outside the root": 'type: "BatchNorm" batch_norm_param { add_eps_before_sqrt: false }',
    "scale_bias": 'type: "BatchNorm" batch_norm_param { scale_bias: true }',
    "SegNet": SEGNET,
    "PSPNet": 'type: "BN" bn_param { slope_filler { } bias_filler { } momentum: 0.8 }',
}
SHAPES = [(4, 3, 5, 2), (6, 3)]


def lowered(
    layer: str,
    shape: tuple[int, ...],
    ranks: Averages | None,
    phase: str = "TRAIN",
) -> LayerLowering:
    """A layer, and a loss of its first top."""
    text = f'layer {{ name: "l" bottom: "x" top: "y" {layer} }}\n'
    text += 'layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }'
    net = nets.net_from_text("force_backward: true\n" + inputs(x=shape, t=shape) + text, "net")
    return layers_of(net, phase, ranks=ranks)


def trained(program: NetProgram) -> Graph:
    learning = [p.name for p in program.graph.inputs if p.role is Role.PARAMETER]
    return differentiate(
        program.graph,
        parameters=[name for name in learning if program.variables[name].learns],
        diffs={"x": program.blobs["x"][-1]},
        seeds={LOSS_OUTPUT: 1.0},
    )


def run(graph: Graph, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = run_graph(graph, [given[p.name] for p in graph.inputs])
    return {str(p.key): a for p, a in zip(graph.outputs, found, strict=True)}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("count", [2, 3])
def test_they_are_those_of_one_large_batch(name: str, shape: tuple[int, ...], count: int) -> None:
    layer, large = LAYERS[name], (shape[0] * count, *shape[1:])
    graph = trained(lowered(layer, large, None).program)
    rng = np.random.default_rng(0)
    given = {p.name: rng.standard_normal(p.value.shape) + 0.5 for p in graph.inputs}
    # Parts of a batch that differ by more than what is in them.
    given["x"] += 3.0 * np.arange(large[0]).reshape(-1, *[1] * (len(shape) - 1))
    expected = run(graph, given)

    def one(number: int, ranks: Thread) -> dict[str, np.ndarray]:
        parts = {blob: np.split(given[blob], count)[number] for blob in ("x", "t")}
        return run(trained(lowered(layer, shape, ranks).program), {**given, **parts})

    each = Threads(count).run(one)
    for key, array in expected.items():
        found = [outputs[key] for outputs in each]
        role, _, blob = key.partition(" ")
        if blob in ("y", "diff:x"):
            whole = np.concatenate(found) / (count if blob == "diff:x" else 1)
        elif role == "gradient" or blob in ("loss", LOSS_OUTPUT):
            whole = np.mean(found, axis=0)
        else:  # statistics
            whole = found[0]
            assert all(np.array_equal(whole, other) for other in found)
        np.testing.assert_allclose(whole, array, rtol=2e-6, atol=2e-6 * np.abs(array).max())


def messages(program: NetProgram) -> int:
    return sum(isinstance(node.op, MeanOverRanks) for node in program.graph.nodes)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_sends_three_messages(name: str) -> None:
    """Two forward; backward has one for the gradients of both."""
    program = lowered(LAYERS[name], (4, 3, 5), LikeThese()).program
    assert messages(program) == 2
    assert sum(isinstance(n.op, MeanOverRanks) for n in trained(program).nodes) == 3


@pytest.mark.parametrize("name", LAYERS)
def test_nobody_is_asked_where_the_batch_has_no_statistics_to_share(name: str) -> None:
    """In tests ranks take turns. Without ranks there is no trace of them."""
    assert messages(lowered(LAYERS[name], (4, 3, 5), LikeThese(), "TEST").program) == 0
    text = format_graph(lowered(LAYERS[name], (4, 3, 5), None).program.graph)
    assert MeanOverRanks.name not in text


@pytest.mark.parametrize(
    "layer",
    [
        'type: "BatchNorm" batch_norm_param { use_global_stats: true }',
        'type: "BN" bn_param { slope_filler { } bias_filler { } frozen: true }',
        'type: "BN" bn_param { scale_filler { } shift_filler { } bn_mode: INFERENCE }',
        'type: "MVN"',
    ],
)
def test_what_has_no_statistics_of_a_batch_asks_nobody(layer: str) -> None:
    assert messages(lowered(layer, (4, 3, 5, 2), LikeThese()).program) == 0


def test_statistics_of_a_batch_in_a_test_are_those_of_the_own_records() -> None:
    layer = 'type: "BatchNorm" batch_norm_param { use_global_stats: false }'
    assert messages(lowered(layer, (4, 3), LikeThese(), "TEST").program) == 0
    assert messages(lowered(layer, (4, 3), LikeThese()).program) == 2


def test_a_layer_that_is_lowered_alone_asks_them_too() -> None:
    layers = lowered(BATCH_NORM, (4, 3, 5), LikeThese())
    (number,) = (i for i, layer in enumerate(layers.program.layers) if layer.type == "BatchNorm")
    bottom = layers.program.layers[number].bottoms[0]
    part = layers.part(number, number + 1, {bottom: (7, 3, 4)}, inputs={}, alone=True)
    assert messages(part.program) == 2


def test_it_does_not_cut_the_net() -> None:
    """Sizes are known before it runs: forward and backward stay one graph."""
    assert len(whole(lowered(BATCH_NORM, (4, 3, 5), LikeThese()).program).parts) == 1
