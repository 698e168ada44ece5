"""Frozen graphs: what depends on parameters alone is computed once.

For executables whose parameters never change again (export, ``freeze=True``, testing). Before::

    %c: f32[8,16,9,9] = conv(%x, %w) ...
    %b: f32[8,16,9,9] = map(%c, %bias) {add(a0, a1)}
    %n: f32[8,16,9,9] = map(%b, %mean, %inverse) {mul(sub(a0, a1), a2)}     # BatchNorm, Scale

After :func:`fold_affine` (the first two depend on parameters alone)::

    %c.weights: f32[16,3,3,3] = map(%w, ...) {mul(a0, a1)}
    %n.shift: f32[1,16,1,1] = map(%bias, %mean, %inverse) {mul(sub(a0, a1), a2)}
    %c: f32[8,16,9,9] = conv(%x, %c.weights) ...
    %n: f32[8,16,9,9] = map(%c, %n.shift) {add(a0, a1)}

and :func:`split_constants` cuts such a graph in two: one that is run once, and the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import substitute
from ir.graph import Graph, Node, Port, Role, Value
from ir.op import Op, Property
from ir.ops.layout import Pack, Unpack
from ir.ops.movement import Reshape
from ir.ops.pointwise import Map, widens
from ir.program import NET_STATE
from ir.types import F32, TensorType

from .autodiff import drop_stop_gradient
from .context import UNBOUNDED, PassContext
from .layouts import lay_out_constants
from .maps import fold_literals, make_map
from .padded_channels import pad_channels
from .precision import narrow_constants
from .rewrite import PINNED, Context
from .simplify import simplify
from .winograd import by_winograd

FROZEN = "frozen:"
"""How ports begin that carry what was computed once."""

_ZERO, _ONE = e.const(0.0), e.const(1.0)


def freeze(graph: Graph, context: PassContext = UNBOUNDED) -> tuple[Graph, Graph]:
    """(what to run once, the rest): outputs of the first are PARAMETER inputs of the second."""
    for step in (drop_stop_gradient, simplify, fold_affine, simplify):
        graph = step(graph, context)
    graph = pad_channels(by_winograd(graph, constants(graph), context), context)
    graph = lay_out_constants(graph, constants(graph), context)
    return split_constants(narrow_constants(graph, constants(graph), context))


def constants(graph: Graph) -> set[Value]:
    """Values that depend on nothing but variables that the graph does not write.

    Random numbers are other ones in each pass, and training goes on. What reads nothing, as SSD's
    priors follow from sizes alone, is computed in each pass, too: it is cheap, and once computed
    would keep an exported net at the sizes at hand.
    """
    written = {*NET_STATE, *(p.name for p in graph.outputs if p.role is Role.STATE)}
    known = {
        p.value
        for p in graph.inputs
        if p.role in (Role.PARAMETER, Role.STATE) and p.name not in written
    }
    for node in graph.nodes:
        fixed = bool(node.inputs) and all(v in known for v in node.inputs)
        if fixed and not node.op.properties & PINNED:
            known.update(node.outputs)
    return known


# --- folding ------------------------------------------------------------------------------


@dataclass
class _Chain:
    """``scale * contraction + shift``: expressions over ``operands``, constants per channel."""

    operands: list[Value] = field(default_factory=list)
    scale: Expr = _ONE
    shift: Expr = _ZERO


def fold_affine(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Fold maps that are affine per channel into the weights of the contraction before them."""
    known = constants(graph)
    users = graph.users()
    shown = {p.value for p in graph.outputs}
    names = Context(graph)
    replaced: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if not node.op.properties & Property.CONTRACTION:
            continue
        x, weights = node.inputs
        axis = node.op.weights_channel(weights.type.rank)
        if axis is None or weights not in known or x in known:
            continue
        chain, end, passed = _Chain(), node.outputs[0], []
        while end not in shown and len(users.get(end, ())) == 1:
            (reader,) = users[end]
            if not _extend(chain, reader, end, known, _channel_shape(node)):
                break
            passed.append(reader)
            end = reader.outputs[0]
        if chain.scale is _ONE:
            continue
        if not context.fuel.take("fold_affine: folded {} into the weights of {}", passed[-1], node):
            break
        replaced.update({gone: [] for gone in (node, *passed)})
        replaced[passed[-1]] = _folded(node, axis, chain, end, names)
    if not replaced:
        return graph
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes.extend(replaced.get(node, [node]))
    return Graph(graph.name, graph.inputs, tuple(nodes), graph.outputs)


