"""Backward that adds to the diffs of variables, of one that overwrites them.

Before::

    %d_ip/0 = matmul(%diff_ip, %x) transpose_a=true # ip, backward
    output ip/0: %d_ip/0 gradient

After ``accumulate(graph, {"ip/0"})``::

    input ip/0: f32[2,3] gradient
    %d_ip/0 = matmul(%diff_ip, %x) transpose_a=true # ip, backward
    %sum = map(%ip/0, %d_ip/0) add(a0, a1)          # ip, backward
    output ip/0: %sum gradient
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ir.graph import NOWHERE, Direction, Graph, Role

from .rewrite import resume


def written_diffs(graph: Graph) -> frozenset[str]:
    """The variables whose diffs a graph writes, by name."""
    return frozenset(port.name for port in graph.outputs if port.role is Role.GRADIENT)


def accumulate(graph: Graph, onto: Collection[str]) -> Graph:
    """``graph``, but what it writes as the diffs of these variables is added to what they hold.

    Variables whose diffs it does not write are left alone.
    """
    place = {v: node.location for node in graph.nodes for v in node.outputs}
    b = resume(replace(graph, outputs=()))
    for port in graph.outputs:
        value = port.value
        if port.role is Role.GRADIENT and port.name in onto:
            before = b.input(port.name, value.type, Role.GRADIENT)
            with b.at(place.get(value, NOWHERE), f"{value.name}.sum", Direction.BACKWARD):
                value = b.add(before, value)
        b.output(port.name, value, port.role)
    return b.finish()
