"""Groups that differ in names alone: one of them is printed, and the others are launched like it.

Nets repeat themselves: more than half of the groups of a ResNet-50 are like an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from compiler.kernel import Argument, Launch
from ir.graph import Node, Value
from ir.ops.fusion import Fused
from ir.text import format_op

from .nodes import KernelBody
from .placement import placement

Lowered = Sequence[Launch]


def structure(node: Node) -> str:
    """Of a fused node, what its kernels depend on: all but names and places.

    A text, and no tuple of what it says: 0.0 and -0.0, 1 and True compare equal, but are printed
    as two kernels.
    """
    op = node.op
    assert isinstance(op, Fused)
    numbers = {port.value: number for number, port in enumerate(op.body.inputs)}
    lines = [f"{op.schedule} {op.bundled}", *placement(op)]
    lines += [str(v.type) for v in (*node.inputs, *node.outputs)]
    lines.append(f"{_numbered(node.inputs)} {_numbered(node.outputs)}")
    for inner in op.body.nodes:
        operands = [numbers[value] for value in inner.inputs]
        for value in inner.outputs:
            numbers[value] = len(numbers)
        lines.append(f"{format_op(inner.op)} {operands} {[str(v.type) for v in inner.outputs]}")
    lines.append(str([numbers[port.value] for port in op.body.outputs]))
    return "\n".join(lines)


def _numbered(values: Sequence[Value]) -> list[int]:
    """Which of them are one value."""
    return [values.index(value) for value in values]


@dataclass(slots=True)
class Alike:
    """Launches of nodes, made once for each structure. For a graph whose sizes are known, whatever
    passes make of it.

    Args:
        lower: makes those of a node.
    """

    lower: Callable[[Node], Lowered]
    _made: dict[str, tuple[Node, Lowered]] = field(default_factory=dict)

    def __call__(self, node: Node) -> Lowered:
        key = structure(node)
        if key not in self._made:
            self._made[key] = node, self.lower(node)
        first, launches = self._made[key]
        if first is node:
            return launches
        return [self._like(launch, number, first, node) for number, launch in enumerate(launches)]

    def _like(self, launch: Launch, number: int, first: Node, node: Node) -> Launch:
        """A launch of one node, on the values of another one."""
        before, after = (*first.inputs, *first.outputs), (*node.inputs, *node.outputs)
        values = dict(zip(before, after, strict=True))

        def other(argument: Argument) -> Argument:
            return values[argument] if isinstance(argument, Value) else argument

        labels = first.op, node.op
        assert isinstance(labels[0], Fused) and isinstance(labels[1], Fused)
        return replace(
            launch,
            arguments=tuple(map(other, launch.arguments)),
            label=labels[1].label + launch.label.removeprefix(labels[0].label),
            location=node.location,
            outputs=tuple(v if not isinstance(v, Value) else values[v] for v in launch.outputs),
            readable=lambda: self.lower(node)[number].readable(),
            body=launch.body and (lambda: self._body(node, number)),
        )

    def _body(self, node: Node, number: int) -> KernelBody:
        body = self.lower(node)[number].body
        assert body is not None, "a launch of the same structure has one"
        return body()
