"""Which values between kernels are stored in 16 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ir.expr import walk
from ir.graph import Direction, Graph, Node, Role, Value
from ir.op import Property
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map, widens
from ir.size import Size
from ir.types import F32

from ...plan.aliasing import WITHOUT_KERNEL, view_roots
from .decisions import deciding_values
from .factors import factor_inputs, has_product

_COMPUTED = {"flat", "contract", "row", "reduce"}
"""Schedules that compute element by element, and cast what they read and write."""

_SENSITIVE = {"exp", "log", "log1p", "expm1", "floor", "to_int"}
"""A small error of what these are taken of is a large one of the result, or one of a place."""

VARIABLES = (Role.PARAMETER, Role.STATE, Role.GRADIENT, Role.HYPER)


class Storage:
    """What of a graph's values is stored in f32, in 16 bits, or in both.

    Attributes:
        narrow: what is stored in 16 bits instead, with all views of it, and all parts.
        multiplying: groups whose products take factors of 16 bits.
        factors: what has to be there in 16 bits.
        needed_wide: what has to be there in f32.
    """

    def __init__(self, graph: Graph, narrow: set[Value], multiplying: set[Node]) -> None:
        self.narrow, self.multiplying = narrow, multiplying
        self.factors: set[Value] = set()
        self.needed_wide = {p.value for p in graph.outputs}
        for node in graph.nodes:
            found = self.factors_of(node)
            self.factors |= found
            self.needed_wide |= set(node.inputs) - found

    def factors_of(self, node: Node) -> set[Value]:
        """The inputs of a group that are nothing but factors of 16 bits."""
        if node not in self.multiplying:
            return set()
        body = node.op.body  # type: ignore[attr-defined]
        found = factor_inputs(body)
        return {v for v, port in zip(node.inputs, body.inputs, strict=True) if port.value in found}


def weights_alone(graph: Graph) -> Storage:
    """Nothing has 16 bits but what came so: who reads it makes f32 of it."""
    users = graph.users()

    def taken(value: Value) -> bool:
        found = users.get(value, ())
        return all(isinstance(n.op, Fused) and n.op.schedule in _COMPUTED for n in found)

    shown = {port.value for port in graph.outputs}
    groups = [n for n in graph.nodes if isinstance(n.op, Fused) and len(n.op.body.nodes) == 1]
    return Storage(
        graph,
        {
            node.output
            for node in groups
            if widens(node.op.body.nodes[0])  # type: ignore[attr-defined]
            and node.output not in shown
            and taken(node.output)
        },
        set(),
    )


def between_kernels(graph: Graph, may: Callable[[str, Node], bool], *, diffs: bool) -> Storage:
    """What kernels store for each other has 16 bits. f32 stay:

    * ports: what users and solvers see, variables and their diffs, and what is on its way there;
    * what follows from variables alone, unless it is a factor of a product;
    * statistics and losses: results of reductions, and tensors of one axis;
    * what exponentials and logarithms are taken of, as an error there is one of the exponent, and
      what whole numbers are made of: where cells of regions lie;
    * what decides (:mod:`.decisions`): scores that are put in order, boxes that are compared;
    * what the host, views of such, or kernels of an op's own read;
    * diffs, unless ``diffs``.

    A factor of a product that stays f32 is stored in 16 bits, too.

    Args:
        may: whether a rewrite of a node may be made.
    """
    choice = _Choice(graph, diffs)
    wide = set(choice.staying_wide())
    roots: dict[Value, bool] = {}
    for node in graph.nodes:
        for value in node.outputs:
            if choice.is_root(value) and value not in wide and choice.is_eligible(value, node):
                roots[value] = may("store results", node)
    narrow = {v for v in graph.values() if roots.get(choice.root_of(v), False)}
    multiplying = {n for n in graph.nodes if choice.multiplies(n) and may("factors", n)}
    return Storage(graph, narrow, multiplying)


class _Choice:
    def __init__(self, graph: Graph, diffs: bool) -> None:
        self.graph = graph
        self.diffs = diffs
        self._root = view_roots(graph)

    def root_of(self, value: Value) -> Value:
        return self._root[value]

    def is_root(self, value: Value) -> bool:
        return self._root[value] is value

    def multiplies(self, node: Node) -> bool:
        """Whether a group has a product that may be one of factors of 16 bits."""
        if not isinstance(node.op, Fused) or not has_product(node.op.body):
            return False
        return self.diffs or node.direction is Direction.FORWARD

    def is_eligible(self, value: Value, maker: Node) -> bool:
        if maker.op.properties & Property.WHOLE:
            makers = self.graph.producers
            return all(self.is_eligible(part, makers[part]) for part in maker.inputs)
        if not isinstance(maker.op, Fused) or value.type.dtype is not F32:
            return False
        if maker.op.schedule not in _COMPUTED - {"reduce"} or maker.direction is Direction.UPDATE:
            return False
        if maker.direction is Direction.BACKWARD and not self.diffs:
            return False
        return _axes(value) > 1

    def staying_wide(self) -> Iterator[Value]:
        """Roots of values that something needs in f32."""
        graph = self.graph
        for port in graph.outputs:
            yield self.root_of(port.value)
        for node in graph.nodes:
            if node.op.properties & WITHOUT_KERNEL:
                continue
            computed = isinstance(node.op, Fused) and node.op.schedule in _COMPUTED
            if not computed or node.direction is Direction.UPDATE:
                yield from map(self.root_of, node.inputs)
            elif _is_sensitive(node):
                yield from map(self.root_of, _beside_factors(node))
        yield from map(self.root_of, deciding_values(graph))
        yield from self._of_variables()
        yield from self._gradients()

    def _of_variables(self) -> Iterator[Value]:
        """What follows from variables alone, and would be rounded twice."""
        known = {p.value for p in self.graph.inputs if p.role in VARIABLES}
        for node in self.graph.nodes:
            if all(v in known for v in node.inputs):
                known.update(node.outputs)
                yield from map(self.root_of, node.outputs)

    def _gradients(self) -> Iterator[Value]:
        """What is computed element by element on its way to the diff of a variable."""
        leading = {p.value for p in self.graph.outputs if p.role in VARIABLES}
        for node in reversed(self.graph.nodes):
            view = bool(node.op.properties & WITHOUT_KERNEL)
            flat = isinstance(node.op, Fused) and node.op.schedule == "flat"
            results = leading.intersection(node.outputs) if view or flat else ()
            for result in results:
                for value in node.inputs:
                    if value.type.size == result.type.size:
                        leading.add(value)
                        yield self.root_of(value)


def _axes(value: Value) -> int:
    """Along how many axes there are several elements."""
    return sum(isinstance(extent, Size) or extent > 1 for extent in value.shape)


def _beside_factors(node: Node) -> list[Value]:
    body = node.op.body  # type: ignore[attr-defined]
    factors = factor_inputs(body)
    pairs = zip(node.inputs, body.inputs, strict=True)
    return [value for value, port in pairs if port.value not in factors]


def _is_sensitive(node: Node) -> bool:
    body = node.op.body  # type: ignore[attr-defined]
    maps = (inner.op for inner in body.nodes if isinstance(inner.op, Map))
    return any(x.op in _SENSITIVE for op in maps for x in walk(*op.exprs))
