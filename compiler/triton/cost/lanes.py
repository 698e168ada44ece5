"""The patterns of a kernel's expressions, as its statements are read in order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from compiler.kernels import nodes as n
from compiler.kernels.expressions import KernelArgument, Local
from compiler.kernels.monomial import Monomial
from compiler.kernels.task import AsNumber
from ir.expr import Expr
from ir.expr_numpy import NUMPY

from .pattern import ALIGNED, Pattern, Slope, power_of_two

_LANE = Slope(1, math.inf)
_ANY = Slope(None, math.inf)
_DIVISIBLE = 16  # what arguments are declared multiples of


class Patterns:
    """Of a kernel at some sizes (``number``).

    Attributes:
        extents: how many lanes there are, by the loops over them.
    """

    def __init__(self, kernel: n.KernelBody, number: AsNumber) -> None:
        self.extents: dict[Local, int] = {}
        self._number = number
        self._constants = dict(kernel.config.constants)
        self._variables: dict[Local, Pattern] = {}
        self._known: dict[Expr, Pattern] = {}

    # --- variables --------------------------------------------------------------------

    def let(self, variable: Local, value: Expr) -> None:
        self._variables[variable] = self.of(value)

    def declare(self, variable: Local) -> float:
        """A tile to assign to: as large as its axes say. How many elements it has."""
        lanes = [loop for loop in self.extents if loop.axes <= variable.axes]
        self._variables[variable] = Pattern(None, dict.fromkeys(lanes, _ANY))
        return self.lanes(self._variables[variable])

    def enter(self, loop: n.Loop) -> float | None:
        """A loop: how often it turns, None if only data say that. Of programs and lanes one does
        for all."""
        if loop.kind is n.Kind.GRID:
            self._variables[loop.variable] = Pattern(0.0)
            return 1.0
        start, stop, step = (self.of(x).number for x in (loop.start, loop.stop, loop.step))
        if loop.kind is n.Kind.VECTOR:
            extent, axes = int(stop or 1), loop.variable.axes
            same = (x for x, lanes in self.extents.items() if (x.axes, lanes) == (axes, extent))
            lane = next(same, loop.variable)  # of one dimension, in whatever block it is opened
            self.extents[lane] = extent
            self._variables[loop.variable] = Pattern(None, {lane: _LANE}, ALIGNED)
            return 1.0
        align = min(self.of(loop.start).align, self.of(loop.step).align)
        self._variables[loop.variable] = Pattern(start, align=align)
        if start is None or stop is None or not step:
            return None
        return max(0.0, math.ceil((stop - start) / step))

    def lanes(self, pattern: Pattern) -> float:
        """How many there are along which it differs."""
        return math.prod(self.extents.get(lane, 1) for lane in pattern.slopes)

    # --- expressions ------------------------------------------------------------------

    def of(self, value: Expr) -> Pattern:
        if value.op == "ref":
            return self._local(value.value)
        if value.op == "constant":
            return _literal(float(self._constants.get(value.value, 1)))
        if value not in self._known:
            self._known[value] = self._made(value, [self.of(a) for a in value.args])
        return self._known[value]

    def _local(self, variable: Local) -> Pattern:
        if not isinstance(variable, KernelArgument):
            return self._variables.get(variable, Pattern())
        given = variable.given
        if isinstance(given, Monomial):
            align = _DIVISIBLE if variable.divisible else 1
            return Pattern(float(self._number(given.size)), align=align)
        return Pattern()

    def _made(self, value: Expr, of: Sequence[Pattern]) -> Pattern:
        match value.op:
            case "const":
                return _literal(float(value.value))
            case "add":
                return of[0].plus(of[1])
            case "sub":
                return of[0].plus(of[1], -1)
            case "mul":
                return of[0].multiplied(of[1])
            case "floordiv":
                return of[0].divided(of[1].number)
            case "mod":
                return of[0].remainder(of[1])
            case "as_i32" | "spread" | "to_float":
                return of[0]
            case "across":
                axes = frozenset(value.value[1])
                kept = {lane: s for lane, s in of[0].slopes.items() if not lane.axes & axes}
                return Pattern(None, kept).anything()
        align = min((p.align for p in of), default=1) if value.op in ("min", "max") else 1
        if any(pattern.slopes for pattern in of):
            return Pattern().among(*of).anything()
        return Pattern(_number_of(value.op, [pattern.number for pattern in of]), align=align)


def _literal(number: float) -> Pattern:
    return Pattern(number, align=power_of_two(number))


def _number_of(op: str, numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None
    if op == "cdiv":
        return float(-(-known[0] // known[1])) if known[1] else None
    function = NUMPY.get(op)
    if function is None or op == "rand":
        return None
    with np.errstate(all="ignore"):
        return float(function(*known))
