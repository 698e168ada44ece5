"""What diffs are multiplied with while they have 16 bits.

Those of float16 underflow below 6e-8. So backward begins with the loss's diff times a power of two,
and what it hands out is multiplied with its inverse: whoever looks sees the true diffs.
"""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.build import Builder
from ir.graph import Role, Value
from ir.types import TensorType

LOSS_SCALE, LOSS_UNSCALE = "loss_scale", "loss_unscale"
"""Names of their ports, f32[1], HYPER."""


@dataclass(frozen=True, slots=True)
class LossScale:
    """The ports of a graph that is being made."""

    scale: Value
    inverse: Value

    @staticmethod
    def ports(b: Builder) -> LossScale:
        one = TensorType((1,))
        return LossScale(*(b.input(n, one, Role.HYPER) for n in (LOSS_SCALE, LOSS_UNSCALE)))

    def seed(self, b: Builder, number: float, like: Value) -> Value:
        """A constant diff."""
        return b.map(e.arg(0) * number, _beside(b, self.scale, like), shape=like.shape)

    def entering(self, b: Builder, diff: Value) -> Value:
        return b.map(e.arg(0) * e.arg(1), diff, _beside(b, self.scale, diff))

    def leaving(self, b: Builder, diff: Value) -> Value:
        return b.map(e.arg(0) * e.arg(1), diff, _beside(b, self.inverse, diff))

    def added(self, b: Builder, before: Value, diff: Value) -> Value:
        """To what there was."""
        inverse = _beside(b, self.inverse, diff)
        return b.map(e.arg(0) + e.arg(1) * e.arg(2), before, diff, inverse)


def _beside(b: Builder, number: Value, tensor: Value) -> Value:
    """A number that is repeated along all axes of a tensor."""
    return b.reshape(number, (1,) * len(tensor.shape))
