"""Loops along the digits of memory: what CPUs want of everything that is no contraction.

Memory counts a tensor's elements by digits: its axes, in their order, and blocks inside some of
them. A kernel whose loops run along those digits has every coordinate at hand, and divides nothing
by an element. Neighbouring digits that all operands count alike become one loop; the innermost one
lies in the lanes of vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.op import Property
from ir.types import I32, TensorType

from ..builder import KernelBuilder
from ..emitter import Access, Emitter
from ..expressions import Local, ref
from ..index import ZERO, Affine, Base, IterationRange, split_range
from ..monomial import ONE, Monomial
from ..task import Task

U, V = range(2)  # dimensions of a tile: vectors, and their lanes
TILE = ("U", "V")
_UNROLLED = 4  # vectors of a block that are written one by one


class Digit(NamedTuple):
    """What memory counts by: an axis, the part of it above its block, or the place in a block."""

    axis: int
    block: int  # of a place in a block, its extent
    above: int  # of what is above blocks, theirs; else 1
    extent: Monomial


Groups = tuple[tuple[int, ...], ...]
"""Numbers of digits that are one loop each, the outermost first."""


def digits_of(emitter: Emitter, type: TensorType) -> list[Digit]:
    """Those of a tensor's memory, the outermost first; none of extent 1."""
    extents = emitter.extents(type.shape)
    found = []
    if type.layout is None:
        found = [Digit(axis, 0, 1, extent) for axis, extent in enumerate(extents)]
    else:
        for axis, inside in type.layout.parts:
            above = 1 if inside else type.layout.block(axis) or 1
            whole = emitter.builder.blocks(extents[axis], above) if above > 1 else extents[axis]
            extent = Monomial.of(inside) if inside else whole
            found.append(Digit(axis, inside, above, extent))
    return [digit for digit in found if digit.extent.constant != 1]


def access_of(
    emitter: Emitter, type: TensorType, digits: Sequence[Digit], places: Sequence[Affine]
) -> Access:
    """The element at some places along the digits. No guard says whether it exists."""
    found = [ZERO] * len(type.shape)
    for digit, place in zip(digits, places, strict=True):
        found[digit.axis] = found[digit.axis].plus(place.scaled(Monomial.of(digit.above)))
    return Access(tuple(found), emitter.extents(type.shape))


def existing(emitter: Emitter, type: TensorType, at: Access) -> Access:
    """With the conditions under which it exists: the last block of an axis is filled up."""
    conditions: list[Expr] = []
    for axis, extent in enumerate(at.extents):
        block = type.layout.block(axis) if type.layout else 0
        if block and (extent.constant is None or extent.constant % block):
            conditions += emitter.inside(at.coordinates[axis], False, extent)
    return at.guarded(*conditions)


def split_places(digits: Sequence[Digit], groups: Groups, bases: Sequence[Base]) -> list[Affine]:
    """Places along all digits by the variables of their groups."""
    found = [ZERO] * len(digits)
    for numbers, base in zip(groups, bases, strict=True):
        if len(numbers) == 1:
            (number,) = numbers
            block = digits[number].block
            place = IterationRange(base, ONE, Monomial.of(block) if block else None)
            found[number] = Affine(((place, ONE),))
            continue
        extents = [digits[number].extent for number in numbers]
        for number, place_of in zip(
            numbers, split_range(IterationRange(base), extents), strict=True
        ):
            found[number] = place_of
    return found


# --- which digits are one loop --------------------------------------------------------


class _Recorder(KernelBuilder):
    """Writes variables for indices, and notes which."""

    def __init__(self, like: KernelBuilder) -> None:
        super().__init__(like.wide, like.unrolled)
        self.indices: dict[Affine, Expr] = {}

    def affine(self, index: Affine) -> Expr:
        if index.is_zero:
            return e.const(0)
        found = self.indices.get(index)
        if found is None:
            found = ref(Local("q", "", I32, index.axes))
            self.indices[index] = found
        return found


class Emission(Emitter):
    """An emitter of nests. ``reads``: which inputs were read where."""

    reads: list[tuple[Value, Affine]]

    def read(self, value: Value, at: Access) -> Expr:
        self.reads.append((value, self.address(at, value.type)))
        return super().read(value, at)


