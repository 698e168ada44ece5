"""Sums, products, extremes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr
from ir.op import AxisFold
from ir.types import DType

from ..builder import KernelBuilder
from ..emitter import Access, Emitter
from ..expressions import Axes, across

START = {"sum": (0, 0.0), "prod": (1, 1.0)}  # of integers, of floats
START |= {"max": (-(2**31), -math.inf), "min": (2**31 - 1, math.inf)}
_STEP = {"sum": "add", "prod": "mul", "max": "max", "min": "min"}


@dataclass(frozen=True, slots=True)
class Fold:
    """One reduction of a kernel. What is gathered may be several tiles, of which the last one
    becomes the result."""

    by: AxisFold
    dtype: DType

    @property
    def kind(self) -> str:
        return self.by.kind

    @property
    def start(self) -> Expr:
        """The value that changes nothing."""
        return e.const(START[self.kind][self.dtype.is_float], self.dtype)

    @property
    def starts(self) -> tuple[Expr, ...]:
        """Of every tile that is gathered."""
        return (self.start,)

    def begin(
        self, builder: KernelBuilder, axes: Axes, hint: str, reduced: Axes | None = None
    ) -> tuple[Expr, ...]:
        """Declare the tiles that gather. ``reduced``: dimensions that the reduced axes lie along,
        if what is inside of them is the same along all others."""
        return (builder.declare(self.start, axes, "r", hint),)

    @property
    def from_origin(self) -> bool:
        """Whether :meth:`taken` is given the first element that there is, to count from there."""
        return False

    def taken(
        self,
        emitter: Emitter,
        value: Expr,
        at: Access,
        inside: tuple[Expr, ...],
        origin: Expr | None = None,
    ) -> tuple[Expr, ...]:
        """A tile of what is reduced, as it is gathered: neutral where not ``inside``."""
        return (emitter.chosen(inside, value, self.start),)

    def step(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], taken: tuple[Expr, ...]
    ) -> None:
        """Take in one tile."""
        (total,), (value,) = gathered, taken
        builder.assign(total, e.node(_STEP[self.kind], (total, value), None, self.dtype))

    def finish(
        self, builder: KernelBuilder, gathered: tuple[Expr, ...], axes: tuple[int, ...], hint: str
    ) -> tuple[Expr, ...]:
        """One of each (kept with extent 1 along the tile's reduced axes)."""
        return (builder.let(across(self.kind, gathered[0], axes), "v", hint),)
