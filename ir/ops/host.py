"""Host ops: Python callables in the graph (Python layers, file outputs)."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..op import Adjoint, GradientBuilder, Op, Property, register
from ..types import TensorType
from ..value import Value

HostFunction = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]

HostBackward = Callable[[Sequence[bool], Sequence[np.ndarray]], Sequence[np.ndarray]]
"""(which inputs need a cotangent; inputs, results and the results' cotangents, zeros where
nothing flows) -> one array per input that needs one."""


@register
@dataclass(frozen=True)
class HostCall(Op):
    """Calls ``forward`` with the input arrays; runs once per pass, in file order.

    ``types`` are the results' types. No function is part of the text form: ``label`` names the call
    there.
    """

    label: str
    types: tuple[TensorType, ...]
    forward: HostFunction | None = field(default=None, compare=False, repr=False)
    backward: HostBackward | None = field(default=None, compare=False, repr=False)
    name = "host_call"
    properties = Property.HOST | Property.EFFECT

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        return self.types

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        if self.forward is None:
            raise RuntimeError(f"host call {self.label!r} read from text has no function")
        return self.forward(inputs)

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        if self.backward is None:
            return [None] * len(at.inputs)
        cotangents = [
            b.fill(0.0, y.shape) if g is None else g
            for y, g in zip(at.outputs, at.cotangents, strict=True)
        ]
        op = HostCall(
            f"{self.label}.backward",
            tuple(x.type for x, needed in zip(at.inputs, at.wanted, strict=True) if needed),
            forward=functools.partial(self.backward, at.wanted),
        )
        found = iter(b.emit_all(op, *at.inputs, *at.outputs, *cotangents))
        return [next(found) if needed else None for needed in at.wanted]


def stand_in(op: Op) -> Op:
    """The op; with a function that depends on its inputs, if it is a host call that has none."""
    if not isinstance(op, HostCall) or op.forward is not None:
        return op

    def forward(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Fixed numbers, times one that changes with whatever is read; integers are 0."""
        rng = np.random.default_rng(zlib.crc32(op.label.encode("utf-8", "surrogateescape")))
        factor = 1.0 + sum(np.tanh(np.mean(a, dtype=np.float64)) for a in arrays if a.size)
        made = [np.asarray(rng.standard_normal(t.shape) * factor) for t in op.types]
        return [
            a if t.dtype.is_float else np.zeros(t.shape, t.dtype.numpy)
            for a, t in zip(made, op.types, strict=True)
        ]

    return replace(op, forward=forward)