def emission(task: Task, builder: KernelBuilder) -> Emission:
    found = Emission(task.body, task.node.inputs, builder, len(TILE), task.given)
    found.reads = []
    return found


@dataclass
class Plan:
    """What a trial says: the digits that are one loop, whether memory is one row of elements."""

    groups: Groups
    flat: bool
    reads: list[tuple[Value, Affine]] = field(default_factory=list)


Write = Callable[[Emission, list[Digit], Sequence[Affine]], list[Affine]]
"""Writes all that one element takes; gives the addresses that are stored to."""


def planned(
    task: Task,
    type: TensorType,
    write: Write,
    apart: Callable[[Digit, Digit], bool] = lambda a, b: False,
) -> Plan:
    """Which digits of a tensor's memory every operand counts alike, by a trial.

    ``apart``: neighbours that are two loops in any case.
    """
    builder = _Recorder(task.builder())
    trial = emission(task, builder)
    digits = digits_of(trial, type)
    bases = [Base(ref(Local("i", "", I32)), below=d.block) for d in digits]
    if not digits:
        return Plan((), True)
    groups = tuple((n,) for n in range(len(digits)))
    written = write(trial, digits, split_places(digits, groups, bases))
    indices = [*builder.indices, *written]
    joined: list[tuple[int, ...]] = [(0,)]
    for n in range(1, len(digits)):
        fits = not apart(digits[n - 1], digits[n]) and all(
            _continues(index, bases[n - 1], bases[n], digits[n].extent) for index in indices
        )
        joined = [*joined[:-1], (*joined[-1], n)] if fits else [*joined, (n,)]
    weights = [w for index in indices for r, w in index.terms if r.base is bases[-1]]
    return Plan(tuple(joined), len(joined) == 1 and all(w == ONE for w in weights), trial.reads)


def _continues(index: Affine, outer: Base, inner: Base, extent: Monomial) -> bool:
    """Whether two digits mean to an index what one of both would."""
    if any(r.inner != ONE for r, _ in index.terms if r.base is outer or r.base is inner):
        return False
    above = [w for r, w in index.terms if r.base is outer]
    below = [w for r, w in index.terms if r.base is inner]
    if not above and not below:
        return True
    return len(above) == len(below) == 1 and above[0] == below[0] * extent


def is_pointwise(task: Task) -> bool:
    """Whether nothing is addressed by what was computed, so that any element may be computed."""
    kinds = Property.POINTWISE | Property.VIEW
    return all(node.op.properties & kinds for node in task.body.nodes)


# --- loops ----------------------------------------------------------------------------


@dataclass
class Lanes:
    """Vectors along a stretch of memory: whole ones, and the rest of the last one."""

    builder: KernelBuilder
    config: Config

    @property
    def width(self) -> int:
        return self.config["V"]

    def vectors(
        self, start: Expr | None, end: Expr, extent: Monomial, block: int = 0, whole: bool = False
    ) -> Iterator[tuple[Base, tuple[Expr, ...]]]:
        """Every position: a variable, and the conditions under which lanes are inside.

        For to be looped over: what is written in a turn stands inside its loop. ``extent``: of
        what starts at a multiple of the lanes and goes to its end, or to another such multiple.
        ``whole``: its end is one as well.
        """
        builder, width = self.builder, self.width
        lanes = builder.lanes("V", V)
        whole = whole or (extent.constant is not None and extent.constant % width == 0)
        known = extent.constant
        if start is None and known is not None and known <= _UNROLLED * width:
            for first in range(0, known, width):
                at = builder.let(e.const(first) + lanes, "i") if first else lanes
                inside = () if first + width <= known else (self._inside(at, end),)
                yield Base(at, below=block), inside
            return
        stop = end if whole else end - (width - 1)
        with builder.loop(stop, start, e.const(width), hint="i") as step:
            yield Base(builder.let(step + lanes, "i"), below=block), ()
        if whole:
            return
        rest = builder.let(end - end % width, "i", "rest")
        with builder.when(rest < end):
            at = builder.let(rest + lanes, "i")
            yield Base(at, below=block), (self._inside(at, end),)

    def _inside(self, at: Expr, end: Expr) -> Expr:
        return self.builder.let(at < end, "m")
