"""Equal elements in the order in which C++ programs leave them: one program sorts a row alone.

Rows that nobody asks for are most often all of them. The others are sorted as
:mod:`ir.ops.introsort` says, step by step: loops end at numbers that are known before, so that a
step says what the next one does.
"""

from __future__ import annotations

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.introsort import SHORT, IntroSort
from ir.types import I32

from ..builder import KernelBuilder
from ..expressions import SCALAR, any_lane, constant, element, read, spread
from ..nodes import KernelBody
from ..schedules.shares import RowShares
from ..schedules.single import pointer_to, single
from ..task import Task

_DECIDE, _FROM_LEFT, _FROM_RIGHT, _DONE = range(4)
"""What a step does: it begins with the next run, or looks for two elements to exchange."""

_STEPS = 256
"""So many steps an element can take: few rows of random numbers take more than 40."""


@single(
    IntroSort,
    lambda node: node.output.shape[1],
    Config((("BLOCK", 128),), 1),
)
def introsort_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """Where nothing is asked for, zeros."""
    builder.place(node.location)
    return _Sorting(task, node, builder, config).kernel()


class _Sorting:
    def __init__(self, task: Task, node: Node, builder: KernelBuilder, config: Config) -> None:
        self.task, self.node, self.builder, self.config = task, node, builder, config
        op = node.op
        assert isinstance(op, IntroSort)
        x, marked, wanted = node.inputs
        rows, length = x.shape
        self.by_median = op.pivot == "median"
        self.shares = RowShares(task, rows)
        self.x, self.marked, self.wanted, self.result = (
            pointer_to(task, builder, value) for value in (x, marked, wanted, node.output)
        )
        self.length = builder.size(builder.extent(length, "length"))
        self.count = builder.size(builder.extent(op.k, "k"))
        nbytes = self.shares.programs * length * I32.itemsize
        self.scratch = Scratch(0, nbytes), Scratch(1, nbytes)
        self.order, self.ends = (
            builder.pointer(scratch, I32, hint)
            for scratch, hint in zip(self.scratch, ("order", "ends"), strict=True)
        )

    def kernel(self) -> KernelBody:
        builder = self.builder
        with self.shares.each(builder) as (row, program):
            wanted = builder.now(read(element(self.wanted, row)), "wanted")
            own = builder.let(program * self.length, "i", "own")
            with builder.when(e.equal(wanted, 1)):
                self._sort(row, own)
            with builder.otherwise():
                with builder.loop(self.count, step=constant("BLOCK"), hint="step") as step:
                    place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
                    spot = element(self.result, row * self.count + place, (place < self.count,))
                    builder.store(spot, e.const(0), spread=True)
        extent = self.node.inputs[0].shape[1]
        return self.task.kernel(
            builder,
            "introsort",
            ("BLOCK",),
            self.config,
            (self.shares.programs, 1),
            f"{extent} elements a row, by one program where they are asked for",
            writes=(*self.task.node.outputs, *self.scratch),
        )

    def _variable(self, start: int, hint: str) -> Expr:
        return self.builder.declare(e.const(start), SCALAR, "i", hint)

    def _set(self, variable: Expr, value: Expr) -> None:
        self.builder.assign(variable, spread(value, SCALAR))

    def _get(self, pointer: Expr, place: Expr, hint: str) -> Expr:
        return self.builder.now(read(element(pointer, place)), hint)

    def _value(self, row: Expr, place: Expr, hint: str) -> Expr:
        return self._get(self.x, row * self.length + place, hint)

    def _sort(self, row: Expr, own: Expr) -> None:
        builder = self.builder
        total = self._variable(0, "total")
        with builder.loop(self.length, hint="place") as place:
            mark = self._get(self.marked, row * self.length + place, "mark")
            with builder.when(e.equal(mark, 1)):
                builder.store(element(self.order, own + total), spread(place, SCALAR))
                builder.increase(total, e.const(1))
        builder.barrier()
        if self.by_median:
            self._sort_runs(row, own, total)
            self._insert_all(row, own, total)
        else:
            self._sort_by_first(row, own, total)
        with builder.loop(self.count, hint="turn") as turn:
            found = self._variable(0, "found")
            with builder.when(any_lane(turn < total)):
                self._set(found, self._get(self.order, own + turn, "next"))
            spot = builder.now(spread(row * self.count + turn, SCALAR), "spot")
            builder.store(element(self.result, spot), found)

    def _sort_runs(self, row: Expr, own: Expr, total: Expr) -> None:
        """Until no run is longer than it may be. The ends of runs that are left stand in a stack;
        the next one begins where this one ends."""
        builder = self.builder
        phase, depth = self._variable(_DECIDE, "phase"), self._variable(0, "depth")
        first, last = self._variable(0, "first"), self._variable(0, "last")
        left, right = self._variable(0, "left"), self._variable(0, "right")
        pivot = builder.declare(e.const(0.0, self.node.inputs[0].type.dtype), SCALAR, "r", "pivot")
        self._set(last, total + 0)
        with builder.loop(self.length, hint="round"):
            with builder.when(any_lane(phase < _DONE)):
                with builder.loop(e.const(_STEPS), hint="turn"):
                    with builder.when(any_lane(e.equal(phase, _FROM_LEFT))):
                        value = self._value(row, self._get(self.order, own + left, "at"), "value")
                        with builder.when(any_lane((value > pivot) & (left < last - 1))):
                            builder.increase(left, e.const(1))
                        with builder.otherwise():
                            self._set(right, right - 1)
                            self._set(phase, e.const(_FROM_RIGHT))
                    with builder.otherwise():
                        with builder.when(any_lane(e.equal(phase, _FROM_RIGHT))):
                            at = self._get(self.order, own + right, "at")
                            value = self._value(row, at, "value")
                            with builder.when(any_lane((pivot > value) & (right > first))):
                                self._set(right, right - 1)
                            with builder.otherwise():
                                with builder.when(any_lane(left < right)):
                                    self._exchange(own, left, right)
                                    builder.increase(left, e.const(1))
                                    self._set(phase, e.const(_FROM_LEFT))
                                with builder.otherwise():
                                    self._keep_end(own, last, depth)
                                    self._set(last, left + 0)
                                    self._set(phase, e.const(_DECIDE))
                        with builder.otherwise():
                            with builder.when(any_lane(e.equal(phase, _DECIDE))):
                                with builder.when(any_lane(last - first > SHORT)):
                                    self._choose_pivot(row, own, first, last, pivot)
                                    self._set(left, first + 1)
                                    self._set(right, last + 0)
                                    self._set(phase, e.const(_FROM_LEFT))
                                with builder.otherwise():
                                    self._set(first, last + 0)
                                    self._take_end(own, last, depth, phase)

    def _sort_by_first(self, row: Expr, own: Expr, total: Expr) -> None:
        """Until every run is of one element. A pivot stands between two runs."""
        builder = self.builder
        phase, depth = self._variable(_DECIDE, "phase"), self._variable(0, "depth")
        first, last = self._variable(0, "first"), self._variable(0, "last")
        left, right = self._variable(0, "left"), self._variable(0, "right")
        chosen = self._variable(0, "chosen")
        pivot = builder.declare(e.const(0.0, self.node.inputs[0].type.dtype), SCALAR, "r", "pivot")
        self._set(last, total + 0)
        with builder.loop(self.length, hint="round"):
            with builder.when(any_lane(phase < _DONE)):
                with builder.loop(e.const(_STEPS), hint="turn"):
                    with builder.when(any_lane(e.equal(phase, _FROM_RIGHT))):
                        at = self._get(self.order, own + right, "at")
                        value = self._value(row, at, "value")
                        with builder.when(any_lane((left < right) & (value <= pivot))):
                            self._set(right, right - 1)
                        with builder.otherwise():
                            self._put(own + left, at)
                            self._set(phase, e.const(_FROM_LEFT))
                    with builder.otherwise():
                        with builder.when(any_lane(e.equal(phase, _FROM_LEFT))):
                            at = self._get(self.order, own + left, "at")
                            value = self._value(row, at, "value")
                            with builder.when(any_lane((left < right) & (value >= pivot))):
                                builder.increase(left, e.const(1))
                            with builder.otherwise():
                                self._put(own + right, at)
                                self._set(phase, e.const(_FROM_RIGHT))
                                with builder.when(any_lane(left >= right)):
                                    self._put(own + left, chosen)
                                    with builder.when(any_lane(left + 1 < self.count)):
                                        self._keep_end(own, last, depth)
                                    self._set(last, left + 0)
                                    self._set(phase, e.const(_DECIDE))
                        with builder.otherwise():
                            with builder.when(any_lane(e.equal(phase, _DECIDE))):
                                with builder.when(any_lane(last - first > 1)):
                                    self._set(chosen, self._get(self.order, own + first, "at"))
                                    self._set(pivot, self._value(row, chosen, "value"))
                                    self._set(left, first + 0)
                                    self._set(right, last - 1)
                                    self._set(phase, e.const(_FROM_RIGHT))
                                with builder.otherwise():
                                    self._set(first, last + 1)
                                    self._take_end(own, last, depth, phase)

    def _take_end(self, own: Expr, last: Expr, depth: Expr, phase: Expr) -> None:
        """Go on with the run whose end lies on top of the stack; done where it is empty."""
        with self.builder.when(any_lane(depth > 0)):
            self._set(depth, depth - 1)
            self._set(last, self._get(self.ends, own + depth, "end"))
        with self.builder.otherwise():
            self._set(phase, e.const(_DONE))

    def _keep_end(self, own: Expr, last: Expr, depth: Expr) -> None:
        """Put the end of the run on the stack: its first part comes now."""
        self.builder.store(element(self.ends, own + depth), last)
        self.builder.barrier()
        self.builder.increase(depth, e.const(1))

    def _put(self, place: Expr, value: Expr) -> None:
        self.builder.store(element(self.order, place), value)
        self.builder.barrier()

    def _choose_pivot(self, row: Expr, own: Expr, first: Expr, last: Expr, pivot: Expr) -> None:
        """The median of the second, the middle and the last element, to the front."""
        builder = self.builder
        low, middle = builder.now(first + 1, "low"), builder.now(first + (last - first) // 2, "mid")
        high = builder.now(last - 1, "high")
        a, b, c = (
            self._value(row, self._get(self.order, own + place, "at"), "value")
            for place in (low, middle, high)
        )
        falling = e.where(b > c, middle, e.where(a > c, high, low))
        rising = e.where(a > c, low, e.where(b > c, high, middle))
        median = builder.now(e.where(a > b, falling, rising), "median")
        self._exchange(own, first, median)
        self._set(pivot, self._value(row, self._get(self.order, own + first, "at"), "value"))

    def _exchange(self, own: Expr, a: Expr, b: Expr) -> None:
        builder = self.builder
        one, other = self._get(self.order, own + a, "one"), self._get(self.order, own + b, "other")
        builder.store(element(self.order, own + a), other)
        builder.store(element(self.order, own + b), one)
        builder.barrier()

    def _insert_all(self, row: Expr, own: Expr, total: Expr) -> None:
        """Each element behind those before it that are not smaller: at most a run away."""
        builder = self.builder
        with builder.loop(self.length, e.const(1), hint="turn") as turn:
            with builder.when(any_lane(turn < total)):
                moved = self._get(self.order, own + turn, "moved")
                value = self._value(row, moved, "value")
                place, goes_on = self._variable(0, "place"), self._variable(1, "goes_on")
                self._set(place, turn)
                with builder.loop(e.const(SHORT), hint="step"):
                    with builder.when(any_lane((place > 0) & e.equal(goes_on, 1))):
                        before = self._get(self.order, own + place - 1, "before")
                        with builder.when(any_lane(value > self._value(row, before, "other"))):
                            builder.store(element(self.order, own + place), before)
                            self._set(place, place - 1)
                        with builder.otherwise():
                            self._set(goes_on, e.const(0))
                builder.store(element(self.order, own + place), moved)
                builder.barrier()
