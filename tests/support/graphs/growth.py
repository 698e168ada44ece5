"""A graph under construction: values to read, and the table of what may be added."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

from ir.build import Builder
from ir.graph import Role, Value
from ir.layout import Layout, Part
from ir.location import Location
from ir.op import Op, Property
from ir.size import Scope, Size, form_of, symbol, value_of
from ir.types import F32, I32, U32, DType, TensorType

from .arrays import Content, any_of

_T = TypeVar("_T")
_LARGEST = 3000  # elements of a value that further ops may read

Drawer = Callable[["Growth"], None]
DRAWERS: dict[str, Drawer] = {}
"""By the op's name: adds one such op, and what it needs."""
PATTERNS: dict[str, Drawer] = {}
"""By name: adds several ops as nets have them."""


def draws(op: type[Op]) -> Callable[[Drawer], Drawer]:
    """Decorator: the function draws ops of this class."""

    def register(drawer: Drawer) -> Drawer:
        assert op.name not in DRAWERS, op.name
        DRAWERS[op.name] = drawer
        return drawer

    return register


def pattern(drawer: Drawer) -> Drawer:
    """Decorator: the function draws several ops."""
    PATTERNS[drawer.__name__] = drawer
    return drawer


class Growth:
    """Draws attributes and operands, and builds. First choices are the simplest.

    ``scope``: of symbols, for the batch and for extents of images; None: all sizes are numbers.
    """

    def __init__(self, draw: st.DrawFn, scope: Scope | None = None) -> None:
        self.draw = draw
        self.b = Builder("random")
        self.values: list[Value] = []
        self.contents: list[Content] = []
        self.calls: list[str] = []  # what the host was called for, while the graph runs
        self.scope = scope
        self.batch = self.choice(2, 1, 3, 2, 1, 0)
        if scope is not None and self.batch:
            self.batch = symbol(scope, "N", self.batch)
        self._symbols: dict[str, int] = {}
        self.chains = False  # whether ops read the latest value, where it fits

    # --- choices --------------------------------------------------------------------------

    def choice(self, *options: _T) -> _T:
        return self.draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        """Both included; low first."""
        return self.draw(st.integers(value_of(low), value_of(high)))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def extent(self) -> int:
        return self.choice(2, 1, 3, 5, 2, 1, 3, 20)

    def image_extent(self) -> int:
        """Of an axis behind the channels: it may be a symbol."""
        name = self.choice("", "", "H", "W") if self.scope is not None else ""
        if self.scope is None or not name:
            return self.extent()
        if name not in self._symbols:
            self._symbols[name] = symbol(self.scope, name, self.extent())
        return self._symbols[name]

    def axis(self, rank: int) -> int:
        """Often the channels, so that what follows each other is along one axis."""
        usual = min(1, rank - 1)
        return self.choice(usual, usual, *range(rank))

    # --- values ---------------------------------------------------------------------------

    def value(
        self,
        *ranks: int,
        shape: Sequence[int] | None = None,
        dtype: DType = F32,
        where: Callable[[Value], bool] = lambda v: True,
        first: int | None = None,
    ) -> Value:
        """A value of one of the ranks or of this shape: one that is there, or a new input.

        ``where``: what else a value that is there must have. A new input has the leading extent
        ``first`` or that of the batch, and may not have it.
        """
        fits = [
            v
            for v in self.values
            if v.type.dtype is dtype
            and (same_shape(v.shape, shape) if shape is not None else v.type.rank in ranks)
            and (first is None or same_shape(v.shape[:1], (first,)))
            and where(v)
        ]
        if fits and self.chains and fits[-1] is self.values[-1]:
            return fits[-1]
        if fits and self.number(0, 5) < 5:
            return self.choice(*(fits[-3:] if self.flag() else fits))
        if shape is not None:
            return self.input(shape, dtype)
        rank = self.choice(*ranks)
        # A batch may be empty; where that does not fit, no extent is 0 or 1.
        leading = self.batch if first is None else first
        channels = [self.extent()] if rank > 1 else []
        extents = [leading, *channels, *(self.image_extent() for _ in range(rank - 2))][:rank]
        while math.prod(map(value_of, extents)) > _LARGEST:
            extents[max(range(rank), key=lambda i: value_of(extents[i]))] = 2
        if not where(Value("new", TensorType(tuple(extents), dtype))):
            least = [1, *[2] * (rank - 1)]
            extents = [d if value_of(d) >= n else n for d, n in zip(extents, least, strict=False)]
        return self.input(extents, dtype)

    def input(
        self,
        shape: Sequence[int],
        dtype: DType = F32,
        content: Content | None = None,
        role: Role | None = None,
    ) -> Value:
        """A new input of the graph. Floats may be variables."""
        if role is None:
            fixed = not any(isinstance(d, Size) for d in shape)
            variables = (Role.PARAMETER, Role.STATE, Role.HYPER) if dtype is F32 and fixed else ()
            role = self.choice(Role.DATA, *variables)
        if role is not Role.DATA:
            shape = tuple(map(int, shape))  # no variable changes its size
        content = self.choice(*any_of(dtype)) if content is None else content
        value = self.b.input(f"in{len(self.contents)}", TensorType(tuple(shape), dtype), role)
        self.contents.append(content)
        self.values.append(value)
        return value

    def seed(self, rank: int) -> Value:
        """A seed of random numbers, one element."""
        return self.value(shape=(1,) * rank, dtype=U32)

    def rows(self, count: int | None = None) -> Value:
        """Numbers of rows, some of which may be out of any range: i32[N]."""
        return self.value(1, dtype=I32, first=count)

    # --- ops ------------------------------------------------------------------------------

    def emit(self, op: Op, *inputs: Value) -> tuple[Value, ...]:
        return self.keep(self.b.emit_all(op, *(self.taken(op, v) for v in inputs)))

    def taken(self, op: Op, value: Value) -> Value:
        """The value as the op takes it: some read memory themselves."""
        view = op.properties & Property.VIEW
        fits = op.any_layout and not (view and op.viewed(value.type) is None)
        return value if fits or not value.type.layout else self.b.copy(value)

    def layout(self, rank: int) -> Layout:
        order, rest = [], list(map(Part, range(rank)))
        while rest:
            order.append(rest.pop(self.number(0, len(rest) - 1)))
        if rank and self.flag():
            axis = self.axis(rank)
            inside = self.number(order.index(Part(axis)) + 1, rank)
            order.insert(inside, Part(axis, self.choice(2, 4, 3)))
        return Layout(tuple(order))

    def keep(self, values: Sequence[Value]) -> tuple[Value, ...]:
        """Results that further ops may read."""
        self.values += [v for v in values if value_of(v.type.size) <= _LARGEST]
        return tuple(values)

    def grow(self, drawer: Drawer, number: int) -> None:
        layer = f"layer{number}"
        with self.b.at(Location("net.prototxt", number + 1, layer=layer), layer):
            drawer(self)


def same_shape(a: Sequence[int], b: Sequence[int]) -> bool:
    """By their forms: to compare sizes would take for granted that they are equal."""
    return list(map(form_of, a)) == list(map(form_of, b))
