"""Sums over a small window, lanes along what counts products: a depthwise convolution's channels.

All there is to do is to read, so every position and tap is written out, with numbers for distances:
what one address gives serves all taps, and whether it is inside of the image is asked only where
it may not be. A program walks along some rows, so that weights stay in registers.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from ...emitter import Access
from ...expressions import axes_of
from ...index import ZERO, Affine, Base, delinearize, variable
from ...monomial import Monomial
from ...task import Task
from .form import LoopAxis
from .sums import Registers
from .tile import U, V, step_of

POSITIONS = 128  # of a program at least, where there are so many
Placed = Mapping[LoopAxis, Affine]


class _Step(NamedTuple):
    """One product of a tile: the number of the position that it is added to, the operands.

    ``asked``: conditions that all lanes share.
    """

    tap: int
    position: int
    sides: Sequence[tuple[Value, Access]]
    asked: tuple[Expr, ...]

    def without(self, known: Sequence[Expr]) -> _Step:
        """Where some conditions hold."""
        sides = [
            (value, access.bare.guarded(*(c for c in access.guard if c not in known)))
            for value, access in self.sides
        ]
        asked = tuple(c for c in self.asked if c not in known)
        return _Step(self.tap, self.position, sides, asked)


class WalkedWindow(Registers):
    """Tiles of ``U`` positions along a row; the rest of it with conditions for all that is read."""

    @staticmethod
    def suits(kernel: Registers) -> bool:
        form, depth = kernel.form, kernel.depth
        return (
            form.name == "each"
            and form.single.kind == "columns"
            and kernel.config["R"] == 1
            and kernel.config["U"] > 1
            and bool(depth)
            and kernel.is_window
            and not any(axis in form.blocks for axis in (*depth, form.single))
            and not kernel.share
        )

    def write(self, task: Task) -> None:
        builder, form = self.builder, self.form
        row = self._row()
        others = [a for a in self.extents if a.kind != "depth" and a not in (form.single, row)]
        # What shares rows of images runs next to each other.
        others.sort(key=lambda a: (a != form.lanes, a.kind == "count"))
        counts = [self._count(a) for a in others]
        height = self.extents[row] if row else Monomial.of(1)
        share = -(-POSITIONS // max(1, task.number(self.extents[form.single].size)))
        share = max(1, min(share, task.number(height.size)))
        chunks = builder.amount(-(-height.size // share), "chunks")
        program = Base(builder.let(builder.program(), "i", "program"))
        self.programs = chunks.size
        for count in counts:
            self.programs *= count.size
        places = list(delinearize(program, [counts[0], chunks, *counts[1:]]))
        chunk = places.pop(1)
        at = dict.fromkeys(self.extents, ZERO)
        for axis, place in zip(others, places, strict=True):
            at[axis] = self._place(axis, self._known(place))
        with contextlib.ExitStack() as stack:
            if row:
                rows = builder.size(builder.amount(share, "share"))
                first = builder.let(builder.affine(self._known(chunk)) * rows, "i", "first")
                stop = e.minimum(first + rows, builder.size(height))
                last = builder.let(stop, "i", "last")
                loop = builder.loop(last, first, hint="row")
                at[row] = variable(Base(stack.enter_context(loop)))
            self._walk(task, at)

    def _row(self) -> LoopAxis | None:
        """The axis around the positions, unless it counts images."""
        axis = LoopAxis("columns", self.form.single.number - 1)
        return axis if axis.number > 0 and self.extents[axis].constant != 1 else None

    def _known(self, place: Affine) -> Affine:
        return variable(Base(self.builder.index(place))) if place.terms else place

    def _walk(self, task: Task, at: Placed) -> None:
        builder, single, count = self.builder, self.form.single, self.config["U"]
        extent = self.extents[single]
        size, known = builder.size(extent), extent.constant
        if known is None or known >= count:
            with builder.loop(size - (count - 1), None, e.const(count), hint="start") as start:
                base = Base(start)
                self.emitter.tiles[base] = count, extent
                self._whole_tile(task, at, variable(base))
        if known is not None and known % count == 0:
            return
        rest = builder.let(size // count * count, "i", "rest")
        with builder.when(rest < size):
            # What a tile has too much repeats its last position.
            place = e.minimum(rest + builder.lanes("U", U), size - 1)
            spot = {**at, single: variable(Base(builder.let(place, "i")))}
            self.store(task, spot, self.summed(spot))

    # --- a whole tile -----------------------------------------------------------------

    def _whole_tile(self, task: Task, at: Placed, start: Affine) -> None:
        single, builder = self.form.single, self.builder
        spots = [{**at, single: start.shifted(Monomial.of(u))} for u in range(self.config["U"])]
        lanes = frozenset({V})
        totals = [builder.declare(e.const(0.0), lanes, "acc", "acc") for _ in spots]
        *outer, last = self.depth
        for taps in itertools.product(*(range(self.extents[a].constant or 0) for a in outer)):
            around = dict(zip(outer, map(step_of, taps), strict=True))
            self._line([{**spot, **around} for spot in spots], last, totals)
        for spot, total in zip(spots, totals, strict=True):
            self.store(task, spot, total)

    def _line(self, spots: Sequence[Placed], last: LoopAxis, totals: Sequence[Expr]) -> None:
        """All taps of one line of the window."""
        builder = self.builder
        steps = [
            self._product(tap, position, {**spot, last: step_of(tap)})
            for tap in range(self.extents[last].constant or 0)
            for position, spot in enumerate(spots)
        ]
        self._read_ahead(steps)
        with contextlib.ExitStack() as line:
            shared = _shared(steps)
            for condition in shared:
                line.enter_context(builder.when(condition))
            steps = [step.without(shared) for step in steps]
            by_tap = [list(group) for _, group in itertools.groupby(steps, lambda s: s.tap)]
            if not any(map(_shared, by_tap)):
                steps.sort(key=lambda step: self._distance(step))
                by_tap = [steps]
            for group in by_tap:
                with contextlib.ExitStack() as stack:
                    shared = _shared(group)
                    for condition in shared:
                        stack.enter_context(builder.when(condition))
                    self._add((step.without(shared) for step in group), totals)

    def _product(self, tap: int, position: int, at: Placed) -> _Step:
        sides = self.sides(dict(at))
        asked = [c for _, access in sides for c in access.guard if not axes_of(c)]
        return _Step(tap, position, sides, tuple(dict.fromkeys(asked)))

    def _read_ahead(self, steps: Sequence[_Step]) -> None:
        """Of what all positions share, what is there in any case: no branch stands before it, so
        that loops around may have it before them."""
        for step in steps:
            value, access = step.sides[0]
            if not any(not axes_of(c) for c in access.guard) and self.emitter.is_load(value):
                self.emitter.emit(value, access)

    def _distance(self, step: _Step) -> tuple[int, int]:
        """Where the second operand is read, in the order of memory."""
        value, access = step.sides[1]
        offsets = self.emitter.address(access, value.type).offsets
        return sum(o.constant or 0 for o in offsets), step.position

    def _add(self, steps: Iterator[_Step], totals: Sequence[Expr]) -> None:
        for step in steps:
            a, b = (self.emitter.emit_guarded(value, access) for value, access in step.sides)
            total = totals[step.position]
            self.builder.assign(total, total + a * b)


def _shared(steps: Sequence[_Step]) -> tuple[Expr, ...]:
    """Conditions of all."""
    first, *others = steps
    return tuple(c for c in first.asked if all(c in step.asked for step in others))
