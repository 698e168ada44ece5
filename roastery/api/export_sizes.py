"""Which other sizes an exported net may run at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from compiler.plan.plan import Plan
from compiler.plan.saved import plan_from_json, plan_to_json
from ir.graph import Graph, Role
from ir.graph_sizes import graph_symbols
from ir.program import NetProgram
from ir.size import Condition, Symbol, symbols_of
from ir.size.form import of_atom
from ir.text import format_graph, parse_graph
from runtime.artifact.sizes import SizeCondition, check_forms

from .own_places import without_folder


def size_conditions(
    program: NetProgram, constants: Sequence[Graph], graph: Graph, plans: Sequence[Plan]
) -> list[SizeCondition] | None:
    """What has to hold of the sizes of a net; None where none may change.

    Args:
        constants: what is computed once, at the sizes at hand: it fixes those that are in it.
        graph, plans: what the artifact holds.
    """
    if program.sizes is None or not graph_symbols(graph):
        return None
    scope = program.sizes.scope
    told = {
        symbol
        for port in graph.inputs
        if port.role is Role.DATA
        for extent in port.value.type.shape
        for symbol in symbols_of(extent)
    }
    if not told.issuperset(scope.symbols.values()) or not _readable(graph, plans):
        return None
    conditions = [*scope.conditions, *_pinned(program, constants)]
    return [
        SizeCondition.of(scope, replace(condition, place=without_folder(condition.place)))
        for condition in conditions
    ]


def _pinned(program: NetProgram, constants: Sequence[Graph]) -> Iterator[Condition]:
    types = {layer.name: layer.type for layer in program.layers}
    found: dict[Symbol, Condition] = {}
    for node in (node for graph in constants for node in graph.nodes):
        for symbol in graph_symbols(Graph("", (), (node,), ())):
            form, place = of_atom(symbol), node.location
            layer_type = types.get(place.layer, "")
            found.setdefault(symbol, Condition(form, "==", symbol.value, place, layer_type))
    yield from found.values()


def _readable(graph: Graph, plans: Sequence[Plan]) -> bool:
    """Whether its forms are short enough for a reader of artifacts."""
    text = format_graph(graph)
    try:
        check_forms(text)
        parse_graph(text)
        for plan in plans:
            plan_from_json(plan_to_json(plan))
    except ValueError:
        return False
    return True
