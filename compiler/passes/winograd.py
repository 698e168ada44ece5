"""3 x 3 convolutions of known weights by fewer multiplications.

For frozen graphs: weights are transformed once. Results differ from a direct sum's by roundings,
at most by what :data:`ir.winograd.ERRORS` says of a tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compiler.image_layout import channels_by
from compiler.kernels.task import AsNumber
from ir.graph import Graph, Node, Value
from ir.graph_sizes import at_hand
from ir.ops.convolution import Conv
from ir.ops.winograd import WinogradInput, WinogradOutput, WinogradWeights
from ir.size import Evaluation
from ir.types import F32, TensorType
from ir.winograd import CHANNELS, ERRORS, TAPS, inputs_of

from .context import PassContext
from .rewrite import Context

LARGEST_ERROR = 1e-5  # of the largest result, that is exchanged for speed
_BYTE = 3.0  # time to write and read a byte, in multiplications with their sums
_FRESH = 3.0  # to read a byte of weights, which no cache has held since the last run
_LOOSE = 0.3  # a multiplication in a transform, besides what it reads and writes


def by_winograd(graph: Graph, known: set[Value], context: PassContext) -> Graph:
    """Compute 3 x 3 convolutions by Winograd's minimal filtering, where a CPU is faster with it.

    ``known``: values that are computed once.

    Before::

        %y: f32[8,64,28,28] = conv(%x, %w) stride=(1, 1) ...

    After::

        %w.winograd: f32[2304,64,1,1] = winograd_weights(%w) tile=4
        %x.winograd: f32[8,2304,7,7] = winograd_input(%x) tile=4 pad=(1, 1)
        %y.winograd: f32[8,2304,7,7] = conv(%x.winograd, %w.winograd) ... group=36
        %y: f32[8,64,28,28] = winograd_output(%y.winograd) tile=4 spatial=(28, 28)
    """
    target = context.options.target
    if not context.options.winograd:
        return graph
    if target.kind != "cpu" or not target.runs_kernels:
        return graph
    lanes = target.vector // F32.itemsize
    if target.layout != channels_by(lanes):
        return graph  # patches are transformed by vectors of channels
    number = Evaluation(at_hand(graph)).size
    names = Context(graph)
    nodes: list[Node] = []
    for node in graph.nodes:
        tile = _tile(node, known, lanes, number)
        if tile and context.fuel.take("winograd: computed {} in tiles", node):
            nodes += _parts(node, tile, names)
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes)) if len(nodes) > len(graph.nodes) else graph


def _tile(node: Node, known: set[Value], lanes: int, number: AsNumber) -> int:
    """The size of tile that is fastest for a convolution; 0: none."""
    if node.op.plain_pad is None:
        return 0
    x, weights = node.inputs
    if x.type.rank != 4 or weights.shape[2:] != (TAPS, TAPS):
        return 0
    if weights not in known or x in known or x.type.dtype is not F32:
        return 0
    if any(channels % lanes for channels in weights.shape[:2]):
        return 0
    tiles = [tile for tile, error in ERRORS.items() if error <= LARGEST_ERROR]
    tiles = [tile for tile in tiles if weights.shape[1] <= CHANNELS[tile]]
    if not tiles:
        return 0
    times = {_Work(node, tile, number).time: tile for tile in tiles}
    best = min(times)
    return times[best] if best < _direct(node, number) else 0


def _direct(node: Node, number: AsNumber) -> float:
    weights, image = node.inputs[1].type, node.output.type
    products = float(number(image.size) * weights.shape[1] * TAPS * TAPS)
    return products + _FRESH * weights.size * F32.itemsize


@dataclass(frozen=True)
class _Work:
    """What a convolution takes in tiles, in multiplications with their sums."""

    node: Node
    tile: int
    number: AsNumber

    @property
    def time(self) -> float:
        t, m = inputs_of(self.tile), self.tile
        outputs, inputs = self.node.inputs[1].shape[:2]
        n, _, *extents = (self.number(d) for d in self.node.output.shape)
        tiles = float(n)
        for extent in extents:
            tiles *= -(-extent // m)
        products = tiles * t * t * inputs * outputs
        transforms = tiles * (inputs * 2 * t * t * t + outputs * (t * t * m + t * m * m))
        moved = tiles * t * t * (inputs + outputs) * F32.itemsize
        weights = t * t * inputs * outputs * F32.itemsize
        return products + _LOOSE * transforms + _BYTE * moved + _FRESH * weights


def _parts(node: Node, tile: int, names: Context) -> Iterator[Node]:
    (x, weights), y = node.inputs, node.output
    pad = node.op.plain_pad
    assert pad is not None, "it is plain"
    place = (node.location, node.direction)
    ones, none = (1, 1), (0, 0)
    taken, learnt = WinogradInput(tile, pad=pad), WinogradWeights(tile)
    product = Conv(ones, none, ones, taken.products)

    def made(name: str, types: tuple[TensorType, ...]) -> Value:
        return names.fresh(f"{name}.winograd", types[0])

    u = made(weights.name, learnt.infer([weights.type]))
    v = made(x.name, taken.infer([x.type]))
    p = made(y.name, product.infer([v.type, u.type]))
    yield Node(learnt, (weights,), (u,), *place)
    yield Node(taken, (x,), (v,), *place)
    yield Node(product, (v, u), (p,), *place)
    yield Node(WinogradOutput(tile, spatial=y.shape[2:]), (p,), (y,), *place)
