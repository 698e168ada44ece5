"""Partial sums of a contraction whose depth is split: where they lie, and what adds them up.

They are tensors like the result, in its own order, one behind the other in scratch memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.types import F32

from ..builder import KernelBuilder
from ..emitter import Access, Emitter
from ..expressions import element, read
from ..nodes import KernelBody
from ..task import Task
from .flat import flat_kernel, padded_count


@dataclass(frozen=True, slots=True)
class Partials:
    """Of a value, in so many parts (``splits``)."""

    value: Value
    splits: int

    @property
    def scratch(self) -> Scratch:
        # Without a split nothing is written there; the kernel may still take the argument. A size
        # that is 1 at hand may be more elsewhere.
        whole = self.splits.__class__ is int and self.splits == 1
        elements = 16 if whole else self.splits * self._stride
        return Scratch(0, elements * F32.itemsize)

    @property
    def _stride(self) -> int:
        """Elements from one partial result to the next."""
        return padded_count(self.value.type.memory_size)

    def store(self, emitter: Emitter, access: Access, total: Expr) -> None:
        """What the program's part of the depth adds up to."""
        builder = emitter.builder
        pointer, stride = self._places(builder)
        index = emitter.address(access, self.value.type)
        split = builder.let(builder.program(1), "i", "split")
        mask = emitter.mask(index, access.guard)
        place = element(pointer, split * stride + builder.affine(index), mask)
        builder.store(place, total, emitter.spreads(index, access.guard))

    def added(self, task: Task, config: Config) -> KernelBody:
        """The second launch: a flat kernel that starts from the sum of the partial results."""
        why = f"adds the {self.splits} partial sums in fixed order"
        task = replace(task, given={self.value: self._sum})
        return flat_kernel(task, config, "sum_partials", why, ".sum")

    def _sum(self, emitter: Emitter, access: Access) -> Expr:
        builder = emitter.builder
        count = builder.size(builder.amount(self.splits, "splits"))
        index = emitter.address(access, self.value.type)
        pointer, stride = self._places(builder)
        mask = emitter.mask(index, access.guard)
        total = builder.declare(e.const(0.0), emitter.tile, "acc", "acc")
        with builder.loop(count, hint="split") as split:
            place = element(pointer, split * stride + builder.affine(index), mask)
            builder.increase(total, read(place))
        return total

    def _places(self, builder: KernelBuilder) -> tuple[Expr, Expr]:
        pointer = builder.pointer(self.scratch, F32, "partial")
        stride = builder.size(builder.amount(self._stride, "padded_count"), divisible=True)
        return pointer, stride
