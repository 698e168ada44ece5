"""A program that goes on with rows that it found, at their most: for what runs at sizes that its
inputs tell.

A layer in the middle of it (Proposal) gives all rows that there could be, and what comes after is
computed for all of them; beside an output that has as many rows stands how many count:

    %rows, %found = ...                           %rows, %found = ...
    %top = trim(%rows, %found) {count, axis}
    %y = product(%top, %w)                  ->    %y = product(%rows, %w)
    output %y                                     output %y
                                                  output %found as found:0:y

Those whose tops are outputs alone are :mod:`.trimmed`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ir.found_rows import found_name
from ir.graph import Graph, Node, Port, Role, Value
from ir.inner_rows import inner_trims, told_under
from ir.program import NetProgram
from ir.size import Size, form_of, symbols_of
from ir.size.form import of_atom

Counted = Mapping[str, tuple[str, int]]
"""Of outputs: under which name their number of rows is told, and along which axis they lie."""


def counted_outputs(program: NetProgram) -> Counted | None:
    """Of a program that was told numbers of rows: outputs that have as many. None where an output
    follows from such a number in another way."""
    general, sizes = program.general, program.sizes
    if general is None or sizes is None:
        return None
    keys = inner_trims(general.graph)
    told = {
        symbol: name
        for name, type in sizes.inputs.items()
        if name in keys
        for symbol in symbols_of(type.shape[0])
    }
    found: dict[str, tuple[str, int]] = {}
    for port in general.graph.outputs:
        shape = port.value.shape
        rows = [axis for axis, d in enumerate(shape) if any(s in told for s in symbols_of(d))]
        if port.role is not Role.RESULT or not rows:
            continue
        (axis, *more), before = rows, shape[: rows[0]]
        (symbol, *others) = symbols_of(shape[axis])
        alone = not others and form_of(shape[axis]) == of_atom(symbol)
        if more or not alone or any(isinstance(d, Size) or d != 1 for d in before):
            return None
        found[port.name] = told[symbol], axis
    return found


def with_most_rows(program: NetProgram, counted: Counted) -> NetProgram:
    """A program that was lowered for as many rows as there could be, without its inner trims."""
    general = program.general
    return replace(
        program,
        graph=_untrimmed(program.graph, counted),
        general=general and replace(general, graph=_untrimmed(general.graph, counted)),
    )


def _untrimmed(graph: Graph, counted: Counted) -> Graph:
    keys = inner_trims(graph)
    instead: dict[Value, Value] = {}
    numbers: dict[str, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(instead.get(value, value) for value in node.inputs)
        key = told_under(node.op)
        if key in keys:
            instead[node.output], numbers[key] = inputs
        else:
            nodes.append(replace(node, inputs=inputs))
    outputs = [replace(p, value=instead.get(p.value, p.value)) for p in graph.outputs]
    told = [
        Port(found_name(name, axis), numbers[key], Role.RESULT)
        for name, (key, axis) in counted.items()
        if key in numbers
    ]
    return replace(graph, nodes=tuple(nodes), outputs=(*outputs, *told))
