"""Loops along the digits of memory: what CPUs want of everything that is no contraction.

Memory counts a tensor's elements by digits: its axes, in their order, and blocks inside some of
them. A kernel whose loops run along those digits has every coordinate at hand, and divides nothing
by an element. Neighbouring digits that all operands count alike become one loop; the innermost one
lies in the lanes of vectors.
"""

from __future__ import annotations

import contextlib
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
from ..expressions import Axes, Local, axes_of, every, ref
from ..index import ZERO, Affine, Base, IterationRange, split_range
from ..monomial import ONE, Monomial, product
from ..task import Task

U, V = range(2)  # dimensions of a tile: vectors, and their lanes
TILE = ("U", "V")
SHARE = 4096  # elements of a program at least, where there are so many
_UNROLLED = 4  # vectors of a block that are written one by one


class MemoryDigit(NamedTuple):
    """What memory counts by: an axis, the part of it above its block, or the place in a block."""

    axis: int
    block: int  # of a place in a block, its extent
    above: int  # of what is above blocks, theirs; else 1
    extent: Monomial


DigitGroups = tuple[tuple[int, ...], ...]
"""Numbers of digits that are one loop each, the outermost first."""


def digits_of(emitter: Emitter, type: TensorType) -> list[MemoryDigit]:
    """Those of a tensor's memory, the outermost first; none of extent 1."""
    extents = emitter.extents(type.shape)
    found = []
    if type.layout is None:
        found = [MemoryDigit(axis, 0, 1, extent) for axis, extent in enumerate(extents)]
    else:
        for axis, inside in type.layout.parts:
            above = 1 if inside else type.layout.block(axis) or 1
            whole = emitter.builder.blocks(extents[axis], above) if above > 1 else extents[axis]
            extent = Monomial.of(inside) if inside else whole
            found.append(MemoryDigit(axis, inside, above, extent))
    return [digit for digit in found if digit.extent.constant != 1]


