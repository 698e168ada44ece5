"""Which other sizes an exported net may run at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compiler.plan.plan import Plan
from compiler.plan.saved import plan_from_json, plan_to_json
from ir.errors import RoasteryError
from ir.graph import Graph, Role
from ir.graph_sizes import graph_symbols
from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from ir.size import Condition, Symbol, symbols_of
from ir.size.form import of_atom
from ir.text import format_graph, parse_graph
from runtime.artifact.planned import MOST_PLANNED, PlannedSizes, planned_sizes
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


def planned_for(
    program: NetProgram,
    shapes: Sequence[Mapping[str, Sequence[int]]],
    plans: Mapping[str, Plan],
    conditions: Sequence[SizeCondition] | None,
) -> tuple[PlannedSizes, ...]:
    """Plans for other shapes of inputs, made in advance.

    Args:
        plans: by the names of their members.
        conditions: what has to hold of sizes; None: none may change.

    Raises RoasteryError for shapes that the net cannot have.
    """
    wanted: list[dict[str, int]] = []
    if len(shapes) > MOST_PLANNED:
        raise RoasteryError(f"{len(shapes)} shapes are too many: {MOST_PLANNED} are planned for")
    for given in shapes:
        text = " ".join(f"{name}={','.join(map(str, shape))}" for name, shape in given.items())
        inputs = {p.name for p in program.graph.inputs if p.role is Role.DATA}
        if unknown := sorted(given.keys() - inputs):
            raise RoasteryError(
                f"plan for {text}: there is no input {unknown[0]!r}",
                hint=f"inputs: {', '.join(sorted(inputs)) or 'none'}",
            )
        if program.sizes is None or conditions is None:
            raise RoasteryError(f"plan for {text}: no size of this net may change")
        try:
            sizes = program.sizes.values_for({n: tuple(s) for n, s in given.items()})
        except OtherSizes as error:
            problem = f"plan for {text}: the net cannot take this shape: {error}"
            raise RoasteryError(problem) from None
        for condition in conditions:
            if not condition.holds_at(sizes):
                raise RoasteryError(
                    f"plan for {text}: layer '{condition.layer}' ({condition.layer_type}) fixes "
                    f"{condition.form}"
                )
        if sizes != program.values and sizes not in wanted:
            wanted.append(dict(sizes))
    try:
        return planned_sizes(plans, wanted)
    except ValueError as error:
        raise RoasteryError(f"the net cannot be planned for a shape in advance: {error}") from error
