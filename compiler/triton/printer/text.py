"""Prints a kernel's nodes as Triton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler.kernels.expressions import Axes, KernelArgument, Local
from compiler.kernels.liveness import live
from compiler.kernels.nodes import (
    Assign,
    Declare,
    If,
    KernelBody,
    Kind,
    Let,
    Loop,
    Remark,
    Statement,
    Write,
)
from ir.expr import Expr
from ir.printable import printable

from .masks import tiled_masks
from .names import Names
from .spelling import SPELLING, TRITON_TYPES, Binding, Function, Infix, literal, whole_power


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a kernel's function, its arguments in their order, and the helpers it calls."""

    lines: list[str]
    arguments: list[tuple[str, KernelArgument]]
    helpers: list[str]


def print_body(kernel: KernelBody, readable: bool) -> Text:
    """``readable``: names from blobs, comments. Otherwise the canonical text."""
    return _Printer(kernel, Names(readable, tuple(c for c, _ in kernel.config.constants))).text()


@dataclass
class _Printer:
    kernel: KernelBody
    names: Names
    lines: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    arguments: dict[KernelArgument, str] = field(default_factory=dict)
    inline: dict[Local, str] = field(default_factory=dict)  # of grid and lanes

    def text(self) -> Text:
        self._block(live(tiled_masks(self.kernel.body)), 1)
        order = ("pointer", "size", "number")
        arguments = sorted(self.arguments.items(), key=lambda item: order.index(item[0].kind))
        return Text(self.lines, [(name, a) for a, name in arguments], self.helpers)

    # --- statements -------------------------------------------------------------------

    def _block(self, body: Sequence[Statement], depth: int) -> None:
        for statement in body:
            self._statement(statement, depth)

    def _statement(self, statement: Statement, depth: int) -> None:
        line = ""
        match statement:
            case Let(variable, value):
                line = f"{self.names.of(variable)} = {self._expr(value)}"
            case Declare(variable, start):
                line = f"{self.names.of(variable)} = {self._tile(variable, start)}"
            case Assign(variable, value):
                line = self._assignment(self.names.of(variable), variable, value)
            case Write():
                line = self._store(statement)
            case Remark(text):
                line = f"# {printable(text)}" if self.names.readable else ""
            case Loop(kind=Kind.GRID | Kind.VECTOR):
                self.inline[statement.variable] = self._position(statement)
                self._block(statement.body, depth)
            case Loop():
                self._line(self._head(statement), depth)
                self._block(statement.body, depth + 1)
            case If(condition, inner, otherwise):
                self._line(f"if {self._expr(condition)}:", depth)
                self._block(inner, depth + 1)
                if otherwise:
                    self._line("else:", depth)
                    self._block(otherwise, depth + 1)
        if line:
            self._line(line, depth)

    def _line(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def _position(self, loop: Loop) -> str:
        """Of a program or a lane."""
        if loop.kind is Kind.GRID:
            wide = ".to(tl.int64)" if self.kernel.wide else ""
            return f"tl.program_id({loop.axis}){wide}"
        text = f"tl.arange(0, {self._expr(loop.stop)})"
        if len(self.kernel.tile) == 1:
            return text
        return text + ("[:, None]" if loop.axis == 0 else "[None, :]")

    def _head(self, loop: Loop) -> str:
        name = self.names.of(loop.variable)
        start, stop, step = (self._expr(x) for x in (loop.start, loop.stop, loop.step))
        function = "tl.static_range" if loop.kind is Kind.UNROLLED else "range"
        bounds = f"{start}, {stop}, {step}" if step != "1" else stop
        return f"for {name} in {function}({bounds}):"

    def _shape(self, axes: Axes) -> str:
        dims = (name if i in axes else "1" for i, name in enumerate(self.kernel.tile))
        return f"[{', '.join(dims)}]"

    def _tile(self, variable: Local, start: Expr) -> str:
        shape, dtype = self._shape(variable.axes), TRITON_TYPES[variable.dtype]
        if start.value == 0:
            return f"tl.zeros({shape}, {dtype})"
        return f"tl.full({shape}, {self._expr(start)}, {dtype})"

    def _assignment(self, name: str, variable: Local, value: Expr) -> str:
        own = value.op in ("add", "mul") and value.args[0].value is variable
        if own:
            symbol = "+" if value.op == "add" else "*"
            return f"{name} {symbol}= {self._expr(value.args[1])}"
        return f"{name} = {self._expr(value)}"

    def _store(self, store: Write) -> str:
        address, mask = self._place(store.place)
        if store.spread:
            whole = frozenset(range(len(self.kernel.tile)))
            address += f" + tl.zeros({self._shape(whole)}, tl.int32)"
        return f"tl.store({address}, {self._expr(store.value)}{mask})"

    # --- expressions ------------------------------------------------------------------

    def _expr(self, value: Expr, least: Binding = Binding.ANY) -> str:
        """The text, in parentheses where it binds less tightly than its place asks for."""
        text, binding = self._bound(value)
        return text if binding >= least else f"({text})"

    def _bound(self, value: Expr) -> tuple[str, Binding]:
        spelled = SPELLING.get(value.op)
        if isinstance(spelled, Infix):
            left, right = spelled.operands
            if value.op == "add" and not value.dtype.is_float:
                right = left  # sums of integers may be added in any order
            a, b = self._expr(value.args[0], left), self._expr(value.args[1], right)
            return f"{a} {spelled.symbol} {b}", spelled.binding
        if value.op == "const":
            text = literal(value.value, value.dtype)
            return text, Binding.UNARY if text.startswith("-") else Binding.ATOM
        if value.op == "neg":
            return f"-{self._expr(value.args[0], Binding.UNARY)}", Binding.UNARY
        if value.op == "pow" and (text := whole_power(value, self._expr)):
            return text, Binding.ATOM
        if isinstance(spelled, Function):
            return self._call(spelled, value.args), Binding.ATOM
        if spelled is not None:
            return spelled(value, self._expr), Binding.ATOM
        return self._own(value)

    def _own(self, value: Expr) -> tuple[str, Binding]:
        """What the IR's expressions do not have."""
        match value.op:
            case "ref":
                return self._name(value.value), Binding.ATOM
            case "constant":
                return str(value.value), Binding.ATOM
            case "load":
                return self._load(value), Binding.ATOM
            case "across":
                return self._across(value), Binding.ATOM
            case "any":
                text = f"{self._expr(value.args[0], Binding.ATOM)}.to(tl.int32)"
                for axis in reversed(range(len(self.kernel.tile))):
                    text = f"tl.max({text}, {axis})"
                return f"{text} > 0", Binding.COMPARISON
            case "dot":
                operands = ", ".join(self._expr(a) for a in value.args)
                return f'tl.dot({operands}, input_precision="{value.value}")', Binding.ATOM
            case "cdiv":
                return self._call(Function("tl.cdiv"), value.args), Binding.ATOM
            case "spread":
                return self._spread(value.args[0]), Binding.SUM
            case "as_i32":
                text, binding = self._bound(value.args[0])
                return (
                    (f"tl.cast({text}, tl.int32)", Binding.ATOM)
                    if self.kernel.wide
                    else (
                        text,
                        binding,
                    )
                )
        raise NotImplementedError(f"Triton's printer knows no {value.op!r}")

    def _name(self, variable: Local) -> str:
        if variable in self.inline:
            return self.inline[variable]
        name = self.names.of(variable)
        if isinstance(variable, KernelArgument):
            self.arguments.setdefault(variable, name)
        return name

    def _call(self, function: Function, operands: Sequence[Expr]) -> str:
        if function.is_helper:
            self._helper(function.name)
        return f"{function.name}({', '.join(self._expr(a) for a in operands)})"

    def _helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers.append(name)
        return name

    def _place(self, place: Expr) -> tuple[str, str]:
        """An address, and a mask as an argument."""
        pointer, index, *mask = place.args
        text = self._expr(pointer)
        if index.value != 0:
            text += f" + {self._expr(index, Binding.SUM)}"
        return text, self._mask(mask)

    def _load(self, value: Expr) -> str:
        address, mask = self._place(value.args[0])
        if mask and value.value is not None:
            mask += f", other={literal(value.value, value.dtype)}"
        return f"tl.load({address}{mask})"

    def _mask(self, conditions: Sequence[Expr]) -> str:
        if not conditions:
            return ""
        return f", mask={' & '.join(self._expr(c, Binding.AND) for c in conditions)}"

    def _spread(self, value: Expr) -> str:
        dtype = "tl.int64" if self.kernel.wide else "tl.int32"
        zeros = f"tl.zeros({self._shape(frozenset())}, {dtype})"
        return f"{self._expr(value, Binding.SUM)} + {zeros}"

    def _across(self, value: Expr) -> str:
        (tile,) = value.args
        kind, axes = value.value.kind, value.value.axes
        text = self._expr(tile)
        for axis in reversed(axes):
            if kind == "prod":
                text = f"tl.reduce({text}, {axis}, {self._helper('multiply')}, keep_dims=True)"
            elif kind != "sum" and tile.dtype.is_float:
                text = f"{self._helper(f'nan_{kind}')}({text}, {axis})"
            else:
                text = f"tl.{kind}({text}, {axis}, keep_dims=True)"
        return text
