"""Evaluate scalar expressions with numpy, for whole arrays at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .expr import Expr, walk
from .narrow import as_stored
from .philox import philox, uniform
from .size import value_of
from .types import DType


def _sigmoid(a: Any) -> Any:
    # 0.5 * tanh(a / 2) + 0.5 does not overflow for any a.
    return 0.5 * np.tanh(0.5 * a) + 0.5


def _rand(seed: Any, c0: Any, c1: Any, c2: Any) -> Any:
    return uniform(philox(seed, c0, c1, c2))


NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "neg": np.negative,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "floor": np.floor,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "where": np.where,
    "rand": _rand,
}


def evaluate(
    roots: Sequence[Expr], inputs: Sequence[np.ndarray], shape: tuple[int, ...], real: np.dtype
) -> list[np.ndarray]:
    """One array of ``shape`` per root.

    Args:
        inputs: arrays that broadcast to ``shape``; of types of 16 bits numbers of ``real``.
        real: dtype that plays f32 (float64 makes the whole evaluation double precision).
    """
    order = walk(*roots)
    uses: Counter[Expr] = Counter(operand for node in order for operand in node.args)
    uses.update(roots)
    done: dict[Expr, Any] = {}
    with np.errstate(all="ignore"):
        for node in order:
            done[node] = _value(node, done, inputs, shape, real)
            uses.subtract(node.args)
            for operand in node.args:  # what nothing reads any more gives its memory back
                if not uses[operand]:
                    done.pop(operand, None)
    results = []
    for root in roots:
        dtype = real if _is_real(root.dtype) else root.dtype.numpy
        array = np.asarray(done[root], dtype)
        if array.shape != shape:
            array = np.broadcast_to(array, shape)
        results.append(np.ascontiguousarray(array) if shape else array.reshape(shape))
    return results


def _is_real(dtype: DType) -> bool:
    """Whether numbers of a type are computed with as f32."""
    return dtype is DType.F32 or dtype.is_narrow


def _value(
    node: Expr,
    done: dict[Expr, Any],
    inputs: Sequence[np.ndarray],
    shape: tuple[int, ...],
    real: np.dtype,
) -> Any:
    if node.op == "arg":
        return inputs[int(node.value)]  # type: ignore[arg-type]
    if node.op in ("const", "dyn"):
        dtype = real if _is_real(node.dtype) else node.dtype.numpy
        return dtype.type(value_of(node.value))  # type: ignore[arg-type]
    if node.op == "index":
        axis = int(node.value)  # type: ignore[arg-type]
        extents = [1] * len(shape)
        extents[axis] = shape[axis]
        return np.arange(shape[axis], dtype=np.int32).reshape(extents)
    if node.op == "linear":
        return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    operands = [done[a] for a in node.args]
    if node.op in ("stop", "grad_as"):
        return operands[0]
    if node.op == "to_float":
        return np.asarray(operands[0]).astype(real)
    if node.op in ("to_f16", "to_bf16"):
        return as_stored(np.asarray(operands[0]), node.dtype)
    if node.op == "to_int":
        return np.asarray(operands[0]).astype(np.int32)
    return NUMPY[node.op](*operands)
