"""Convolutions as matrix products.

They are implicit: no column matrix is stored, the right operand's places are computed from the
column (image, position) and the depth (channel, tap).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad

from ..emitter import Access, Emitter
from ..index import ZERO, Affine
from ..monomial import ONE, Monomial
from ..products import Found, Places, Product, Sizes, view

Convolution = Conv | ConvInputGrad | ConvWeightGrad


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of a convolution ``x, w -> y``; spatial axes in order."""

    emitter: Emitter
    op: Convolution
    group: Monomial
    inputs: Monomial  # channels of x per group
    outputs: Monomial  # channels of y per group
    images: Monomial
    x: Sizes
    y: Sizes
    window: tuple[int, ...]

    @property
    def taps(self) -> Sizes:
        return tuple(Monomial.of(k) for k in self.window)

    @property
    def thin(self) -> bool:
        """Whether there is one channel per group on either side: nothing to share between results,
        and all that counts is memory."""
        return self.group != ONE and ONE in (self.inputs, self.outputs)

    # Of a blob, its image and spatial places are asked for together; so are, of the weights, the
    # input channel and the taps.

    def x_access(self, channel: Places, spots: Places, which: Places) -> Access:
        channels = which[0].scaled(self.inputs).plus(channel[0])
        extents = (self.images, self.group * self.inputs, *self.x)
        return Access((spots[0], channels, *spots[1:]), extents)

    def y_access(self, channel: Places, spots: Places, which: Places) -> Access:
        channels = which[0].scaled(self.outputs).plus(channel[0])
        extents = (self.images, self.group * self.outputs, *self.y)
        return Access((spots[0], channels, *spots[1:]), extents)

    def w_access(self, channel: Places, taps: Places, which: Places) -> Access:
        channels = which[0].scaled(self.outputs).plus(channel[0])
        return Access((channels, *taps), (self.group * self.outputs, self.inputs, *self.taps))

    def window_access(self, taps: Places, spots: Places, which: Places) -> Access:
        """What a tap of the window at a position of y reads; guarded against padding."""
        found = [spots[0]]
        conditions: list[Expr] = []
        for axis, (o, t) in enumerate(zip(spots[1:], taps[1:], strict=True)):
            pad = self.op.pad[axis]
            spot = o.scaled(Monomial.of(self.op.stride[axis])).shifted(Monomial.of(-pad))
            if self.window[axis] > 1:
                spot = spot.plus(t.scaled(Monomial.of(self.op.dilation[axis])))
            if pad:
                conditions += self.emitter.inside(spot, *self._beyond_x(axis, o, t))
            found.append(spot)
        return self.x_access(taps, found, which).guarded(*conditions)

    @property
    def read_of_x(self) -> Fraction:
        """The part that windows do not leave out."""
        pairs = zip(self.window, self.op.stride, strict=True)
        return math.prod((Fraction(min(k, s), s) for k, s in pairs), start=Fraction(1))

    def reach(self, axis: int) -> int:
        """From the first tap to the last."""
        return self.op.dilation[axis] * (self.window[axis] - 1)

    def _beyond_x(self, axis: int, o: Affine, t: Affine) -> tuple[bool, Monomial | None]:
        """Whether a tap at a position of y may be before x, and the end of x that it may be behind.

        Windows start at most so far before x as it is padded, and end at most so far behind it.
        """
        place, tap = self.emitter.in_tile(o, self.y[axis]), t.constant
        if place is None or tap is None:
            return True, self.x[axis]
        (before, after), pad = place, self.op.pad[axis]
        stride, passed = self.op.stride[axis], self.op.dilation[axis] * tap
        low = stride * before + passed < pad
        high = stride * after + self.reach(axis) - passed < pad
        return low, self.x[axis] if high else None

    def find(self, at: Access, channels: Monomial) -> Found:
        """Channel, spots and group of an element of a blob with so many channels per group."""
        which, channel = self.emitter.split(at.coordinates[1], (self.group, channels))
        return (channel,), (at.coordinates[0], *at.coordinates[2:]), (which,)


