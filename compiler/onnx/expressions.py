"""Scalar expressions as nodes that work on whole tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ir.expr import Expr, walk
from ir.expr_numpy import evaluate
from ir.graph import Value
from ir.size import Real, Size

from .shortcuts import shortcut
from .unsupported import Unsupported

if TYPE_CHECKING:
    from .writer import Writer

MOST_FOLDED = 1 << 22
"""Elements of an array that is computed ahead, at most."""

_NODES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "pow": "Pow", "max": "Max",
    "min": "Min", "neg": "Neg", "abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
    "tanh": "Tanh", "sigmoid": "Sigmoid", "floor": "Floor", "lt": "Less", "le": "LessOrEqual",
    "gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal", "and": "And", "or": "Or",
    "not": "Not", "where": "Where",
}  # fmt: skip
"""Primitives that are a node of the same meaning."""


class Expressions:
    """The expressions of one map.

    Args:
        inputs: what ``arg`` leaves stand for.
        shape: of the results.
    """

    def __init__(self, writer: Writer, inputs: Sequence[Value], shape: tuple[int, ...]) -> None:
        self.writer = writer
        self.inputs = inputs
        self.shape = shape
        self._done: dict[Expr, str] = {}
        self._varying: set[Expr] = set()  # what is not known before a run

    def result(self, root: Expr) -> str:
        """The tensor of an expression, in its full shape."""
        steps = walk(root)
        for step in steps:
            if _varies(step) or not self._varying.isdisjoint(step.args):
                self._varying.add(step)
        name = self.tensor(root)
        return name if self._is_whole(root, steps) else self.writer.expand(name, self.shape)

    def tensor(self, root: Expr) -> str:
        """The tensor of an expression, which broadcasts to the shape."""
        waiting = [root]  # a stack, as a sum may have thousands of terms
        while waiting:
            step = waiting[-1]
            found = self._done.get(step) or self._constant(step) or shortcut(self, step)
            missing = [a for a in step.args if a not in self._done]
            if found is None and missing:
                waiting += reversed(missing)
                continue
            self._done[step] = found or self._emit(step)
            waiting.pop()
        return self._done[root]

    def _constant(self, root: Expr) -> str | None:
        numbers = self._known(root) if root.args else None
        return None if numbers is None else self.writer.constant(numbers)

    def _known(self, root: Expr) -> np.ndarray | None:
        return None if root in self._varying else known_numbers(root, self.shape)

    def _emit(self, root: Expr) -> str:
        leaf = _LEAVES.get(root.op)
        if leaf is not None:
            return leaf(self, root)
        operands = [self._done[a] for a in root.args]
        if root.op in _NODES:
            return self.writer.node(_NODES[root.op], operands)
        if root.op not in _OTHERS:
            raise Unsupported(f"ONNX has nothing like '{root.op}' of expressions")
        return _OTHERS[root.op](self.writer, root, operands)

    # --- leaves -------------------------------------------------------------------------

    def _argument(self, root: Expr) -> str:
        return self.writer.of(self.inputs[int(root.value)])

    def _number(self, root: Expr) -> str:
        return self.writer.number(root.value, root.dtype)

    def _index(self, root: Expr) -> str:
        axis = int(root.value)
        extents = [d if i == axis else 1 for i, d in enumerate(self.shape)]
        if isinstance(self.shape[axis], Size):
            counted = self.writer.arange(self.shape[axis])
            return self.writer.reshape(counted, extents) if len(extents) > 1 else counted
        return self.writer.constant(np.arange(self.shape[axis], dtype=np.int32).reshape(extents))

    def _linear(self, root: Expr) -> str:
        total = 1
        for extent in self.shape:
            total = total * extent
        return self.writer.reshape(self.writer.arange(total), self.shape)

    # --- shapes -------------------------------------------------------------------------

    def _is_whole(self, root: Expr, steps: Sequence[Expr]) -> bool:
        """Whether what an expression reads has the extents of the result already."""
        left = {i for i, d in enumerate(self.shape) if isinstance(d, Size) or d != 1}
        numbers = self._known(root)
        if numbers is not None:
            return numbers.shape == self.shape
        for leaf in steps:
            if leaf.op == "linear":
                return True
            if leaf.op == "index":
                left.discard(int(leaf.value))
            elif leaf.op == "arg":
                shape = self.inputs[int(leaf.value)].shape
                left -= {i for i, d in enumerate(self.shape) if shape[i] is d or shape[i] == d}
        return not left


_LEAVES: dict[str, Callable[[Expressions, Expr], str]] = {
    "arg": Expressions._argument,
    "const": Expressions._number,
    "dyn": Expressions._number,
    "index": Expressions._index,
    "linear": Expressions._linear,
}

Other = Callable[["Writer", Expr, Sequence[str]], str]


def _not_equal(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    return writer.node("Not", [writer.node("Equal", operands)])


def _floor_quotient(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    # Operands are not negative: rounding towards zero is rounding down.
    made = writer.node("Div", operands)
    return writer.node("Floor", [made]) if root.dtype.is_float else made


def _remainder(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    return writer.node("Mod", operands, fmod=1 if root.dtype.is_float else None)


def _log1p(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    one = writer.constant(root.dtype.numpy.type(1))
    return writer.node("Log", [writer.node("Add", [operands[0], one])])


def _expm1(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    # Elu is exp(x) - 1 below 0; at 0 and above it is x, where exp(x) - 1 is taken.
    one = writer.constant(root.dtype.numpy.type(1))
    return writer.node("Sub", [writer.node("Exp", operands), one])


def _cast(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    dtype = root.dtype
    return operands[0] if root.args[0].dtype is dtype else writer.cast(operands[0], dtype)


def _same(writer: Writer, root: Expr, operands: Sequence[str]) -> str:
    return operands[0]


_OTHERS: dict[str, Other] = {
    "ne": _not_equal,
    "floordiv": _floor_quotient,
    "mod": _remainder,
    "log1p": _log1p,
    "expm1": _expm1,
    "to_float": _cast,
    "to_int": _cast,
    "to_f16": _cast,
    "to_bf16": _cast,
    "stop": _same,
    "grad_as": _same,
}


def known_numbers(root: Expr, shape: tuple[int, ...]) -> np.ndarray | None:
    """What an expression is that reads no operand: one number, or an array that broadcasts to the
    shape. None: it reads one, or follows from sizes that may change."""
    axes: set[int] = set()
    for leaf in walk(root):
        if _varies(leaf):
            return None
        if leaf.op == "linear":
            axes |= set(range(len(shape)))
        elif leaf.op == "index":
            axes.add(int(leaf.value))
    if any(isinstance(shape[axis], Size) for axis in axes):
        return None
    own = tuple(d if axis in axes else 1 for axis, d in enumerate(shape))
    if math.prod(own) > MOST_FOLDED or root.dtype.is_narrow:
        return None
    (array,) = evaluate([root], [], own, np.dtype(np.float32))
    same = array.size > 0 and bool((array == array.flat[0]).all())
    return array.reshape(-1)[0] if same else array


def _varies(step: Expr) -> bool:
    """Whether a step itself reads an operand, or follows from sizes that may change."""
    return step.op in ("arg", "rand") or isinstance(step.value, Size | Real)
