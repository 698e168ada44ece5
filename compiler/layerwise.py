"""The layerwise plan: a forward and a backward graph for every layer of a net.

Every named blob keeps its data and diff, and no graph crosses a layer, so any range of
layers runs alone and edited blobs count. All versions of an in-place blob share one
buffer, as in Caffe; what backward needs of an overwritten version is saved by the forward graph
of the layer that made or read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ir.graph import Direction, Graph, Node, Port, Role, Value
from ir.program import LayerInfo, NetProgram

from .passes.autodiff import backward, diff_port
from .passes.rewrite import resume


@dataclass(frozen=True)
class LayerGraphs:
    """What one layer runs.

    Port names. Forward inputs: bottoms and variables; outputs: tops, written variables (STATE), and
    SAVED values for backward. Backward inputs: blobs, variables, SAVED values, ``diff:<top>``
    (SEED) and parameter diffs (GRADIENT); outputs: ``diff:<bottom>`` (RESULT) and parameter diffs.
    ``backward`` is None for a layer that needs none.
    """

    layer: LayerInfo
    forward: Graph
    backward: Graph | None


class LayerGraphTable:
    """The forward graph of a net, split at its layers; each part is made when it is asked for."""

    def __init__(self, program: NetProgram) -> None:
        self._program = program
        self._last = {versions[-1]: name for name, versions in program.blobs.items()}
        self._blob_of = {v: name for name, versions in program.blobs.items() for v in versions}

    def __getitem__(self, number: int) -> LayerGraphs:
        layer = self._program.layers[number]
        return _one_layer(self._program, layer, self._blob_of, self._last)


def _one_layer(
    program: NetProgram, layer: LayerInfo, blob_of: Mapping[Value, str], last: Mapping[Value, str]
) -> LayerGraphs:
    nodes = program.graph.nodes[layer.first : layer.last]
    variables = {p.value: p for p in program.graph.inputs if p.role in (Role.PARAMETER, Role.STATE)}
    made = {v for n in nodes for v in n.outputs}
    outside = _outside(nodes, made)
    inputs = [
        variables[v] if v in variables else Port(blob_of[v], v, Role.DATA)
        for v in outside
        if v in variables or v in blob_of
    ]
    outputs = [
        Port(name, v, Role.RESULT)
        for name, v in zip(layer.tops, layer.top_values, strict=True)
        if v in made
    ]
    outputs += [p for p in program.graph.outputs if p.role is Role.STATE and p.value in made]
    behind = _backward_nodes(program, layer, nodes, inputs) if layer.needs_backward else None
    name = layer.name
    if behind is None:
        graph = Graph(name, tuple(inputs), nodes, tuple(outputs))
        return LayerGraphs(layer, graph, None)
    back_nodes, back_inputs, back_outputs = behind
    saved: list[Port] = []
    for v in _outside(back_nodes, {v for n in back_nodes for v in n.outputs}):
        if any(p.value is v for p in back_inputs):
            continue
        if v in variables:
            # A statistic that forward overwrites is read as it was before.
            overwritten = any(p.role is Role.STATE and p.name == variables[v].name for p in outputs)
            port = Port(f"saved:{v.name}", v, Role.SAVED) if overwritten else variables[v]
        elif v in last:
            port = Port(last[v], v, Role.DATA)
        else:
            port = Port(f"saved:{v.name}", v, Role.SAVED)
        if port.role is Role.SAVED:
            saved.append(port)
        back_inputs.append(port)
    forward = Graph(name, tuple(inputs), nodes, (*outputs, *saved))
    back = Graph(name, tuple(back_inputs), back_nodes, tuple(back_outputs))
    return LayerGraphs(layer, forward, back)


def _outside(nodes: tuple[Node, ...], made: set[Value]) -> list[Value]:
    """Values the nodes read and do not make, in order of first use."""
    found: dict[Value, None] = {}
    for node in nodes:
        for v in node.inputs:
            if v not in made:
                found.setdefault(v)
    return list(found)


def _backward_nodes(
    program: NetProgram, layer: LayerInfo, nodes: tuple[Node, ...], inputs: list[Port]
) -> tuple[tuple[Node, ...], list[Port], list[Port]] | None:
    b = resume(Graph(layer.name, tuple(inputs), nodes))
    b.inputs = []
    seeds: dict[Value, Value] = {}
    for top, value in zip(layer.tops, layer.top_values, strict=True):
        if value.type.dtype.is_float:
            seeds[value] = b.input(diff_port(top), value.type, Role.SEED)
    learning = {
        p.value: p.name
        for p in inputs
        if p.role is Role.PARAMETER and program.variables[p.name].learns
    }
    wanted = [v for v, ok in zip(layer.bottom_values, layer.backward_bottoms, strict=True) if ok]
    with b.at(layer.location, direction=Direction.BACKWARD):
        found = backward(b, seeds, [*learning, *dict.fromkeys(wanted)])
        outputs: list[Port] = []
        for name, value, ok in zip(
            layer.bottoms, layer.bottom_values, layer.backward_bottoms, strict=True
        ):
            if not ok:
                continue
            diff = found.get(value)
            if diff is None:
                diff = b.fill(0.0, value.shape)
            outputs.append(Port(diff_port(name), diff, Role.RESULT))
        for value, name in learning.items():
            diff = found.get(value)
            if diff is not None:
                before = b.input(name, value.type, Role.GRADIENT)
                outputs.append(Port(name, b.add(before, diff), Role.GRADIENT))
    if not outputs:
        return None
    return tuple(b.nodes[len(nodes) :]), list(b.inputs), outputs
