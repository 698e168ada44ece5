"""Asks early for what sums of products read of matrices that no cache holds.

Products wait in a core for what they multiply, and little fits behind those that wait: so few turns
of the loop are under way, too few to hide how long memory takes. What a later turn reads is asked
for instead, for which nothing waits. Of small matrices memory is asked for once, in the first tile.

before: ``for k: w = w_ptr[4096 k + lane]; sum += x * w``
after:  ``for k: w = w_ptr[4096 k + lane], ask for w_ptr[4096 (k + 8) + lane]; sum += x * w``
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from compiler.kernels.expressions import KernelArgument, Local, axes_of
from compiler.kernels.nodes import Assign, If, Kind, Let, Loop, Remark, Statement
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from .slopes import slope
from .tiles import LANE

LARGE = 1 << 22  # bytes
NEAR, FAR = 16, 8  # turns ahead, where turns read what lies side by side, and elsewhere


def asked_early(body: Sequence[Statement], lanes: int) -> list[Statement]:
    """``body`` with loads that ask for later ones, in loops that add products up."""
    found: list[Statement] = []
    for statement in body:
        match statement:
            case If(condition, inner, otherwise):
                both = asked_early(inner, lanes), asked_early(otherwise, lanes)
                found.append(If(condition, *both))
            case Loop(Kind.SERIAL) if all(
                isinstance(s, Let | Assign | Remark) for s in statement.body
            ):
                found.append(replace(statement, body=_asking(statement, lanes)))
            case Loop(body=inner):
                found.append(replace(statement, body=asked_early(inner, lanes)))
            case _:
                found.append(statement)
    return found


def _asking(loop: Loop, lanes: int) -> list[Statement]:
    if not any(isinstance(statement, Assign) for statement in loop.body):
        return loop.body
    known: dict[Local, Expr] = {}
    found: list[Statement] = []
    for statement in loop.body:
        if isinstance(statement, Let):
            known[statement.variable] = statement.value
            if (step := _step(statement.value, loop.variable, known)) >= lanes:
                ahead = step * (NEAR if step == lanes else FAR)
                dtype = statement.value.dtype
                asking = e.node("ahead", (statement.value,), ahead, dtype)
                statement = replace(statement, value=asking)
        found.append(statement)
    return found


def _step(value: Expr, position: Local, known: Mapping[Local, Expr]) -> int:
    """How far a vector that is read of a large matrix lies behind that of the turn before; 0: it is
    none, or nobody knows."""
    if value.op != "load" or not axes_of(value) or not value.dtype.is_float:
        return 0
    pointer, index, *mask = value.args[0].args
    if mask or not _is_large(pointer) or index.op != "add" or index.args[1] is not LANE:
        return 0
    return slope(index.args[0], position, known) or 0


def _is_large(pointer: Expr) -> bool:
    argument = pointer.value
    if not isinstance(argument, KernelArgument) or not isinstance(argument.given, Value):
        return False
    type = argument.given.type
    return type.memory_size.__class__ is int and type.memory_size * type.dtype.itemsize >= LARGE
