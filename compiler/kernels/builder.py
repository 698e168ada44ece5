"""Makes the statements of one kernel."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from compiler.kernel import Scratch
from ir import expr as e
from ir.expr import Expr, Number
from ir.graph import Value
from ir.location import Location
from ir.size import Size
from ir.types import F32, I32, DType

from .expressions import (
    SCALAR,
    Address,
    Axes,
    KernelArgument,
    Local,
    axes_of,
    constant,
    ref,
)
from .index import Affine, Base, IterationRange
from .monomial import Amount, Monomial, product
from .nodes import Assign, Barrier, Declare, If, Kind, Let, Loop, Remark, Statement, Write


@dataclass(slots=True, eq=False)
class _Moving:
    """A loop that moves addresses: where it stands, and the variables that it makes."""

    loop: Loop
    block: int
    scope: int
    made: set[Local] = field(default_factory=set)


class KernelBuilder:
    """Statements of a kernel's body, and what they refer to.

    ``let`` gives equal values one variable, within the block where it was made. Buffers among
    ``tight`` begin at any element. ``apart``: addresses are sums of a scalar and of a tile that is
    the same in all programs (see :meth:`offset`).
    """

    def __init__(
        self,
        wide: bool,
        unrolled: int,
        tight: frozenset[Value] = frozenset(),
        apart: bool = False,
    ) -> None:
        self.wide = wide  # 64-bit indices
        self._apart = apart
        self._tight = tight
        self.unrolled = unrolled  # turns that nested loops have together at most
        self._blocks: list[list[Statement]] = [[]]
        self._scopes: list[dict[Hashable, Expr]] = [{}]
        self._arguments: dict[Hashable, Expr] = {}
        self._amounts = 0
        self._extents: dict[Hashable, Monomial] = {}
        self._place = ""
        self._moving: _Moving | None = None

    # --- statements -------------------------------------------------------------------

    def add(self, statement: Statement) -> None:
        self._blocks[-1].append(statement)

    def remark(self, text: str) -> None:
        self.add(Remark(text))

    def place(self, location: Location) -> None:
        """Say from which layer the following statements come."""
        if location.layer and location.layer != self._place:
            self._place = location.layer
            self.remark(location.layer)

    def let(self, value: Expr, stem: str = "v", hint: str = "") -> Expr:
        """A variable that holds the value; the same one for the same value."""
        known = self.recall(value)
        if known is not None:
            return known
        variable = self._made(Local(stem, hint, value.dtype, axes_of(value)))
        self.add(Let(variable, value))
        held = ref(variable)
        self.remember(value, held)
        return held

    def now(self, value: Expr, hint: str = "") -> Expr:
        """A variable that holds what the value is here: what it is made of is assigned to later."""
        variable = Local("v", hint, value.dtype, axes_of(value))
        self.add(Let(variable, value))
        return ref(variable)

    def address(self, value: Expr) -> Expr:
        """A variable that holds an address."""
        variable = Address("at", "", value.dtype, axes_of(value))
        self.add(Let(variable, value))
        return ref(variable)

    def declare(self, start: Expr, axes: Axes, stem: str = "v", hint: str = "") -> Expr:
        """A tile to assign to."""
        variable = self._made(Local(stem, hint, start.dtype, axes))
        self.add(Declare(variable, start))
        return ref(variable)

    def assign(self, tile: Expr, value: Expr) -> None:
        self.add(Assign(tile.value, value))

    def _made(self, variable: Local) -> Local:
        if self._moving:
            self._moving.made.add(variable)
        return variable

    def increase(self, tile: Expr, amount: Expr) -> None:
        self.assign(tile, e.node("add", (tile, amount), None, tile.dtype))

    def store(self, place: Expr, value: Expr, spread: bool = False) -> None:
        self.add(Write(place, value, spread))

    def barrier(self) -> None:
        """Before lanes read what others of the program have written."""
        self.add(Barrier())

    def finish(self) -> list[Statement]:
        """The kernel's body. What is known of values is forgotten: it refers to this builder."""
        self._scopes.clear()
        return self._blocks[0]

    # --- blocks -----------------------------------------------------------------------

    @contextlib.contextmanager
    def loop(
        self,
        stop: Expr,
        start: Expr | None = None,
        step: Expr | None = None,
        kind: Kind = Kind.SERIAL,
        stem: str = "k",
        hint: str = "",
        moving: bool = False,
    ) -> Iterator[Expr]:
        """A loop around what is written inside; gives its position.

        ``moving``: it moves addresses, whose tiles are computed before it (see :meth:`offset`).
        """
        variable = Local(stem, hint, I32)
        one, zero = e.const(1), e.const(0)
        loop = Loop(kind, variable, start or zero, stop, step or one)
        self.add(loop)
        around = self._moving
        if moving:
            self._moving = _Moving(loop, len(self._blocks), len(self._scopes))
        self._made(variable)
        with self._block(loop.body):
            yield ref(variable)
        self._moving = around

    @contextlib.contextmanager
    def when(self, condition: Expr) -> Iterator[None]:
        """A branch; :meth:`otherwise` may follow it."""
        branch = If(condition)
        self.add(branch)
        with self._block(branch.body):
            yield

    @contextlib.contextmanager
    def otherwise(self) -> Iterator[None]:
        branch = self._blocks[-1][-1]
        assert isinstance(branch, If)
        with self._block(branch.otherwise):
            yield

    @contextlib.contextmanager
    def _block(self, body: list[Statement]) -> Iterator[None]:
        """Its variables end with it, and so do the grid and the lanes that are opened in it."""
        depth = len(self._blocks)
        self._blocks.append(body)
        self._scopes.append({})
        try:
            yield
        finally:
            del self._blocks[depth:]
            self._scopes.pop()

    def program(self, axis: int = 0) -> Expr:
        """Number of the program along an axis of the grid: a loop around all that follows."""
        return self._around(("program", axis), Kind.GRID, constant("programs"), axis, SCALAR)

    def lanes(self, extent: str, axis: int = 0) -> Expr:
        """Positions along a dimension of the tile, which a constant sets: a loop around the rest of
        the block."""
        key = ("lanes", extent, axis)
        return self._around(key, Kind.VECTOR, constant(extent), axis, frozenset({axis}))

    def _around(self, key: Hashable, kind: Kind, stop: Expr, axis: int, axes: Axes) -> Expr:
        known = self.recall(key)
        if known is not None:
            return known
        variable = self._made(Local("l", "program" if kind is Kind.GRID else "lane", I32, axes))
        loop = Loop(kind, variable, e.const(0), stop, e.const(1), axis)
        self.add(loop)
        self._blocks.append(loop.body)
        self.remember(key, ref(variable))
        return ref(variable)

    # --- what is known ----------------------------------------------------------------

    def recall(self, key: Hashable) -> Expr | None:
        """What was remembered in this block or those around it."""
        for scope in reversed(self._scopes):
            if key in scope:
                return scope[key]
        return None

    def remember(self, key: Hashable, value: Expr) -> None:
        """Until this block ends."""
        self._scopes[-1][key] = value

    # --- arguments --------------------------------------------------------------------

    def amount(self, size: int, hint: str = "") -> Monomial:
        """A size that is an argument of its own, even where it is a number."""
        self._amounts += 1
        return Monomial.of(Amount(self._amounts, size, hint))

    def extent(self, size: int, hint: str = "") -> Monomial:
        """A size as its type says: a constant where it is a number, else its factors, each of
        which is one argument wherever it is asked for."""
        if not isinstance(size, Size):
            return Monomial.of(size)
        return product(self._extent(factor, factor, hint) for factor in size.factors)

    def _extent(self, key: Hashable, size: int, hint: str) -> Monomial:
        """A number as it is, else the same argument for one key."""
        if isinstance(size, int):
            return Monomial.of(size)
        if key not in self._extents:
            self._extents[key] = self.amount(size, hint)
        return self._extents[key]

    def blocks(self, extent: Monomial, block: int) -> Monomial:
        """How many blocks of so many elements hold an extent."""
        return self._extent((extent, block), -(-extent.size // block), "blocks")

    def pointer(self, buffer: Value | Scratch, dtype: DType, hint: str = "") -> Expr:
        """The address of a buffer."""
        name = f"{hint}_ptr" if hint else ""
        aligned = buffer not in self._tight
        return self._argument(
            buffer, lambda: KernelArgument("p", name, dtype, SCALAR, "pointer", buffer, aligned)
        )

    def scalar(self, key: Hashable, value: Number, dtype: DType) -> Expr:
        """A number that follows from a shape."""
        dtype = F32 if dtype.is_float else I32
        return self._argument(
            key, lambda: KernelArgument("a", "number", dtype, SCALAR, "number", value)
        )

    def size(self, size: Monomial, *, divisible: bool = False) -> Expr:
        """A size: a literal, an argument, or an argument times a literal."""
        if size.constant is not None:
            return e.const(size.constant)
        factor = -size.factor if size.factor < 0 else size.factor
        # A quotient of arguments may be whole only with its factor: 3 * (4 / 3).
        outside = 1 if any(power < 0 for _, power in size.powers) else factor.numerator
        inside = factor / Fraction(outside) if outside else Fraction(1)
        whole = Monomial(1, size.powers) * Monomial(inside)
        value = self._argument(
            (whole, divisible),
            lambda: KernelArgument("s", whole.hint, I32, SCALAR, "size", whole, divisible),
        )
        if outside != 1:
            value = value * outside
        return -value if size.factor < 0 else value

    def _argument(self, key: Hashable, made: Callable[[], KernelArgument]) -> Expr:
        """The same one for one key."""
        if key not in self._arguments:
            self._arguments[key] = ref(made())
        return self._arguments[key]

    # --- indices ----------------------------------------------------------------------

    def iteration_range(self, iteration_range: IterationRange) -> Expr:
        value = iteration_range.base.at
        if iteration_range.inner.constant != 1:
            value = self.let(value // self.size(iteration_range.inner), "i")
        extent = iteration_range.extent
        if extent is not None and not (
            extent.constant and 0 < iteration_range.base.below <= extent.constant
        ):
            value = self.let(value % self.size(extent), "i")
        return value

    def affine(self, index: Affine) -> Expr:
        """The value of an index, not yet a variable.

        What differs along the same dimensions of the tile is added up by itself, and scalars first:
        so few additions are of whole tiles.
        """
        groups: dict[Axes, Expr] = {}
        for iteration_range, weight in index.terms:
            part = self.iteration_range(iteration_range)
            if weight.constant != 1:
                part = part * self.size(weight)
            axes = axes_of(part)
            groups[axes] = groups[axes] + part if axes in groups else part
        first, *others = sorted(groups, key=sorted) or (None,)
        total = None if first is None else groups[first]
        for offset in index.offsets:
            if total is None:
                total = self.size(offset)
            elif offset.factor < 0:
                total = total - self.size(-offset)
            else:
                total = total + self.size(offset)
        if total is None:
            return e.const(0)
        for axes in others:
            group = groups[axes]
            total = total + (self.let(group, "i") if group.op == "add" else group)
        return total

    def offset(self, index: Affine) -> Expr:
        """The value of an index that is an address's. In a loop that moves addresses it is the sum
        of a tile, computed before the loop, and of what the loop changes, with all scalars: then
        a step adds one number to each address. Where tiles and scalars are kept apart, a thread's
        addresses are seen to be constants away from each other."""
        tiles: list[tuple[IterationRange, Monomial]] = []
        rest: list[tuple[IterationRange, Monomial]] = []
        for iteration_range, weight in index.terms if self._moving or self._apart else ():
            base = iteration_range.base
            whole = iteration_range == IterationRange(base)
            for part in map(Base, base.parts) if base.parts and whole else (base,):
                term = iteration_range._replace(base=part), weight
                (tiles if part.axes and not self._changes(part.at) else rest).append(term)
        if not tiles or not rest:
            return self.affine(index)
        if not self._moving:
            start = self.index(Affine(tuple(rest), index.offsets))
            return start + self.index(Affine(tuple(tiles)))
        with self._before():
            tile = self.index(Affine(tuple(tiles)))
        return self.index(Affine(tuple(rest), index.offsets)) + tile

    def _changes(self, value: Expr) -> bool:
        """Whether the loop that moves addresses makes a variable that a value is made of."""
        if not self._moving:
            return False
        if value.op == "ref":
            return value.value in self._moving.made
        return any(map(self._changes, value.args))

    @contextlib.contextmanager
    def _before(self) -> Iterator[None]:
        """What is written inside stands before the loop that moves addresses."""
        moving = self._moving
        assert moving, "there is one"
        blocks, scopes = self._blocks[moving.block :], self._scopes[moving.scope :]
        del self._blocks[moving.block :], self._scopes[moving.scope :]
        self._moving = None
        loop = self._blocks[-1].pop()
        assert loop is moving.loop, "nothing stands behind a loop that is open"
        yield
        assert len(self._blocks) == moving.block, "no lanes are opened before a loop"
        self._blocks[-1].append(loop)
        self._blocks += blocks
        self._scopes += scopes
        self._moving = moving

    def index(self, index: Affine, hint: str = "") -> Expr:
        """A variable (or literal) that holds the index."""
        value = self.affine(index)
        return value if value.op in ("ref", "const") else self.let(value, "i", hint)
