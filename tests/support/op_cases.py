"""Test records of ops: samples to run, and inputs that their type rules refuse."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ir import expr as e
from ir.expr_exchange import substitute
from ir.layout import Layout
from ir.narrow import narrowed
from ir.op import Op, Property
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop
from ir.ops.pointwise import Map
from ir.types import DType, TensorType

RECORDS = Path(__file__).parents[1] / "ir" / "records"

Make = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Between 0.5 and 2: where logarithms, roots and quotients are smooth."""
    return rng.uniform(0.5, 2.0, shape)


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """No two elements closer than 0.1: an extremum does not change hands under small steps."""
    count = int(np.prod(shape))
    return (rng.permutation(count) * 0.1 - 0.05 * count + 0.01).reshape(shape)


def whole(low: int, high: int) -> Make:
    """Integers from low to high (not included)."""
    return lambda rng, shape: rng.integers(low, high, shape)


@dataclass(frozen=True)
class Input:
    """An array to make; ``layout``: of the memory in which the op takes it, if not row-major."""

    shape: tuple[int, ...]
    make: Make = normal
    dtype: DType = DType.F32
    layout: Layout | None = None

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)

    def array(self, rng: np.random.Generator) -> np.ndarray:
        """Float inputs come in double precision."""
        dtype = np.dtype(np.float64) if self.dtype.is_float else self.dtype.numpy
        return np.asarray(self.make(rng, self.shape)).astype(dtype)

    def held(self, rng: np.random.Generator) -> np.ndarray:
        """As memory holds it."""
        array = self.array(rng)
        if self.dtype.is_narrow:
            return narrowed(array.astype(np.float32), self.dtype)
        return array.astype(self.dtype.numpy)


@dataclass(frozen=True)
class OpCase:
    """One sample: an op, its inputs, and which of them have a derivative (by number)."""

    label: str
    op: Op
    inputs: tuple[Input, ...]
    differentiable: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.op.name}-{self.label}"


@dataclass(frozen=True)
class ErrorCase:
    """Inputs that ``infer`` refuses with a TypeError that says ``message``."""

    op: Op
    inputs: tuple[TensorType, ...]
    message: str

    def __str__(self) -> str:
        return f"{self.op.name}-{self.message.replace(' ', '_')[:40]}"


def f32(*shape: int) -> TensorType:
    return TensorType(shape)


def half(*shape: int) -> TensorType:
    return TensorType(shape, DType.F16)


def brain(*shape: int) -> TensorType:
    return TensorType(shape, DType.BF16)


def i32(*shape: int) -> TensorType:
    return TensorType(shape, DType.I32)


def _records(name: str) -> list[object]:
    found: list[object] = []
    for path in sorted(RECORDS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"op_records_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += getattr(module, name)
    return found


def all_cases() -> Sequence[OpCase]:
    return _records("CASES")  # type: ignore[return-value]


def kernel_cases() -> list[OpCase]:
    """Those that become kernels."""
    host = Property.HOST | Property.EFFECT | Property.DYNAMIC
    around = Fused | StepLoop
    return [c for c in all_cases() if not c.op.properties & host and not isinstance(c.op, around)]


def all_errors() -> Sequence[ErrorCase]:
    return _records("ERRORS")  # type: ignore[return-value]


def narrow_cases() -> list[OpCase]:
    """Those that need no host on floats of 16 bits, of both types."""
    apart = Property.HOST | Property.EFFECT | Property.DYNAMIC
    return [
        made
        for case in all_cases()
        if not case.op.properties & apart and not isinstance(case.op, Fused)
        for dtype in (DType.F16, DType.BF16)
        if any(x.dtype is DType.F32 for x in case.inputs)
        and (made := _narrow_twin(case, dtype)) is not None
    ]


def _narrow_twin(case: OpCase, dtype: DType) -> OpCase | None:
    """The same case on floats of 16 bits; None for what needs f32."""
    inputs = tuple(replace(x, dtype=dtype) if x.dtype is DType.F32 else x for x in case.inputs)
    op = case.op
    try:
        if isinstance(op, Map):
            renamed = {i: e.arg(i, inputs[i].dtype) for i in e.arguments(*op.exprs)}
            op = replace(op, exprs=tuple(substitute(x, renamed) for x in op.exprs))
        op.infer([x.type for x in inputs])
    except TypeError:  # what is mixed with an f32 of its own, or must be one
        return None
    return replace(case, label=f"{case.label}-{dtype}", op=op, inputs=inputs)
