"""Groups whose values lie in memory in random layouts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ir.graph import Graph, Node, Port, Value
from ir.layout import Layout, Part
from ir.ops.fusion import Fused


def random_layout(rng: random.Random, rank: int) -> Layout:
    """Any order of the axes, and blocks of some."""
    parts = [Part(axis) for axis in range(rank)]
    rng.shuffle(parts)
    for axis in range(rank):
        if rng.random() < 0.3:
            inside = rng.randint(parts.index(Part(axis)) + 1, len(parts))
            parts.insert(inside, Part(axis, rng.choice((2, 3, 4, 16))))
    return Layout(tuple(parts))


def laid_out(node: Node, seed: int) -> Node:
    """A group whose operands and results have layouts; a few stay row-major."""
    rng = random.Random(seed)
    assert isinstance(node.op, Fused)
    values = port_values(node.op.body)
    return with_layouts(
        node,
        [random_layout(rng, v.type.rank) if rng.random() < 0.8 else None for v in values],
    )


def port_values(body: Graph) -> list[Value]:
    """What a group reads and writes, each once, in the order of its ports."""
    return list(dict.fromkeys(p.value for p in (*body.inputs, *body.outputs)))


def with_layouts(node: Node, layouts: Sequence[Layout | None]) -> Node:
    """A group whose operands and results have these layouts, in the order of its ports."""
    assert isinstance(node.op, Fused)
    body = node.op.body
    values = port_values(body)
    exchange = {
        value: Value(value.name, replace(value.type, layout=layout))
        for value, layout in zip(values, layouts, strict=True)
    }

    def exchanged(ports: tuple[Port, ...]) -> tuple[Port, ...]:
        return tuple(replace(p, value=exchange[p.value]) for p in ports)

    nodes = tuple(
        replace(
            n,
            inputs=tuple(exchange.get(v, v) for v in n.inputs),
            outputs=tuple(exchange.get(v, v) for v in n.outputs),
        )
        for n in body.nodes
    )
    graph = Graph(body.name, exchanged(body.inputs), nodes, exchanged(body.outputs))
    inputs, outputs = (
        tuple(Value(v.name, p.value.type) for v, p in zip(outer, ports, strict=True))
        for outer, ports in ((node.inputs, graph.inputs), (node.outputs, graph.outputs))
    )
    return replace(node, op=replace(node.op, body=graph), inputs=inputs, outputs=outputs)
