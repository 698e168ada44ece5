"""The statements of a kernel.

Loops of the kind ``vector`` go in lockstep: each statement of their body is done for every lane
before the next one is. So a value can be taken across the lanes inside their body. Programs of
``grid`` loops know nothing of each other and run in any order. All others run their body from
``start`` on, once for each position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, get_args

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from .expressions import Local


class Kind(Enum):
    GRID = "grid"
    SERIAL = "serial"
    VECTOR = "vector"
    UNROLLED = "unrolled"  # a serial loop whose body the target may repeat


@dataclass(frozen=True, slots=True)
class Let:
    """A variable that never changes."""

    variable: Local
    value: Expr


@dataclass(frozen=True, slots=True)
class Declare:
    """A tile that is assigned to later, with what it starts as in every lane."""

    variable: Local
    start: Expr


@dataclass(frozen=True, slots=True)
class Assign:
    variable: Local
    value: Expr


@dataclass(frozen=True, slots=True)
class Write:
    """``value`` to an :func:`~.expressions.element` of a buffer.

    Only where the place's mask holds. ``spread``: lanes store the same although the index does not
    tell them apart.
    """

    place: Expr
    value: Expr
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """``variable`` from ``start`` to before ``stop``, not at all where that is not less.

    ``axis``: of the grid, whose programs along it a launch gives (``stop`` is the constant
    ``programs``); of the tile.
    """

    kind: Kind
    variable: Local
    start: Expr
    stop: Expr
    step: Expr
    axis: int = 0
    body: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class If:
    """A choice that all lanes make alike."""

    condition: Expr
    body: list[Statement] = field(default_factory=list)
    otherwise: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Barrier:
    """Lanes of the program read behind it what any of them has written before it."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment of the readable text."""

    text: str


Simple = Let | Declare | Assign | Write | Barrier
"""What holds no others, and is more than a comment."""

Statement = Let | Declare | Assign | Write | Loop | If | Barrier | Remark


@dataclass(frozen=True, slots=True)
class KernelBody:
    """A kernel: what it does, and what a launch of it needs.

    Attributes:
        name: the family's, not a layer's.
        body: all that is inside the function.
        tile: the constants whose lanes make the dimensions of a tile.
        config: the constants, of which a printer makes what its target has for them.
        grid: programs along its axes. writes: the buffers that it stores into.
        why: for people. suffix: after the group's label.
        wide: indices have 64 bits. light: of one that only asks which program it is along the first
            axis, and does little in each: the same in another configuration.
    """

    name: str
    body: Sequence[Statement]
    tile: tuple[str, ...]
    config: Config
    grid: tuple[int, int, int]
    writes: tuple[Value | Scratch, ...]
    why: str
    suffix: str = ""
    wide: bool = False
    light: Callable[[Config], KernelBody] | None = field(default=None, compare=False)


def parts(statement: Statement) -> list[tuple[str, Any]]:
    """The fields of a statement: what it is made of, in the order in which it is written."""
    return [(name, getattr(statement, name)) for name in statement.__match_args__]


def expressions(statement: Statement) -> list[Expr]:
    """Those that a statement itself holds."""
    return [getattr(statement, name) for name in _EXPRESSIONS[type(statement)]]


_EXPRESSIONS = {
    kind: [field.name for field in fields(kind) if field.type == "Expr"]
    for kind in get_args(Statement)
}


def walk_statements(body: Sequence[Statement]) -> Iterator[Statement]:
    """All statements, each before those inside it."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, If):
            waiting += reversed(statement.otherwise)
        if isinstance(statement, Loop | If):
            waiting += reversed(statement.body)


def rewritten(body: Sequence[Statement], change: Callable[[Expr], Expr]) -> list[Statement]:
    """``body`` with ``change`` applied to every expression, operands first."""
    known: dict[Expr, Expr] = {}

    def of(value: Expr) -> Expr:
        if value not in known:
            args = tuple(of(a) for a in value.args)
            same = all(a is b for a, b in zip(args, value.args, strict=True))
            known[value] = change(
                value if same else e.node(value.op, args, value.value, value.dtype)
            )
        return known[value]

    def changed(part: Any) -> Any:
        match part:
            case Expr():
                return of(part)
            case list():
                return [replace(s, **{n: changed(p) for n, p in parts(s)}) for s in part]
        return part

    result: list[Statement] = changed(list(body))
    return result
