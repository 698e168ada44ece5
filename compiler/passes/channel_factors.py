"""What is the same for all elements of a channel is computed once for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import rebuild
from ir.graph import Direction, Graph, Node, Value
from ir.op import Op, Property
from ir.ops.pointwise import Map
from ir.ops.reduction import Reduce
from ir.types import F32

from .bodies import in_bodies
from .channel_expressions import DEEPEST, ChannelExpressions, is_one, product_expr
from .context import UNBOUNDED, PassContext
from .maps import map_of

_SLOW = {"div", "sqrt", "exp", "log", "pow"}


@in_bodies
def channel_factors(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Take what depends on channels alone out of what is computed for every element, if the target
    is a GPU.

    Before (%mean, %var: f32[1,64,1,1], sums over all else)::

        %y: f32[N,64,H,W] = map(%x, %mean, %var) {div(sub(a0, a1), sqrt(add(a2, 1e-05)))}
        %dy_y: f32[N,64,H,W] = map(%dy, %y) {mul(a0, a1)}
        %s: f32[1,64,1,1] = reduce(%dy_y) kind="sum" axes=(0,2,3)

    After (what finds %var gives %y.factor, too; sums that differ by factors become the same)::

        %y.factor: f32[1,64,1,1] = map(%var) {div(1.0, sqrt(add(a0, 1e-05)))}
        %y: f32[N,64,H,W] = map(%x, %mean, %y.factor) {mul(sub(a0, a1), a2)}
        %s.terms: f32[N,64,H,W] = map(%dy, %x, %mean) {mul(a0, sub(a1, a2))}
        %s.sum: f32[1,64,1,1] = reduce(%s.terms) kind="sum" axes=(0,2,3)
        %s: f32[1,64,1,1] = map(%s.sum, %y.factor) {mul(a0, a1)}
    """
    if context.options.target.kind != "cuda":
        return graph
    rewriting = _Rewriting(graph)
    nodes: list[Node] = []
    for node in graph.nodes:
        found = rewriting.of(node)
        if found and context.fuel.take("channel_factors: {}", node):
            nodes += found
        else:
            nodes.append(node)
            found = [node]
        for made in found:
            rewriting.known.producers.update(dict.fromkeys(made.outputs, made))
    same = len(nodes) == len(graph.nodes) and all(
        a is b for a, b in zip(nodes, graph.nodes, strict=True)
    )
    return graph if same else replace(graph, nodes=tuple(nodes))


class _Rewriting(ChannelExpressions):
    def of(self, node: Node) -> list[Node]:
        """What stands instead of a node; nothing: it stays."""
        fold = node.op.fold
        if fold is not None and fold.kind == "sum" and node.output.type.dtype is F32:
            return list(self._sum(node, fold.axes))
        if not isinstance(node.op, Map) or any(v.type.dtype is not F32 for v in node.outputs):
            return []
        each = zip(node.op.exprs, node.outputs, strict=True)
        alone = [map_of([expr], [value], node) for expr, value in each]
        found = [list(self._map(one, one.op)) or [one] for one in alone]
        return [made for some in found for made in some] if max(map(len, found)) > 1 else []

    # --- sums ---------------------------------------------------------------------------

    def _sum(self, node: Node, axes: Sequence[int]) -> Iterator[Node]:
        """A sum of products: the factors that are the same in all of it come after it."""
        (x,) = node.inputs
        terms: list[Expr] = []
        factors: list[Expr] = []
        self.split(self.arg(x), axes, terms, factors, DEEPEST)
        if not terms or not any(e.arguments(f) for f in factors):
            return
        terms.sort(key=str)
        kind = x.type
        inner = self.known.fresh(f"{node.output.name}.terms", kind)
        yield self.mapped(product_expr(terms), inner, node)
        total = self.known.fresh(f"{node.output.name}.sum", node.output.type)
        yield replace(node, op=Reduce("sum", tuple(axes)), inputs=(inner,), outputs=(total,))
        yield self.mapped(product_expr([self.arg(total), *factors]), node.output, node)

    # --- maps ---------------------------------------------------------------------------

    def _map(self, node: Node, op: Op) -> Iterator[Node]:
        """A map of one result: what is slow, and the same in a channel, is computed before it."""
        shape = node.output.shape
        others = [axis for axis in range(len(shape)) if axis != 1]
        if len(shape) < 2 or all(is_one(shape[axis]) for axis in others):
            return
        assert isinstance(op, Map)
        expr = self.over(op.exprs[0], node)
        changed: dict[Expr, Expr] = {}
        for part in e.walk(expr):
            own = tuple(changed.get(a, a) for a in part.args)
            made = (
                part if own == part.args else rebuild(part, dict(zip(part.args, own, strict=True)))
            )
            if part.op == "div" and self._is_of_sums(own[1], others):
                made = own[0] * (1.0 / own[1])
            changed[part] = made
        expr = changed[expr]
        found = {
            part: None
            for part in e.walk(expr)
            if any(x.op in _SLOW for x in e.walk(part)) and self._is_of_sums(part, others)
        }
        inside = {a for part in e.walk(expr) if part in found for a in part.args}
        outermost = [part for part in found if part not in inside]
        if not outermost:
            return
        for part in outermost:
            inputs = self.inputs(part)
            size = tuple(1 if axis in others else shape[axis] for axis in range(len(shape)))
            value = self.known.fresh(
                f"{node.output.name}.factor", replace(node.output.type, shape=size, layout=None)
            )
            early = all(self._direction(v) is Direction.FORWARD for v in inputs)
            direction = Direction.FORWARD if early else node.direction
            yield replace(self.mapped(part, value, node), direction=direction)
            expr = rebuild(expr, {part: self.arg(value)})
        yield self.mapped(expr, node.output, node)

    def _is_of_sums(self, expr: Expr, others: Sequence[int]) -> bool:
        """Whether it depends on channels alone, and on what was summed up for them: whoever does
        that computes it, too."""
        inputs = self.inputs(expr)
        return self.is_kept(expr, others) and any(map(self._is_summed, inputs))

    def _is_summed(self, value: Value) -> bool:
        for _ in range(DEEPEST):
            node = self.known.producers.get(value)
            if node is None or node.op.fold is not None:
                return node is not None
            if not node.op.properties & Property.POINTWISE or not node.inputs:
                return False
            value = node.inputs[0]
        return False

    def _direction(self, value: Value) -> Direction:
        node = self.known.producers.get(value)
        return Direction.FORWARD if node is None else node.direction
