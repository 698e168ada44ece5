"""Emission on demand: ask for an element of a value, and its whole computation is written.

``emit(value, at)`` walks from a result towards the group's inputs. Every op class has one
registered function that says where it reads its operands; everything else (loads, common
subexpressions, bounds) is here. A function of an op that may stand in a long chain is a generator:
it yields what it reads, and gets the texts back, so that no chain nests Python's calls.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compiler.batch import batched_values
from ir.graph import Graph, Node, Value
from ir.op import Op, Property, channel_axis
from ir.types import BOOL, DType

from .index import ZERO, Affine, Axes, Base, Condition, IterationRange, linearize, split_range
from .size import ONE, Size
from .writer import Writer


@dataclass(frozen=True, slots=True)
class Access:
    """Where a value is read: one coordinate and one extent per axis of the value.

    ``guard``: conditions outside which the element does not exist (loads are masked there,
    and whoever added the condition replaces what comes out).
    """

    coordinates: tuple[Affine, ...]
    extents: tuple[Size, ...]
    guard: tuple[Condition, ...] = ()

    def guarded(self, *conditions: Condition) -> Access:
        new = tuple(c for c in conditions if c not in self.guard)
        return replace(self, guard=self.guard + new)


Emission = Generator[tuple[Value, Access], str, str]
"""A rule at work: yields values with accesses, is sent their texts, returns the result's."""

EmitRule = Callable[["Emitter", Node, int, Access], str | Emission]
Emit = Callable[["Emitter", Access], str]
RULES: dict[type[Op], EmitRule] = {}


def rule(op: type[Op]) -> Callable[[EmitRule], EmitRule]:
    """Decorator: register how an op's result element is written."""

    def add(function: EmitRule) -> EmitRule:
        RULES[op] = function
        return function

    return add


def moves_channels(body: Graph) -> bool:
    """Whether an op puts channels elsewhere than blobs have them: then no axis of the group has
    them for sure, and all extents are arguments."""
    ranks = ((n.op, v.type.rank) for n in body.nodes for v in n.outputs)
    return any(op.channel_axis(rank) != channel_axis(rank) for op, rank in ranks)


_Key = tuple[Value, tuple[Affine, ...], tuple[Condition, ...]]