def geometry(emitter: Emitter, op: Convolution, x: Value, w: Value, y: Value) -> Geometry:
    extent = emitter.builder.extent
    images = extent(x.shape[0], "images")
    x_extents = tuple(extent(d, f"x{i}") for i, d in enumerate(x.shape[2:]))
    y_extents = tuple(extent(d, f"y{i}") for i, d in enumerate(y.shape[2:]))
    inputs = extent(w.shape[1], "inputs")
    outputs = extent(w.shape[0] // op.group, "outputs")
    group = Monomial.of(op.group)
    taps = w.shape[2:]
    return Geometry(emitter, op, group, inputs, outputs, images, x_extents, y_extents, taps)


@view(Conv)
def conv_product(emitter: Emitter, node: Node, op: Conv) -> Product:
    """Rows are output channels, columns positions of y, the depth input channels and taps."""
    x, w = node.inputs
    g = geometry(emitter, op, x, w, node.output)
    return Product(
        (g.group,),
        (g.outputs,),
        (g.images, *g.y),
        (g.inputs, *g.taps),
        (w, g.w_access),
        (x, g.window_access),
        g.y_access,
        lambda at: g.find(at, g.outputs),
        thin=g.thin,
        images=g.read_of_x,
    )


@view(ConvWeightGrad)
def weight_grad_product(emitter: Emitter, node: Node, op: ConvWeightGrad) -> Product:
    """Rows are output channels, columns input channels and taps, the depth positions of y."""
    x, dy = node.inputs
    g = geometry(emitter, op, x, node.output, dy)

    def find(at: Access) -> Found:
        channels, inner, *taps = at.coordinates
        which, row = emitter.split(channels, (g.group, g.outputs))
        return (row,), (inner, *taps), (which,)

    return Product(
        (g.group,),
        (g.outputs,),
        (g.inputs, *g.taps),
        (g.images, *g.y),
        (dy, g.y_access),
        (x, lambda depth, column, which: g.window_access(column, depth, which)),
        g.w_access,
        find,
        thin=g.thin,
    )


@view(ConvInputGrad)
def input_grad_product(emitter: Emitter, node: Node, op: ConvInputGrad) -> Product:
    """Columns are positions of x, in phases.

    Along an axis of stride s, positions of one remainder r modulo s (a phase) meet the
    taps t = (r + pad) % s, + s, + 2 s ... only: each phase is a product of its own, and no
    tap is visited in vain. (With dilation as well, taps that do not meet are masked.)
    """
    dy, w = node.inputs
    g = geometry(emitter, op, node.output, w, dy)
    axes = range(len(g.window))
    phased = [op.stride[a] > 1 and op.dilation[a] == 1 for a in axes]
    phases = [Monomial.of(op.stride[a]) if phased[a] else ONE for a in axes]
    counts = tuple(
        Monomial.of(-(-g.window[a] // op.stride[a]) if phased[a] else g.window[a]) for a in axes
    )
    spans = tuple(
        emitter.builder.extent(-(-node.output.shape[2 + a] // op.stride[a]), f"span{a}")
        if phased[a]
        else g.x[a]
        for a in axes
    )

    def tap(a: int, phase: Affine, number: Affine) -> tuple[Affine, tuple[Expr, ...]]:
        """The tap that is number ``number`` of a phase, and where it exists."""
        if not phased[a]:
            return number, ()
        start = phase.shifted(Monomial.of(op.pad[a]))
        first = emitter.remainder(start, op.stride[a], "first_tap")
        t = first.plus(number.scaled(Monomial.of(op.stride[a])))
        if not g.window[a] % op.stride[a]:
            return t, ()
        return t, emitter.inside(t, False, Monomial.of(g.window[a]))

    def beyond(a: int, position: Affine, number: Affine) -> tuple[bool, Monomial | None]:
        """Whether there may be no y before, or behind, what a position of x meets by a tap."""
        place, n = emitter.in_tile(position, spans[a]), number.constant
        if place is None or n is None or (op.stride[a] > 1 and not phased[a]):
            return True, g.y[a]
        (before, after), pad, stride = place, op.pad[a], op.stride[a]
        if not phased[a]:
            passed = op.dilation[a] * n
            return before + pad < passed, g.y[a] if after + pad + passed < g.reach(a) else None
        # y goes to (x + 2 pad - reach) // stride, a phase to (x + stride - 1) // stride at most.
        last = (stride - 1 + pad) // stride  # the last first window of a phase
        behind = stride * (after + 1 + n - last) + 2 * pad - g.reach(a) - (stride - 1)
        return before + pad // stride < n, g.y[a] if behind <= 0 else None

    def left(row: Places, depth: Places, which: Places) -> Access:
        taps = [tap(a, which[1 + a], depth[1 + a]) for a in axes]
        access = g.w_access(depth, (row[0], *(t for t, _ in taps)), which)
        return access.guarded(*(c for _, conditions in taps for c in conditions))

    def right(depth: Places, column: Places, which: Places) -> Access:
        spots = [column[0]]
        conditions: list[Expr] = []
        for a in axes:
            phase, position, number = which[1 + a], column[1 + a], depth[1 + a]
            low, high = beyond(a, position, number)
            if phased[a]:
                start = phase.shifted(Monomial.of(op.pad[a]))
                first = emitter.quotient(start, op.stride[a], "first_window")
                spot = position.plus(first).plus(number.scaled(Monomial.of(-1)))
            else:
                distance = number.scaled(Monomial.of(-op.dilation[a]))
                spot = position.shifted(Monomial.of(op.pad[a])).plus(distance)
                if op.stride[a] > 1:
                    meets, spot = emitter.meets(spot, op.stride[a])
                    conditions.append(meets)
            if (g.window[a], op.stride[a], op.pad[a]) != (1, 1, 0):
                conditions += emitter.inside(spot, low, high)
            conditions += tap(a, phase, number)[1]
            spots.append(spot)
        return g.y_access(depth, spots, which).guarded(*conditions)

    def result(row: Places, column: Places, which: Places) -> Access:
        spots = [column[0]]
        conditions: list[Expr] = []
        for a in axes:
            spot = column[1 + a]
            if phased[a]:
                place = emitter.in_tile(spot, spans[a])
                spot = spot.scaled(Monomial.of(op.stride[a])).plus(which[1 + a])
                if place is None or op.stride[a] * place[1] <= op.stride[a] - 2:
                    conditions += emitter.inside(spot, False, g.x[a])
            spots.append(spot)
        return g.x_access(row, spots, which).guarded(*conditions)

    def find(at: Access) -> Found:
        row, (image, *spots), which = g.find(at, g.inputs)
        rest = [ZERO] * len(spots)
        for a, spot in enumerate(spots):
            if phased[a]:
                spots[a] = emitter.quotient(spot, op.stride[a])
                rest[a] = emitter.remainder(spot, op.stride[a])
        return row, (image, *spots), (*which, *rest)

    return Product(
        (g.group, *phases),
        (g.inputs,),
        (g.images, *spans),
        (g.outputs, *counts),
        (w, left),
        (dy, right),
        result,
        find,
        thin=g.thin,
        strided=any(phased),
        images=Fraction(1),
    )
