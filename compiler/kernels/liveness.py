"""Drops variables that nothing reads, and branches that are never taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir.expr import Expr

from .expressions import Local
from .nodes import If, Let, Loop, Statement, expressions


def live(body: Sequence[Statement]) -> list[Statement]:
    """``body`` without what is computed in vain.

    before: ``let a = x + 1; let b = a * 2; store y``
    after:  ``store y``
    """
    used: set[Local] = set()
    seen: set[Expr] = set()

    def read(value: Expr) -> None:
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if item not in seen:
                seen.add(item)
                waiting += item.args
                if item.op == "ref":
                    used.add(item.value)

    def kept(body: Sequence[Statement]) -> list[Statement]:
        """Goes backwards, so that it meets what reads a variable before the variable."""
        found: list[Statement] = []
        for statement in reversed(body):
            match statement:
                case Let(variable) if variable not in used:
                    continue
                case If(condition, inner, otherwise) if condition.op == "const":
                    found += reversed(kept(inner if condition.value else otherwise))
                    continue
                case Loop(body=inner):
                    statement = replace(statement, body=kept(inner))
                case If(body=inner, otherwise=otherwise):
                    statement = replace(statement, otherwise=kept(otherwise), body=kept(inner))
                case _:
                    pass
            for value in expressions(statement):
                read(value)
            found.append(statement)
        return found[::-1]

    return kept(body)
