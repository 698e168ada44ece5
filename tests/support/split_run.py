"""Runs a differentiated graph in two parts, as a net does that keeps what backward needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.passes.autodiff import split
from ir.graph import Direction, Graph, Role
from ir.interpret import run_graph
from ir.verify import verify


def run_apart(whole: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs of the graph. Variables that forward writes are changed when backward begins."""
    ports = [(p.name, p.role) for p in whole.inputs]
    held = dict(zip(ports, arrays, strict=True))
    results: dict[tuple[str, Role], np.ndarray] = {}
    ahead, behind = split(whole)
    assert all(n.direction is Direction.FORWARD for n in ahead.nodes)
    assert not any(p.role in (Role.SEED, Role.GRADIENT) for p in ahead.inputs)
    for graph in (ahead, behind):
        verify(graph)
        made = run_graph(graph, [held[p.name, p.role] for p in graph.inputs])
        found = dict(zip([(p.name, p.role) for p in graph.outputs], made, strict=True))
        results |= found
        held |= {key: a for key, a in found.items() if key[1] in (Role.SAVED, Role.STATE)}
    return [results[p.name, p.role] for p in whole.outputs]
