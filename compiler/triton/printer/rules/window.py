"""Emission of window ops (pooling, LRN) and their gradients: loops over the taps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from ir.graph import Node
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum

from ..emitter import Access, Emitter, rule
from ..index import Affine, Base, Condition, linearize, variable
from ..size import Size
from ..spelling import TRITON_TYPES, literal

_UNROLLED = 32  # windows of up to so many taps are unrolled by the compiler
_LOWEST = "-3.4028234663852886e+38"  # -FLT_MAX, where Caffe's maxima start


@contextlib.contextmanager
def taps(emitter: Emitter, counts: Sequence[int]) -> Iterator[dict[int, Affine]]:
    """Loops over the taps of a window; gives the tap number along every axis that has some."""
    writer = emitter.writer
    total = 1
    for count in counts:
        total *= count
    head = "tl.static_range" if total <= _UNROLLED else "range"
    with contextlib.ExitStack() as stack:
        found = {}
        for axis, count in enumerate(counts):
            if count > 1:
                name = writer.name("t", f"tap{axis}")
                stack.enter_context(writer.block(f"for {name} in {head}({count}):"))
                found[axis] = variable(Base(name))
        yield found


WindowTaps = WindowSum | WindowSpread | WindowMax | WindowScatter


def slides(op: WindowTaps, axis: int) -> bool:
    """Whether the window does anything along an axis."""
    return (op.window[axis], op.stride[axis], op.low[axis], op.high[axis]) != (1, 1, 0, 0)


def read_access(
    emitter: Emitter, op: WindowTaps, at: Access, shape: Sequence[int], tap: dict[int, Affine]
) -> tuple[Access, tuple[Condition, ...]]:
    """Where a tap of the window at ``at`` reads its input, and where that is no padding."""
    coordinates, extents = list(at.coordinates), list(at.extents)
    conditions: list[Condition] = []
    for axis, extent in enumerate(shape):
        if not slides(op, axis):
            continue
        index = at.coordinates[axis].scaled(Size.of(op.stride[axis]))
        index = index.shifted(Size.of(-op.low[axis]))
        if axis in tap:
            index = index.plus(tap[axis])
        size = emitter.extent(extent, axis, len(shape), "from")
        coordinates[axis], extents[axis] = index, size
        # How many elements are added behind depends on the image (rounding), so that the end is
        # checked in any case; a layer's padding does not.
        conditions += emitter.inside(index, op.low[axis] > 0, size)
    access = Access(tuple(coordinates), tuple(extents), at.guard)
    return access.guarded(*conditions), tuple(conditions)


def begin_sum(emitter: Emitter, node: Node) -> str:
    """The variable in which a node's result is added up, at 0."""
    emitter.writer.place(node.location)
    result = node.output
    total = emitter.writer.name("v", result.name)
    emitter.writer.line(f"{total} = tl.zeros({emitter.tile}, {TRITON_TYPES[result.type.dtype]})")
    return total


@rule(WindowSum)
def emit_window_sum(emitter: Emitter, node: Node, number: int, at: Access) -> str:
    op = node.op
    assert isinstance(op, WindowSum)
    (x,) = node.inputs
    total = begin_sum(emitter, node)
    with taps(emitter, op.window) as tap:
        access, conditions = read_access(emitter, op, at, x.shape, tap)
        value = emitter.chosen(conditions, emitter.emit(x, access), literal(0, x.type.dtype))
        emitter.writer.line(f"{total} += {value}")
    return total


@rule(WindowMax)
def emit_window_max(emitter: Emitter, node: Node, number: int, at: Access) -> str:
    op = node.op
    assert isinstance(op, WindowMax)
    (x,) = node.inputs
    writer = emitter.writer
    writer.place(node.location)
    best = writer.name("v", node.outputs[0].name)
    winner = writer.name("v", f"{node.outputs[0].name}_place")
    writer.line(f"{best} = tl.full({emitter.tile}, {_LOWEST}, {TRITON_TYPES[x.type.dtype]})")
    writer.line(f"{winner} = tl.full({emitter.tile}, -1, tl.int32)")
    first = x.type.rank - op.spatial_rank
    with taps(emitter, op.window) as tap:
        access, conditions = read_access(emitter, op, at, x.shape, tap)
        value = emitter.chosen(conditions, emitter.emit(x, access), _LOWEST)
        better = writer.let(f"{value} > {best}", "m")
        spot = writer.affine(linearize(access.coordinates[first:], access.extents[first:]))
        if writer.wide:
            spot = f"tl.cast({spot}, tl.int32)"
        writer.line(f"{best} = tl.where({better}, {value}, {best})")
        writer.line(f"{winner} = tl.where({better}, {spot}, {winner})")
    emitter.results(node, at, (best, winner))
    return (best, winner)[number]


