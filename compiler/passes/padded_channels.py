"""Images of few channels under convolutions, with channels of zeros besides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.image_layout import CHANNELS_LAST
from compiler.precision import BFLOAT16, FLOAT16, FLOAT32, IEEE, TF32
from ir.graph import Graph, Node, Value
from ir.ops.movement import Pad, Slice

from .context import PassContext
from .rewrite import Context

WIDE_CHANNELS = {FLOAT32: 4, TF32: 4, IEEE: 4, BFLOAT16: 8, FLOAT16: 8}
"""How many of a pixel one access moves (16 bytes), by the precision in which images are stored."""

FORWARD, WEIGHTS = (True, False, True), (True, True, False)
"""Contractions by what of their operands and results are images (:attr:`ir.op.Op.images`): of an
image and weights, and of two images."""


def pad_channels(graph: Graph, context: PassContext) -> Graph:
    """Give images as many channels as one access moves, where the target wants channels last: what
    a row of a window covers then lies side by side in memory, and begins where accesses may.

    Before::

        %y: f32[8,64,112,112] = conv(%x, %w) stride=(2,2) pad=(3,3) ...

    After::

        %x.padded: f32[8,4,224,224] = pad(%x) low=(0,0,0,0) high=(0,1,0,0) ...
        %w.padded: f32[64,4,7,7] = pad(%w) low=(0,0,0,0) high=(0,1,0,0) ...
        %y: f32[8,64,112,112] = conv(%x.padded, %w.padded) stride=(2,2) pad=(3,3) ...

    and of the gradient of weights the channels that there are, as a slice.
    """
    target = context.options.target
    if target.layout != CHANNELS_LAST or target.kind == "cpu":
        return graph
    wide = WIDE_CHANNELS[context.options.precision]
    pads = _Pads(graph)
    nodes: list[Node] = []
    for node in graph.nodes:
        short = _missing(node, wide)
        if short and context.fuel.take("layout: gave channels of zeros to the image of {}", node):
            nodes += pads.around(node, short)
        else:
            nodes.append(node)
    return graph if len(nodes) == len(graph.nodes) else replace(graph, nodes=tuple(nodes))


def _missing(node: Node, wide: int) -> int:
    """Channels that the image lacks that a contraction sums over, or makes gradients for.

    One channel lies side by side as it is, and in a window of one column nothing does."""
    op = node.op
    if op.images not in (FORWARD, WEIGHTS):
        return 0
    image, (_, weights) = node.inputs[0], _weights(node)
    (axis,) = op.channels[0]
    few = 1 < image.shape[axis.axis] < wide and axis.groups == 1 and image.type.layout is None
    return wide - image.shape[axis.axis] if few and weights.shape[-1] > 1 else 0


def _weights(node: Node) -> tuple[int, Value]:
    """Those of a contraction, or their gradient, and the axis of the image's channels."""
    number = node.op.images.index(False)
    return node.op.channels[number][0].axis, (*node.inputs, node.output)[number]


class _Pads:
    """One for each value and axis: backward pads weights along another one than forward."""

    def __init__(self, graph: Graph) -> None:
        self.names = Context(graph)
        self.made: dict[tuple[Value, int], Value] = {}

    def around(self, node: Node, count: int) -> Iterator[Node]:
        """A node that reads padded operands, with what makes them."""
        (image, other), (axis, weights) = node.inputs, _weights(node)
        channel = node.op.channels[0][0].axis
        yield from self._padded(node, image, channel, count)
        padded = self.made[image, channel]
        if weights is other:
            yield from self._padded(node, other, axis, count)
            yield replace(node, inputs=(padded, self.made[other, axis]))
            return
        (type,) = node.op.infer([padded.type, other.type])
        whole = self.names.fresh(f"{weights.name}.padded", type)
        yield replace(node, inputs=(padded, other), outputs=(whole,))
        yield replace(node, op=Slice(axis, 0, image.shape[channel]), inputs=(whole,))

    def _padded(self, node: Node, value: Value, axis: int, count: int) -> Iterator[Node]:
        if (value, axis) in self.made:
            return
        none = [0] * value.type.rank
        pad = Pad(tuple(none), (*none[:axis], count, *none[axis + 1 :]))
        (type,) = pad.infer([value.type])
        made = self.made[value, axis] = self.names.fresh(f"{value.name}.padded", type)
        yield replace(node, op=pad, inputs=(value,), outputs=(made,))
