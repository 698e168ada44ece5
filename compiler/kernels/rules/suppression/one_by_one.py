"""One box after the other, each held against those of its row that were kept.

A copy of those lies side by side. A program that is one thread holds a box against some vectors of
them, and looks whether one of them overlaps it before it goes on; it divides only where that may
be.
"""

from __future__ import annotations

import numpy as np

from compiler.kernel import Config, Scratch
from compiler.kernels.builder import KernelBuilder
from compiler.kernels.expressions import SCALAR, any_lane, constant, element, read, spread
from compiler.kernels.nodes import KernelBody
from compiler.kernels.schedules.shares import RowShares
from compiler.kernels.schedules.single import pointer_to
from compiler.kernels.task import Task
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.types import F32

from .boxes import RowsOfBoxes, SidesAndArea

_VECTORS = 8
_BEHIND = 16  # copies that may be read behind the last one, at least
_PARTS = len(SidesAndArea._fields)
_SLACK = 1.0 - 2.0**-20
"""A quotient of floats that is above a threshold is above so much of it before it is rounded, and
so is the product of that and the divisor."""


def suppress_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    return _OneByOne(task, node, builder, config).kernel()


class _OneByOne:
    def __init__(self, task: Task, node: Node, builder: KernelBuilder, config: Config) -> None:
        self.task, self.builder, self.config = task, builder, config
        self.boxes = RowsOfBoxes(task, node, builder)
        self.shares = RowShares(task, self.boxes.rows)
        self.behind = max(_BEHIND, config["BLOCK"])
        parts = _PARTS * (self.boxes.length + self.behind)
        self.scratch = Scratch(0, self.shares.programs * parts * F32.itemsize)
        self.kept = builder.pointer(self.scratch, F32, "kept")

    def kernel(self) -> KernelBody:
        with self.shares.each(self.builder) as (row, program):
            self._row(row, program)
        why = f"{self.boxes.length} boxes a row, each held against those that were kept"
        return self.task.kernel(
            self.builder,
            "suppress",
            ("BLOCK",),
            self.config,
            (self.shares.programs, 1),
            why,
            writes=(*self.task.node.outputs, self.scratch),
        )

    def _row(self, row: Expr, program: Expr) -> None:
        builder, boxes = self.builder, self.boxes
        count = boxes.count(row)
        line = builder.let(boxes.size + self.behind, "i", "line")
        first = builder.let(program * (line * _PARTS), "i", "first")
        starts = [builder.let(first + line * part, "i", "begin") for part in range(_PARTS)]
        found = builder.declare(e.const(0), SCALAR, "i", "found")
        threshold = e.const(boxes.threshold)
        if boxes.falls:
            threshold = builder.declare(threshold, SCALAR, "r", "threshold")
        with builder.loop(boxes.size, hint="turn") as turn:
            flag = builder.declare(e.const(0), SCALAR, "i", "flag")
            with builder.when(boxes.goes_on(turn < count, found)):
                own = boxes.at(row, turn)
                gone = self._is_overlapped(own, starts, turn, found, threshold)
                with builder.when(~gone):
                    for start, part in zip(starts, own, strict=True):
                        spot = builder.now(spread(start, SCALAR) + found, "spot")
                        builder.store(element(self.kept, spot), part)
                    builder.assign(flag, spread(e.const(1), SCALAR))
                    builder.increase(found, e.const(1))
                    if boxes.falls:
                        less = threshold * float(np.float32(boxes.op.eta))
                        builder.assign(threshold, e.where(threshold > 0.5, less, threshold))
                builder.barrier()
            result = boxes.wanted(0)
            if result is not None:
                spot = builder.let(spread(row * boxes.size + turn, SCALAR), "i", "place")
                builder.store(element(pointer_to(self.task, builder, result), spot), flag)
        boxes.tell(row, found)

    def _is_overlapped(
        self, own: SidesAndArea, starts: list[Expr], turn: Expr, found: Expr, threshold: Expr
    ) -> Expr:
        builder = self.builder
        if not self.task.heuristic.one_thread:
            over = builder.declare(e.const(False), frozenset({0}), "m", "over")
            with builder.loop(turn, step=constant("BLOCK"), hint="step") as step:
                there, exceeds = self._held_against(own, starts, step, found, threshold, False)
                builder.assign(over, over | (there & exceeds))
            return builder.let(any_lane(over), "m", "gone")
        gone = builder.declare(e.const(False), SCALAR, "m", "gone")
        stretch = constant("BLOCK") * _VECTORS
        with builder.loop(found, step=stretch, hint="stretch") as start:
            with builder.when(~gone):
                end = builder.now(e.minimum(start + stretch, found), "end")
                with builder.loop(end, start, constant("BLOCK"), hint="step") as step:
                    there, exceeds = self._held_against(own, starts, step, found, threshold, True)
                    with builder.when(any_lane(there)):
                        builder.assign(gone, gone | any_lane(there & exceeds))
        return gone

    def _held_against(
        self,
        own: SidesAndArea,
        starts: list[Expr],
        step: Expr,
        found: Expr,
        threshold: Expr,
        early: bool,
    ) -> tuple[Expr, Expr]:
        """Of a block of the boxes that were kept: which are there (``early``: and may overlap too
        much), and which do overlap too much."""
        builder, boxes = self.builder, self.boxes
        place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
        other = SidesAndArea(
            *(
                builder.now(read(element(self.kept, start + place)), name)
                for start, name in zip(starts, SidesAndArea._fields, strict=True)
            )
        )
        there = place < found
        shared = boxes.shared(other, own)
        if early and boxes.threshold > 0.0:
            there = there & (shared.common >= shared.union * (threshold * _SLACK))
        return builder.let(there, "m", "there"), boxes.exceeds(shared, threshold)
