"""A layer that is lowered alone is what it is in its net."""

from __future__ import annotations

import re

import pytest

from compiler.layerwise import LayerGraphTable
from frontends.lowering.net import lower_layers
from frontends.lowering.registry import load_layers
from frontends.prototxt import parse_text
from ir.graph import Graph, Role
from ir.text import format_graph
from runtime.layerwise.shapes import lowered_shapes
from tests.support.layer_cases import LayerCase, all_cases


def shown(graph: Graph | None) -> list[str]:
    """Ports, and the text without the names of values, which are unique in a net or in a layer."""
    if graph is None:
        return []
    ports = [p.name for p in (*graph.inputs, *graph.outputs) if p.role is not Role.SAVED]
    text = re.sub(r'%[\w./\-@+]+| *#.*$|  +| "[^"]*"$', "%", format_graph(graph), flags=re.M)
    return [*ports, *(line.replace("%", "") for line in text.splitlines())]


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_a_layer_alone_has_the_graphs_that_it_has_in_the_net(case: LayerCase) -> None:
    load_layers()
    lowered = lower_layers(parse_text(case.prototxt, "NetParameter", case.name), case.phase)
    whole = LayerGraphTable(lowered.program)
    for number, layer in enumerate(lowered.program.layers):
        shapes = lowered_shapes(layer)
        alone = LayerGraphTable(lowered.layer(number, shapes.bottoms, dict(shapes.sizes)))[0]
        assert shown(alone.forward) == shown(whole[number].forward)
        assert shown(alone.backward) == shown(whole[number].backward)
