"""The nodes of a graph, by their rules."""

from __future__ import annotations

from collections.abc import Mapping

from ir.errors import ErrorGroup, RoasteryError
from ir.graph import Graph, Node, Value
from ir.graph_sizes import graph_symbols
from ir.interpret import run_node
from ir.op import Property
from ir.size import Size

from .halving import half_nodes
from .patterns import OneNode, found_patterns
from .registry import RULES
from .unsupported import Unsupported
from .writer import Writer

MOST_FOLDED = 1 << 24
"""Constants of more elements are not computed ahead."""

_NEVER = Property.RANDOM | Property.HOST | Property.EFFECT | Property.DYNAMIC | Property.REPEATED


def emit_graph(writer: Writer, graph: Graph, names: Mapping[Value, str]) -> None:
    """Emit the nodes of a graph, whose inputs the writer knows.

    Args:
        names: what values are to be called, where that is not their own name.

    Raises RoasteryError that names all layers which cannot be expressed.
    """
    found = found_patterns(writer, graph)
    halves = half_nodes(graph, found) if writer.may_halve else set()
    inside = writer.half  # the body of a loop is all of one type
    writer.read |= {v for node in graph.nodes for v in node.inputs}
    writer.read |= {port.value for port in graph.outputs}
    failed: dict[str, RoasteryError] = {}
    for node in graph.nodes:
        match = found.get(node)
        if match is not None and match.last is not node:
            continue
        if match is None and _folded(writer, node):
            continue
        writer.half = inside or node in halves
        try:
            _write(writer, node, match, names)
        except Unsupported as reason:
            error = _refusal(node, str(reason))
            failed.setdefault(str(error), error)
        except RoasteryError as error:  # of a graph inside
            failed.setdefault(str(error), error)
        else:
            continue
        for value in node.outputs:
            writer.set_name(value, value.name)  # so that the others are looked at, too
    writer.half = inside
    if failed:
        errors = list(failed.values())
        raise errors[0] if len(errors) == 1 else ErrorGroup(errors)


def _write(writer: Writer, node: Node, match: OneNode | None, names: Mapping[Value, str]) -> None:
    first = len(writer.nodes)
    if match is not None:
        made = match.emit(writer)
    else:
        rule = RULES.get(type(node.op))
        if rule is None:
            host = bool(node.op.properties & Property.HOST)
            why = f"'{node.op.name}' runs on the host" if host else f"'{node.op.name}' has no nodes"
            raise Unsupported(why)
        made = rule(writer, node)
    values = {v: name for v, name in zip(node.outputs, made, strict=True) if name}
    writer.results(first, values, names, node.location)


def _refusal(node: Node, reason: str) -> RoasteryError:
    return RoasteryError(
        f"cannot be expressed in ONNX: {reason}",
        location=node.location,
        hint="cut the net before it, or export another format: roastery export --help",
    )


def _folded(writer: Writer, node: Node) -> bool:
    """Whether a node depends on constants alone; then its results are constants, too."""
    if node.op.properties & _NEVER or not node.outputs:
        return False
    types = [v.type for v in (*node.inputs, *node.outputs)]
    if any(isinstance(d, Size) for t in types for d in t.shape):
        return False
    if sum(t.size for t in types) > MOST_FOLDED or _holds_sizes(node):
        return False
    arrays = [writer.array(v) for v in node.inputs]
    if any(a is None for a in arrays):
        return False
    results = run_node(node, [a for a in arrays if a is not None])
    view = node.inputs[0] if node.op.properties & Property.VIEW else None
    for value, array in zip(node.outputs, results, strict=True):
        writer.set_array(value, array, view)
    return True


def _holds_sizes(node: Node) -> bool:
    return bool(graph_symbols(Graph("", (), (node,), ())))
