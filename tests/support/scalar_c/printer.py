"""Prints a kernel of scalars as a C function."""

from __future__ import annotations

from compiler.kernels import nodes as n
from compiler.kernels.expressions import KernelArgument, every
from compiler.kernels.names import Names
from compiler.kernels.operators import ATOM
from compiler.kernels.printer import KernelPrinter, Text
from ir.expr import Expr
from ir.types import I32, DType

from .scalar import scalar_body
from .spelling import C_TYPES, LITERALS, RESERVED, SPELLING


def c_function(kernel: n.KernelBody, name: str, readable: bool) -> tuple[str, Text]:
    """Its definition. ``readable``: names from blobs, comments. Otherwise the canonical text."""
    text = _Printer(kernel, Names(readable, RESERVED)).text(scalar_body(kernel))
    arguments = [f"    {_argument(kernel, *argument)},\n" for argument in text.arguments]
    head = f"void {name}(\n{''.join(arguments)}    const int64_t *programs) {{"
    return "\n".join([head, *text.lines, "}\n"]), text


def c_comment(text: str) -> str:
    """Names of layers must not end it."""
    return f"/* {text.replace('*/', '* /')} */"


def _type(dtype: DType, wide: bool) -> str:
    return "int64_t" if wide and dtype is I32 else C_TYPES[dtype]


def _argument(kernel: n.KernelBody, name: str, argument: KernelArgument) -> str:
    if argument.kind == "pointer":
        constant = "" if argument.given in kernel.writes else "const "
        return f"{constant}{C_TYPES[argument.dtype]} *{name}"
    return f"{_type(argument.dtype, kernel.wide and argument.kind == 'size')} {name}"


class _Printer(KernelPrinter):
    spelling, literals = SPELLING, LITERALS
    branch, block_ends = "if ({})", (" {", "}")
    comment = staticmethod(c_comment)

    def simple(self, statement: n.Let | n.Declare | n.Assign | n.Write) -> str:
        match statement:
            case n.Let(variable, value) | n.Declare(variable, value):
                constant = "const " if isinstance(statement, n.Let) else ""
                kind = _type(variable.dtype, self.kernel.wide)
                return f"{constant}{kind} {self.name(variable)} = {self.expr(value)};"
            case n.Assign(variable, value):
                return f"{self.assignment(variable, value)};"
            case n.Write(place, value):
                mask = f"if ({self.expr(every(place.args[2:]))}) " if place.args[2:] else ""
                return f"{mask}{self._element(place)} = {self.expr(value)};"

    def head(self, loop: n.Loop) -> str:
        if loop.kind is n.Kind.VECTOR:
            return ""  # it has one lane
        name, step = self.name(loop.variable), self.expr(loop.step)
        stop = f"programs[{loop.axis}]" if loop.kind is n.Kind.GRID else self.expr(loop.stop)
        start = f"{_type(I32, self.kernel.wide)} {name} = {self.expr(loop.start)}"
        return f"for ({start}; {name} < {stop}; {name} += {step})"

    def own(self, value: Expr) -> tuple[str, int]:
        if value.op == "load":
            return self._element(value.args[0]), ATOM
        raise NotImplementedError(f"C's printer knows no {value.op!r}")

    def _element(self, place: Expr) -> str:
        return f"{self.expr(place.args[0], ATOM)}[{self.expr(place.args[1])}]"
