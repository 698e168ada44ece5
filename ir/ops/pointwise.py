"""The pointwise op: scalar expressions applied element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import expr as e
from ..expr import Expr
from ..expr_exchange import substitute
from ..expr_grad import gradients
from ..expr_numpy import evaluate
from ..graph import Node
from ..op import Adjoint, GradientBuilder, Op, Property, Steps, register, require
from ..size import Size
from ..types import TensorType
from ..value import Value


def broadcast_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Common shape of tensors of one rank whose extents are equal or 1."""
    ranks = {len(s) for s in shapes}
    if len(ranks) != 1:
        raise TypeError(f"inputs have ranks {sorted(ranks)}; one is expected")
    result = shapes[0]
    for shape in shapes[1:]:
        if shape is result:
            continue
        wider = []
        for a, b in zip(result, shape, strict=True):
            if not _repeats(b, a) and not _repeats(a, b):
                raise TypeError(f"shapes do not broadcast: {', '.join(map(str, shapes))}")
            wider.append(a if _repeats(b, a) else b)
        result = tuple(wider)
    return result


def _repeats(extent: int, full: int) -> bool:
    """Whether an extent is that of the result, or 1 and repeated."""
    if extent is full:
        return True
    return (not isinstance(extent, Size) and extent == 1) or extent == full


_EXPENSIVE = {"exp", "log", "log1p", "expm1", "sqrt", "tanh", "sigmoid", "pow", "div"}
_FREE = {"to_float", "to_int", "stop", "grad_as"}


@register
@dataclass(frozen=True)
class Map(Op):
    """Pointwise expressions over broadcasting inputs; one result per expression.

    ``shape`` is the result's shape; None: the broadcast of the inputs.
    """

    exprs: tuple[Expr, ...]
    shape: tuple[int, ...] | None = None
    name = "map"
    properties = Property.POINTWISE

    @property
    def cost(self) -> int:
        """1 per simple operation, 4 per division or function of the exponential family, 40 per
        random number."""
        return sum(
            40 if x.op == "rand" else 4 if x.op in _EXPENSIVE else 1
            for x in e.walk(*self.exprs)
            if x.args and x.op not in _FREE
        )

    def operations(
        self, inputs: Sequence[TensorType], results: Sequence[TensorType], steps: Steps
    ) -> int:
        return sum(map(steps, e.walk(*self.exprs))) * results[0].size

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        shapes = [t.shape for t in inputs]
        if self.shape is not None:
            for shape in shapes:
                fits = len(shape) == len(self.shape) and all(map(_repeats, shape, self.shape))
                if not fits:
                    raise TypeError(f"{shape} does not broadcast to {self.shape}")
            shape = self.shape
        else:
            require(bool(inputs), "a map without inputs needs a shape")
            shape = broadcast_shape(shapes)
        for i, leaf in e.arguments(*self.exprs).items():
            if i >= len(inputs):
                raise TypeError(f"a{i} is read, but there are {len(inputs)} inputs")
            have = inputs[i].dtype
            if leaf.dtype is not have:
                raise TypeError(f"a{i} is {have}, the expression takes {leaf.dtype}")
        return tuple(TensorType(shape, x.dtype) for x in self.exprs)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        floats = [a.dtype for a in inputs if a.dtype.kind == "f"]
        real = np.result_type(*floats) if floats else np.dtype(np.float32)
        return evaluate(self.exprs, inputs, results[0].shape, real)

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        # One map computes the cotangents of all inputs; those of broadcast inputs are then
        # summed over the axes along which they were repeated.
        inputs = at.inputs
        flowing = [(x, g) for x, g in zip(self.exprs, at.cotangents, strict=True) if g is not None]
        totals: dict[int, Expr] = {}
        for k, (x, g) in enumerate(flowing):
            seed = e.arg(len(inputs) + k, g.type.dtype)
            for i, part in gradients(x, seed).items():
                totals[i] = totals[i] + part if i in totals else part
        needed = [i for i in sorted(totals) if at.wanted[i]]
        if not needed:
            return [None] * len(inputs)
        operands = [*inputs, *(g for _, g in flowing)]
        full = at.outputs[0].shape
        results: list[Value | None] = [None] * len(inputs)
        for i, value in zip(
            needed, _compact(b, [totals[i] for i in needed], operands, full), strict=True
        ):
            repeated = [axis for axis, d in enumerate(inputs[i].shape) if d != full[axis]]
            results[i] = b.sum(value, repeated)
        return results


def _compact(
    b: GradientBuilder, exprs: Sequence[Expr], operands: Sequence[Value], shape: tuple[int, ...]
) -> tuple[Value, ...]:
    """A map of ``exprs`` that takes only the operands they read, each once."""
    used: list[Value] = []
    renumber: dict[int, Expr] = {}
    for i in e.arguments(*exprs):
        value = operands[i]
        if value not in used:
            used.append(value)
        renumber[i] = e.arg(used.index(value), value.type.dtype)
    renamed = [substitute(x, renumber) for x in exprs]
    return b.maps(renamed, *used, shape=shape)


def widens(node: Node) -> bool:
    """Whether a node makes f32 of a float of 16 bits, and nothing else."""
    return (
        casts(node) and node.inputs[0].type.dtype.is_narrow and not node.output.type.dtype.is_narrow
    )


def casts(node: Node) -> bool:
    """Whether a node makes floats of another precision, and nothing else."""
    if not isinstance(node.op, Map) or len(node.op.exprs) != 1:
        return False
    (root,) = node.op.exprs
    if root.op not in ("to_float", "to_f16", "to_bf16") or root.args[0].op != "arg":
        return False
    if not root.args[0].dtype.is_float:
        return False
    before, after = node.inputs[0].type, node.output.type
    return before.shape == after.shape and before.layout == after.layout
