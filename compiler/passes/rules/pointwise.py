"""What simplify does with pointwise ops."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import substitute
from ir.graph import Node, Value
from ir.op import Property
from ir.ops.movement import Reshape
from ir.ops.pointwise import Map
from ir.types import TensorType

from ..maps import definition, fold_literals, is_literal, make_map
from ..rewrite import Context, Rewrite, simplifies


@simplifies(Map)
def tidy_map(node: Node, context: Context) -> Rewrite | None:
    """Literals and broadcasts move into the map; what it only passes on or makes twice goes.

    Before::

        %one: f32[2,3] = map() {1.0} shape=(2,3)
        %wide: f32[2,3] = map(%b) {a0} shape=(2,3)          # b: f32[1,3]
        %y: f32[2,3], %z: f32[2,3] = map(%x, %one, %wide) {add(mul(a0, a1), a2); a0}

    After (readers of %z read %x)::

        %y: f32[2,3] = map(%x, %b) {add(a0, a1)}
    """
    op = node.op
    assert isinstance(op, Map)
    shape = node.outputs[0].shape
    operands: list[Value] = []
    numbers: dict[Value, int] = {}
    replaced: dict[int, Expr] = {}
    for i, leaf in e.arguments(*op.exprs).items():
        value = node.inputs[i]
        defined, producer = definition(value, context)
        if defined is not None and is_literal(defined):
            replaced[i] = defined
            continue
        if defined is not None and producer is not None and defined.op == "arg":
            value = producer.inputs[int(defined.value or 0)]
        if value not in numbers:
            numbers[value] = len(operands)
            operands.append(value)
        replaced[i] = e.arg(numbers[value], leaf.dtype)
    exprs = [fold_literals(substitute(x, replaced)) for x in op.exprs]
    alias: dict[Value, Value] = {}
    kept: dict[Expr, Value] = {}
    for expr, result in zip(exprs, node.outputs, strict=True):
        if expr.op == "arg" and operands[int(expr.value or 0)].shape == shape:
            alias[result] = operands[int(expr.value or 0)]
        elif expr in kept:
            alias[result] = kept[expr]
        else:
            kept[expr] = result
    if not kept:
        return Rewrite((), alias)
    used = e.arguments(*kept)
    renumbered = {old: e.arg(new, leaf.dtype) for new, (old, leaf) in enumerate(used.items())}
    final = tuple(substitute(x, renumbered) for x in kept)
    inputs = tuple(operands[i] for i in used)
    made = make_map(final, inputs, shape)
    if not alias and made == op and inputs == node.inputs:
        return None
    return Rewrite(
        (Node(made, inputs, tuple(kept.values()), node.location, node.direction),), alias
    )


@simplifies(Map)
def sink_reshape(node: Node, context: Context) -> Rewrite | None:
    """A map moves from behind a view to before it, where it can join what made the values.

    Before::

        %s: f32[1,1] = reduce(%x) kind="sum" axes=(0,1)
        %r: f32[] = reshape(%s) shape=()
        %y: f32[] = map(%r) {mul(a0, 0.5)}

    After::

        %s: f32[1,1] = reduce(%x) kind="sum" axes=(0,1)
        %y.flat: f32[1,1] = map(%s) {mul(a0, 0.5)}
        %y: f32[] = reshape(%y.flat) shape=()
    """
    op = node.op
    assert isinstance(op, Map)
    if not node.inputs or any(x.op == "index" for x in e.walk(*op.exprs)):
        return None
    if any(v.type.layout for v in (*node.inputs, *node.outputs)):
        return None
    shape = node.outputs[0].shape
    reshaped = [v for v in node.inputs if isinstance(context.producer(v), Reshape)]
    if not reshaped or any(v.shape != shape for v in node.inputs):
        return None
    inner = context.producers[reshaped[0]].inputs[0].shape
    sources: list[Value] = []
    views: list[Node] = []
    for value in node.inputs:
        made = context.producers.get(value)
        if made is None:  # an input of the graph: it may as well be seen under the other shape
            view = context.fresh(f"{value.name}.view", TensorType(inner, value.type.dtype))
            views.append(Node(Reshape(inner), (value,), (view,), node.location, node.direction))
            sources.append(view)
        elif isinstance(made.op, Reshape) and made.inputs[0].shape == inner:
            sources.append(made.inputs[0])
        else:
            return None
    if not any(_ends_heavy_work(s, context) for s in sources):
        return None
    middle = tuple(
        context.fresh(f"{v.name}.flat", TensorType(inner, v.type.dtype)) for v in node.outputs
    )
    moved = make_map(op.exprs, sources, inner)
    result = Node(moved, tuple(sources), middle, node.location, node.direction)
    back = tuple(
        Node(Reshape(shape), (m,), (v,), node.location, node.direction)
        for m, v in zip(middle, node.outputs, strict=True)
    )
    return Rewrite((*views, result, *back))


def _ends_heavy_work(value: Value, context: Context) -> bool:
    """Whether pointwise ops on ``value`` can be computed by the kernel that makes it."""
    for _ in range(8):
        node = context.producers.get(value)
        if node is None:
            return False
        if node.op.properties & (Property.CONTRACTION | Property.REDUCTION):
            return True
        if not node.op.properties & Property.POINTWISE:
            return False
        same = [v for v in node.inputs if v.shape == value.shape]
        if not same:
            return False
        value = same[0]
    return False
