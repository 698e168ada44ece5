"""Scalar expressions as arithmetic with tensors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ir.expr import Expr, walk
from ir.types import BOOL, DType

from .body import Body
from .layout import PythonText, calls

_LONGEST = 46
"""Characters of an expression; a longer one becomes steps with names."""

_LARGEST = float(np.finfo(np.float32).max)

_CALL, _SIGN, _PRODUCT, _SUM, _AND, _OR, _COMPARISON = 9, 8, 7, 6, 5, 4, 3
_INFIX = {
    "add": ("+", _SUM),
    "sub": ("-", _SUM),
    "mul": ("*", _PRODUCT),
    "div": ("/", _PRODUCT),
    "floordiv": ("//", _PRODUCT),
    "mod": ("%", _PRODUCT),
    "lt": ("<", _COMPARISON),
    "le": ("<=", _COMPARISON),
    "gt": (">", _COMPARISON),
    "ge": (">=", _COMPARISON),
    "eq": ("==", _COMPARISON),
    "ne": ("!=", _COMPARISON),
    "and": ("&", _AND),
    "or": ("|", _OR),
}
_FUNCTIONS = ("exp", "log", "log1p", "expm1", "sqrt", "tanh", "sigmoid", "floor")
_ON_NUMBERS = {"and": "and", "or": "or"}


class ExprText(NamedTuple):
    """How strongly it binds, and whether it is a tensor: else it is a number of Python's."""

    text: str
    binding: int
    tensor: bool
    shape: tuple[int, ...] = ()

    def within(self, binding: int) -> str:
        return self.text if self.binding > binding else f"({self.text})"


def print_map(
    body: Body,
    roots: Sequence[Expr],
    operands: Sequence[tuple[str, tuple[int, ...]]],
    shape: tuple[int, ...],
) -> list[PythonText]:
    """A name for every root, in a tensor of the shape.

    Args:
        operands: names and shapes of what the expressions read.
    """
    order = walk(*roots)
    uses: Counter[Expr] = Counter(a for node in order for a in _read(node))
    needed = _needed(roots, order)
    done: dict[Expr, ExprText] = {}
    for node in order:
        if node not in needed:
            continue
        _shorten(body, node, done)
        text = _Node(body, node, done, operands, shape).text()
        shared = uses[node] > 1 and node.args and text.tensor
        if node.args and text.tensor and (shared or len(text.text) > _LONGEST):
            text = text._replace(text=body.let(text.text), binding=_CALL)
        done[node] = text
    return [_whole(body, done[root], root.dtype, shape) for root in roots]


def _shorten(body: Body, node: Expr, done: dict[Expr, ExprText]) -> None:
    """Give names to the longest operands until the node's own text is short."""
    operands = [done[a] for a in _read(node)]
    while sum(len(text.text) for text in operands) > _LONGEST:
        longest = max((text for text in operands if text.tensor), key=lambda t: len(t.text))
        if longest.text.isidentifier():
            return
        named = longest._replace(text=body.let(longest.text), binding=_CALL)
        done.update({a: named for a in _read(node) if done[a] is longest})
        operands = [done[a] for a in _read(node)]


def _read(node: Expr) -> tuple[Expr, ...]:
    return () if node.op == "rand" else node.args


def read_operands(roots: Sequence[Expr]) -> set[int]:
    """The numbers of the operands that the text reads: random numbers are PyTorch's."""
    return {int(node.value) for node in _needed(roots, walk(*roots)) if node.op == "arg"}


def _needed(roots: Sequence[Expr], order: Sequence[Expr]) -> set[Expr]:
    """The steps that the text of the roots has."""
    needed = set(roots)
    for node in reversed(order):
        if node in needed:
            needed.update(_read(node))
    return needed


def _whole(body: Body, text: ExprText, dtype: DType, shape: tuple[int, ...]) -> PythonText:
    """With all elements there are."""
    if not text.tensor:
        kind = TORCH_TYPES[dtype]
        return calls("torch.full", body.shape(shape), text.text, f"dtype={kind}", *body.device())
    if len(text.shape) != len(shape) or any(map(_differ, text.shape, shape)):
        return f"{text.within(_SIGN)}.expand({body.shape(shape)})"
    return text.text


def _differ(a: int, b: int) -> bool:
    return not (a is b or a == b)


TORCH_TYPES = {
    DType.F64: "torch.float64",
    DType.F32: "torch.float32",
    DType.I32: "torch.int32",
    DType.U32: "torch.int64",
    DType.BOOL: "torch.bool",
}