def _channel_shape(node: Node) -> tuple[int, ...]:
    shape = node.outputs[0].shape
    axis = node.op.channel_axis(len(shape))
    return tuple(d if i == axis else 1 for i, d in enumerate(shape))


def _extend(
    chain: _Chain, reader: Node, value: Value, known: set[Value], shape: tuple[int, ...]
) -> bool:
    """Take one more map into the chain; False if it is not affine in ``value`` per channel."""
    op = reader.op
    if not isinstance(op, Map) or len(reader.outputs) != 1:
        return False
    if reader.outputs[0].shape != value.shape or reader.inputs.count(value) != 1:
        return False
    others = [v for v in reader.inputs if v is not value]
    small = {tuple(1 for _ in shape), shape}
    if not all(v in known and v.shape in small and v.type.dtype is F32 for v in others):
        return False
    operands = list(dict.fromkeys([*chain.operands, *others]))
    inputs = {i: e.arg(operands.index(v)) for i, v in enumerate(reader.inputs) if v is not value}
    # The chain's value gets a number that no operand has.
    inputs[reader.inputs.index(value)] = variable = e.arg(len(operands))
    parts = affine(substitute(op.exprs[0], inputs), variable)
    if parts is None:
        return False
    scale, shift = parts
    chain.operands = operands
    chain.scale, chain.shift = scale * chain.scale, _sum(_product(scale, chain.shift), shift)
    return True


def affine(root: Expr, variable: Expr) -> tuple[Expr, Expr] | None:
    """``(a, b)`` with root = a * variable + b, neither containing the variable; else None."""
    done: dict[Expr, tuple[Expr, Expr]] = {variable: (_ONE, _ZERO)}
    for node in e.walk(root):
        if node in done:
            continue
        if not node.args or all(done[x][0] is _ZERO for x in node.args):
            if node.op in ("index", "linear", "rand"):
                return None
            done[node] = (_ZERO, node)
            continue
        parts = [done[x] for x in node.args]
        (a, b), (c, d) = parts[0], parts[-1]
        if node.op == "neg":
            made = (-a, -b)
        elif node.op == "add":
            made = (_sum(a, c), _sum(b, d))
        elif node.op == "sub":
            made = (_sum(a, -c) if c is not _ZERO else a, _sum(b, -d) if d is not _ZERO else b)
        elif node.op == "mul" and (a is _ZERO or c is _ZERO):
            factor, (slope, rest) = (b, parts[1]) if a is _ZERO else (d, parts[0])
            made = (_product(slope, factor), _product(rest, factor))
        elif node.op == "div" and c is _ZERO:
            made = (a / d, b / d if b is not _ZERO else _ZERO)
        else:
            return None
        done[node] = made
    return done[root]


def _sum(a: Expr, b: Expr) -> Expr:
    return a + b


def _product(a: Expr, b: Expr) -> Expr:
    # Constants are finite, so that 0 * x is 0 here.
    return _ZERO if a is _ZERO or b is _ZERO else a * b