@contextlib.contextmanager
def covering(
    emitter: Emitter, op: WindowSpread | WindowScatter, at: Access, outputs: Sequence[int]
) -> Iterator[tuple[Access, tuple[Condition, ...]]]:
    """Loops over the windows that may cover the input element ``at``.

    Along an axis of stride s these are the last ceil(window / s) that start at or before
    it. Gives the access to the window's value and the conditions under which it exists and
    reaches the element.
    """
    rank = len(outputs)
    counts = [-(-op.window[a] // op.stride[a]) if slides(op, a) else 1 for a in range(rank)]
    writer = emitter.writer
    starts: dict[int, Affine] = {}
    ends: dict[int, Affine] = {}
    for axis in range(rank):
        if not slides(op, axis):
            continue
        # Counted from the padded edge: the element, and the last window that starts there.
        ends[axis] = at.coordinates[axis].shifted(Size.of(op.low[axis]))
        last = ends[axis]
        if op.stride[axis] > 1:
            text = f"({writer.affine(last)}) // {op.stride[axis]}"
            last = variable(Base(writer.let(text, "i"), last.axes))
        starts[axis] = last
    with taps(emitter, counts) as tap:
        coordinates, extents = list(at.coordinates), list(at.extents)
        conditions: list[Condition] = []
        for axis, last in starts.items():
            index = last
            if axis in tap:
                index = index.plus(tap[axis].scaled(Size.of(-1)))
            size = emitter.extent(outputs[axis], axis, rank, "windows")
            # The windows may end before the axis does.
            conditions += emitter.inside(index, axis in tap, size)
            if op.window[axis] % op.stride[axis] or op.window[axis] < op.stride[axis]:
                start = f"({writer.affine(index)}) * {op.stride[axis]}"
                reach = f"{writer.affine(ends[axis])} - {start}"
                conditions.append(emitter.holds(reach, f"< {op.window[axis]}", index.axes))
            coordinates[axis], extents[axis] = index, size
        access = Access(tuple(coordinates), tuple(extents), at.guard).guarded(*conditions)
        yield access, tuple(conditions)


@rule(WindowSpread)
def emit_window_spread(emitter: Emitter, node: Node, number: int, at: Access) -> str:
    op = node.op
    assert isinstance(op, WindowSpread)
    (g,) = node.inputs
    total = begin_sum(emitter, node)
    with covering(emitter, op, at, g.shape) as (access, conditions):
        value = emitter.chosen(conditions, emitter.emit(g, access), literal(0, g.type.dtype))
        emitter.writer.line(f"{total} += {value}")
    return total


@rule(WindowScatter)
def emit_window_scatter(emitter: Emitter, node: Node, number: int, at: Access) -> str:
    op = node.op
    assert isinstance(op, WindowScatter)
    g, winner = node.inputs
    writer = emitter.writer
    writer.place(node.location)
    first = g.type.rank - op.spatial_rank
    own = linearize(at.coordinates[first:], at.extents[first:])
    # Where it is a view of the flat position the compiler sees no new arithmetic.
    here = writer.index(own)
    total = begin_sum(emitter, node)
    with covering(emitter, op, at, g.shape) as (access, conditions):
        chosen = emitter.emit(winner, access)
        value = emitter.emit(g, access)
        hit = Condition(writer.let(f"{chosen} == {here}", "m"), own.axes)
        writer.line(
            f"{total} += {emitter.chosen((*conditions, hit), value, literal(0, g.type.dtype))}"
        )
    return total


@rule(WindowPick)
def emit_window_pick(emitter: Emitter, node: Node, number: int, at: Access) -> str:
    op = node.op
    assert isinstance(op, WindowPick)
    x, winner = node.inputs
    place = emitter.emit(winner, at)
    rank = x.type.rank
    first = rank - op.spatial_rank
    axes = frozenset().union(*(c.axes for c in at.coordinates))
    spot = variable(Base(place, axes))
    sizes = tuple(emitter.extent(x.shape[a], a, rank, "from") for a in range(first, rank))
    exists = emitter.holds(place, ">= 0", axes)
    source = Access(
        (*at.coordinates[:first], *emitter.split(spot, sizes)),
        (*at.extents[:first], *sizes),
        at.guard,
    ).guarded(exists)
    return emitter.chosen((exists,), emitter.emit(x, source), literal(0, x.type.dtype))
