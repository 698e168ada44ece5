"""Reads and writes at distances by squares: what lies side by side along a loop goes as vectors,
and is turned in registers.

Elements at a distance of a power of two share few places of a cache, so that what one turn has
fetched is gone before the next turn comes for what lies beside it.

before: ``for k: y[16 k + lane] = x[k + 1024 lane]``
after:  ``for t, by 16: a = square at x[t + 1024 lane]; for k from t: y[16 k + lane] = a[k - t]``,
        and the turns that are left as before
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from compiler.kernels.expressions import Address, Local, axes_of, element, every, read, ref
from compiler.kernels.nodes import (
    Declare,
    If,
    Kind,
    Let,
    Loop,
    Remark,
    Statement,
    Write,
    walk_statements,
)
from ir import expr as e
from ir.expr import Expr
from ir.types import F32, I32

from .slopes import slope
from .tiles import LANE

NEAR = 8  # elements apart: what one turn fetches serves enough of the next


def turned(body: Sequence[Statement], lanes: int) -> list[Statement]:
    """``body`` with squares where loops step through columns of memory."""
    found: list[Statement] = []
    for statement in body:
        match statement:
            case If(condition, inner, otherwise):
                found.append(If(condition, turned(inner, lanes), turned(otherwise, lanes)))
            case Loop(Kind.SERIAL) if (squares := _Squares(statement, lanes)).found:
                found += squares.loops()
            case Loop(Kind.SERIAL) if full := _full_squares(statement, lanes):
                found.append(full)
            case Loop(Kind.SERIAL) if exchanged := _exchanged_loops(statement, lanes):
                found += exchanged
            case Loop(body=inner):
                found.append(replace(statement, body=turned(inner, lanes)))
            case _:
                found.append(statement)
    return found


def _full_squares(loop: Loop, lanes: int) -> If | None:
    """The loop by squares where all lanes are inside of what is read and written, if that makes
    squares and every turn asks the same; elsewhere as it was."""
    counts: dict[Expr, None] = {}
    body: list[Statement] = []
    for statement in loop.body:
        if isinstance(statement, Remark):
            body.append(statement)
            continue
        if not isinstance(statement, Let | Write):
            return None
        for value in (
            statement.value,
            *([statement.place] if isinstance(statement, Write) else []),
        ):
            counts.update((x.args[0], None) for x in e.walk(value) if x.op == "first")
        body.append(_unmasked(statement))
    known = {s.variable: s.value for s in loop.body if isinstance(s, Let)}
    if not counts or any(slope(count, loop.variable, known) != 0 for count in counts):
        return None
    squares = _Squares(replace(loop, body=body), lanes)
    if not squares.found:
        return None
    full = every(tuple(count >= lanes for count in counts))
    return If(full, squares.loops(), [loop])


def _unmasked(statement: Let | Write) -> Statement:
    """Without the conditions of first lanes on what it reads and writes."""

    def change(value: Expr) -> Expr:
        args = tuple(map(change, value.args))
        if value.op == "element":
            args = (*args[:2], *(a for a in args[2:] if a.op != "first"))
        if value.op == "load" and len(args[0].args) == 2:
            return e.node("load", args, None, value.dtype)
        return value if args == value.args else e.node(value.op, args, value.value, value.dtype)

    if isinstance(statement, Let):
        return replace(statement, value=change(statement.value))
    return replace(statement, place=change(statement.place), value=change(statement.value))


def _exchanged_loops(loop: Loop, lanes: int) -> list[Statement]:
    """A loop of loops along vectors as such loops of it, where that makes squares; else none.

    Turns are independent: all that they do is to write elements, each once.
    """
    rows = [statement for statement in loop.body if isinstance(statement, Let)]
    parts = [statement for statement in loop.body if not isinstance(statement, Let)]
    changing = {loop.variable, *(row.variable for row in rows)}
    found: list[Statement] = []
    squares = False
    for part in parts:
        apart = replace(loop, body=[*rows, part])
        if isinstance(part, Loop) and part.kind is Kind.SERIAL and all(map(_plain, part.body)):
            ends = [x for x in e.walk(part.start, part.stop, part.step) if x.op == "ref"]
            inner = replace(loop, body=[*rows, *part.body])
            turns = _Squares(inner, lanes)
            if turns.found and not any(x.value in changing for x in ends):
                squares = True
                found.append(replace(part, body=turns.loops()))
                continue
        elif isinstance(part, Loop) or not all(map(_plain, walk_statements(_inside(part)))):
            return []
        found.append(apart)
    return found if squares else []


def _inside(part: Statement) -> list[Statement]:
    return [*part.body, *part.otherwise] if isinstance(part, If) else [part]


@dataclass
class _Squares:
    """Those of one loop. ``reads``: by what is read. ``writes``: by their statement's number."""

    loop: Loop
    lanes: int
    reads: dict[Expr, Address] = field(default_factory=dict)
    writes: dict[int, Address] = field(default_factory=dict)
    known: dict[Local, Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        loop = self.loop
        short = loop.stop.op == loop.start.op == "const"
        if short and loop.stop.value - loop.start.value < self.lanes:
            return
        if self.lanes < 2 or loop.step is not e.const(1) or not all(map(_plain, loop.body)):
            return
        for number, statement in enumerate(loop.body):
            match statement:
                case Let(variable, value):
                    self._find(value)
                    self.known[variable] = value
                case Write(place, value):
                    self._find(value)
                    if axes_of(value) and self._is_column(place):
                        self.writes[number] = Address("at", "", F32)

    @property
    def found(self) -> bool:
        return bool(self.reads or self.writes)

    def _find(self, value: Expr) -> None:
        for part in e.walk(value):
            if part.op == "load" and axes_of(part) and self._is_column(part.args[0]):
                self.reads[part] = Address("at", "", F32)

    def _is_column(self, place: Expr) -> bool:
        """Whether lanes are far apart, and next to what the next turn of the loop takes."""
        _, index, *mask = place.args
        if mask or place.dtype is not F32 or index.op != "add" or axes_of(index.args[0]):
            return False
        start, along = index.args
        if along.op != "mul" or along.args[0] is not LANE:
            return False
        step = along.args[1]
        if step.op == "const" and step.value < NEAR:
            return False
        return self._slope(step) == 0 and self._slope(start) == 1

    def _slope(self, value: Expr) -> int | None:
        return slope(value, self.loop.variable, self.known)

    # --- what becomes of the loop -----------------------------------------------------

    def loops(self) -> list[Statement]:
        """By squares, and what is left."""
        loop, lanes = self.loop, self.lanes
        start = Local("t", "square", I32)
        at = ref(start)
        before: list[Statement] = [
            Let(square, e.node("square", self._column(part.args[0], at), None, F32))
            for part, square in self.reads.items()
        ]
        before += [
            Declare(square, e.node("room", (), None, F32)) for square in self.writes.values()
        ]
        inner = replace(loop, start=at, stop=at + lanes, body=self._changed(at))
        after = [
            Write(self._moved(place, at), e.node("turned", (ref(square),), None, F32))
            for place, square in self._written()
        ]
        stop = loop.stop - (lanes - 1)
        squares = Loop(
            Kind.SERIAL, start, loop.start, stop, e.const(lanes), 0, [*before, inner, *after]
        )
        rest = loop.start + (loop.stop - loop.start) // lanes * lanes
        return [squares, replace(loop, start=rest)]

    def _written(self) -> Iterator[tuple[Expr, Address]]:
        for number, square in self.writes.items():
            statement = self.loop.body[number]
            assert isinstance(statement, Write)
            yield statement.place, square

    def _column(self, place: Expr, at: Expr) -> tuple[Expr, Expr, Expr]:
        """Where a square starts, and the distance of its lines."""
        pointer, index = self._moved(place, at).args
        return pointer, index.args[0], index.args[1].args[1]

    def _moved(self, value: Expr, at: Expr) -> Expr:
        """What it is in the first turn of a square."""
        return _exchanged(_inlined(value, self.known), {ref(self.loop.variable): at})

    def _changed(self, at: Expr) -> list[Statement]:
        turn = ref(self.loop.variable) - at
        exchange = {part: self._line(square, turn) for part, square in self.reads.items()}
        found: list[Statement] = []
        for number, statement in enumerate(self.loop.body):
            match statement:
                case Let(variable, value):
                    found.append(Let(variable, _exchanged(value, exchange)))
                case Write(place, value, spread):
                    value = _exchanged(value, exchange)
                    if number in self.writes:
                        line = self._line(self.writes[number], turn)
                        place = line.args[0]
                    found.append(Write(place, value, spread))
                case _:
                    found.append(statement)
        return found

    def _line(self, square: Address, turn: Expr) -> Expr:
        index = e.node("add", (turn * self.lanes, LANE), None, I32)
        return read(element(ref(square), index))


def _plain(statement: Statement) -> bool:
    return isinstance(statement, Let | Write | Remark)


def _inlined(value: Expr, known: Mapping[Local, Expr]) -> Expr:
    """Without variables that hold indices."""
    exchange = {
        part: _inlined(known[part.value], known)
        for part in e.walk(value)
        if part.op == "ref" and part.value in known and part.dtype is I32
    }
    return _exchanged(value, exchange) if exchange else value


def _exchanged(value: Expr, exchange: Mapping[Expr, Expr]) -> Expr:
    done = dict(exchange)
    for part in e.walk(value):
        if part not in done:
            args = tuple(done[a] for a in part.args)
            same = all(a is b for a, b in zip(args, part.args, strict=True))
            done[part] = part if same else e.node(part.op, args, part.value, part.dtype)
    return done[value]
