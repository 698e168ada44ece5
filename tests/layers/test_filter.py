"""Filter, whose result's size depends on data."""

from __future__ import annotations

import numpy as np
import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from ir.interpret import run_graph
from ir.ops.dynamic import SizeChanged
from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from ir.text import format_graph
from tests.support.layer_cases import net_text

FILTER = (
    'layer { name: "f" type: "Filter" bottom: "x" bottom: "z" bottom: "s" top: "a" top: "b" } '
    'layer { name: "r" type: "ReLU" bottom: "a" top: "y" }'
)


def lower(text: str = FILTER, **more: tuple[int, ...]) -> NetProgram:
    load_layers()
    net = net_text(text, x=(4, 2, 3), z=(4, 1), s=(4, 1, 1))
    return lower_layers(
        parse_text(net, "NetParameter", "net.prototxt"), "TEST", shapes=more
    ).program


def test_a_net_follows_the_number_of_rows() -> None:
    rng = np.random.default_rng(0)
    x, z, s = rng.standard_normal((4, 2, 3)), np.arange(4.0)[:, None], np.array([0.0, 2, 0, -1])
    arrays = [x, z, s.reshape(4, 1, 1)]
    with pytest.raises(SizeChanged) as caught:
        run_graph(lower().graph, arrays)
    assert caught.value.shapes == {"f/rows": (2,)}
    program = lower(**caught.value.shapes)
    outputs = dict(zip(program.outputs, run_graph(program.graph, arrays), strict=True))
    np.testing.assert_array_equal(outputs["b"], z[[1, 3]])
    np.testing.assert_array_equal(outputs["y"], np.maximum(x[[1, 3]], 0.0))


def test_another_number_of_rows_needs_no_other_lowering() -> None:
    program = lower(**{"f/rows": (2,)})
    for count in (1, 3, 4):
        told = {"f/rows": (count,)}
        assert format_graph(program.at(told).graph) == format_graph(lower(**told).graph)
    with pytest.raises(OtherSizes, match="Filter"):
        program.at({"f/rows": (5,)})
    with pytest.raises(OtherSizes):
        program.at({"f/rows": (0,)})
    with pytest.raises(OtherSizes):
        lower().at({"f/rows": (2,)})


def test_diffs_go_back_to_the_rows_they_came_from() -> None:
    from compiler.passes.rewrite import resume
    from ir.backward import backward

    program = lower(**{"f/rows": (2,)})
    b = resume(program.graph)
    top = program.blobs["b"][-1]
    seed = b.input("seed", top.type)
    z = program.graph.input("z").value
    b.outputs = []
    b.output("dz", backward(b, {top: seed}, [z])[z])
    arrays = [np.ones((4, 2, 3)), np.ones((4, 1)), np.array([0.0, 1, 0, 1]).reshape(4, 1, 1)]
    (dz,) = run_graph(b.finish(), [*arrays, np.array([[5.0], [7.0]])])
    np.testing.assert_array_equal(dz[:, 0], [0.0, 5.0, 0.0, 7.0])


def test_no_row_at_all() -> None:
    program = lower(**{"f/rows": (0,)})
    arrays = [np.ones((4, 2, 3)), np.ones((4, 1)), np.zeros((4, 1, 1))]
    outputs = dict(zip(program.outputs, run_graph(program.graph, arrays), strict=True))
    assert outputs["y"].shape == (0, 2, 3) and outputs["b"].shape == (0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('layer { name: "f" type: "Filter" bottom: "x" bottom: "z" bottom: "s" top: "a" }',
         "1 tops for 2 bottoms and a selector"),
        ('layer { name: "f" type: "Filter" bottom: "s" bottom: "x" top: "a" }',
         "the selector 'x' has shape [4, 2, 3]"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(RoasteryError, match=message.replace("[", r"\[")):
        lower(text)
