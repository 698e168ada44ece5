"""Boxes matched with boxes that are looked for: a program for each set of these.

Decisions are those of single precision, operation by operation: no product is added to before it
is rounded, and quotients are the nearest floats.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value
from ir.op import AxisFold
from ir.ops.match import Match
from ir.types import F32, I32, DType

from ..builder import KernelBuilder
from ..expressions import (
    SCALAR,
    any_lane,
    as_i32,
    as_rounded,
    constant,
    element,
    nearest_quotient,
    read,
    spread,
)
from ..folds import PlaceFold
from ..nodes import KernelBody
from ..schedules.single import pointer_to, single
from ..task import Task

SIDES = 4
_LEAST = 1e-6  # overlaps up to here are none
_LANES = frozenset({0})

FourSides = tuple[Expr, Expr, Expr, Expr]


@single(
    Match,
    lambda node: node.inputs[0].shape[1],
    Config((("BLOCK", 256),), 4),
    Config((("BLOCK", 1024),), 4),
    lanes=True,
)
def match_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """All overlaps of a set first, and the best box of each of its rows; then the best pair of what
    is left, until there is none, and after each the rows anew whose best box it took."""
    return _Matching(task, node, builder, config).kernel()


class _Matching:
    def __init__(self, task: Task, node: Node, builder: KernelBuilder, config: Config) -> None:
        op = node.op
        assert isinstance(op, Match)
        self.op, self.task, self.node, self.builder = op, task, node, builder
        self.config = config
        boxes, truth, owner = node.inputs
        self.boxes, self.truth, self.owner = (
            pointer_to(task, builder, value) for value in (boxes, truth, owner)
        )
        sets, length = node.outputs[0].shape
        self.sets, count = sets, truth.shape[0]
        self.size = builder.size(builder.extent(length, "boxes"))
        self.count = builder.size(builder.extent(count, "rows"))
        self.alone = boxes.shape[0] == 1 and sets != 1
        self.writes: list[Value | Scratch] = []
        self.matched = self._memory(node.outputs[0], sets * length, I32, "matched")
        self.overlap = self._memory(node.outputs[1], sets * length, F32, "overlap")
        self.nearest = self._memory(None, sets * length, I32, "nearest")
        self.overlaps = self._memory(None, count * length, F32, "overlaps")
        self.best = self._memory(None, count, F32, "best")
        self.place = self._memory(None, count, I32, "place")
        self.follow = self._memory(None, count, I32, "follow")
        self.fold = PlaceFold(AxisFold("max", (0,), "first"), F32)

    def _memory(self, result: Value | None, size: int, dtype: DType, hint: str) -> Expr:
        """Of a result that somebody reads, or of the program's own."""
        if result is not None and any(port.value is result for port, _ in self.task.ports):
            buffer = next(b for port, b in self.task.ports if port.value is result)
            self.writes.append(buffer)
            return pointer_to(self.task, self.builder, result)
        number = sum(isinstance(value, Scratch) for value in self.writes)
        scratch = Scratch(number, size * dtype.itemsize + 64)
        self.writes.append(scratch)
        return self.builder.pointer(scratch, dtype, hint)

    def kernel(self) -> KernelBody:
        builder = self.builder
        builder.place(self.node.location)
        self.set = builder.let(builder.program(), "i", "set")
        self.own = builder.let(self.set * self.size, "i", "own")
        self._begin()
        self._pairs(*self._overlaps())
        if self.op.rest:
            self._rest()
        why = f"{self.node.outputs[0].shape[1]} boxes, one set of those looked for per program"
        return self.task.kernel(
            builder, "match", ("BLOCK",), self.config, (self.sets, 1), why, writes=self.writes
        )

    # --- walks ------------------------------------------------------------------------

    @contextlib.contextmanager
    def _places(self) -> Iterator[tuple[Expr, Expr]]:
        """Blocks of boxes: their places, and which there are."""
        builder = self.builder
        with builder.loop(self.size, step=constant("BLOCK"), hint="step") as step:
            place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
            yield place, builder.let(place < self.size, "m", "inside")

    @contextlib.contextmanager
    def _rows(self, number: Expr, last: Expr) -> Iterator[Expr]:
        """The rows of the set once more, from the last one to the first."""
        builder = self.builder
        at = builder.declare(e.const(0), SCALAR, "i", "at")
        builder.assign(at, last)
        with builder.loop(self.count, hint="turn") as turn, builder.when(any_lane(turn < number)):
            row = builder.now(at, "row")
            yield row
            builder.assign(at, read(element(self.follow, row)))

    # --- steps ------------------------------------------------------------------------

    def _begin(self) -> None:
        with self._places() as (place, inside):
            spot = self.builder.let(self.own + place, "i", "spot")
            self.builder.store(element(self.matched, spot, (inside,)), e.const(-1))
            self.builder.store(element(self.nearest, spot, (inside,)), e.const(-1))
            self.builder.store(element(self.overlap, spot, (inside,)), e.const(0.0))
        self.builder.barrier()

    def _overlaps(self) -> tuple[Expr, Expr]:
        """How many rows the set has, and the last one."""
        builder = self.builder
        number = builder.declare(e.const(0), SCALAR, "i", "number")
        last = builder.declare(e.const(-1), SCALAR, "i", "last")
        with builder.loop(self.count, hint="row") as row:
            mine = builder.let(e.equal(read(element(self.owner, row)), as_i32(self.set)), "m")
            with builder.when(mine):
                builder.increase(number, e.const(1))
                spot = builder.let(spread(row, SCALAR), "i", "at_row")
                builder.store(element(self.follow, spot), last)
                builder.assign(last, as_i32(spot))
                self._overlaps_of(row)
        builder.barrier()
        return number, last

    def _overlaps_of(self, row: Expr) -> None:
        builder = self.builder
        wanted = self._box(self.truth, row * SIDES, ())
        area = builder.let(self._area(wanted), "x", "area")
        best = self.fold.begin(builder, _LANES, "best")
        with self._places() as (place, inside):
            start = place if self.alone else self.own + place
            box = self._box(self.boxes, start * SIDES, (inside,))
            overlap = self._overlap(box, wanted, area)
            spot = builder.let(self.own + place, "i", "spot")
            if self.op.inside:
                away = builder.let(self._leaves(box), "m", "away")
                overlap = builder.let(e.where(away, 0.0, overlap), "v", "overlap")
                builder.store(element(self.matched, spot, (inside, away)), e.const(-2))
            line = builder.let(row * self.size + place, "i", "line")
            builder.store(element(self.overlaps, line, (inside,)), overlap)
            before = builder.now(read(element(self.overlap, spot, (inside,)), 0.0), "before")
            more = builder.let(overlap > before, "m", "more")
            builder.store(element(self.overlap, spot, (inside, more)), overlap)
            builder.store(element(self.nearest, spot, (inside, more)), as_i32(row))
            self._take(best, place, inside, overlap)
        self._keep(best, row)

    def _pairs(self, number: Expr, last: Expr) -> None:
        builder = self.builder
        with builder.loop(self.count, hint="turn") as turn, builder.when(any_lane(turn < number)):
            value = builder.declare(e.const(0.0), SCALAR, "r", "value")
            place = builder.declare(e.const(2**31 - 1), SCALAR, "i", "box")
            chosen = builder.declare(e.const(-1), SCALAR, "i", "chosen")
            with self._rows(number, last) as row:
                own = builder.now(read(element(self.best, row)), "own_value")
                at = builder.now(read(element(self.place, row)), "own_place")
                nearer = e.equal(own, value) & (own > 0.0) & (at <= place)
                better = (own > value) | nearer
                pairs = ((value, own), (place, at), (chosen, as_i32(row)))
                held = [builder.now(e.where(better, new, old)) for old, new in pairs]
                for (old, _), new in zip(pairs, held, strict=True):
                    builder.assign(old, new)
            with builder.when(any_lane(value > 0.0)):
                spot = builder.now(spread(self.own, SCALAR) + place, "taken")
                builder.store(element(self.matched, spot), chosen)
                builder.store(element(self.overlap, spot), value)
                builder.store(element(self.best, chosen), spread(e.const(-1.0), SCALAR))
                builder.barrier()
                self._take_away(place, number, last)

    def _take_away(self, box: Expr, number: Expr, last: Expr) -> None:
        """Nothing is matched with a box any more."""
        builder = self.builder
        with self._rows(number, last) as row:
            spot = builder.now(row * self.size + box, "gone")
            builder.store(element(self.overlaps, spot), spread(e.const(0.0), SCALAR))
            builder.barrier()
            lost = e.equal(read(element(self.place, row)), box)
            lost = lost & (read(element(self.best, row)) > 0.0)
            with builder.when(any_lane(builder.now(lost, "lost"))):
                best = self.fold.begin(builder, _LANES, "best")
                with self._places() as (place, inside):
                    line = builder.let(row * self.size + place, "i", "line")
                    overlap = builder.now(read(element(self.overlaps, line, (inside,)), 0.0))
                    self._take(best, place, inside, overlap)
                self._keep(best, row)
            builder.barrier()

    def _rest(self) -> None:
        builder = self.builder
        with self._places() as (place, inside):
            spot = builder.let(self.own + place, "i", "spot")
            matched = builder.now(read(element(self.matched, spot, (inside,)), 0), "matched")
            nearest = builder.now(read(element(self.nearest, spot, (inside,)), 0), "nearest")
            overlap = builder.now(read(element(self.overlap, spot, (inside,)), 0.0), "overlap")
            near = e.equal(matched, -1) & (overlap > 0.0)
            near = near & (overlap >= float(np.float32(self.op.threshold)))
            builder.store(
                element(self.matched, spot, (inside, builder.let(near, "m", "near"))), nearest
            )

    # --- parts ------------------------------------------------------------------------

    def _take(self, best: tuple[Expr, ...], place: Expr, inside: Expr, overlap: Expr) -> None:
        """Take in a block of overlaps of a row."""
        taken = (
            e.where(inside, overlap, self.fold.starts[0]),
            e.where(inside, as_i32(place), self.fold.starts[1]),
        )
        self.fold.step(self.builder, best, tuple(self.builder.let(t) for t in taken))

    def _keep(self, best: tuple[Expr, ...], row: Expr) -> None:
        """The best overlap of a row, and where it is."""
        value, place = self.fold.finish(self.builder, best, (0,), "winner")
        spot = self.builder.now(spread(row, SCALAR), "at_row")
        self.builder.store(element(self.best, spot), value)
        self.builder.store(element(self.place, spot), place)

    def _box(self, pointer: Expr, start: Expr, mask: tuple[Expr, ...]) -> FourSides:
        builder = self.builder
        first = builder.let(start, "i", "first")
        x1, y1, x2, y2 = (
            builder.let(read(element(pointer, first + i, mask), 0.0 if mask else None), "x", name)
            for i, name in enumerate(("x1", "y1", "x2", "y2"))
        )
        return x1, y1, x2, y2

    def _area(self, box: FourSides) -> Expr:
        x1, y1, x2, y2 = box
        return e.where((x2 < x1) | (y2 < y1), 0.0, as_rounded((x2 - x1) * (y2 - y1)))

    def _overlap(self, box: FourSides, wanted: FourSides, area: Expr) -> Expr:
        builder = self.builder
        width = e.minimum(box[2], wanted[2]) - e.maximum(box[0], wanted[0])
        height = e.minimum(box[3], wanted[3]) - e.maximum(box[1], wanted[1])
        width, height = builder.let(width, "v", "width"), builder.let(height, "v", "height")
        product = as_rounded(e.maximum(width, 0.0) * e.maximum(height, 0.0))
        common = builder.let(product, "v", "common")
        union = builder.let(self._area(box) + area - common, "v", "union")
        there = common > 0.0
        found = builder.let(nearest_quotient(common, e.where(there, union, 1.0)), "v", "found")
        return builder.let(e.where(there & (found > float(_LEAST)), found, 0.0), "v", "overlap")

    def _leaves(self, box: FourSides) -> Expr:
        """Whether a box is not within 0..1."""
        away = (box[0] < 0.0) | (box[0] > 1.0)
        for side in box[1:]:
            away = away | (side < 0.0) | (side > 1.0)
        return away