def access_of(
    emitter: Emitter, type: TensorType, digits: Sequence[MemoryDigit], places: Sequence[Affine]
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
            (inside,) = emitter.inside(at.coordinates[axis], False, extent)
            emitter.fills(inside, at.coordinates[axis], extent, block)
            conditions.append(inside)
    return at.guarded(*conditions)


def split_places(
    digits: Sequence[MemoryDigit], groups: DigitGroups, bases: Sequence[Base]
) -> list[Affine]:
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


@dataclass
class JoinedDigits:
    """What a trial says: the digits that are one loop, whether memory is one row of elements."""

    groups: DigitGroups
    flat: bool
    reads: list[tuple[Value, Affine]] = field(default_factory=list)


WriteElement = Callable[[NestEmitter, list[MemoryDigit], Sequence[Affine]], list[Affine]]
"""Writes all that one element takes; gives the addresses that are stored to."""


def planned(
    task: Task,
    type: TensorType,
    write: WriteElement,
    lanes: int,
    apart: Callable[[MemoryDigit, MemoryDigit], bool] = lambda a, b: False,
) -> JoinedDigits:
    """Which digits of a tensor's memory every operand counts alike, by a trial.

    ``apart``: neighbours that are two loops in any case.
    """
    builder = _Recorder(task.builder())
    trial = emission(task, builder, lanes)
    digits = digits_of(trial, type)
    if not digits:
        return JoinedDigits((), True)
    bases = [Base(ref(Local("i", "", I32)), below=d.block) for d in digits]
    bases[-1] = Base(ref(Local("i", "", I32, ONE_VECTOR)), below=digits[-1].block)
    groups = tuple((n,) for n in range(len(digits)))
    written = write(trial, digits, split_places(digits, groups, bases))
    indices = [*builder.indices, *written]
    joined: list[tuple[int, ...]] = [(0,)]
    for n in range(1, len(digits)):
        block = trial.shifts and n == len(digits) - 1
        fits = (
            not block
            and not apart(digits[n - 1], digits[n])
            and all(
                _continues(index, bases[n - 1], bases[n], digits[n].extent) for index in indices
            )
        )
        joined = [*joined[:-1], (*joined[-1], n)] if fits else [*joined, (n,)]
    weights = [w for index in indices for r, w in index.terms if r.base is bases[-1]]
    return JoinedDigits(
        tuple(joined), len(joined) == 1 and all(w == ONE for w in weights), trial.reads
    )


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


class LanePlace(NamedTuple):
    """Where vectors are: a variable, conditions under which lanes are inside, the dimensions of the
    tile that they fill."""

    base: Base
    inside: tuple[Expr, ...]
    axes: Axes


ONE_VECTOR: Axes = frozenset({V})
MANY_VECTORS: Axes = frozenset({U, V})


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
    ) -> Iterator[LanePlace]:
        """Every position of a stretch, by vectors.

        For to be looped over: what is written in a turn stands inside its loop. ``extent``: of
        what starts at a multiple of the lanes and goes to its end, or to another such multiple.
        ``whole``: its end is one as well.
        """
        builder, width, known = self.builder, self.width, extent.constant
        lanes = builder.lanes("V", V)
        whole = whole or (known is not None and known % width == 0)
        if start is None and known is not None and known <= _UNROLLED * width:
            for first in range(0, known, width):
                at = builder.let(e.const(first) + lanes, "i") if first else lanes
                inside = () if first + width <= known else (self._inside(at, end),)
                yield LanePlace(Base(at, below=block), inside, ONE_VECTOR)
            return
        stop = end if whole else end - (width - 1)
        with builder.loop(stop, start, e.const(width), hint="i") as step:
            yield LanePlace(Base(builder.let(step + lanes, "i"), below=block), (), ONE_VECTOR)
        if not whole:
            yield from self._rest(builder.let(end - end % width, "i", "rest"), end, block)

    def tiles(
        self, start: Expr | None, end: Expr, extent: Monomial, block: int = 0
    ) -> Iterator[LanePlace]:
        """Likewise, by ``U`` vectors at once as far as there are so many."""
        builder, width, count = self.builder, self.width, self.config["U"]
        if count == 1 or (extent.constant or 2 * count * width) < count * width:
            yield from self.vectors(start, end, extent, block)
            return
        step = count * width
        lanes = builder.lanes("U", U) * width + builder.lanes("V", V)
        with builder.loop(end - (step - 1), start, e.const(step), hint="i") as first:
            yield LanePlace(Base(builder.let(first + lanes, "i"), below=block), (), MANY_VECTORS)
        if (extent.constant or 1) % step == 0:
            return
        first = e.const(0) if start is None else start
        rest = builder.let(first + (end - first) // step * step, "i", "rest")
        yield from self.vectors(rest, end, extent, block)

    def _rest(self, rest: Expr, end: Expr, block: int) -> Iterator[LanePlace]:
        with self.builder.when(rest < end):
            at = self.builder.let(rest + self.builder.lanes("V", V), "i")
            yield LanePlace(Base(at, below=block), (self._inside(at, end),), ONE_VECTOR)

    def _inside(self, at: Expr, end: Expr) -> Expr:
        return self.builder.let(at < end, "m")


class Programs:
    """Who does what: a program has some rows, or a stretch of one.

    ``rows``: extents of what counts them. ``each``: elements of one, or of one position of what it
    is cut along. ``together``: rows that belong to one program at least.
    """

    def __init__(
        self,
        task: Task,
        builder: KernelBuilder,
        rows: Sequence[Monomial],
        each: int,
        together: int = 1,
    ) -> None:
        self._task, self._builder, self._together = task, builder, together
        self._rows, self._each = rows, max(1, each)
        self._inner: Monomial | None = None
        self._stretch = 1

    def cut(self, inner: Monomial, width: int) -> None:
        """Along a loop, into stretches of a multiple of ``width``."""
        self._inner = inner
        length = min(self._task.number(inner.size), -(-SHARE // (self._each * self._together)))
        self._stretch = max(1, -(-length // width)) * width

    @property
    def _share(self) -> int:
        return max(self._together, SHARE // (self._stretch * self._each))

    @property
    def _chunks(self) -> int:
        return -(-self._inner.size // self._stretch) if self._inner else 1

    @property
    def count(self) -> int:
        """Of all programs."""
        return self._chunks * -(-product(self._rows).size // self._share)

    def rows(self) -> Iterator[tuple[list[Expr], Expr, Expr]]:
        """Of a program: places along what counts rows, and where the stretch begins and ends."""
        builder = self._builder
        program = builder.let(builder.program(), "i", "program")
        begin = end = e.const(0)
        if self._inner:
            chunks = builder.size(builder.amount(self._chunks, "chunks"))
            stretch = builder.size(builder.amount(self._stretch, "stretch"))
            begin = builder.let(program % chunks * stretch, "i", "begin")
            stop = builder.size(self._inner)
            end = builder.let(e.minimum(begin + stretch, stop), "i", "end")
            program = builder.let(program // chunks, "i") if self._rows else program
        if not self._rows:
            yield [], begin, end
            return
        share = builder.size(builder.amount(self._share, "share"))
        first = builder.let(program * share, "i", "first")
        last = builder.let(e.minimum(first + share, builder.size(product(self._rows))), "i", "last")
        with builder.loop(last, first, hint="row") as at:
            places = split_range(IterationRange(Base(at)), self._rows)
            yield [builder.index(place) for place in places], begin, end
