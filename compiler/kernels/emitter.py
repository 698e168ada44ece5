"""Emission on demand: ask for an element of a value, and its whole computation is written.

``emit(value, at)`` walks from a result towards the group's inputs. Every op class has one
registered function that says where it reads its operands; everything else (loads, common
subexpressions, bounds) is here. A float of 16 bits is made f32 where it is read, and rounded where
it is written. A function of an op that may stand in a long chain is a generator:
it yields what it reads, and gets the elements back, so that no chain nests Python's calls.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node, Port, Value
from ir.op import Op, Property
from ir.ops.fusion import InWhole
from ir.ops.pointwise import widens
from ir.types import DType, TensorType

from . import memory
from .builder import KernelBuilder
from .expressions import SCALAR, Axes, as_computed, as_held, axes_of, computed, element, every, read
from .index import Affine, Base, IterationRange, variable
from .monomial import ONE, Monomial


@dataclass(frozen=True, slots=True)
class Access:
    """Where a value is read: one coordinate and one extent per axis of the value.

    ``guard``: conditions outside which the element does not exist (loads are masked there,
    and whoever added the condition replaces what comes out).
    """

    coordinates: tuple[Affine, ...]
    extents: tuple[Monomial, ...]
    guard: tuple[Expr, ...] = ()

    def moved(self, axis: int, index: Affine, extent: Monomial) -> Access:
        """Elsewhere along an axis, which may have another extent."""
        coordinates, extents = list(self.coordinates), list(self.extents)
        coordinates[axis], extents[axis] = index, extent
        return replace(self, coordinates=tuple(coordinates), extents=tuple(extents))

    def guarded(self, *conditions: Expr) -> Access:
        new = tuple(c for c in conditions if c not in self.guard)
        return replace(self, guard=self.guard + new)

    @property
    def bare(self) -> Access:
        """The same place, which exists."""
        return replace(self, guard=())

    def under(self, guard: tuple[Expr, ...]) -> Access:
        """The same place, which exists only where ``guard`` holds, too."""
        return replace(self, guard=guard).guarded(*self.guard)


Emission = Generator[tuple[Value, Access], Expr, Expr]
"""A rule at work: yields values with accesses, is sent their elements, returns the result's."""

EmitRule = Callable[["Emitter", Node, Any, int, Access], Expr | Emission]
"""Of a node, its op, and which of its results is asked for."""
Emit = Callable[["Emitter", Access], Expr]
RULES: dict[type[Op] | Property, EmitRule] = {}


def rule(*ops: type[Op] | Property) -> Callable[[EmitRule], EmitRule]:
    """Decorator: register how result elements are written, of ops or of all that have a property
    and no rule of their own."""

    def add(function: EmitRule) -> EmitRule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return add


def rule_of(op: Op) -> EmitRule:
    for key in (type(op), *op.properties):
        if key in RULES:
            return RULES[key]
    raise NotImplementedError(f"no rule writes elements of op {op.name!r}")


_Key = tuple[Value, tuple[Affine, ...], tuple[Expr, ...]]


