"""Factors that are the same in a channel are multiplied with each other first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import rebuild
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map
from ir.types import F32

from .bodies import in_bodies
from .channel_expressions import DEEPEST, ChannelExpressions, is_one, product_expr
from .context import UNBOUNDED, PassContext


@in_bodies
def channel_products(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Multiply what is the same in a channel before it meets the channel's elements, in groups of
    independent elements, if the target is a GPU.

    Kernels read values of channels once for many elements. Before, in a group::

        %n: f32[N,64,H,W] = map(%x, %mean, %factor) {mul(sub(a0, a1), a2)}
        %y: f32[N,64,H,W] = map(%n, %gamma, %beta) {add(mul(a0, a1), a2)}

    After (one multiply-add for an element)::

        %y.factor: f32[1,64,1,1] = map(%factor, %gamma) {mul(a0, a1)}
        %y: f32[N,64,H,W] = map(%x, %mean, %y.factor, %beta) {add(mul(sub(a0, a1), a2), a3)}
    """
    if context.options.target.kind != "cuda":
        return graph
    nodes = tuple(_multiplied(node, context) for node in graph.nodes)
    changed = any(a is not b for a, b in zip(nodes, graph.nodes, strict=True))
    return replace(graph, nodes=nodes) if changed else graph


def _multiplied(node: Node, context: PassContext) -> Node:
    op = node.op
    if not isinstance(op, Fused) or op.schedule != "flat":
        return node
    # Taps of a window would compute a map again that is not of one element.
    if any(inner.op.properties & Property.LOCAL for inner in op.body.nodes):
        return node
    rewriting = _Rewriting(op.body)
    body = rewriting.body()
    if not rewriting.found or not context.fuel.take("channel_products: {}", node):
        return node
    return replace(node, op=replace(op, body=body))


class _Rewriting(ChannelExpressions):
    def __init__(self, body: Graph) -> None:
        super().__init__(body)
        self._body = body
        self._uses = Counter(value for node in body.nodes for value in node.inputs)
        self._uses.update(port.value for port in body.outputs)
        self.found: list[Node] = []  # that make products of factors

    def body(self) -> Graph:
        """With what is needed."""
        nodes: list[Node] = []
        for node in self._body.nodes:
            count = len(self.found)
            made = self._map(node, node.op) if isinstance(node.op, Map) else node
            nodes += [*self.found[count:], made]
            self.known.producers.update(dict.fromkeys(made.outputs, made))
        needed = {port.value for port in self._body.outputs}
        kept: list[Node] = []
        for node in reversed(nodes):
            if not needed.isdisjoint(node.outputs):
                needed.update(node.inputs)
                kept.append(node)
        return replace(self._body, nodes=tuple(reversed(kept)))

    def _map(self, node: Node, op: Map) -> Node:
        shape = node.outputs[0].shape
        others = [axis for axis in range(len(shape)) if axis != 1]
        if len(node.outputs) > 1 or node.output.type.dtype is not F32 or len(shape) < 2:
            return node
        if all(is_one(shape[axis]) for axis in others):
            return node
        expr = self.over(op.exprs[0], node)
        changed: dict[Expr, Expr] = {}
        inside = {a for part in e.walk(expr) if part.op == "mul" for a in part.args}
        for part in e.walk(expr):
            if part not in inside and (made := self._product(part, others, node)) is not None:
                changed[part] = made
        return self.mapped(rebuild(expr, changed), node.output, node) if changed else node

    def _product(self, part: Expr, others: list[int], node: Node) -> Expr | None:
        """With all factors of its channel as one; None: they are, or it is no product."""
        terms: list[Expr] = []
        factors: list[Expr] = []
        if part.op == "add" and part.args[0] == part.args[1]:  # as the derivative of a square
            factors.append(e.const(2.0))
            self.split(part.args[0], others, terms, factors, DEEPEST)
        elif part.op == "mul":
            self.split(part, others, terms, factors, DEEPEST)
        if not terms or len(factors) < 2 or not any(e.arguments(f) for f in factors):
            return None
        shape = tuple(1 if axis in others else x for axis, x in enumerate(node.output.shape))
        kind = replace(node.output.type, shape=shape, layout=None)
        value = self.known.fresh(f"{node.output.name}.factor", kind)
        self.found.append(self.mapped(product_expr(factors), value, node))
        return product_expr([*terms, self.arg(value)])

    def computed(self, arg: Expr) -> Expr | None:
        """What nobody else needs."""
        value: Value = self.values[int(arg.value or 0)]
        return super().computed(arg) if self._uses[value] == 1 else None
