"""Convolutions as matrix products.

They are implicit: no column matrix is stored, the right operand's places are computed from the
column (image, position) and the depth (channel, tap).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ir.expr import Expr
from ir.graph import Node
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad

from ..emitter import Access, Emitter
from ..index import Affine, Base, delinearize, variable
from ..products import Product, view
from ..size import ONE, Size, product


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of a convolution ``x, w -> y``; spatial axes in order."""

    op: Conv | ConvInputGrad | ConvWeightGrad
    group: Size
    inputs: Size  # channels of x per group
    outputs: Size  # channels of y per group
    images: Size
    x: tuple[Size, ...]
    y: tuple[Size, ...]
    window: tuple[int, ...]

    @property
    def taps(self) -> tuple[Size, ...]:
        return tuple(Size.of(k) for k in self.window)

    def x_extents(self) -> tuple[Size, ...]:
        return (self.images, self.group * self.inputs, *self.x)

    def y_extents(self) -> tuple[Size, ...]:
        return (self.images, self.group * self.outputs, *self.y)

    def w_extents(self) -> tuple[Size, ...]:
        return (self.group * self.outputs, self.inputs, *self.taps)


def geometry(
    emitter: Emitter,
    op: Conv | ConvInputGrad | ConvWeightGrad,
    x: Sequence[int],
    w: Sequence[int],
    y: Sequence[int],
    *,
    x_access: Access | None = None,
    y_access: Access | None = None,
) -> Geometry:
    """``x_access`` or ``y_access``: where sizes are known already."""
    symbol = emitter.builder.symbol
    window = tuple(w[2:])
    # A window of one element that touches all of them leaves the extent as it is.
    same = [kind == (1, 1, 0) for kind in zip(window, op.stride, op.pad, strict=True)]
    given = y_access or x_access
    images = given.extents[0] if given else symbol(x[0], "images")
    if x_access:
        x_spatial = x_access.extents[2:]
        y_spatial = tuple(
            x_spatial[i] if same[i] else symbol(d, f"y{i}") for i, d in enumerate(y[2:])
        )
    else:
        y_spatial = (
            y_access.extents[2:]
            if y_access
            else tuple(symbol(d, f"y{i}") for i, d in enumerate(y[2:]))
        )
        x_spatial = tuple(
            y_spatial[i] if same[i] else symbol(d, f"x{i}") for i, d in enumerate(x[2:])
        )
    return Geometry(
        op,
        Size.of(op.group),
        Size.of(w[1]),
        Size.of(w[0] // op.group),
        images,
        x_spatial,
        y_spatial,
        window,
    )


def channel(which: Affine, per_group: Size, inside: Affine) -> Affine:
    """Channel number from group and number within it."""
    return which.scaled(per_group).plus(inside)


def x_access(
    emitter: Emitter,
    g: Geometry,
    image: Affine,
    channels: Affine,
    position: Sequence[Affine],
    tap: Sequence[Affine],
) -> Access:
    """Where tap ``tap`` of the window at ``position`` of y reads x; guarded against padding."""
    spots: list[Affine] = []
    conditions: list[Expr] = []
    for axis, (o, t) in enumerate(zip(position, tap, strict=True)):
        pad = g.op.pad[axis]
        spot = o.scaled(Size.of(g.op.stride[axis])).shifted(Size.of(-pad))
        if g.window[axis] > 1:
            spot = spot.plus(t.scaled(Size.of(g.op.dilation[axis])))
        if pad:
            conditions += emitter.inside(spot, True, g.x[axis])
        spots.append(spot)
    return Access((image, channels, *spots), g.x_extents()).guarded(*conditions)


def _split(base: Base, extents: Sequence[Size]) -> tuple[Affine, tuple[Affine, ...]]:
    first, *rest = delinearize(base, extents)
    return first, tuple(rest)


def _group(which: Base, g: Geometry) -> Affine:
    return variable(which) if g.group.constant != 1 else Affine()


def _w_access(g: Geometry, which: Base, row: Base, taps: Base) -> Access:
    """An output channel of the weights, and one of all its input channels and taps."""
    inner, spots = _split(taps, (g.inputs, *g.taps))
    outer = channel(_group(which, g), g.outputs, variable(row))
    return Access((outer, inner, *spots), g.w_extents())


def _window_access(
    emitter: Emitter, g: Geometry, which: Base, taps: Base, positions: Base
) -> Access:
    """What a tap of the window at a position of y reads."""
    inner, spots = _split(taps, (g.inputs, *g.taps))
    image, position = _split(positions, (g.images, *g.y))
    channels = channel(_group(which, g), g.inputs, inner)
    return x_access(emitter, g, image, channels, position, spots)


def _y_access(g: Geometry, which: Base, row: Base, positions: Base) -> Access:
    image, position = _split(positions, (g.images, *g.y))
    channels = channel(_group(which, g), g.outputs, variable(row))
    return Access((image, channels, *position), g.y_extents())


@view(Conv)
def conv_product(emitter: Emitter, node: Node) -> Product:
    """Rows are output channels, columns positions of y, the depth input channels and taps."""
    op = node.op
    assert isinstance(op, Conv)
    x, w = node.inputs
    g = geometry(emitter, op, x.shape, w.shape, node.output.shape)
    return Product(
        g.group,
        g.outputs,
        g.images * product(g.y),
        g.inputs * product(g.taps),
        (w, lambda row, depth, which: _w_access(g, which, row, depth)),
        (x, lambda depth, column, which: _window_access(emitter, g, which, depth, column)),
        lambda row, column, which: _y_access(g, which, row, column),
    )


@view(ConvWeightGrad)
def weight_grad_product(emitter: Emitter, node: Node) -> Product:
    """Rows are output channels, columns input channels and taps, the depth positions of y."""
    op = node.op
    assert isinstance(op, ConvWeightGrad)
    x, dy = node.inputs
    g = geometry(emitter, op, x.shape, node.output.shape, dy.shape)
    return Product(
        g.group,
        g.outputs,
        g.inputs * product(g.taps),
        g.images * product(g.y),
        (dy, lambda row, depth, which: _y_access(g, which, row, depth)),
        (x, lambda depth, column, which: _window_access(emitter, g, which, column, depth)),
        lambda row, column, which: _w_access(g, which, row, column),
    )


@view(ConvInputGrad)
def input_grad_product(emitter: Emitter, node: Node) -> Product:
    """Columns are positions of x, in phases.

    Along an axis of stride s, positions of one remainder r modulo s (a phase) meet the
    taps t = (r + pad) % s, + s, + 2 s ... only: each phase is a product of its own, and no
    tap is visited in vain. (With dilation as well, taps that do not meet are masked.)
    """
    op = node.op
    assert isinstance(op, ConvInputGrad)
    dy, w = node.inputs
    g = geometry(emitter, op, node.output.shape, w.shape, dy.shape)
    axes = range(len(g.window))
    phased = [op.stride[a] > 1 and op.dilation[a] == 1 for a in axes]
    phases = [Size.of(op.stride[a]) if phased[a] else ONE for a in axes]
    counts = tuple(
        Size.of(-(-g.window[a] // op.stride[a]) if phased[a] else g.window[a]) for a in axes
    )
    spans = tuple(
        emitter.builder.symbol(-(-node.output.shape[2 + a] // op.stride[a]), f"span{a}")
        if phased[a]
        else g.x[a]
        for a in axes
    )

    def group_and_phase(which: Base) -> tuple[Affine, tuple[Affine, ...]]:
        first, rest = _split(which, (g.group, *phases))
        return (first if g.group.constant != 1 else Affine()), rest

    def tap(a: int, phase: Affine, number: Affine) -> Affine:
        """The tap that is number ``number`` of a phase."""
        if not phased[a]:
            return number
        start = phase.shifted(Size.of(op.pad[a]))
        first = emitter.remainder(start, op.stride[a], "first_tap")
        return first.plus(number.scaled(Size.of(op.stride[a])))

    def left(row: Base, depth: Base, which: Base) -> Access:
        outer, numbers = _split(depth, (g.outputs, *counts))
        group, rest = group_and_phase(which)
        taps = [tap(a, rest[a], numbers[a]) for a in axes]
        beyond = tuple(
            itertools.chain.from_iterable(
                emitter.inside(taps[a], False, Size.of(g.window[a]))
                for a in axes
                if phased[a] and g.window[a] % op.stride[a]
            )
        )
        return Access(
            (channel(group, g.outputs, outer), variable(row), *taps), g.w_extents()
        ).guarded(*beyond)

    def right(depth: Base, column: Base, which: Base) -> Access:
        outer, numbers = _split(depth, (g.outputs, *counts))
        group, rest = group_and_phase(which)
        image, position = _split(column, (g.images, *spans))
        spots: list[Affine] = []
        conditions: list[Expr] = []
        for a in axes:
            if phased[a]:
                start = rest[a].shifted(Size.of(op.pad[a]))
                first = emitter.quotient(start, op.stride[a], "first_window")
                spot = position[a].plus(first).plus(numbers[a].scaled(Size.of(-1)))
            else:
                distance = numbers[a].scaled(Size.of(-op.dilation[a]))
                spot = position[a].shifted(Size.of(op.pad[a])).plus(distance)
                if op.stride[a] > 1:
                    meets, spot = emitter.meets(spot, op.stride[a])
                    conditions.append(meets)
            if (g.window[a], op.stride[a], op.pad[a]) != (1, 1, 0):
                conditions += emitter.inside(spot, True, g.y[a])
            if phased[a] and g.window[a] % op.stride[a]:
                conditions += emitter.inside(
                    tap(a, rest[a], numbers[a]), False, Size.of(g.window[a])
                )
            spots.append(spot)
        return Access((image, channel(group, g.outputs, outer), *spots), g.y_extents()).guarded(
            *conditions
        )

    def result(row: Base, column: Base, which: Base) -> Access:
        group, rest = group_and_phase(which)
        image, position = _split(column, (g.images, *spans))
        spots: list[Affine] = []
        conditions: list[Expr] = []
        for a in axes:
            spot = position[a]
            if phased[a]:
                spot = spot.scaled(Size.of(op.stride[a])).plus(rest[a])
                conditions += emitter.inside(spot, False, g.x[a])
            spots.append(spot)
        return Access(
            (image, channel(group, g.inputs, variable(row)), *spots), g.x_extents()
        ).guarded(*conditions)

    return Product(
        product((g.group, *phases)),
        g.inputs,
        g.images * product(spans),
        g.outputs * product(counts),
        (w, left),
        (dy, right),
        result,
        strided=any(phased),
    )
