"""What is written of an element whose place in memory is known."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

from ir.expr import Expr
from ir.graph import Value

from ...builder import KernelBuilder
from ...emitter import Access, Emitter
from ...expressions import axes_of, every
from ...index import Affine
from ...monomial import ONE, Monomial
from ...task import Task
from .tile import TILE


class NestEmitter(Emitter):
    """An emitter of nests. ``reads``: which inputs were read where. ``lanes``: of a vector.
    ``shifts``: blocks are vectors, of which neighbours are read."""

    reads: list[tuple[Value, Affine]]
    lanes: int
    shifts: bool = False

    def read(self, value: Value, at: Access) -> Expr:
        self.reads.append((value, self.address(at, value.type)))
        return super().read(value, at)

    def lane_block(self, index: Affine) -> int:
        if self.lanes == 1 or not _is_block(index, self.lanes):
            return 0
        self.shifts = True
        return self.lanes

    def inside(self, index: Affine, low: bool, high: Monomial | None) -> tuple[Expr, ...]:
        """Of a block that no bound cuts, asked for the whole of it."""
        return super().inside(_whole_blocks(index, high), low, high)

    def ways(self, ends: Sequence[Expr], taps: Sequence[int]) -> Iterator[bool]:
        """What all lanes agree on is asked once for all of them."""
        if not ends or math.prod(taps) == 1 or any(axes_of(condition) for condition in ends):
            yield True
            return
        with self.builder.when(self.builder.let(every(tuple(dict.fromkeys(ends))), "m", "inside")):
            yield False
        with self.builder.otherwise():
            yield True

    @contextlib.contextmanager
    def tap(
        self, access: Access, conditions: Sequence[Expr]
    ) -> Iterator[tuple[Access, tuple[Expr, ...]]]:
        """What all lanes agree on is a branch."""
        alike = tuple(c for c in conditions if not axes_of(c))
        rest = tuple(c for c in conditions if axes_of(c))
        with self.builder.when(every(alike)) if alike else contextlib.nullcontext():
            yield access.guarded(*rest), rest


def _is_block(index: Affine, lanes: int) -> bool:
    """Whether an index is a multiple of the lanes, and the number of the lane."""
    inside = [(r, w) for r, w in index.terms if axes_of(r.base.at)]
    sizes = [w for r, w in index.terms if not axes_of(r.base.at)] + [*index.offsets]
    if len(inside) != 1 or any(w.constant is None or w.constant % lanes for w in sizes):
        return False
    (one, weight), extent = inside[0], inside[0][0].extent
    block = extent is not None and extent.constant == lanes == one.base.below
    return block and weight == ONE and one.inner == ONE


def _whole_blocks(index: Affine, high: Monomial | None) -> Affine:
    """An index without its place in a block, if it is below ``high``, and not negative, where the
    block's first is."""
    for one, weight in index.terms:
        block = one.extent.constant if one.extent and weight == ONE and one.inner == ONE else None
        if not block:
            continue
        rest = tuple((r, w) for r, w in index.terms if r is not one)
        sizes = [w for _, w in rest] + [*index.offsets] + ([high] if high else [])
        if all(size.constant is not None and size.constant % block == 0 for size in sizes):
            return Affine(rest, index.offsets)
    return index


def emission(task: Task, builder: KernelBuilder, lanes: int) -> NestEmitter:
    found = NestEmitter(task.body, task.node.inputs, builder, len(TILE), task.given)
    found.reads, found.lanes = [], lanes
    return found
