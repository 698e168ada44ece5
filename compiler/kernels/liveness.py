"""Drops variables that nothing reads, and branches that are never taken."""

from __future__ import annotations

from collections.abc import Sequence

from ir.expr import Expr

from .expressions import Local
from .nodes import If, Let, Loop, Statement, expressions


def live(body: Sequence[Statement]) -> list[Statement]:
    """``body`` without what is computed in vain.

    before: ``let a = x + 1; let b = a * 2; store y``
    after:  ``store y``
    """
    return _Reader().live(body)


class _Reader:
    """Goes backwards, so that it meets what reads a variable before the variable."""

    def __init__(self) -> None:
        self._used: set[Local] = set()
        self._seen: set[Expr] = set()

    def live(self, body: Sequence[Statement]) -> list[Statement]:
        kept: list[Statement] = []
        for statement in reversed(body):
            match statement:
                case Let(variable) if variable not in self._used:
                    continue
                case Loop(kind, variable, start, stop, step, axis, inner):
                    inner = self.live(inner)
                    statement = Loop(kind, variable, start, stop, step, axis, inner)
                case If(condition, inner, otherwise) if condition.op == "const":
                    kept += reversed(self.live(inner if condition.value else otherwise))
                    continue
                case If(condition, inner, otherwise):
                    other = self.live(otherwise)
                    statement = If(condition, self.live(inner), other)
                case _:
                    pass
            for value in expressions(statement):
                self._read(value)
            kept.append(statement)
        return kept[::-1]

    def _read(self, value: Expr) -> None:
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if item in self._seen:
                continue
            self._seen.add(item)
            if item.op == "ref":
                self._used.add(item.value)
            waiting += item.args
