"""What the launches of a compiled graph move and multiply, counted without running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ir.graph import Node, Value
from ir.ops.fusion import Fused
from ir.size import Evaluation, value_of

from .compiled import CompiledGraph
from .kernel import Launch, Scratch
from .kernel_nodes import repeated_nodes


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of one launch.

    Attributes:
        times: how often it runs: once, or in every turn of a loop.
        sizes: in bytes, of the tensors that it reads or writes in one run; of one that is only read
            by slices, these. Of kernels that share the launch those of all.
        flops: of its matrix product in one run, two for every multiplication.
    """

    launch: Launch
    times: int
    sizes: Mapping[Value | Scratch, int]
    flops: int

    @property
    def nbytes(self) -> int:
        """Of all tensors, each once."""
        return sum(self.sizes.values())


def traffic(compiled: CompiledGraph) -> Iterator[Traffic]:
    """Of every launch that runs, in the order of the plan."""
    number = Evaluation(compiled.values).size
    makers = {value: made for made in repeated_nodes(compiled.graph) for value in made[0].outputs}
    first: Node | None = None
    alone: dict[int, Traffic] = {}
    for launch, (node, times) in zip(compiled.alone, _makers(compiled, makers), strict=True):
        # A node's first launch multiplies; others add its parts.
        flops = 0 if node is first else 2 * number(node.multiply_adds)
        first = node
        if 0 not in map(number, launch.grid):
            tensors = dict.fromkeys(a for a in launch.arguments if isinstance(a, Value | Scratch))
            sizes = {tensor: _bytes_moved(node, tensor, number) for tensor in tensors}
            alone[id(launch)] = Traffic(launch, times, sizes, flops)
    for launch in compiled.launches:
        rows = [alone[id(part)] for part in launch.parts or (launch,) if id(part) in alone]
        if rows:
            yield _together(launch, rows)


def _together(launch: Launch, rows: Sequence[Traffic]) -> Traffic:
    """Of kernels that share a launch: of what several read as much as all do."""
    sizes: dict[Value | Scratch, int] = {}
    for row in rows:
        for tensor, nbytes in row.sizes.items():
            sizes[tensor] = sizes.get(tensor, 0) + nbytes
    return Traffic(launch, rows[0].times, sizes, sum(row.flops for row in rows))


def bytes_read(node: Node, place: int, number: Callable[[int], int] = value_of) -> int:
    """Of an operand, as far as a node has to read it: of one that is only read by slices, these.

    Args:
        number: says what sizes are.
    """
    value = node.inputs[place]
    whole = number(value.type.nbytes)
    if not isinstance(node.op, Fused):
        return whole
    inside = node.op.body.inputs[place].value
    readers = [reader for reader in node.op.body.nodes if inside in reader.inputs]
    if any(reader.op.offset_axis is None for reader in readers):
        return whole
    return min(whole, sum(number(reader.output.type.nbytes) for reader in readers))


def _bytes_moved(node: Node, tensor: Value | Scratch, number: Callable[[int], int]) -> int:
    if isinstance(tensor, Scratch):
        return number(tensor.nbytes)
    if tensor in node.inputs:
        return bytes_read(node, node.inputs.index(tensor), number)
    return number(tensor.type.nbytes)


def _makers(
    compiled: CompiledGraph, makers: dict[Value, tuple[Node, int]]
) -> Iterator[tuple[Node, int]]:
    """The node of every launch that would run alone, and how often it does. What writes but scratch
    buffers is followed by the launch of the same node that writes a result."""
    waiting = 0
    for launch in compiled.alone:
        waiting += 1
        written = [value for value in launch.outputs if isinstance(value, Value)]
        if written:
            yield from [makers[written[0]]] * waiting
            waiting = 0
    assert not waiting
