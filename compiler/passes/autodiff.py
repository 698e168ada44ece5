"""Reverse-mode differentiation of graphs.

Before::

    input x: f32[4,3] data
    input ip/0: f32[2,3] parameter
    %ip = matmul(%x, %ip/0) transpose_b=true        # ip
    output ip: %ip result

After ``differentiate(graph, parameters=["ip/0"])``::

    input x: f32[4,3] data
    input ip/0: f32[2,3] parameter
    input diff:ip: f32[4,2] seed
    %ip = matmul(%x, %ip/0) transpose_b=true        # ip
    %d_ip/0 = matmul(%diff_ip, %x) transpose_a=true # ip, backward
    output ip: %ip result
    output ip/0: %d_ip/0 gradient

Backward that adds to the diffs of variables is made of it by :func:`.accumulate.accumulate`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ir import expr as e
from ir.backward import backward, depending
from ir.build import Builder
from ir.errors import RoasteryError
from ir.expr_exchange import without_gradient_marks
from ir.graph import NOWHERE, Direction, Graph, Node, Port, Role, Value
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map

from .bodies import in_bodies
from .context import UNBOUNDED, PassContext
from .fuel import Fuel
from .precision.loss_scale import LossScale
from .rewrite import resume


def diff_port(name: str) -> str:
    """Name of the port that carries the diff of the blob ``name``."""
    return f"diff:{name}"


def differentiate(
    graph: Graph,
    *,
    parameters: Collection[str] = (),
    diffs: Mapping[str, Value] | None = None,
    seeds: Mapping[str, float] | None = None,
    seeded: Collection[str] | None = None,
    scaled: bool = False,
) -> Graph:
    """``graph`` with its backward appended.

    Args:
        parameters: names of variables (graph inputs) whose diffs are wanted, as outputs of these
            names with role GRADIENT; none where nothing flows.
        diffs: name -> value whose diff is wanted as output ``diff:<name>`` (RESULT); zeros
            where nothing flows.
        seeds: output name -> constant diff (a loss weight); folded into the graph.
        seeded: names of outputs whose diffs are inputs ``diff:<name>`` (SEED). None: all float
            RESULT outputs when ``seeds`` is None, else no output.
        scaled: diffs are multiplied with a number of the graph's between its ports
            (:mod:`.precision.loss_scale`).

    Raises KeyError for names that are not in the graph.
    """
    b = resume(graph)
    forward = len(b.nodes)
    given: dict[Value, Value] = {}
    with b.at(hint="diff", direction=Direction.BACKWARD):
        scale = LossScale.ports(b) if scaled else None
        for name, number in (seeds or {}).items():
            port = graph.output(name)
            seed = scale.seed(b, number, port.value) if scale else _filled(b, number, port.value)
            _seed(b, given, port, seed)
        if seeded is None:
            seeded = () if seeds is not None else _float_results(graph)
        for name in seeded:
            port = graph.output(name)
            seed = b.input(diff_port(name), port.value.type, Role.SEED)
            _seed(b, given, port, scale.entering(b, seed) if scale else seed)
    learning = {name: graph.input(name).value for name in parameters}
    asked = dict(diffs or {})
    found = backward(b, given, [*learning.values(), *asked.values()])
    if scale:
        scale.around_host_calls(b, forward)
    place = {v: n.location for n in reversed(b.nodes[:forward]) for v in n.inputs}
    with b.at(direction=Direction.BACKWARD):
        for name, value in asked.items():
            with b.at(place.get(value, NOWHERE), f"d_{value.name}"):
                if value not in found:
                    diff = _filled(b, 0.0, value)
                else:
                    diff = scale.leaving(b, found[value]) if scale else found[value]
            b.output(diff_port(name), diff, Role.RESULT)
        for name, value in learning.items():
            if value in found:
                with b.at(place.get(value, NOWHERE), f"{value.name}.diff"):
                    diff = found[value]
                    b.output(name, scale.leaving(b, diff) if scale else diff, Role.GRADIENT)
    return b.finish()


def flowing(
    graph: Graph, starts: Iterable[Value], sources: Sequence[Value], among: Iterable[Value]
) -> set[Value]:
    """Those of ``among`` through which diffs flow on their way from ``starts`` to ``sources``."""
    needed = depending(graph.nodes, sources)
    asked = [v for v in among if v in needed]
    if not asked:
        return set()
    b = resume(graph)
    return set(backward(b, {v: _filled(b, 0.0, v) for v in starts}, asked))


def append_backward(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Append the backward of all float results, for all parameters.

    The diffs of the results become inputs ``diff:<name>``, as :func:`differentiate` says. Raises
    RoasteryError for a graph that has a backward, or is fused.
    """
    if any(isinstance(node.op, Fused) for node in graph.nodes):
        raise RoasteryError("the graph is fused", hint="differentiate before fuse")
    if any(node.direction is not Direction.FORWARD for node in graph.nodes):
        raise RoasteryError("the graph has a backward already")
    learning = [
        p.name for p in graph.inputs if p.role is Role.PARAMETER and p.value.type.dtype.is_float
    ]
    return differentiate(graph, parameters=learning)


