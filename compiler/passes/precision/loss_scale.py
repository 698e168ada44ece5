"""What diffs are multiplied with while they have 16 bits.

Those of float16 underflow below 6e-8. So backward begins with the loss's diff times a power of two,
and what it hands out is multiplied with its inverse: whoever looks sees the true diffs. So do
Python layers, which may do anything with them, or leave those of their tops out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ir import expr as e
from ir.build import Builder
from ir.graph import Direction, Node, Role, Value
from ir.op import Property
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

    def around_host_calls(self, b: Builder, start: int) -> None:
        """Give the host calls among a backward's nodes, which begin at ``start``, true diffs, and
        take such from them."""
        nodes = b.nodes[start:]
        del b.nodes[start:]
        diffs = {v for node in nodes for v in node.outputs}
        for node in nodes:
            if node.op.properties & Property.EFFECT:
                with b.at(node.location, node.outputs[0].name, Direction.BACKWARD):
                    self._around(b, node, diffs)
            else:
                b.nodes.append(node)

    def _around(self, b: Builder, call: Node, diffs: set[Value]) -> None:
        taken = tuple(self.leaving(b, v) if v in diffs else v for v in call.inputs)
        given = tuple(Value(b.unique(f"{v.name}.true"), v.type) for v in call.outputs)
        b.nodes.append(replace(call, inputs=taken, outputs=given))
        for diff, scaled in zip(given, call.outputs, strict=True):
            self.entering(b, diff)
            b.nodes[-1] = replace(b.nodes[-1], outputs=(scaled,))


def _beside(b: Builder, number: Value, tensor: Value) -> Value:
    """A number that is repeated along all axes of a tensor."""
    return b.reshape(number, (1,) * len(tensor.shape))
