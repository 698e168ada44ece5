"""Layers that are lowered alone are what they are in their net."""

from __future__ import annotations

import re

import pytest

from compiler.partitions import PartitionGraphs, Partitioning, by_layer, whole
from frontends.lowering.known_layers import find_layer, load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from ir.graph import Graph, Role
from ir.graph_sizes import graph_at
from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from ir.text import format_graph
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.other_sizes import CHANGES, changed


def shown(graph: Graph) -> list[str]:
    """Ports, and the text without the names of values, which are unique in a net or in a layer."""
    ports = [p.name for p in (*graph.inputs, *graph.outputs) if p.role is not Role.SAVED]
    text = re.sub(r'%[\w./\-@+]+| *#.*$|  +| "[^"]*"$', "%", format_graph(graph), flags=re.M)
    return [*ports, *(line.replace("%", "") for line in text.splitlines())]


def partitionings(program: NetProgram) -> list[Partitioning]:
    return [by_layer(program), whole(program)]


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_layers_alone_have_the_graphs_that_they_have_in_the_net(case: LayerCase) -> None:
    load_layers()
    lowered = lower_layers(parse_text(case.prototxt, "NetParameter", case.name), case.phase)
    program = lowered.program
    for plan in partitionings(program):
        for part in plan.parts:
            layers = program.layers[part.first : part.last]
            cut = PartitionGraphs(program, layers, part, plan.held)
            made = lowered.part(part.first, part.last, cut.sizes, inputs={}, alone=True)
            numbers = made.program
            if made.sizes is not None:
                numbers = numbers.with_numbers(made.sizes, made.values)
            alone = PartitionGraphs(numbers, numbers.layers, part, plan.held)
            for one, other in zip(cut.pair(part.apart), alone.pair(part.apart), strict=True):
                assert shown(one) == shown(other)
            assert shown(cut.joint(part.training)) == shown(alone.joint(part.training))


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_layers_of_the_net_at_other_sizes(case: LayerCase) -> None:
    """They are those of the net lowered there, without being lowered again."""
    load_layers()
    net = parse_text(case.prototxt, "NetParameter", case.name)
    lowered = lower_layers(net, case.phase)
    if lowered.program.sizes is None:
        return
    for change in CHANGES.values():
        shapes = changed(lowered.program, change)
        try:
            program = lower_layers(net, case.phase, shapes=shapes).program
            lowered.program.at(shapes)
        except (RoasteryError, OtherSizes):
            continue
        plan = by_layer(program)
        for part in plan.parts:
            layers = program.layers[part.first : part.last]
            cut = PartitionGraphs(program, layers, part, plan.held)
            made = lowered.part(part.first, part.last, cut.sizes, inputs=shapes)
            found = PartitionGraphs(made.program, made.layers, part, plan.held)
            assert shown(cut.forward) == shown(graph_at(found.forward, made.values))
            if not any(find_layer(layer.type, layer.location).host for layer in layers):
                assert made.program is lowered.program.general
