"""Prints a kernel as a C function on scalars and vectors.

The function runs the programs from ``begin`` on up to ``end``, which are numbered along the grid's
first axis (of ``across``), then along its second. What it works on stands in an array, so that
every kernel has one type.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from compiler.kernels import nodes as n
from compiler.kernels.expressions import (
    Address,
    KernelArgument,
    Local,
    axes_of,
    element,
    every,
)
from compiler.kernels.names import Names
from compiler.kernels.operators import ANY, ATOM, PRODUCT, SUM, UNARY
from compiler.kernels.printer import KernelPrinter, Text
from ir import expr as e
from ir.expr import Expr
from ir.types import F32

from .addresses import addressed
from .hoist import hoisted
from .prefetches import asked_early
from .spelling import (
    C_TYPES,
    COMPARISON,
    LETTERS,
    LITERALS,
    OR,
    RESERVED,
    SCALAR_TYPES,
    SPELLING,
    VECTOR_SPELLING,
    VECTOR_TYPES,
)
from .tiles import LANE, vectors
from .transposes import turned

MOST_TURNS = 16
"""Of a loop that is unrolled whatever the number of its turns."""

SQUARE = "(float[LANES * LANES]){0}"
"""Room for as many vectors as each has lanes."""

PARAMETERS = "const kernel_argument *given, int64_t begin, int64_t end, int64_t across"


def c_function(kernel: n.KernelBody, name: str, readable: bool) -> tuple[str, Text]:
    """Its definition. ``readable``: names from blobs, comments. Otherwise the canonical text."""
    printer = _Printer(kernel, Names(readable, RESERVED))
    body = hoisted(addressed(vectors(kernel)), kernel)
    lanes = kernel.config[kernel.tile[-1]] if kernel.tile else 1
    text = printer.text(asked_early(turned(body, lanes), lanes))
    lines = [f"void {name}({PARAMETERS}) {{"]
    lines += [f"    {_argument(kernel, i, *a)};" for i, a in enumerate(text.arguments)]
    lines.append("    (void)given, (void)across;")
    lines.append("    for (int64_t program = begin; program < end; ++program) {")
    lines += [f"    {line}" for line in text.lines]
    return "\n".join([*lines, "    }", "}\n"]), text


def c_comment(text: str) -> str:
    """Names of layers must not end it, nor seem to begin one."""
    return f"/* {text.replace('*/', '* /').replace('/*', '/ *')} */"


def _argument(kernel: n.KernelBody, number: int, name: str, argument: KernelArgument) -> str:
    if argument.kind == "pointer":
        constant = "" if argument.given in kernel.writes else "const "
        return f"{constant}{C_TYPES[argument.dtype]} *{name} = given[{number}].pointer"
    if argument.dtype.is_float:
        return f"const float {name} = given[{number}].number"
    return f"const int64_t {name} = given[{number}].size"


def _type(variable: Local) -> str:
    if isinstance(variable, Address):
        return f"{C_TYPES[variable.dtype]} *"
    return VECTOR_TYPES[variable.dtype] if variable.axes else SCALAR_TYPES[variable.dtype]


class _Printer(KernelPrinter):
    spelling, literals = SPELLING, LITERALS
    branch, block_ends = "if ({})", (" {", "}")
    comment = staticmethod(c_comment)

    def simple(self, statement: n.Simple) -> str:
        match statement:
            case n.Barrier():
                return ""  # a program is one thread
            case n.Let(variable, value) | n.Declare(variable, value):
                constant = "const " if isinstance(statement, n.Let) else ""
                text = self.lanes(value) if variable.axes else self.expr(value)
                return f"{constant}{_type(variable)} {self.name(variable)} = {text};"
            case n.Assign(variable, value):
                return f"{self.assignment(variable, value)};"
            case n.Write(place, value):
                return self._write(place, value)

    def block(self, body: Sequence[n.Statement], depth: int) -> None:
        for statement in body:
            if isinstance(statement, n.Loop) and statement.kind is n.Kind.UNROLLED:
                turns = statement.stop.value if statement.stop.op == "const" else MOST_TURNS
                self.line(f"#pragma GCC unroll {turns}", depth)
            super().block([statement], depth)

    def head(self, loop: n.Loop) -> str:
        name, step = self.name(loop.variable), self.expr(loop.step)
        count = f"++{name}" if step == "1" else f"{name} += {step}"
        start, stop = self.expr(loop.start), self.expr(loop.stop)
        return f"for (int64_t {name} = {start}; {name} < {stop}; {count})"

    def assignment(self, variable: Local, value: Expr) -> str:
        if not variable.axes or all(map(axes_of, (value, *value.args))):
            return super().assignment(variable, value)
        return f"{self.name(variable)} = {self.lanes(value)}"

    # --- expressions ------------------------------------------------------------------

    def bound(self, value: Expr) -> tuple[str, int]:
        if not axes_of(value):
            return super().bound(value)
        if value is LANE:
            return "lane_numbers()", ATOM
        if value.op == "ref":
            return self.name(value.value), ATOM
        if value.op == "load":
            return self._load(value), ATOM
        if value.op == "ahead":
            pointer, index = value.args[0].args[0].args
            place = self._address(element(pointer, index.args[0]))
            letter = LETTERS[value.dtype]
            return f"near_ahead_{letter}({place}, {value.value})", ATOM
        if value.op == "first":
            return f"lane_numbers() < {self.lanes(value.args[0])}", COMPARISON
        spell = VECTOR_SPELLING[value.op]
        return spell(value, _Lanes(self))

    def lanes(self, value: Expr, least: int = ANY) -> str:
        """As a vector, also where all lanes are alike."""
        if axes_of(value):
            return self.expr(value, least)
        return f"all_{LETTERS[value.dtype]}({self.expr(value)})"

    def own(self, value: Expr) -> tuple[str, int]:
        """Of scalars."""
        match value.op:
            case "load":
                pointer, index, *mask = value.args[0].args
                text = f"{self.expr(pointer, ATOM)}[{self.expr(index)}]"
                if not mask:
                    return text, ATOM
                if _is_zero(value):
                    return f"*{self._address(value.args[0])}", UNARY
                other = self.expr(e.const(value.value or 0, value.dtype), OR)
                return f"{self.expr(every(tuple(mask)), OR)} ? {text} : {other}", ANY
            case "address":
                return self._address(value), ANY
            case "room":
                return SQUARE, ATOM
            case "square":
                return f"square_f({SQUARE}, {self._square(value.args)})", ATOM
            case "across":
                letter = LETTERS[value.dtype]
                return f"{value.value[0]}_{letter}({self.expr(value.args[0])})", ATOM
            case "order_key":
                return f"order_key_real({self.expr(value.args[0])})", ATOM
            case "byte":
                word, number = map(self.expr, value.args)
                return f"byte_of({word}, {number})", ATOM
            case "rounded":
                return f"rounded_real({self.expr(value.args[0])})", ATOM
            case "nearest_quotient":
                return SPELLING["div"](value, self)
            case "any":
                return f"any_lane({self.expr(value.args[0])})", ATOM
            case "program":
                return ("program / across" if value.value else "program % across"), PRODUCT
        raise NotImplementedError(f"C's printer knows no {value.op!r}")

    # --- memory -----------------------------------------------------------------------

    def _load(self, value: Expr) -> str:
        """Of a vector, or of one element in some lanes."""
        pointer, index, *mask = value.args[0].args
        letter, scalars, lanes = LETTERS[value.dtype], *_parted(mask)
        other = self.lanes(e.const(value.value or 0, value.dtype))
        if _is_line(index) and (count := _count(lanes)) is not None:
            near = index.args[1] is LANE
            zeros = near and bool(scalars) and not lanes and _is_zero(value)
            place = element(pointer, index.args[0], scalars if zeros else ())
            name, text = self._line(index), self._address(place)
            if zeros:
                return f"{name[0]}_{letter}({text})"
            if lanes:
                text = f"{name[0]}_first_{letter}({text}{name[1]}, {self.expr(count)}, {other})"
            else:
                text = f"{name[0]}_{letter}({text}{name[1]})"
        else:
            inside = self._inside(lanes)
            text = f"far_{letter}({self.expr(pointer)}, {self.lanes(index)}, {inside}, {other})"
        return f"({self.expr(every(scalars), OR)} ? {text} : {other})" if scalars else text

    def _address(self, place: Expr) -> str:
        """Of an element; of some zeros where its mask does not hold, as no branch decides that."""
        pointer, index, *mask = place.args
        text = f"{self.expr(pointer, SUM)} + {self.expr(index, PRODUCT)}"
        if not mask:
            return text
        return f"found_{place.dtype}({self.expr(every(tuple(mask)))}, {text})"

    def _write(self, place: Expr, value: Expr) -> str:
        pointer, index, *mask = place.args
        if value.op == "turned":
            column, along = index.args
            where = self._square((pointer, column, along.args[1]))
            return f"put_square_f({self.expr(value.args[0])}, {where});"
        letter, scalars, lanes = LETTERS[place.dtype], *_parted(mask)
        address = self.expr(pointer, SUM)
        if not axes_of(index):  # lanes that the place does not tell apart store the same
            text = self.expr(value, ATOM if axes_of(value) else ANY) + "[0]" * bool(axes_of(value))
            text = f"{self.expr(pointer, ATOM)}[{self.expr(index)}] = {text};"
            found = [f"{self.expr(condition, ATOM)}[0]" for condition in lanes]
        elif _is_line(index) and (count := _count(lanes)) is not None:
            name, found = self._line(index), []
            start = f"{address} + {self.expr(index.args[0], PRODUCT)}{name[1]}"
            first = (
                f"_first_{letter}({start}, {self.expr(count)}" if lanes else f"_{letter}({start}"
            )
            text = f"put_{name[0]}{first}, {self.lanes(value)});"
        else:
            inside, found = self._inside(lanes), []
            text = (
                f"put_far_{letter}({address}, {self.lanes(index)}, {inside}, {self.lanes(value)});"
            )
        found = [*(self.expr(condition, COMPARISON) for condition in scalars), *found]
        return f"if ({' && '.join(found)}) {text}" if found else text

    def _square(self, place: Sequence[Expr]) -> str:
        """Where it starts, and the distance of its lines."""
        pointer, start, step = place
        return f"{self.expr(pointer, SUM)} + {self.expr(start, PRODUCT)}, {self.expr(step)}"

    def _line(self, index: Expr) -> tuple[str, str]:
        """How places at equal distances are called, and their distance as an argument."""
        along = index.args[1]
        return ("near", "") if along is LANE else ("step", f", {self.expr(along.args[1])}")

    def _inside(self, conditions: tuple[Expr, ...]) -> str:
        return self.lanes(every(conditions) if conditions else e.const(True))


@dataclass(frozen=True, slots=True)
class _Lanes:
    """Gives operands as vectors."""

    of: _Printer

    def expr(self, value: Expr, least: int = ANY) -> str:
        return self.of.lanes(value, least)

    def operands(self, value: Expr) -> str:
        return ", ".join(map(self.of.lanes, value.args))

    def helper(self, name: str) -> str:
        return self.of.helper(name)


def _parted(mask: Sequence[Expr]) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Conditions that all lanes share, and others."""
    return tuple(c for c in mask if not axes_of(c)), tuple(c for c in mask if axes_of(c))


def _is_zero(load: Expr) -> bool:
    """Whether a float is 0 where it does not exist."""
    return load.dtype is F32 and not load.value


def _count(lanes: Sequence[Expr]) -> Expr | None:
    """Of lanes, from the first one on, those that meet conditions on nothing but how many they
    are; 0, which nobody asks for, where there is no condition."""
    if any(condition.op != "first" for condition in lanes):
        return None
    counts = [condition.args[0] for condition in lanes]
    return functools.reduce(e.minimum, counts) if counts else e.const(0)


def _is_line(index: Expr) -> bool:
    """Whether places have equal distances from lane to lane."""
    if index.op != "add" or axes_of(index.args[0]):
        return False
    along = index.args[1]
    return along is LANE or (along.op == "mul" and along.args[0] is LANE)
