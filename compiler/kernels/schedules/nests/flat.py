"""The flat schedule of CPUs: independent elements, by loops along the digits of memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from compiler.kernel import Config
from ir.expr import Expr
from ir.layout import Layout
from ir.types import TensorType

from ...choice import Choice
from ...emitter import Access
from ...index import Affine, Base
from ...monomial import ONE, Monomial, product
from ...nodes import KernelBody
from ...reshaping import reshaped
from ...task import Scheduled, Task
from ..flat import padded_count
from .digits import DigitGroups, MemoryDigit, access_of, digits_of, existing, split_places
from .emitter import NestEmitter, emission
from .joined_digits import JoinedDigits, WriteElement, is_pointwise, planned
from .lanes import Lanes
from .programs import Programs
from .tile import TILE, V


class NestHeuristic(Protocol):
    """Says what vectors a CPU has."""

    @property
    def lanes(self) -> int:
        """Elements of a vector."""


def schedule_nest(task: Task, heuristic: NestHeuristic) -> Scheduled:
    config = Config((("U", 1), ("V", heuristic.lanes)))
    return Scheduled([Choice(config)], lambda choice: [_kernel(task, choice.config)])


def _kernel(task: Task, config: Config) -> KernelBody:
    free = is_pointwise(task)  # what fills up blocks may be computed, too
    type = _walked(task) if free else task.body.outputs[0].value.type
    plan = planned(task, type, _writer(task, type, not free), config["V"])
    padded = free and plan.flat and _is_filled_alike(task, type)
    padded = padded and task.is_filled_up(type.memory_size)
    if free and not padded:
        plan = planned(task, type, _writer(task, type, True), config["V"])
    if not padded and (other := _across(task, type, plan, config["V"])):
        type, plan = other
    return _Nest(task, type, config, plan, padded).kernel()


def _across(
    task: Task, type: TensorType, plan: JoinedDigits, lanes: int
) -> tuple[TensorType, JoinedDigits] | None:
    """Lanes along channels, though results have them at a distance: where operands lie in blocks of
    channels, or rows of results are too short to fill vectors with."""
    if lanes < 2 or type.layout or type.rank < 3 or task.number(type.shape[1]) < lanes:
        return None
    blocks = replace(type, layout=Layout.of(range(type.rank), [(1, lanes)]))
    other = planned(task, blocks, _writer(task, blocks, True), lanes)
    counted = [d for d in type.shape if d.__class__ is not int or d != 1]
    row = math.prod(map(task.number, counted[-len(plan.groups[-1]) :]))
    if _far(other) < _far(plan) or (row <= lanes // 2 and not _far(plan)):
        return blocks, other
    return None


def _far(plan: JoinedDigits) -> int:
    """Reads whose lanes do not lie side by side."""
    lanes = [[(r, w) for r, w in index.terms if V in r.base.axes] for _, index in plan.reads]
    return sum(any(r.inner != ONE or w != ONE for r, w in terms) for terms in lanes)


def _walked(task: Task) -> TensorType:
    """Of what has the shape of results, what lies in blocks: their elements are near in all."""
    first = task.body.outputs[0].value.type
    found = [port.value.type for port in (*task.body.outputs, *task.body.inputs)]
    found = [t for t in found if t.shape == first.shape and t.layout]
    blocks = [t for t in found if t.layout and any(part.block for part in t.layout.parts)]
    return blocks[0] if blocks else first


def _is_filled_alike(task: Task, walked: TensorType) -> bool:
    """Whether there is memory for what fills up the walked blocks in all that is read and written.

    Blocks of rows (``f32[N,20]{0,0:2,1}``) lie as the rows do, but end behind them.
    """
    types = (port.value.type for port in (*task.body.outputs, *task.body.inputs))
    return all(t.size == 1 or t.memory_size == walked.memory_size for t in types)


def _writer(task: Task, type: TensorType, checked: bool) -> WriteElement:
    def write(
        emitter: NestEmitter, digits: list[MemoryDigit], places: Sequence[Affine]
    ) -> list[Affine]:
        at = access_of(emitter, type, digits, places)
        return store(task, emitter, type, existing(emitter, type, at) if checked else at)

    return write


def store(
    task: Task, emitter: NestEmitter, walked: TensorType, at: Access, inside: tuple[Expr, ...] = ()
) -> list[Affine]:
    """Every result at the element, which is the first one's.

    What fills up blocks is written, too, where the loops run along it: vectors compute with it, and
    with what lay there before (integers, read as floats, are denormal) they are many times slower.

    Args:
        walked: what the loops run along.
        inside: under which conditions there is a place for the element.
    """
    first = task.body.outputs[0].value.type
    written = []
    for port, buffer in task.ports:
        type, own = port.value.type, at.guarded(*inside)
        if type.shape != first.shape:
            own = reshaped(emitter, at, first.shape, type.shape)
        element = emitter.emit(port.value, own)
        written.append(emitter.address(own, type))
        guard = inside if type == walked else own.guard
        emitter.store(buffer, port.name, written[-1], element, guard)
    return written


class _Nest:
    """Programs own some rows; a row is what the innermost loop runs along."""

    def __init__(
        self, task: Task, type: TensorType, config: Config, plan: JoinedDigits, padded: bool
    ) -> None:
        self.task, self.type, self.config = task, type, config
        self.groups: DigitGroups = plan.groups
        self.turned = _far(plan) > 0
        self.padded = padded
        self.emitter = emission(task, task.builder(), config["V"])
        self.builder = self.emitter.builder
        self.digits = digits_of(self.emitter, type)
        self.lanes = Lanes(self.builder, config)

    def kernel(self) -> KernelBody:
        extents = [product(self.digits[n].extent for n in numbers) for numbers in self.groups]
        if self.padded and extents:
            extents = [self.builder.amount(padded_count(self.type.memory_size), "padded_count")]
        inner = len(extents) - 1
        if inner > 0 and 0 < (extents[inner].constant or 0) <= 4 * self.config["V"]:
            inner -= 1
        programs = 1
        if extents:
            programs = self._programs(extents, inner)
        else:
            self._element([], ())
        name = "nest_flat" if self.padded else "nest"
        why = f"{self.type.size} independent elements, loops over {len(extents)} digits"
        return self.task.kernel(self.builder, name, TILE, self.config, (programs, 1), why)

    def _programs(self, extents: list[Monomial], inner: int) -> int:
        around = self.task.number(product(extents[inner + 1 :]).size)
        together = self.config["V"] if inner == 1 and self.turned else 1
        programs = Programs(self.task, self.builder, extents[:inner], around, together)
        programs.cut(extents[inner], self.config["V"])
        for places, begin, end in programs.rows():
            bases = [self._base(n, place) for n, place in enumerate(places)]
            self._row(bases, extents, inner, begin, end)
        return programs.count

    def _row(
        self, outer: list[Base], extents: list[Monomial], inner: int, begin: Expr, end: Expr
    ) -> None:
        builder = self.builder
        block = self.digits[-1].block if len(self.groups[-1]) == 1 else 0
        if inner == len(extents) - 1:
            for base, inside, _ in self.lanes.vectors(
                begin, end, extents[inner], block, self.padded
            ):
                self._element([*outer, base], inside)
            return
        count = extents[-1]
        with builder.loop(end, begin, hint="j") as position:
            for base, inside, _ in self.lanes.vectors(None, builder.size(count), count, block):
                self._element([*outer, self._base(inner, position), base], inside)

    def _base(self, group: int, at: Expr) -> Base:
        numbers = self.groups[group]
        return Base(at, below=self.digits[numbers[0]].block if len(numbers) == 1 else 0)

    def _element(self, bases: list[Base], inside: tuple[Expr, ...]) -> None:
        places = split_places(self.digits, self.groups, bases)
        at = access_of(self.emitter, self.type, self.digits, places)
        if not self.padded:
            at = existing(self.emitter, self.type, at)
        store(self.task, self.emitter, self.type, at, inside)
