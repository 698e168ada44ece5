"""Prints a kernel's nodes as Triton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler.kernels import nodes as n
from compiler.kernels.expressions import Axes, KernelArgument, Local
from compiler.kernels.liveness import live
from compiler.kernels.names import Names
from compiler.kernels.operators import ATOM, SUM, call
from compiler.kernels.printer import KernelPrinter, Text
from compiler.precision import HALF, TF32, TF32X3
from ir.expr import Expr

from .divisors import RECIPROCALS, divisor_of, reciprocal_of
from .masks import tiled_masks
from .spelling import AND, COMPARISON, LITERALS, RESERVED, SPELLING, TRITON_TYPES


def print_body(kernel: n.KernelBody, readable: bool) -> Text:
    """``readable``: names from blobs, comments. Otherwise the canonical text."""
    names = Names(readable, (*RESERVED, *(constant for constant, _ in kernel.config.constants)))
    return _Printer(kernel, names).text(live(tiled_masks(kernel.body)))


@dataclass
class _Printer(KernelPrinter):
    reciprocals: dict[KernelArgument, KernelArgument] = field(default_factory=dict)

    spelling, literals = SPELLING, LITERALS
    branch = "if {}"
    block_ends = (":", "")

    # --- statements -------------------------------------------------------------------

    def simple(self, statement: n.Simple) -> str:
        match statement:
            case n.Barrier():
                return "tl.debug_barrier()"
            case n.Let(variable, value):
                return f"{self.names.of(variable)} = {self.expr(value)}"
            case n.Declare(variable, start):
                return f"{self.names.of(variable)} = {self._tile(variable, start)}"
            case n.Assign(variable, value):
                return self.assignment(variable, value)
            case n.Write():
                return self._store(statement)

    def comment(self, text: str) -> str:
        return f"# {text}"

    def _position(self, loop: n.Loop) -> str:
        """Of a program or a lane."""
        if loop.kind is n.Kind.GRID:
            wide = ".to(tl.int64)" if self.kernel.wide else ""
            return f"tl.program_id({loop.axis}){wide}"
        text = f"tl.arange(0, {self.expr(loop.stop)})"
        if len(self.kernel.tile) == 1:
            return text
        return text + ("[:, None]" if loop.axis == 0 else "[None, :]")

    def head(self, loop: n.Loop) -> str:
        if loop.kind in (n.Kind.GRID, n.Kind.VECTOR):
            self.names.give(loop.variable, self._position(loop))
            return ""
        name = self.names.of(loop.variable)
        start, stop, step = (self.expr(x) for x in (loop.start, loop.stop, loop.step))
        function = "tl.static_range" if loop.kind is n.Kind.UNROLLED else "range"
        bounds = [stop] if start == "0" and step == "1" else [start, stop]
        bounds += [step] if step != "1" else []
        return f"for {name} in {function}({', '.join(bounds)})"

    def _shape(self, axes: Axes) -> str:
        dims = (name if i in axes else "1" for i, name in enumerate(self.kernel.tile))
        return f"[{', '.join(dims)}]"

    def _tile(self, variable: Local, start: Expr) -> str:
        shape, dtype = self._shape(variable.axes), TRITON_TYPES[variable.dtype]
        if start.value == 0:
            return f"tl.zeros({shape}, {dtype})"
        return f"tl.full({shape}, {self.expr(start)}, {dtype})"

    def _store(self, store: n.Write) -> str:
        address, mask = self._place(store.place)
        if store.spread:
            whole = frozenset(range(len(self.kernel.tile)))
            address += f" + tl.zeros({self._shape(whole)}, tl.int32)"
        return f"tl.store({address}, {self.expr(store.value)}{mask})"

    # --- expressions ------------------------------------------------------------------

    def bound(self, value: Expr) -> tuple[str, int]:
        divisor = None if self.kernel.wide else divisor_of(value)
        if divisor is None:
            return super().bound(value)
        if divisor not in self.reciprocals:
            self.reciprocals[divisor] = reciprocal_of(divisor)
        operands = f"{self.operands(value)}, {self.name(self.reciprocals[divisor])}"
        return f"{self.helper(RECIPROCALS[value.op])}({operands})", ATOM

    def own(self, value: Expr) -> tuple[str, int]:
        match value.op:
            case "constant":
                return str(value.value), ATOM
            case "load":
                return self._load(value), ATOM
            case "across":
                return self._across(value), ATOM
            case "any":
                text = f"{self.expr(value.args[0], ATOM)}.to(tl.int32)"
                for axis in reversed(range(len(self.kernel.tile))):
                    text = f"tl.max({text}, {axis})"
                return f"{text} > 0", COMPARISON
            case "dot":
                return self._dot(value), ATOM
            case "cdiv":
                return call("tl.cdiv")(value, self)
            case "rounded":
                return call(self.helper("rounded"))(value, self)
            case "nearest_quotient":
                return call("tl.div_rn")(value, self)
            case "order_key":
                return call(self.helper("order_key"))(value, self)
            case "running_sum":
                return f"tl.cumsum({self.expr(value.args[0])}, {value.value})", ATOM
            case "byte":
                word, number = (self.expr(operand, ATOM) for operand in value.args)
                return f"({word} >> 8 * {number}) & 255", AND
            case "bit":
                word, number = (self.expr(operand, ATOM) for operand in value.args)
                return f"({word} & (1 << {number})) != 0", COMPARISON
            case "spread":
                return self._spread(value.args[0]), SUM
            case "as_i32":
                if not self.kernel.wide:
                    return self.bound(value.args[0])
                return f"tl.cast({self.expr(value.args[0])}, tl.int32)", ATOM
        raise NotImplementedError(f"Triton's printer knows no {value.op!r}")

    def _dot(self, value: Expr) -> str:
        precision, held = value.value
        if precision == TF32X3:
            return f"{self.helper('dot_tf32x3')}({self.operands(value)})"
        if precision == HALF:
            return f"tl.dot({self.operands(value)})"
        a, b, total = (self.expr(operand) for operand in value.args)
        if held and precision == TF32:
            a, b = (f"{self.helper('tf32_part')}({operand})" for operand in (a, b))
        return f'tl.dot({a}, {b}, {total}, input_precision="{precision}")'

    def _place(self, place: Expr) -> tuple[str, str]:
        """An address, and a mask as an argument."""
        pointer, index, *mask = place.args
        text = self.expr(pointer)
        if index.value != 0:
            text += f" + {self.expr(index, SUM)}"
        return text, self._mask(mask)

    def _load(self, value: Expr) -> str:
        address, mask = self._place(value.args[0])
        if mask and value.value is not None:
            mask += f", other={self.literal(value.value, value.dtype)}"
        return f"tl.load({address}{mask})"

    def _mask(self, conditions: Sequence[Expr]) -> str:
        if not conditions:
            return ""
        return f", mask={' & '.join(self.expr(c, AND) for c in conditions)}"

    def _spread(self, value: Expr) -> str:
        dtype = "tl.int64" if self.kernel.wide else "tl.int32"
        zeros = f"tl.zeros({self._shape(frozenset())}, {dtype})"
        return f"{self.expr(value, SUM)} + {zeros}"

    def _across(self, value: Expr) -> str:
        (tile,), (kind, axes) = value.args, value.value
        text = self.expr(tile)
        for axis in reversed(axes):
            if kind == "prod":
                text = f"tl.reduce({text}, {axis}, {self.helper('multiply')}, keep_dims=True)"
            elif kind == "or":
                text = f"tl.reduce({text}, {axis}, {self.helper('join')}, keep_dims=True)"
            elif kind != "sum" and tile.dtype.is_float:
                text = f"{self.helper(f'nan_{kind}')}({text}, {axis})"
            else:
                text = f"tl.{kind}({text}, {axis}, keep_dims=True)"
        return text