class Emitter:
    """Writes the elements of a group's values.

    ``tile`` is the text of the shape that values have (``[BLOCK]``); ``body`` may be empty
    when a schedule presets what it wants (see :meth:`preset`).
    """

    def __init__(
        self, body: Graph, writer: Writer, tile: str, given: Mapping[Value, Emit] | None = None
    ) -> None:
        self.given = {} if given is None else given  # values that a schedule writes in its own way
        self.body = body
        self.writer = writer
        self.tile = tile
        self.channels_move = moves_channels(body)
        self.batched = batched_values(body)
        self._outer: dict[Value, tuple[Value, str]] = {}

    def bind(self, outer: tuple[Value, ...]) -> None:
        """Give the body's inputs the buffers they are read from."""
        for port, value in zip(self.body.inputs, outer, strict=True):
            self._outer[port.value] = (value, port.name)

    # --- extents ----------------------------------------------------------------------

    def extent(self, value: int, axis: int, rank: int, hint: str = "") -> Size:
        """A size along an axis: channels are constants, everything else is an argument."""
        if axis == channel_axis(rank) and not self.channels_move:
            return Size.of(value)
        return self.writer.symbol(value, hint)

    def extents(self, shape: tuple[int, ...], constant: Container[int] = ()) -> tuple[Size, ...]:
        """Sizes of all axes; those in ``constant`` are constants in any case."""
        names = {1: "n", 2: "nc", 3: "ncw", 4: "nchw", 5: "ncdhw"}.get(len(shape), "")
        return tuple(
            Size.of(d)
            if i in constant
            else self.extent(d, i, len(shape), names[i] if names else f"d{i}")
            for i, d in enumerate(shape)
        )

    # --- values -----------------------------------------------------------------------

    def is_load(self, value: Value) -> bool:
        """Whether the value is just read from memory, perhaps at another address."""
        while value not in self._outer:
            node = self.body.producers[value]
            if Property.VIEW not in node.op.properties and node.op.offset_axis is None:
                return False
            (value,) = node.inputs
        return True

    def preset(self, value: Value, at: Access, text: str) -> None:
        """What a schedule has computed itself."""
        self.writer.remember((value, at.coordinates, at.guard), text)

    def results(self, node: Node, at: Access, texts: tuple[str, ...]) -> None:
        """Remember all results of a node that computes several at once."""
        for value, text in zip(node.outputs, texts, strict=True):
            self.preset(value, at, text)

    def emit(self, value: Value, at: Access) -> str:
        """Text of the element (a variable or literal)."""
        begun: list[tuple[_Key, Emission]] = []
        text: Any = self._begin(begun, value, at)
        while begun:
            key, writing = begun[-1]
            try:
                wanted = writing.send(text)  # None starts it
            except StopIteration as end:
                begun.pop()
                text = end.value
                self.writer.remember(key, text)
            else:
                text = self._begin(begun, *wanted)
        return str(text)

    def _begin(self, begun: list[tuple[_Key, Emission]], value: Value, at: Access) -> str | None:
        """The text, or None for a rule that has to ask for more first: it is in ``begun`` then."""
        key = (value, at.coordinates, at.guard)
        text = self.writer.recall(key)
        if text is not None:
            return text
        if value in self.given:
            text = self.given[value](self, at)
        elif value in self._outer:
            text = self.load(value, at)
        else:
            node = self.body.producers[value]
            found = RULES.get(type(node.op))
            if found is None:
                raise NotImplementedError(f"no Triton emitter for op {node.op.name!r}")
            written = found(self, node, node.outputs.index(value), at)
            if not isinstance(written, str):
                begun.append((key, written))
                return None
            text = written
        self.writer.remember(key, text)
        return text

    def load(self, value: Value, at: Access) -> str:
        """Read an input of the group."""
        buffer, name = self._outer[value]
        pointer = self.writer.pointer(buffer, value.type.dtype, name)
        index = linearize(at.coordinates, at.extents)
        address = self.writer.affine(index)
        address = pointer if address == "0" else f"{pointer} + {address}"
        mask = self.mask(index, at.guard)
        other = f", other={_zero(value.type.dtype)}" if at.guard else ""
        text = f"tl.load({address}, mask={mask}{other})" if mask else f"tl.load({address})"
        return self.writer.let(text, "x", name)

    def store(
        self,
        buffer: Value,
        name: str,
        index: Affine,
        value: str,
        guard: tuple[Condition, ...] = (),
    ) -> None:
        pointer = self.writer.pointer(buffer, buffer.type.dtype, name)
        address = self.address(pointer, index, guard)
        mask = self.mask(index, guard)
        self.writer.line(
            f"tl.store({address}, {value}, mask={mask})"
            if mask
            else f"tl.store({address}, {value})"
        )

    def address(self, pointer: str, index: Affine, guard: tuple[Condition, ...]) -> str:
        """Where to store: as wide as the tile that is stored."""
        text = self.writer.affine(index)
        needed = frozenset().union(*(c.axes for c in guard))
        if not needed <= index.axes:  # an axis of extent 1 has left no trace
            text += f" + tl.zeros({self.tile}, tl.int32)"
        return pointer if text == "0" else f"{pointer} + {text}"

    def mask(self, index: Affine, guard: tuple[Condition, ...]) -> str:
        """Under which the address is inside its buffer; empty: always."""
        axes = index.axes
        conditions = [c for c in guard if axes or not c.axes]
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
        names = dict.fromkeys(c.spread if axes and c.spread else c.name for c in conditions)
        return " & ".join(names)

    # --- what several rules need ------------------------------------------------------

    def split(self, index: Affine, extents: tuple[Size, ...]) -> tuple[Affine, ...]:
        """Coordinates, row-major, of a flat index."""
        if index.is_zero:
            return (ZERO,) * len(extents)
        iteration_range = index.iteration_range
        if iteration_range is None:
            bounds = tuple(
                bound for r, _ in index.terms if r.extent is None for bound in r.base.bounds
            )
            iteration_range = IterationRange(Base(self.writer.index(index), index.axes, bounds))
        return split_range(iteration_range, extents)

    def inside(self, index: Affine, low: bool, high: Size | None) -> tuple[Condition, ...]:
        """0 <= index (if ``low``) and index < high (if given)."""
        tests = [">= 0"] if low else []
        if high is not None:
            tests.append(f"< {self.writer.size(high)}")
        text = self.writer.index(index)
        return tuple(self.holds(text, test, index.axes) for test in tests)

    def holds(self, text: str, test: str, axes: Axes) -> Condition:
        """A condition on an integer that varies along ``axes``: ``i3`` and ``< 5``."""
        one = "[1, 1]" if "," in self.tile else "[1]"
        spread = "" if axes else f"({text} + tl.zeros({one}, tl.int32) {test})"
        return Condition(self.writer.let(f"{text} {test}", "m"), axes, spread)

    def chosen(self, conditions: tuple[Condition, ...], value: str, other: str) -> str:
        """``value`` where all conditions hold, else ``other``."""
        if not conditions:
            return value
        test = " & ".join(c.name for c in conditions)
        return self.writer.let(f"tl.where({test}, {value}, {other})", "v")


def coordinate(at: Access, axis: int) -> tuple[Affine, Size]:
    return at.coordinates[axis], at.extents[axis]


UNIT = (ZERO, ONE)


def _zero(dtype: DType) -> str:
    return "0.0" if dtype.is_float else "False" if dtype is BOOL else "0"