def _float_results(graph: Graph) -> list[str]:
    return [p.name for p in graph.outputs if p.role is Role.RESULT and p.value.type.dtype.is_float]


def _filled(b: Builder, number: float, like: Value) -> Value:
    return b.fill(e.const(number, like.type.dtype), like.shape)


def _seed(b: Builder, given: dict[Value, Value], port: Port, seed: Value) -> None:
    known = given.get(port.value)
    given[port.value] = seed if known is None else b.add(known, seed)


@in_bodies
def drop_stop_gradient(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Drop ``stop`` and ``grad_as`` from all maps: they mean nothing once backward exists.

    Before: ``%y = map(%x) stop(a0)``. After: ``%y = map(%x) a0``.
    """
    nodes = tuple(_unmarked(node, context.fuel) for node in graph.nodes)
    return graph if nodes == graph.nodes else replace(graph, nodes=nodes)


def _unmarked(node: Node, fuel: Fuel) -> Node:
    if not isinstance(node.op, Map):
        return node
    exprs = tuple(without_gradient_marks(x) for x in node.op.exprs)
    if exprs == node.op.exprs or not fuel.take("drop_stop_gradient: {}", node):
        return node
    return replace(node, op=replace(node.op, exprs=exprs))


def split(graph: Graph, lasting: Mapping[Value, str] | None = None) -> tuple[Graph, Graph]:
    """Cut a differentiated graph in two: forward, and backward of what forward saved.

    Forward keeps the outputs it makes and gets SAVED outputs (``saved:<value>``) for what
    backward reads of it; backward has them as inputs, beside the inputs of the whole graph that
    it reads. A variable that forward overwrites is saved as it was before. Updates go with
    backward.

    Args:
        lasting: values of forward that are in memory when backward runs, under these names of
            blobs: backward reads them there (DATA). None: the DATA inputs of the graph.
    """
    ahead = tuple(n for n in graph.nodes if n.direction is Direction.FORWARD)
    behind = tuple(n for n in graph.nodes if n.direction is not Direction.FORWARD)
    late = {v for n in behind for v in n.outputs}
    after = (Role.SEED, Role.GRADIENT)
    given = {p.value for p in graph.inputs if p.role in after}  # a diff that is passed on as it is
    outputs = [p for p in graph.outputs if p.value not in late | given and p.role not in after]
    rest = tuple(p for p in graph.outputs if p not in set(outputs))
    written = {p.name for p in outputs if p.role is Role.STATE}
    ports = {
        p.value: p
        for p in graph.inputs
        if not (p.role is Role.STATE and p.name in written)
        and not (p.role is Role.DATA and lasting is not None)
    }
    ports.update((v, Port(name, v, Role.DATA)) for v, name in (lasting or {}).items())
    read = dict.fromkeys(v for n in behind for v in n.inputs if v not in late)
    read.update(dict.fromkeys(p.value for p in rest if p.value not in late))
    kept = [ports[v] for v in read if v in ports]
    saved = tuple(Port(f"saved:{v.name}", v, Role.SAVED) for v in read if v not in ports)
    used = {v for n in ahead for v in n.inputs} | {p.value for p in (*outputs, *saved)}
    late_roles = (*after, Role.HYPER)
    inputs = tuple(p for p in graph.inputs if p.value in used or p.role not in late_roles)
    order = {p.value: i for i, p in enumerate(graph.inputs)}
    kept.sort(key=lambda port: order.get(port.value, len(order)))
    return (
        Graph(graph.name, inputs, ahead, (*outputs, *saved)),
        Graph(graph.name, (*saved, *kept), behind, rest),
    )
