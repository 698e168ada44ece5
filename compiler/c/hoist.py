"""Takes out of loops what is the same in every turn.

C's compilers do it for numbers, but not for what lies in memory: for all they know, a store of the
loop changes it. Here inputs and results are known to be different memory, or the same elements.

before: ``for i: x = x_ptr[i]; b = b_ptr[c]; y_ptr[i] = x * sqrt(b)``
after:  ``b = b_ptr[c]; h = sqrt(b); for i: x = x_ptr[i]; y_ptr[i] = x * h``

Where all turns divide by one square root, they multiply by its reciprocal, which is always a normal
number, 0, infinite or none, as is the quotient: the last bit may differ, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.kernels.expressions import KernelArgument, Local, axes_of, ref
from compiler.kernels.nodes import (
    Assign,
    Declare,
    If,
    KernelBody,
    Let,
    Loop,
    Statement,
    walk_statements,
)
from ir import expr as e
from ir.expr import Expr

_LEAVES = ("ref", "const", "load", "element", "address")


def hoisted(body: Sequence[Statement], kernel: KernelBody) -> list[Statement]:
    """``body``, of a kernel, with as little in its loops as there can be."""
    return _Hoist(kernel).block(body)


class _Hoist:
    def __init__(self, kernel: KernelBody) -> None:
        self._writes = kernel.writes
        self._roots: dict[Local, Expr] = {}

    def block(self, body: Sequence[Statement]) -> list[Statement]:
        found: list[Statement] = []
        for statement in body:
            match statement:
                case Let(variable, Expr(op="sqrt") as value):
                    self._roots[variable] = value
                    found.append(statement)
                case If(condition, inner, otherwise):
                    found.append(If(condition, self.block(inner), self.block(otherwise)))
                case Loop(body=inner):
                    before, inside = self._parted(statement.variable, self.block(inner))
                    found += [*before, replace(statement, body=inside)]
                case _:
                    found.append(statement)
        return found

    def _parted(
        self, position: Local, body: list[Statement]
    ) -> tuple[list[Statement], list[Statement]]:
        """What stands before a loop with such a body, and what stays."""
        changing = {position}
        for statement in walk_statements(body):
            match statement:
                case Let(variable) | Declare(variable) | Assign(variable) | Loop(_, variable):
                    changing.add(variable)
        loop = _Invariant(changing, self._writes, self._roots)
        inside: list[Statement] = []
        for statement in body:
            if isinstance(statement, Let) and loop.holds(statement.value):
                changing.discard(statement.variable)
                loop.known.clear()
                loop.before.append(statement)
            else:
                inside.append(loop.without(statement))
        return loop.before, inside


class _Invariant:
    """Of one loop. ``before``: what was taken out of it. ``roots``: variables that hold some."""

    def __init__(
        self, changing: set[Local], writes: Sequence[Any], roots: Mapping[Local, Expr]
    ) -> None:
        self.known: dict[Expr, bool] = {}
        self.before: list[Statement] = []
        self._changing, self._writes, self._roots = changing, writes, roots
        self._out: dict[Expr, Expr] = {}

    def holds(self, value: Expr) -> bool:
        """Whether it is the same in every turn."""
        found = self.known.get(value)
        if found is None:
            if value.op == "ref":
                variable = value.value
                found = variable not in self._changing
            elif value.op == "load" and self._may_change(value.args[0].args[0]):
                found = False
            else:
                found = all(map(self.holds, value.args))
            self.known[value] = found
        return found

    def _may_change(self, pointer: Expr) -> bool:
        argument = pointer.value
        return not isinstance(argument, KernelArgument) or argument.given in self._writes

    def without(self, statement: Statement) -> Statement:
        """A statement of its body, in which functions of what stays are computed before."""
        if not isinstance(statement, Let | Assign) or not statement.value.dtype.is_float:
            return statement
        return replace(statement, value=self._changed(statement.value))

    def _changed(self, value: Expr) -> Expr:
        if value.op in _LEAVES or not value.dtype.is_float:
            return value
        if not self.holds(value):
            if value.op == "div" and (root := self._root(value.args[1])) is not None:
                one = e.node("div", (e.const(1.0), root), None, value.dtype)
                factors = self._changed(value.args[0]), self._before(one)
                return e.node("mul", factors, None, value.dtype)
            args = tuple(map(self._changed, value.args))
            return e.node(value.op, args, value.value, value.dtype)
        return self._before(value)

    def _root(self, value: Expr) -> Expr | None:
        """A square root that stays, as what it is made of."""
        found = self._roots.get(value.value) if value.op == "ref" else value
        return found if found is not None and found.op == "sqrt" and self.holds(found) else None

    def _before(self, value: Expr) -> Expr:
        found = self._out.get(value)
        if found is None:
            variable = Local("h", "same", value.dtype, axes_of(value))
            self.before.append(Let(variable, value))
            found = self._out[value] = ref(variable)
        return found
