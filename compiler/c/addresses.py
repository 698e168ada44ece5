"""Indices of vectors as C has them: of what lies side by side in memory only where it starts.

before: ``i = lane + 16 * p; x = x_ptr[i]; m = i < n``
after:  ``i = 16 * p; x = x_ptr[i + lane]; m = i + lane < n``

What lies side by side has an index of just this form: a scalar, then the lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from compiler.kernels.expressions import Local, axes_of, ref
from compiler.kernels.nodes import Let, Statement, parts
from ir import expr as e
from ir.expr import Expr
from ir.types import BOOL, I32

from .tiles import LANE


class Progression(NamedTuple):
    """``start + step * lane``; neither has lanes."""

    start: Expr
    step: Expr


_ZERO, _ONE = e.const(0), e.const(1)


def first(count: Expr) -> Expr:
    """A condition that so many lanes meet, from the first one on; all, where there are less."""
    return e.node("first", (count, LANE), None, BOOL)


def addressed(body: Sequence[Statement]) -> list[Statement]:
    """``body`` with scalars for indices that differ from lane to lane by a constant."""
    return _Addresses().block(body)


class _Addresses:
    def __init__(self) -> None:
        self._lines: dict[Local, Progression] = {}
        self._counts: dict[Local, Expr] = {}
        self._known: dict[Expr, Expr] = {}

    def block(self, body: Sequence[Statement]) -> list[Statement]:
        return [self._statement(statement) for statement in body]

    def _statement(self, statement: Statement) -> Statement:
        match statement:
            case Let(variable, Expr(op="lt") as value) if (count := self._first(value)) is not None:
                number = Local("n", f"{variable.hint}_count" if variable.hint else "", I32)
                self._counts[variable] = ref(number)
                return Let(number, count)
            case Let(variable, value) if axes_of(value) and value.dtype is I32:
                line = self._line(value)
                if line is not None:
                    start = Local(variable.stem, variable.hint, I32)
                    self._lines[variable] = Progression(ref(start), line.step)
                    return Let(start, line.start)
        changed = {name: self._part(part) for name, part in parts(statement)}
        return replace(statement, **changed)

    def _part(self, part: Any) -> Any:
        match part:
            case Expr():
                return self._changed(part)
            case list():
                return self.block(part)
        return part

    def _changed(self, value: Expr) -> Expr:
        found = self._known.get(value)
        if found is None:
            if value.op == "element":
                found = self._element(value)
            elif value.op == "ref" and value.value in self._counts:
                found = first(self._counts[value.value])
            elif value.op == "lt" and (count := self._first(value)) is not None:
                found = first(count)
            elif value.op == "ref" and value.value in self._lines:
                start, step = self._lines[value.value]
                found = start if step is _ZERO else start + e.primitive("mul", LANE, step)
            else:
                args = tuple(map(self._changed, value.args))
                found = value if not args else e.node(value.op, args, value.value, value.dtype)
            self._known[value] = found
        return found

    def _element(self, value: Expr) -> Expr:
        pointer, index, *mask = value.args
        line = self._line(index)
        if line is None:
            index = self._changed(index)
        elif line.step is _ZERO:
            index = line.start
        else:
            along = LANE
            if line.step is not _ONE:
                along = e.node("mul", (LANE, line.step), None, I32)
            index = e.node("add", (line.start, along), None, I32)
        return e.node("element", (pointer, index, *map(self._changed, mask)), None, value.dtype)

    def _first(self, condition: Expr) -> Expr | None:
        """How many lanes meet a condition that the first ones meet, if it is such."""
        place, end = condition.args
        if not axes_of(place) or axes_of(end) or place.dtype is not I32:
            return None
        line = self._line(place)
        if line is None or line.step.op != "const" or line.step.value < 1:
            return None
        room, step = e.primitive("sub", self._changed(end), line.start), line.step.value
        return room if step == 1 else e.primitive("floordiv", room + (step - 1), e.const(step))

    def _line(self, value: Expr) -> Progression | None:
        """An index as a line; None: it is none."""
        if value is LANE:
            return Progression(_ZERO, _ONE)
        if not axes_of(value):
            return Progression(self._changed(value), _ZERO)
        if value.op == "ref":
            return self._lines.get(value.value)
        if value.op == "as_i32":
            return self._line(value.args[0])
        if value.op not in ("add", "sub", "mul"):
            return None
        a, b = map(self._line, value.args)
        if a is None or b is None:
            return None
        if value.op != "mul":
            pairs = zip(a, b, strict=True)
            return Progression(*(e.primitive(value.op, x, y) for x, y in pairs))
        if a.step is not _ZERO:
            a, b = b, a
        if a.step is not _ZERO:
            return None
        return Progression(*(x if x is _ZERO else e.primitive("mul", x, a.start) for x in b))
