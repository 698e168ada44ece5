"""Rows of which the largest elements are asked for, as kernels see them."""

from __future__ import annotations

from dataclasses import dataclass

from ir.expr import Expr
from ir.graph import Node, Value
from ir.ops.sort import TopK

from ...builder import KernelBuilder
from ...expressions import as_computed, computed, element, order_key, read
from ...schedules.single import pointer_to
from ...task import Task

LEAST_KEY = -(2**31)


@dataclass(frozen=True, slots=True)
class RowsToSort:
    """The rows of a node, for one of its kernels."""

    task: Task
    node: Node
    builder: KernelBuilder

    @property
    def op(self) -> TopK:
        op = self.node.op
        assert isinstance(op, TopK)
        return op

    @property
    def x(self) -> Value:
        return self.node.inputs[0]

    @property
    def length(self) -> int:
        return self.x.shape[-1]

    @property
    def k(self) -> int:
        return self.node.outputs[0].shape[-1]

    @property
    def rows(self) -> int:
        return self.x.type.size // self.length

    @property
    def size(self) -> Expr:
        """The elements of a row."""
        return self.builder.size(self.builder.extent(self.length, "length"))

    @property
    def count(self) -> Expr:
        """Those that are asked for."""
        return self.builder.size(self.builder.extent(self.k, "count"))

    def at(self, row: Expr, place: Expr, mask: tuple[Expr, ...] = ()) -> Expr:
        pointer = pointer_to(self.task, self.builder, self.x)
        return element(pointer, row * self.size + place, mask)

    def key(self, row: Expr, place: Expr, mask: tuple[Expr, ...] = ()) -> Expr:
        """An integer for an element: they are in the order of elements."""
        value = self.builder.let(read(self.at(row, place, mask)), "x", "value")
        return order_key(as_computed(value)) if computed(value.dtype).is_float else value

    def tell(self, row: Expr, spot: Expr, place: Expr, mask: tuple[Expr, ...] = ()) -> None:
        """Store an element, and where it is, as far as somebody reads it."""
        wanted = {port.value for port, _ in self.task.ports}
        value, number = self.node.outputs
        if value in wanted:
            to = element(pointer_to(self.task, self.builder, value), spot, mask)
            self.builder.store(to, read(self.at(row, place, mask)))
        if number in wanted:
            to = element(pointer_to(self.task, self.builder, number), spot, mask)
            self.builder.store(to, place)
