"""What the launches of a compiled graph move and multiply, counted without running them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ir.graph import Node, Value
from ir.size import Evaluation

from .compiled import CompiledGraph
from .kernel import Launch, Scratch
from .pipeline import repeated_nodes


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of one launch.

    Attributes:
        times: how often it runs: once, or in every turn of a loop.
        nbytes: of the tensors that it reads or writes in one run, each once.
        flops: of its matrix product in one run, two for every multiplication.
    """

    launch: Launch
    times: int
    nbytes: int
    flops: int


def traffic(compiled: CompiledGraph) -> Iterator[Traffic]:
    """Of every launch that runs, in the order of its nodes."""
    number = Evaluation(compiled.values).size
    makers = {value: made for made in repeated_nodes(compiled.graph) for value in made[0].outputs}
    first: Node | None = None
    for launch, (node, times) in zip(compiled.launches, _makers(compiled, makers), strict=True):
        # A node's first launch multiplies; others add its parts.
        flops = 0 if node is first else 2 * number(node.multiply_adds)
        first = node
        if 0 not in map(number, launch.grid):
            tensors = dict.fromkeys(a for a in launch.arguments if isinstance(a, Value | Scratch))
            sizes = (t.nbytes if isinstance(t, Scratch) else t.type.nbytes for t in tensors)
            yield Traffic(launch, times, sum(map(number, sizes)), flops)


def _makers(
    compiled: CompiledGraph, makers: dict[Value, tuple[Node, int]]
) -> Iterator[tuple[Node, int]]:
    """The node of every launch, and how often it runs. What writes but scratch buffers is followed
    by the launch of the same node that writes a result."""
    waiting = 0
    for launch in compiled.launches:
        waiting += 1
        written = [value for value in launch.outputs if isinstance(value, Value)]
        if written:
            yield from [makers[written[0]]] * waiting
            waiting = 0
    assert not waiting