class Emitter:
    """Writes the elements of a group's values, as tiles of ``rank`` dimensions.

    ``inputs``: the buffers that the body's inputs are read from. ``places``: where its inputs and
    outputs lie in larger tensors, whose buffers those are then.
    """

    def __init__(
        self,
        body: Graph,
        inputs: Sequence[Value],
        builder: KernelBuilder,
        rank: int,
        given: Mapping[Value, Emit],
        places: Mapping[Value, Sequence[InWhole]] = MappingProxyType({}),
    ) -> None:
        self.given = dict(given)  # values that a schedule writes in its own way
        self.body = body
        self.builder = builder
        self._places = places
        self.tile: Axes = frozenset(range(rank))  # the dimensions that values have
        self._filled: dict[Expr, tuple[Affine, Monomial, int]] = {}
        self._narrow: dict[Expr, Expr] = {}  # what was made f32 of floats of 16 bits: those
        self.tiles: dict[Base, tuple[int, Monomial]] = {}  # from a base on, of an extent
        self._outer = {
            port.value: (buffer, port.name)
            for port, buffer in zip(body.inputs, inputs, strict=True)
        }

    # --- extents ----------------------------------------------------------------------

    def extents(self, shape: Sequence[int]) -> tuple[Monomial, ...]:
        """Sizes of all axes."""
        names = {1: "n", 2: "nc", 3: "ncw", 4: "nchw", 5: "ncdhw"}.get(len(shape), "")
        return tuple(
            self.builder.extent(d, names[i] if names else f"d{i}") for i, d in enumerate(shape)
        )

    # --- values -----------------------------------------------------------------------

    def is_load(self, value: Value) -> bool:
        """Whether the value is just read from memory, perhaps at another address."""
        while value not in self._outer:
            node = self.body.producers[value]
            moves = Property.VIEW in node.op.properties or node.op.offset_axis is not None
            if not moves and not widens(node):
                return False
            (value,) = node.inputs
        return True

    def preset(self, value: Value, at: Access, written: Expr) -> None:
        """What a schedule has computed itself."""
        self.builder.remember((value, at.coordinates, at.guard), written)

    def emit(self, value: Value, at: Access) -> Expr:
        """The element (a variable or literal)."""
        begun: list[tuple[_Key, Emission]] = []
        found: Any = self._begin(begun, value, at)
        while begun:
            key, writing = begun[-1]
            try:
                wanted = writing.send(found)  # None starts it
            except StopIteration as end:
                begun.pop()
                found = end.value
                self.builder.remember(key, end.value)
            else:
                found = self._begin(begun, *wanted)
        written: Expr = found
        return written

    def _begin(self, begun: list[tuple[_Key, Emission]], value: Value, at: Access) -> Expr | None:
        """The element, or None for a rule that asks for more first: it is in ``begun`` then."""
        key = (value, at.coordinates, at.guard)
        found = self.builder.recall(key)
        if found is not None:
            return found
        if value in self.given:
            found = self.given[value](self, at)
        elif value in self._outer:
            found = self.read(value, at)
        else:
            node = self.body.producers[value]
            written = rule_of(node.op)(self, node, node.op, node.outputs.index(value), at)
            if not isinstance(written, Expr):
                begun.append((key, written))
                return None
            found = written
        self.builder.remember(key, found)
        return found

    def lane_block(self, index: Affine) -> int:
        """Elements of the blocks of which an index has one in the lanes of a vector; 0: of none."""
        return 0

    def emit_guarded(self, value: Value, at: Access) -> Expr:
        """The element, 0 where it does not exist."""
        found = self.emit(value, at)
        if self.is_load(value):
            return found  # its load is masked
        return self.chosen(at.guard, found, zero(value.type.dtype))

    def read(self, value: Value, at: Access) -> Expr:
        """Read an input of the group."""
        index = self.place_of(value, at)
        guard = self.needed(at, value.type)
        other = zero(value.type.dtype).value if guard else None
        mask = self.mask(index, guard)
        place = element(self.pointer(value), self.builder.offset(index), mask)
        found = self.builder.let(read(place, other), "x", self._outer[value][1])
        return self.widened(found, self._outer[value][1])

    def widened(self, value: Expr, hint: str = "") -> Expr:
        """What kernels compute with: a float of 16 bits as f32."""
        if not value.dtype.is_narrow:
            return value
        found = self.builder.let(as_computed(value), "v", hint)
        self._narrow[found] = value
        return found

    def narrowed(self, value: Expr, dtype: DType) -> Expr:
        """What memory, or a factor of a product, holds of what was computed."""
        if not dtype.is_narrow or value.dtype is dtype:
            return value
        found = self._narrow.get(value)
        if found is not None and found.dtype is dtype:
            return found
        return self.builder.let(as_held(value, dtype), "v")

    def rounded(self, value: Expr, dtype: DType) -> Expr:
        """What was computed as memory would hold it, to compute with."""
        return self.widened(self.narrowed(value, dtype))

    def pointer(self, value: Value) -> Expr:
        """To an input of the group."""
        buffer, name = self._outer[value]
        return self.builder.pointer(buffer, value.type.dtype, name)

    def located(self, value: Value, at: Access) -> tuple[Value, Access]:
        """Of what is just read from memory: the group's input, and where it is read."""
        while value not in self._outer:
            node = self.body.producers[value]
            wanted = rule_of(node.op)(self, node, node.op, node.outputs.index(value), at)
            assert not isinstance(wanted, Expr), "a view yields what it reads"
            value, at = next(wanted)
        return value, at

    def is_inside(self, value: Value) -> bool:
        """Whether an input or output lies in a larger tensor."""
        return value in self._places

    def place_of(self, value: Value, at: Access) -> Affine:
        """Where its buffer holds an element of an input or output: in a larger tensor, where the
        element has another place."""
        extent = self.builder.extent
        for axis, start, whole in self._places.get(value, ()):
            index = at.coordinates[axis].shifted(extent(start, "start"))
            at = at.moved(axis, index, extent(whole, "whole"))
        return self.address(at, value.type)

    def address(self, at: Access, type: TensorType) -> Affine:
        """Where memory holds an element of a tensor."""
        return memory.address(self.builder, at.coordinates, at.extents, type.layout)

    def access_at(self, place: Affine, extents: tuple[Monomial, ...], type: TensorType) -> Access:
        """The element that memory holds at a place."""
        found, inside = memory.coordinates_of(self.builder, place, extents, type.layout)
        for axis, condition in inside.items():
            assert type.layout is not None, "no other memory is filled up"
            self.fills(condition, found[axis], extents[axis], type.layout.block(axis))
        return Access(found, extents, tuple(inside.values()))

    def fills(self, inside: Expr, index: Affine, extent: Monomial, block: int) -> None:
        """Where an index is not ``inside`` of its extent, it is in the block that the extent
        ends in: in memory of such blocks there is something, if nothing that counts."""
        self._filled[inside] = index, extent, block

    def needed(self, at: Access, type: TensorType) -> tuple[Expr, ...]:
        """The guard of an access to a tensor, as far as memory does not end there."""
        if type.layout is None or not at.guard:
            return at.guard
        filled = {
            (index, extent, block)
            for axis, (index, extent) in enumerate(zip(at.coordinates, at.extents, strict=True))
            if (block := type.layout.block(axis))
        }
        return tuple(c for c in at.guard if self._filled.get(c) not in filled)

    def write(self, port: Port, buffer: Value, at: Access) -> None:
        """An element of an output of the group: computed, and stored."""
        result = self.emit(port.value, at)
        index = self.place_of(port.value, at)
        self.store(buffer, port.name, index, result, self.needed(at, port.value.type))

    def store(
        self,
        buffer: Value,
        name: str,
        index: Affine,
        value: Expr,
        guard: tuple[Expr, ...] = (),
    ) -> None:
        pointer = self.builder.pointer(buffer, buffer.type.dtype, name)
        value = self.narrowed(value, buffer.type.dtype)
        place = element(pointer, self.builder.offset(index), self.mask(index, guard))
        self.builder.store(place, value, self.spreads(index, guard))

    def spreads(self, index: Affine, guard: tuple[Expr, ...]) -> bool:
        """Whether lanes store that the index does not tell apart: an axis of extent 1 has left no
        trace in it."""
        return not SCALAR.union(*(axes_of(c) for c in guard)) <= index.axes

    def mask(self, index: Affine, guard: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """Under which the address is inside its buffer; empty: always."""
        axes = index.axes
        conditions = [c for c in guard if axes or not axes_of(c)]
        whole = index.iteration_range
        loose: dict[Base, bool] = {}  # base -> whether its padded bound is enough
        for iteration_range, _ in index.terms:
            known = iteration_range.extent is not None or (
                whole is not None and whole == IterationRange(iteration_range.base)
            )
            loose[iteration_range.base] = loose.get(iteration_range.base, True) and known
        for base, enough in loose.items():
            if enough and base.padded is not None:
                conditions.append(base.padded())
            elif not enough or (whole is not None and whole.extent is None):
                conditions.extend(bound() for bound in base.bounds)
        return tuple(dict.fromkeys(conditions))

    # --- what several rules need ------------------------------------------------------

    def split(self, index: Affine, extents: tuple[Monomial, ...]) -> tuple[Affine, ...]:
        """Coordinates, row-major, of a flat index."""
        return memory.split_index(self.builder, index, extents)

    def quotient(self, index: Affine, divisor: int, hint: str = "") -> Affine:
        """``index // divisor`` of an index that is not negative where it counts."""
        return variable(Base(self.builder.let(self.builder.affine(index) // divisor, "i", hint)))

    def remainder(self, index: Affine, divisor: int, hint: str = "") -> Affine:
        return variable(Base(self.builder.let(self.builder.affine(index) % divisor, "i", hint)))

    def meets(self, index: Affine, stride: int) -> tuple[Expr, Affine]:
        """Whether an index is a multiple of ``stride`` and not negative, and its quotient."""
        position = self.builder.index(index)
        whole = (position >= 0) & e.equal(position % stride, 0)
        return self.condition(whole), variable(Base(self.builder.let(position // stride, "i")))

    def in_tile(self, index: Affine, extent: Monomial) -> tuple[int, int] | None:
        """How many positions of an axis there are at least before an index and behind it, where it
        is in a whole tile."""
        if len(index.terms) != 1 or any(offset.constant is None for offset in index.offsets):
            return None
        iteration_range, weight = index.terms[0]
        before = sum(offset.constant or 0 for offset in index.offsets)
        count, whole = self.tiles.get(iteration_range.base, (0, ONE))
        if iteration_range != IterationRange(iteration_range.base) or weight != ONE:
            return None
        return (before, count - 1 - before) if count and whole == extent else None

    def inside(self, index: Affine, low: bool, high: Monomial | None) -> tuple[Expr, ...]:
        """0 <= index (if ``low``) and index < high (if given)."""
        position = self.builder.index(index)
        found = [self.condition(position >= 0)] if low else []
        if high is not None:
            found.append(self.condition(position < self.builder.size(high)))
        return tuple(found)

    def ways(self, ends: Sequence[Expr], taps: Sequence[int]) -> Iterator[bool]:
        """How many elements are gathered, each way to be written: whether what exists of each is
        asked there. ``ends``: conditions under which all exist. ``taps``: how many, by axis."""
        yield True

    @contextlib.contextmanager
    def tap(
        self, access: Access, conditions: Sequence[Expr]
    ) -> Iterator[tuple[Access, tuple[Expr, ...]]]:
        """Where one of many elements is read that are gathered, and the conditions under which it
        exists, as far as they still have to be asked."""
        yield access.guarded(*conditions), tuple(conditions)

    def condition(self, value: Expr) -> Expr:
        return self.builder.let(value, "m")

    def chosen(self, conditions: tuple[Expr, ...], value: Expr, other: Expr) -> Expr:
        """``value`` where all conditions hold, else ``other``."""
        if not conditions:
            return value
        return self.builder.let(e.where(every(conditions), value, other), "v")

    def accumulator(self, node: Node, number: int = 0, start: Expr | None = None) -> Expr:
        """A tile in which a result of a node is gathered, from ``start`` (0) on."""
        self.builder.place(node.location)
        result = node.outputs[number]
        first = zero(result.type.dtype) if start is None else start
        return self.builder.declare(first, self.tile, "v", result.name)


def zero(dtype: DType) -> Expr:
    return e.const(0, computed(dtype))