def _folded(node: Node, axis: int, chain: _Chain, end: Value, names: Context) -> list[Node]:
    """The nodes that replace a contraction and its chain, which gave ``end``.

    ``axis``: of the weights, which becomes the result's channels.
    """
    x, weights = node.inputs
    made: list[Node] = []
    place = (node.location, node.direction)

    def emit(op: Op, inputs: tuple[Value, ...], result: Value) -> Value:
        made.append(Node(op, inputs, (result,), *place))
        return result

    name = node.outputs[0].name
    rank = weights.type.rank
    operands: list[Value] = [weights]
    exchange: dict[int, Expr] = {}
    for i in e.arguments(chain.scale):
        constant = chain.operands[i]
        shape = tuple(constant.type.size if j == axis else 1 for j in range(rank))
        view = names.fresh(f"{constant.name}.view", TensorType(shape))
        operands.append(emit(Reshape(shape), (constant,), view))
        exchange[i] = e.arg(len(operands) - 1)
    scaled = fold_literals(e.arg(0) * substitute(chain.scale, exchange))
    new_weights = emit(
        make_map([scaled], operands, weights.shape),
        tuple(operands),
        names.fresh(f"{name}.weights", weights.type),
    )
    result = end if chain.shift is _ZERO else names.fresh(f"{end.name}.scaled", end.type)
    emit(node.op, (x, new_weights), result)
    if chain.shift is not _ZERO:
        used = list(e.arguments(chain.shift))
        inputs = tuple(chain.operands[i] for i in used)
        renumbered = {i: e.arg(n) for n, i in enumerate(used)}
        per_channel = _channel_shape(node)
        shift = emit(
            make_map([substitute(chain.shift, renumbered)], inputs, per_channel),
            inputs,
            names.fresh(f"{end.name}.shift", TensorType(per_channel)),
        )
        emit(Map((e.arg(0) + e.arg(1),)), (result, shift), end)
    return made


# --- cutting ------------------------------------------------------------------------------


def split_constants(graph: Graph) -> tuple[Graph, Graph]:
    """Cut off what depends on variables alone: (what to run once, the rest).

    Outputs of the first (SAVED) and inputs of the second (PARAMETER) are named
    ``frozen:<value>`` (:data:`FROZEN`). Views of variables stay where they are read, and so does
    what makes f32 of 16 bits. What is not row-major passes as what memory holds of it.
    """
    known = constants(graph)
    known -= {n.output for n in graph.nodes if widens(n) and not _read_early(n, graph, known)}
    variables = {p.value for p in graph.inputs}
    for node in graph.nodes:
        if node.op.properties & Property.VIEW and node.inputs[0] in variables:
            variables.update(node.outputs)
    early = [n for n in graph.nodes if _is_known(n, known)]
    late = [n for n in graph.nodes if not _is_known(n, known)]
    shown = [p.value for p in graph.outputs]
    read = dict.fromkeys([*(v for n in late for v in n.inputs), *shown])
    cut = [v for v in read if v in known and v not in variables]
    views = _needed(early, [v for v in read if v in known and v in variables])
    names = Context(graph)
    packed = {v: names.fresh(f"{v.name}.packed", Pack(v.type).packed) for v in cut if v.type.layout}
    ports = tuple(Port(f"{FROZEN}{v.name}", packed.get(v, v), Role.SAVED) for v in cut)
    before = _needed(early, cut)
    places = {v: node.location for node in early for v in node.outputs}
    for v, memory in packed.items():
        before.append(Node(Pack(v.type), (v,), (memory,), location=places[v]))
        views.append(Node(Unpack(v.type), (memory,), (v,), location=places[v]))
    used = {v for n in before for v in n.inputs}
    prepare = Graph(
        f"{graph.name}.constants",
        tuple(p for p in graph.inputs if p.value in used),
        tuple(before),
        ports,
    )
    used = {v for n in (*views, *late) for v in n.inputs} | set(shown)
    written = {p.name for p in graph.outputs if p.role is Role.STATE}
    inputs = [
        p for p in graph.inputs if p.value in used or p.role is Role.DATA or p.name in written
    ]
    inputs += [Port(p.name, p.value, Role.PARAMETER) for p in ports]
    return prepare, Graph(graph.name, tuple(inputs), (*views, *late), graph.outputs)


def _read_early(node: Node, graph: Graph, known: set[Value]) -> bool:
    """Whether somebody reads a result who runs once."""
    return any(_is_known(reader, known) for reader in graph.users().get(node.output, ()))


def _is_known(node: Node, known: set[Value]) -> bool:
    """Whether a node runs once; what makes nothing (a file output) runs in every pass."""
    return bool(node.outputs) and node.outputs[0] in known


def _needed(nodes: list[Node], values: list[Value]) -> list[Node]:
    """The nodes that ``values`` depend on, in order."""
    wanted = set(values)
    found: list[Node] = []
    for node in reversed(nodes):
        if any(v in wanted for v in node.outputs):
            wanted.update(node.inputs)
            found.append(node)
    return found[::-1]
