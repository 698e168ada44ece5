"""Tiles as C has them: the last dimension in the lanes of a vector, of the others every element by
itself.

Programs of the grid become numbers: a function runs some of them in turn.

before: ``a = x[u * 16 + k]; b = w[k * 16 + lane]; acc += b * a``  (u of 2, 16 lanes)
after:  ``a0 = x[k]; a1 = x[16 + k]; b = w[k * 16 + lane]; acc0 += b * a0; acc1 += b * a1``
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from compiler.kernels.expressions import SCALAR, Axes, Local, across, ref
from compiler.kernels.liveness import live
from compiler.kernels.nodes import (
    Assign,
    Barrier,
    Declare,
    If,
    KernelBody,
    Kind,
    Let,
    Loop,
    Remark,
    Statement,
    Write,
)
from ir import expr as e
from ir.expr import Expr
from ir.types import I32

LANES: Axes = frozenset({0})
"""The axes of what is left of tiles: vectors."""

LANE = ref(Local("l", "lane", I32, LANES))
"""The number of each lane."""

_COMBINE = {"sum": "add", "prod": "mul", "max": "max", "min": "min"}
_FOLDED = frozenset({"add", "sub", "mul", "floordiv", "mod"})  # of indices
TilePoint = tuple[tuple[int, int], ...]  # (dimension, position) of an element


def vectors(kernel: KernelBody) -> list[Statement]:
    """The body with no tiles but vectors."""
    return live(_Unroller(kernel).block(kernel.body))


class _Unroller:
    def __init__(self, kernel: KernelBody) -> None:
        self._kernel = kernel
        self._sizes = {axis: kernel.config[name] for axis, name in enumerate(kernel.tile)}
        last = len(kernel.tile) - 1
        self._cut: Axes = frozenset({last} if self._sizes.get(last, 1) > 1 else ())  # into vectors
        self._tile: Axes = frozenset(axis for axis, size in self._sizes.items() if size > 1)
        self._axes: dict[Local, Axes] = {}  # along which a variable really differs
        self._positions: set[Local] = set()  # along dimensions of the tile
        self._copies: dict[tuple[Local, TilePoint], Expr] = {}
        self._known: dict[tuple[Expr, TilePoint], Expr] = {}
        self._varying: dict[Expr, Axes] = {}

    def block(self, body: Sequence[Statement]) -> list[Statement]:
        return [made for statement in body for made in self._statement(statement)]

    def _statement(self, statement: Statement) -> Iterator[Statement]:
        match statement:
            case Let(variable, value):
                self._axes[variable] = axes = self._axes_of(value)
                for point in self._points(axes):
                    made = self._at(value, point)
                    yield Let(self._copy(variable, axes, point), made)
            case Declare(variable, start):
                self._axes[variable] = axes = variable.axes & self._tile
                for point in self._points(axes):
                    yield Declare(self._copy(variable, axes, point), self._at(start, point))
            case Assign(variable, value):
                for point in self._points(self._axes[variable]):
                    copy = self._copies[variable, point].value
                    yield Assign(copy, self._at(value, point))
            case Write(place, value, spread):
                # Lanes that the place does not tell apart store the same.
                for point in self._points(self._axes_of(place.args[1])):
                    yield Write(self._at(place, point), self._at(value, point), spread)
            case Loop(Kind.VECTOR, variable, _, stop, _, axis, body):
                self._positions.add(variable)
                wide = self._kernel.config[stop.value] > 1
                self._axes[variable] = frozenset({axis}) if wide else SCALAR
                yield from self.block(body)
            case Loop(Kind.GRID, variable, _, _, _, axis, body):
                yield Let(variable, e.node("program", (), axis, I32))
                yield from self.block(body)
            case Loop(kind, variable, start, stop, step, axis, body):
                first, end, by = (self._at(x, ()) for x in (start, stop, step))
                yield Loop(kind, variable, first, end, by, axis, self.block(body))
            case If(condition, body, otherwise):
                yield If(self._at(condition, ()), self.block(body), self.block(otherwise))
            case Barrier():  # a program is one thread
                pass
            case Remark():
                yield statement

    def _points(self, axes: Axes) -> Iterator[TilePoint]:
        """All elements along the dimensions that are no lanes."""
        unrolled = sorted(axes - self._cut)
        for places in itertools.product(*(range(self._sizes[axis]) for axis in unrolled)):
            yield tuple(zip(unrolled, places, strict=True))

    def _copy(self, variable: Local, axes: Axes, point: TilePoint) -> Local:
        hint = "_".join([variable.hint, *(str(place) for _, place in point)])
        lanes = LANES if axes & self._cut else SCALAR
        copy = replace(variable, hint=hint if variable.hint else "", axes=lanes)
        self._copies[variable, point] = ref(copy)
        return copy

    def _axes_of(self, value: Expr) -> Axes:
        """The dimensions of more than one element along which a value differs."""
        if value.op == "ref":
            return self._axes.get(value.value, SCALAR)
        found = self._varying.get(value)
        if found is None:
            match value.op:
                case "any" | "spread":
                    found = SCALAR
                case "dot":
                    found = self._axes_of(value.args[2])
                case _:
                    found = SCALAR.union(*map(self._axes_of, value.args))
                    if value.op == "across":
                        found -= frozenset(value.value[1])
            self._varying[value] = found
        return found

    def _at(self, value: Expr, point: TilePoint) -> Expr:
        """One element of a value; its lanes stay."""
        at = dict(point)  # of dimensions that are not among them, the first element
        here = tuple((axis, at.get(axis, 0)) for axis in sorted(self._axes_of(value) - self._cut))
        found = self._known.get((value, here))
        if found is None:
            found = self._element(value, here)
            if value.op != "ref":  # those change as copies are made
                self._known[value, here] = found
        return found

    def _element(self, value: Expr, point: TilePoint) -> Expr:
        match value.op:
            case "ref" if value.value in self._positions:
                lane = self._cut & self._axes[value.value]
                return LANE if lane else e.const(point[0][1] if point else 0)
            case "ref":
                return self._copies.get((value.value, point), value)
            case "constant" if value.value != "programs":
                return e.const(self._kernel.config[value.value])
            case "across":
                kind, axes = value.value
                inside = self._axes_of(value.args[0]).intersection(axes)
                total = self._combined(value.args[0], point, inside, _COMBINE[kind])
                if not inside & self._cut:
                    return total
                return across(kind, total, (0,))
            case "any":
                inside = self._axes_of(value.args[0])
                total = self._combined(value.args[0], point, inside, "or")
                return e.node("any", (total,), None, value.dtype) if inside & self._cut else total
            case "spread" | "stop" | "grad_as":
                return self._at(value.args[0], point)
            case "dot":
                assert self._kernel.config["K"] == 1, "a product takes one step at a time"
                a, b, total = (self._at(x, point) for x in value.args)
                return total + a * b
        args = tuple(self._at(a, point) for a in value.args)
        if value.op == "cdiv":
            return (args[0] + (args[1] - 1)) // args[1]
        if value.op in _FOLDED and value.dtype is I32:
            return e.primitive(value.op, *args)
        return e.node(value.op, args, value.value, value.dtype)

    def _combined(self, tile: Expr, point: TilePoint, axes: Axes, op: str) -> Expr:
        """All elements along unrolled dimensions as one, in pairs."""
        parts = [self._at(tile, point + more) for more in self._points(axes)]
        while len(parts) > 1:
            pairs = itertools.zip_longest(parts[::2], parts[1::2])
            parts = [a if b is None else e.node(op, (a, b), None, a.dtype) for a, b in pairs]
        return parts[0]
