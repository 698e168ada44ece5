"""Results whose size depends on data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RoasteryError
from ..location import Location
from ..op import Op, Property, register, require
from ..types import I32, TensorType


class SizeChanged(RoasteryError):
    """A result came out with another size than the graph was made for.

    An executor that can follow lowers the net again with ``shapes`` among the shapes it gives to
    lowering, and goes on from the layer that raised this; nothing before it changes.

    Attributes:
        shapes: what came out, under the names by which lowering looks for it.
    """

    def __init__(
        self, shapes: Mapping[str, tuple[int, ...]], location: Location | None = None
    ) -> None:
        shown = ", ".join(f"'{name}' is {list(shape)}" for name, shape in shapes.items())
        super().__init__(
            f"a size that depends on data changed: {shown}",
            location=location,
            hint="this executor runs a net at fixed sizes only",
        )
        self.shapes = dict(shapes)


@register
@dataclass(frozen=True)
class NonZero(Op):
    """(x) -> i32[count]: flat places of the elements that are not 0, ascending (Caffe's Filter).

    ``count`` is what the graph was made for. Where x holds another number of them, ``reference``
    raises :class:`SizeChanged` with the number under ``key``.
    """

    count: int
    key: str
    name = "nonzero"
    properties = Property.HOST | Property.DYNAMIC

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require(0 <= self.count <= x.size, f"{self.count} of {x.size} elements")
        return (TensorType((self.count,), I32),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        places = np.flatnonzero(inputs[0]).astype(np.int32)
        if len(places) != self.count:
            raise SizeChanged({self.key: (len(places),)})
        return [places]


@register
@dataclass(frozen=True)
class Trim(Op):
    """(x, n i32[1]) -> the first ``count`` elements of x along ``axis``, which is its first of more
    than one element. The last node of a layer whose top has as many rows as were found.

    ``count`` is what the graph was made for. Where n is another number, ``reference`` raises
    :class:`SizeChanged` with it under ``key``. A partition that ends there is run without the node:
    then x is computed in memory of its own size, n is read back, and the blob shows so many rows.
    """

    count: int
    axis: int
    key: str
    name = "trim"
    properties = Property.HOST | Property.DYNAMIC

    @property
    def counted_axis(self) -> int:
        return self.axis

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, n = inputs
        require(n == TensorType((1,), I32), f"{n} is not i32[1]")
        require(0 <= self.axis < x.rank, f"axis {self.axis} of {x}")
        require(
            all(d == 1 for d in x.shape[: self.axis]), f"axis {self.axis} of {x} is an inner one"
        )
        require(0 <= self.count <= x.shape[self.axis], f"{self.count} of {x} along {self.axis}")
        shape = (*x.shape[: self.axis], self.count, *x.shape[self.axis + 1 :])
        return (TensorType(shape, x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        x, n = inputs
        if int(n[0]) != self.count:
            raise SizeChanged({self.key: (int(n[0]),)})
        return [np.ascontiguousarray(x.take(range(self.count), axis=self.axis))]