class _Node:
    def __init__(
        self,
        body: Body,
        node: Expr,
        done: dict[Expr, ExprText],
        operands: Sequence[tuple[str, tuple[int, ...]]],
        shape: tuple[int, ...],
    ) -> None:
        self.body, self.node, self.operands, self.shape = body, node, operands, shape
        self.args = [done[a] for a in _read(node)]
        self.tensor = any(a.tensor for a in self.args)

    def text(self) -> ExprText:
        node = self.node
        if not node.args:
            return self._leaf()
        special: Callable[[], ExprText] | None = getattr(self, f"_{node.op}", None)
        if special is not None:
            return special()
        if node.op in _INFIX:
            return self._infix(*_INFIX[node.op])
        assert node.op in _FUNCTIONS, node.op
        (a,) = self.args
        operand = a.text if a.tensor else f"torch.tensor(float({a.text}))"
        return ExprText(f"torch.{node.op}({operand})", _CALL, True, a.shape)

    def _leaf(self) -> ExprText:
        node, body = self.node, self.body
        if node.op == "arg":
            name, shape = self.operands[int(node.value)]
            return ExprText(name, _CALL, True, shape)
        if node.op == "index":
            axis = int(node.value)
            extent, rank = self.shape[axis], len(self.shape)
            text = body.let(calls("torch.arange", body.size(extent), *body.device()))
            if rank - axis > 1:
                text += f".view({', '.join(['-1', *['1'] * (rank - axis - 1)])})"
            place = (*[1] * axis, extent, *[1] * (rank - axis - 1))
            return ExprText(text, _CALL, True, place)
        if node.op == "linear":
            count = body.size(math.prod(self.shape))
            text = body.let(calls("torch.arange", count, *body.device()))
            return ExprText(f"{text}.view({body.shape(self.shape)})", _CALL, True, self.shape)
        return self._number(node.value)

    def _number(self, value: float) -> ExprText:
        dtype = self.node.dtype
        if self.node.op == "dyn":
            text = self.body.size(value)
            plain = text.replace("_", "").replace(".", "").isalnum()
            if dtype.is_float and plain and text.isdigit():
                text = f"{text}.0"
            return ExprText(text, _CALL if plain else _COMPARISON, False)
        if dtype is BOOL:
            return ExprText(str(bool(value)), _CALL, False)
        text = float_text(value) if dtype.is_float else str(int(value))
        return ExprText(text, _COMPARISON if text.startswith("-") else _CALL, False)

    def _infix(self, sign: str, binding: int) -> ExprText:
        a, b = self.args
        if not self.tensor:
            sign = _ON_NUMBERS.get(sign, sign)
            return ExprText(f"{a.within(binding)} {sign} {b.within(binding)}", binding, False)
        left = a.within(binding - 1 if binding in (_SUM, _PRODUCT) else binding)
        return self._made(f"{left} {sign} {b.within(binding)}", binding)

    def _made(self, text: str, binding: int = _CALL) -> ExprText:
        """A tensor of the operands' common shape."""
        shapes = [a.shape for a in self.args if a.tensor]
        rank = max(map(len, shapes), default=0)
        common: list[int] = [1] * rank
        for shape in shapes:
            for axis, extent in enumerate(shape, rank - len(shape)):
                if _differ(extent, 1):
                    common[axis] = extent
        return ExprText(text, binding, True, tuple(common))

    def _max(self) -> ExprText:
        return self._extreme("larger", "max")

    def _min(self) -> ExprText:
        return self._extreme("smaller", "min")

    def _extreme(self, helper: str, number: str) -> ExprText:
        a, b = self.args
        if not self.tensor:
            return ExprText(f"{number}({a.text}, {b.text})", _CALL, False)
        if helper == "larger" and b.text == "0.0":
            return self._made(f"torch.relu({a.text})")
        self.body.use("extremes")
        return self._made(f"{helper}({a.text}, {b.text})")

    def _pow(self) -> ExprText:
        a, b = self.args
        if not self.tensor:
            return ExprText(f"float({a.text}) ** float({b.text})", _COMPARISON, False)
        return self._made(f"torch.pow({a.text}, {b.text})")

    def _neg(self) -> ExprText:
        (a,) = self.args
        return ExprText(f"-{a.within(_SIGN)}", _SIGN, a.tensor, a.shape)

    def _abs(self) -> ExprText:
        (a,) = self.args
        return ExprText(f"{'torch.' * a.tensor}abs({a.text})", _CALL, a.tensor, a.shape)

    def _not(self) -> ExprText:
        (a,) = self.args
        sign = "~" if a.tensor else "not "
        return ExprText(f"{sign}{a.within(_SIGN)}", _SIGN, a.tensor, a.shape)

    def _where(self) -> ExprText:
        condition, a, b = self.args
        if condition.text in ("True", "False"):
            return a if condition.text == "True" else b
        if not condition.tensor:
            chosen = f"({a.text} if {condition.text} else {b.text})"
            return self._made(chosen) if self.tensor else ExprText(chosen, _CALL, False)
        return self._made(f"torch.where({condition.text}, {a.text}, {b.text})")

    def _to_float(self) -> ExprText:
        (a,) = self.args
        if not a.tensor:
            return ExprText(f"float({a.text})", _CALL, False)
        return ExprText(f"{a.within(_SIGN)}.float()", _CALL, True, a.shape)

    def _to_int(self) -> ExprText:
        (a,) = self.args
        if not a.tensor:
            return ExprText(f"int({a.text})", _CALL, False)
        return ExprText(f"{a.within(_SIGN)}.int()", _CALL, True, a.shape)

    def _stop(self) -> ExprText:
        (a,) = self.args
        return a._replace(text=f"{a.within(_SIGN)}.detach()", binding=_CALL) if a.tensor else a

    def _grad_as(self) -> ExprText:
        value, surrogate = self.args
        self.body.use("grad_as")
        return self._made(f"grad_as({value.text}, {surrogate.text})")

    def _rand(self) -> ExprText:
        text = calls("torch.rand", self.body.shape(self.shape), *self.body.device())
        return ExprText(self.body.let(text), _CALL, True, self.shape)


def float_text(value: float) -> str:
    """The shortest literal of a float32."""
    if math.isnan(value) or math.isinf(value):
        return f'float("{value}")'
    short = float(str(np.float32(value)))
    if abs(short) > _LARGEST:  # rounded to more than there is
        short = float(np.float32(value))
    return repr(short).replace("e+", "e")
