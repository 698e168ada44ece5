"""Emission of window ops (pooling, LRN) and their gradients: loops over the taps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum
from ir.size import Size

from ..emitter import Access, Emitter, rule, zero
from ..expressions import as_i32
from ..index import Affine, Base, linearize, variable
from ..loops import loops
from ..monomial import Monomial
from .shifted import shifted_sum

_LOWEST = e.const(-3.4028234663852886e38)  # -FLT_MAX, where Caffe's maxima start


WindowTaps = WindowSum | WindowSpread | WindowMax | WindowScatter


def along_one(op: WindowTaps, shape: Sequence[int]) -> int | None:
    """The axis along which a window goes on by one from each element to the next, if it does so
    along no other; results are as many as elements."""
    axes = [axis for axis in range(len(shape)) if op.slides(axis)]
    if len(axes) != 1 or op.stride[axes[0]] != 1:
        return None
    axis = axes[0]
    low, high, window = op.low[axis], op.high[axis], op.window[axis]
    if isinstance(low, Size):  # it counts vectors that are read, which the text of a kernel lists
        return None
    return axis if low >= 0 and high >= 0 and low + high == window - 1 else None


def _before(op: WindowTaps, axis: int) -> bool:
    """Whether windows may begin before the axis does, at any size of it."""
    return isinstance(op.low[axis], Size) or op.low[axis] > 0


def reading(
    emitter: Emitter, op: WindowTaps, at: Access, inputs: Sequence[int]
) -> Iterator[tuple[Access, tuple[Expr, ...]]]:
    """Loops over the taps of the window at ``at``: gives where one reads its input, and where that
    is no padding. What is written for each stands inside its loops."""
    starts: dict[int, Affine] = {}
    ends: list[Expr] = []
    for axis, extent in enumerate(inputs):
        if op.slides(axis):
            index = at.coordinates[axis].scaled(Monomial.of(op.stride[axis]))
            starts[axis] = index.shifted(-emitter.builder.extent(op.low[axis], "before"))
            last = starts[axis].shifted(Monomial.of(op.window[axis] - 1))
            size = emitter.builder.extent(extent, "from")
            ends += emitter.inside(starts[axis], _before(op, axis), None)
            ends += emitter.inside(last, False, size)
    for masked in emitter.ways(ends, op.window):
        with loops(emitter.builder, op.window) as tap:
            access = at
            conditions: list[Expr] = []
            for axis, index in starts.items():
                if axis in tap:
                    index = index.plus(tap[axis])
                size = emitter.builder.extent(inputs[axis], "from")
                access = access.moved(axis, index, size)
                # How many elements are added behind depends on the image (rounding), so that the
                # end is checked in any case; of those before it the op says whether they do.
                if masked:
                    conditions += emitter.inside(index, _before(op, axis), size)
            with emitter.tap(access, conditions) as found:
                yield found


@rule(WindowMax)
def emit_max(emitter: Emitter, node: Node, op: WindowMax, number: int, at: Access) -> Expr:
    (x,) = node.inputs
    builder = emitter.builder
    best = emitter.accumulator(node, 0, _LOWEST)
    winner = emitter.accumulator(node, 1, e.const(-1))
    first = x.type.rank - op.spatial_rank
    for access, conditions in reading(emitter, op, at, x.shape):
        value = emitter.chosen(conditions, emitter.emit(x, access), _LOWEST)
        better = emitter.condition(value > best)
        spot = as_i32(builder.affine(linearize(access.coordinates[first:], access.extents[first:])))
        builder.assign(winner, e.where(better, spot, winner))
        # Not by the condition, which nobody else may need: processors have this as one operation.
        builder.assign(best, e.where(value > best, value, best))
    results = (best, winner)
    for output, result in zip(node.outputs, results, strict=True):
        emitter.preset(output, at, result)
    return results[number]


def covering(
    emitter: Emitter, op: WindowTaps, at: Access, outputs: Sequence[int]
) -> Iterator[tuple[Access, tuple[Expr, ...]]]:
    """Loops over the windows that may cover the input element ``at``.

    Along an axis of stride s these are the last ceil(window / s) that start at or before
    it. Gives the access to the window's value and the conditions under which it exists and
    reaches the element.
    """
    rank = len(outputs)
    builder = emitter.builder
    counts = [-(-op.window[a] // op.stride[a]) if op.slides(a) else 1 for a in range(rank)]
    # Counted from the padded edge: the element, and the last window that starts there.
    last = {
        a: at.coordinates[a].shifted(builder.extent(op.low[a], "before"))
        for a in range(rank)
        if op.slides(a)
    }
    starts = {
        a: emitter.quotient(end, op.stride[a]) if op.stride[a] > 1 else end
        for a, end in last.items()
    }
    ends: list[Expr] = []
    reaches: dict[int, Expr] = {}  # from where the last window starts to the element
    for axis, index in starts.items():
        if op.window[axis] % op.stride[axis] or op.window[axis] < op.stride[axis]:
            start = builder.affine(index) * op.stride[axis]
            reaches[axis] = builder.let(builder.affine(last[axis]) - start, "i", "reach")
        first = index.shifted(Monomial.of(1 - counts[axis]))
        ends += emitter.inside(first, counts[axis] > 1, None)
        ends += emitter.inside(index, False, builder.extent(outputs[axis], "windows"))
    for masked in emitter.ways(ends, counts):
        with loops(builder, counts) as tap:
            access = at
            conditions: list[Expr] = []
            for axis, index in starts.items():
                if axis in tap:
                    index = index.plus(tap[axis].scaled(Monomial.of(-1)))
                size = builder.extent(outputs[axis], "windows")
                # The windows may end before the axis does.
                if masked:
                    conditions += emitter.inside(index, axis in tap, size)
                if axis in reaches:
                    before = builder.affine(tap[axis]) * op.stride[axis] if axis in tap else 0
                    reach = reaches[axis] + before
                    conditions.append(emitter.condition(reach < op.window[axis]))
                access = access.moved(axis, index, size)
            with emitter.tap(access, conditions) as found:
                yield found


def _existing(
    emitter: Emitter, value: Value, access: Access, conditions: tuple[Expr, ...]
) -> tuple[Expr, tuple[Expr, ...]]:
    """An element, and the conditions outside of which it has to be made 0: a masked load is."""
    found = emitter.emit(value, access)
    masked = emitter.is_load(value) and emitter.needed(access, value.type) == access.guard
    return found, () if masked and set(conditions) <= set(access.guard) else conditions


@rule(WindowSum, WindowSpread)
def emit_sum(
    emitter: Emitter, node: Node, op: WindowSum | WindowSpread, number: int, at: Access
) -> Expr:
    (x,) = node.inputs
    axis = along_one(op, x.shape)
    if axis is not None and (lanes := emitter.lane_block(at.coordinates[axis])) > op.window[axis]:
        low = op.low[axis] if isinstance(op, WindowSum) else op.window[axis] - 1 - op.low[axis]
        return shifted_sum(emitter, x, at, axis, op.window[axis], low, lanes)
    total = emitter.accumulator(node)
    walk = reading if isinstance(op, WindowSum) else covering
    for access, conditions in walk(emitter, op, at, x.shape):
        value, unknown = _existing(emitter, x, access, conditions)
        emitter.builder.increase(total, emitter.chosen(unknown, value, zero(x.type.dtype)))
    return total


@rule(WindowScatter)
def emit_scatter(emitter: Emitter, node: Node, op: WindowScatter, number: int, at: Access) -> Expr:
    g, winner = node.inputs
    emitter.builder.place(node.location)
    first = g.type.rank - op.spatial_rank
    own = linearize(at.coordinates[first:], at.extents[first:])
    # Where it is a view of the flat position the compiler sees no new arithmetic.
    here = emitter.builder.index(own)
    total = emitter.accumulator(node)
    for access, conditions in covering(emitter, op, at, g.shape):
        chosen = emitter.emit(winner, access)
        value, unknown = _existing(emitter, g, access, conditions)
        hit = emitter.condition(e.equal(chosen, here))
        value = emitter.chosen((*unknown, hit), value, zero(g.type.dtype))
        emitter.builder.increase(total, value)
    return total


@rule(WindowPick)
def emit_pick(emitter: Emitter, node: Node, op: WindowPick, number: int, at: Access) -> Expr:
    x, winner = node.inputs
    place = emitter.emit(winner, at)
    rank = x.type.rank
    first = rank - op.spatial_rank
    spot = variable(Base(place))
    sizes = tuple(emitter.builder.extent(x.shape[a], "from") for a in range(first, rank))
    exists = emitter.condition(place >= 0)
    source = Access(
        (*at.coordinates[:first], *emitter.split(spot, sizes)),
        (*at.extents[:first], *sizes),
        at.guard,
    ).guarded(exists)
    return emitter.chosen((exists,), emitter.emit(x, source), zero(x.type.dtype))
