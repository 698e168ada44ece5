"""Counts the work in a kernel's nodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from compiler.kernel import Scratch
from compiler.kernels import nodes as n
from compiler.kernels.expressions import DotKind, KernelArgument
from compiler.kernels.liveness import live
from compiler.kernels.task import AsNumber
from ir.expr import Expr
from ir.graph import Value

from .lanes import Patterns
from .pattern import SECTOR, WIDEST, Pattern, lane_access
from .time import AHEAD

# Instructions of a warp for one element of each lane, where it is not one. Functions: counted in
# what ptxas makes of them for sm_90; integers are divided by constants mostly.
_INSTRUCTIONS = {
    **dict.fromkeys(("to_float", "stop", "grad_as", "spread", "as_i32", "cast", "rounded"), 0.0),
    **dict.fromkeys(("div", "pow", "nearest_quotient"), 12.0),
    **dict.fromkeys(("exp", "sigmoid", "sqrt"), 8.0),
    **dict.fromkeys(("log", "expm1"), 16.0),
    **dict.fromkeys(("log1p", "tanh"), 24.0),
    **dict.fromkeys(("floordiv", "mod", "cdiv", "order_key"), 5.0),
    "rand": 100.0,
}
_ACROSS = 12.0  # of a warp, to bring together what its lanes hold
_TOGETHER = ("across", "running_sum")
_REDUCED = 0.35  # waits until warps have what others hold
_ADDRESS = 2.0  # of an access: an address of 64 bits
_COPY = 5.0  # of one that a loop of products asks for ahead: also a place in shared memory
_CHOSEN = 4.0  # and where it is masked


@dataclass
class Dot:
    """A product in the loop over the depth."""

    kind: DotKind
    rows: int
    columns: int
    depth: int
    times: float


@dataclass
class Counts:
    """What one program does.

    Attributes:
        instructions: of all its warps. sectors: of the caches that its accesses move.
        waits: how often it waits for memory. touched: bytes by buffer, as often as they are asked.
    """

    instructions: float = 0.0
    sectors: float = 0.0
    waits: float = 0.0
    touched: dict[Value | Scratch, float] = field(default_factory=dict)
    dots: list[Dot] = field(default_factory=list)
    uncertain: bool = False  # a loop turns as often as data say
    held: float = 0.0  # elements that its threads hold at once

    @property
    def cached(self) -> float:
        """Bytes."""
        return SECTOR * self.sectors


def counted(kernel: n.KernelBody, number: AsNumber) -> Counts:
    """Of a kernel, at the sizes that ``number`` says."""
    return _Counter(kernel, number).count()


class _Counter:
    def __init__(self, kernel: n.KernelBody, number: AsNumber) -> None:
        self._patterns = Patterns(kernel, number)
        self._warps = kernel.config.num_warps
        self._body = live(kernel.body)
        self._shared = _together(self._body)
        self._address = _ADDRESS
        self._loads = 0.0  # instructions
        self.counts = Counts()

    def count(self) -> Counts:
        self.counts.waits = self._block(self._body, 1.0)
        return self.counts

    # --- statements -------------------------------------------------------------------

    def _block(self, body: Sequence[n.Statement], times: float) -> float:
        """How often it waits in one turn."""
        waits = 0.0
        loads = False
        for statement in body:
            match statement:
                case n.Let(variable, value):
                    self._patterns.let(variable, value)
                    loads |= self._cost(value, times)
                case n.Declare(variable, start):
                    self.counts.held += self._patterns.declare(variable)
                    loads |= self._cost(start, times)
                case n.Assign(_, value):
                    loads |= self._cost(value, times)
                case n.Write(place, value):
                    loads |= self._cost(value, times)
                    self._access(place, times)
                case n.Loop():
                    inner = self._loop(statement, times)
                    if statement.kind is n.Kind.UNROLLED:
                        loads |= bool(inner)
                    else:
                        waits += inner
                case n.If(condition, inside, otherwise):
                    loads |= self._cost(condition, times)
                    waits += self._branches(condition, (inside, otherwise), times)
                case n.Barrier():
                    waits += _REDUCED
                case n.Remark():
                    pass
        across = sum(
            part.op in _TOGETHER for s in body if not isinstance(s, n.Loop) for part in _parts(s)
        )
        return waits + loads + _REDUCED * across

    def _branches(
        self, condition: Expr, branches: Sequence[Sequence[n.Statement]], times: float
    ) -> float:
        known = self._patterns.of(condition).number
        taken = branches if known is None else branches[:1] if known else branches[1:]
        return max(self._block(body, times) for body in taken)

    def _loop(self, loop: n.Loop, times: float) -> float:
        turns = self._patterns.enter(loop)
        if turns is None:
            self.counts.uncertain, turns = True, 1.0
        if not turns:
            return 0.0
        self._address = _COPY if _multiplies(loop.body) else _ADDRESS
        before = self._loads
        waits = self._block(loop.body, times * turns)
        self._address = _ADDRESS
        if loop.kind is not n.Kind.SERIAL:
            return waits
        each = (self._loads - before) / (times * turns * self._warps)  # of a thread, in a turn
        return math.ceil(turns / max(1.0, AHEAD / max(each, 1.0))) * waits

    # --- expressions ------------------------------------------------------------------

    def _warp_instructions(self, lanes: float) -> float:
        """Of one instruction for each of them: every warp takes part, one thread per element."""
        return max(lanes / 32, self._warps)

    def _cost(self, value: Expr, times: float) -> bool:
        """Counts an expression; whether it reads memory."""
        loads = False
        for item in _distinct(value):
            match item.op:
                case "ref" | "const" | "constant" | "element" | "address":
                    continue
                case "load":
                    self._access(item.args[0], times)
                    loads = True
                case "dot":
                    self._dot(item, times)
                case "across" | "running_sum":
                    lanes = self._patterns.lanes(self._patterns.of(item.args[0]))
                    work = self._warp_instructions(lanes) + _ACROSS * self._warps
                    self.counts.instructions += times * work
                case _:
                    self.counts.instructions += times * self._of_op(item)
        return loads

    def _of_op(self, item: Expr) -> float:
        if item.op in ("add", "sub") and any(a.op == "mul" for a in item.args):
            return 0.0  # one instruction with the product
        weight = _INSTRUCTIONS.get(item.op, 1.0)
        lanes = self._patterns.lanes(self._patterns.of(item))
        if not item.dtype.is_float:
            lanes /= max(1, min(self._shared, _run([self._patterns.of(a) for a in item.args])))
        return weight * self._warp_instructions(lanes)

    def _access(self, place: Expr, times: float) -> None:
        pointer, index, *mask = place.args
        itemsize = place.dtype.itemsize
        access = lane_access(self._patterns.of(index), self._patterns.extents, itemsize)
        issued = max(access.instructions, 1.0 if access.lanes < 32 else 0.0)
        self._loads += times * issued
        besides = self._address
        if mask and besides == _COPY:
            besides += _CHOSEN
        self.counts.instructions += times * max(issued * (1 + besides), 1.0)
        self.counts.sectors += times * access.sectors
        variable = pointer.value if pointer.op == "ref" else None
        if isinstance(variable, KernelArgument) and isinstance(variable.given, Value | Scratch):
            touched = self.counts.touched
            bytes_there = times * access.lanes * itemsize
            touched[variable.given] = touched.get(variable.given, 0.0) + bytes_there

    def _dot(self, item: Expr, times: float) -> None:
        left, right, _ = item.args
        rows, depth = (self._side(left, axis) for axis in (0, 1))
        columns = self._side(right, 1)
        self.counts.dots.append(Dot(item.value, rows, columns, depth, times))

    def _side(self, tile: Expr, axis: int) -> int:
        """Of a tile along an axis."""
        lanes = (lane for lane in self._patterns.of(tile).slopes if lane.axes == {axis})
        return math.prod(self._patterns.extents[lane] for lane in lanes)


def _parts(statement: n.Statement) -> Iterator[Expr]:
    """What its own expressions are made of."""
    for value in n.expressions(statement):
        yield from _distinct(value)


def _multiplies(body: Sequence[n.Statement]) -> bool:
    """Whether there is a product of tiles in it."""
    return any(part.op == "dot" for s in n.walk_statements(body) for part in _parts(s))


def _together(body: Sequence[n.Statement]) -> int:
    """Neighbours that share an address or a condition: those that one access moves."""
    parts = (part for s in n.walk_statements(body) for part in _parts(s))
    places = (part for part in parts if part.op == "element")
    narrow = any(place.dtype.is_narrow for place in places)
    return WIDEST // (2 if narrow else 4)


def _run(patterns: Sequence[Pattern]) -> float:
    """Neighbours that differ in nothing that has to be computed for each."""
    runs = [slope.run for pattern in patterns for slope in pattern.slopes.values()]
    return min(runs, default=1)


def _distinct(value: Expr) -> list[Expr]:
    """What an expression is made of, each part once."""
    found: dict[Expr, None] = {}
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if item not in found:
            found[item] = None
            waiting += item.args
    return list(found)
