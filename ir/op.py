"""What an op is: typed attributes, a type rule, a meaning, a gradient, properties.

Passes and backends ask an op for its properties; none keeps a list of op names. An op
is a frozen dataclass whose fields are its attributes (ints, floats, strings, bools,
tuples of these, expressions, or a nested graph), which is all the text form needs.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np

from .expr import Expr, Operand
from .layout import Layout
from .location import Location
from .narrow import sums_of
from .patches import PatchTransform
from .types import DType, TensorType
from .value import Value

Steps = Callable[[Expr], int]
"""Operations that a scalar expression is, without its operands: a device knows."""


class Property(enum.Flag):
    """What passes may know of an op."""

    NONE = 0
    POINTWISE = enum.auto()  # one result element from the same element of every input
    MOVEMENT = enum.auto()  # every result element is one input element, or padding
    VIEW = enum.auto()  # result occupies the input's buffer, order in memory unchanged
    WHOLE = enum.auto()  # the inputs lie in the result's buffer: nothing is left to do
    LOCAL = enum.auto()  # a result element needs a small fixed neighbourhood of the input
    REDUCTION = enum.auto()  # result elements sum up (or compare) whole axes of the input
    CONTRACTION = enum.auto()  # a product summed over an axis: matrix units do it
    RANDOM = enum.auto()  # uses the counter-based generator
    HOST = enum.auto()  # a callable on the host
    EFFECT = enum.auto()  # must run, in file order, exactly once
    DYNAMIC = enum.auto()  # result size depends on data
    REPEATED = enum.auto()  # runs a graph of its own many times

    def __and__(self, other: Property) -> Property:
        """Passes ask this all the time: what was met before is looked up."""
        both = self._value_ & other._value_
        found = _MET.get(both)
        return _MET.setdefault(both, Property(both)) if found is None else found


_MET: dict[int, Property] = {}

_BY_ELEMENT = Property.POINTWISE | Property.MOVEMENT | Property.LOCAL | Property.CONTRACTION


DEVIATIONS = "deviations"
"""The reduction that sums squares of what elements differ by from their mean."""


@dataclass(frozen=True, slots=True)
class AxisFold:
    """How a reduction makes one element of whole axes, which stay with extent 1.

    ``kind`` is sum, prod, max, min or :data:`DEVIATIONS`. ``tie``: the result is not the extremum
    but its place along the only axis (i32), of several equal ones the ``first`` or the ``last``.
    """

    kind: str
    axes: tuple[int, ...]
    tie: str = ""


class Channels(NamedTuple):
    """An axis of a tensor that counts channels, as of so many groups that never meet."""

    axis: int
    groups: int = 1


class Cut(NamedTuple):
    """Elements ``start`` to ``stop`` (not included) along an axis."""

    axis: int
    start: int
    stop: int


def channel_axis(rank: int) -> int | None:
    """Where a tensor of ``rank`` has its channels: Caffe's blobs are N x C x H x W."""
    return 1 if rank > 1 else None


class Op(ABC):
    """Base of all ops. Subclasses are frozen dataclasses registered by :func:`register`."""

    name: ClassVar[str]
    properties: ClassVar[Property] = Property.NONE

    @abstractmethod
    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Result types. Raises TypeError naming what does not fit; the verifier re-runs it."""

    @abstractmethod
    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        """The meaning, in numpy. Must work for float32 and float64 inputs alike."""

    def gradient(self, b: GradientBuilder, at: Adjoint) -> Sequence[Value | None]:
        """Build the cotangent of every input (None: no gradient flows there).

        Called only when at least one result has a cotangent. Default: none flows.
        """
        return [None] * len(at.inputs)

    @property
    def fold(self) -> AxisFold | None:
        """Of a REDUCTION: what it is, unless it does more and has a kernel of its own (None)."""
        return None

    @property
    def reduced_axes(self) -> tuple[int, ...]:
        """The axes that are folded, none for ops that fold none."""
        return self.fold.axes if self.fold else ()

    def channel_axis(self, rank: int) -> int | None:
        """The axis of a result of ``rank`` that is the channels: its extent is the net's, the same
        for every batch and image, so that kernels take it for a constant. None: there is none.

        An op that puts channels elsewhere than :func:`channel_axis` says where.
        """
        return channel_axis(rank)

    def weights_channel(self, rank: int) -> int | None:
        """Of a CONTRACTION: the axis of its second operand, of ``rank``, that becomes the result's
        channels. To scale the operand along it scales the result. None: there is none."""
        return None

    @property
    def channels(self) -> tuple[tuple[Channels, ...], ...]:
        """Of a CONTRACTION over positions of images, or a part of one: where each operand, and the
        result, has channels. An image (N x C x extents) has them along one axis; weights first
        along that of the operand's, then along that of the result's. Empty: it is no such
        contraction."""
        return ()

    @property
    def images(self) -> tuple[bool, ...]:
        """Likewise, whether each is an image; else it holds weights."""
        return tuple(len(channels) == 1 for channels in self.channels)

    @property
    def outer_axes(self) -> tuple[int, int] | None:
        """Of a product of two matrices: the axis of each that becomes one of the result, of the
        first its rows, of the second its columns. None: it is no such product."""
        return None

    def may_alias(self, operand: tuple[int, ...], result: tuple[int, ...]) -> bool:
        """Whether a result may share the buffer of an operand, given their shapes: its elements
        read the operand at their own flat position only. Then one kernel may compute both, too."""
        alike = self.properties & Property.POINTWISE and operand == result
        return bool(alike or self.properties & Property.VIEW)

    def viewed(self, operand: TensorType) -> TensorType | None:
        """Of a VIEW: the type of its result, with the layout under which the operand's memory is
        the result. None: there is none, the operand has to be copied to another layout first."""
        raise NotImplementedError(f"{self.name} is no view")

    @property
    def any_layout(self) -> bool:
        """Whether operands and results may lie in memory in any order: kernels that are made
        element by element ask for an element by its coordinates. What runs on the host or has a
        kernel of its own reads memory itself, and takes it row-major."""
        return self.fold is not None or bool(self.properties & _BY_ELEMENT)

    @property
    def offset_axis(self) -> int | None:
        """Of a MOVEMENT of one input: the axis along which all elements move by one offset, and
        nothing else happens. To read the result is to read the input at another address."""
        return None

    @property
    def cut(self) -> Cut | None:
        """Of a MOVEMENT of one input: what of it the result is, if that is all it does."""
        return None

    @property
    def parts_axis(self) -> int | None:
        """Of a MOVEMENT: the axis along which the inputs stand one after the other, and nothing
        else happens. An element of the result is one of the input that its place is in."""
        return None

    @property
    def counted_axis(self) -> int | None:
        """Of a DYNAMIC op of (x, n i32[1]): the axis along which its result is the first n
        elements of x, if that is all it does. Who runs it may compute x and n alone."""
        return None

    @property
    def tells_size(self) -> bool:
        """Whether sizes of its results may come out only when it runs, as of what calls a user's
        code: what reads them is planned then."""
        return bool(self.properties & (Property.EFFECT | Property.DYNAMIC))

    def in_place(self) -> Op | None:
        """Likewise, the op that leaves the inputs where they are written: a WHOLE. None: there is
        none."""
        return None

    def works_by_parts(self, axis: int) -> bool:
        """Of an op of one input: whether it makes of a part along an axis that part of the
        results."""
        return False

    @property
    def cost(self) -> int:
        """Arithmetic per result element: 1 per simple operation, more for slower ones."""
        return 1

    @property
    def plain_pad(self) -> tuple[int, ...] | None:
        """Of a CONTRACTION that correlates images with windows of weights, position by position,
        all channels with all: the zeros around the image. None: it does something else."""
        return None

    @property
    def patches(self) -> PatchTransform | None:
        """What it does to patches of an image, if that is all it does."""
        return None

    def multiply_adds(self, inputs: Sequence[TensorType], results: Sequence[TensorType]) -> int:
        """Of a CONTRACTION: how many products it adds up, those with padding too. 0 for others."""
        return 0

    def operations(
        self, inputs: Sequence[TensorType], results: Sequence[TensorType], steps: Steps
    ) -> int:
        """How much arithmetic it is besides, of all elements, each computed once; 0: only moves."""
        return 0


@dataclass(frozen=True, slots=True)
class Adjoint:
    """What backward knows where an op stands: its values and the cotangents of its results."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    cotangents: tuple[Value | None, ...]  # None: nothing flows back through that result
    wanted: tuple[bool, ...]  # inputs that need no cotangent may get None

    @property
    def cotangent(self) -> Value:
        """The cotangent of the only result."""
        (g,) = self.cotangents
        assert g is not None
        return g


class GradientBuilder(Protocol):
    """What gradients are built with: methods of :class:`ir.build.Builder`, which knows the ops.

    ``nodes``: of :mod:`ir.graph`, which knows the ops, too.
    """

    name: str
    nodes: list[Any]

    def input(self, name: str, type: TensorType) -> Value: ...
    def unique(self, name: str) -> str: ...
    def backward(
        self, outputs: Mapping[Value, Value], wanted: Sequence[Value]
    ) -> dict[Value, Value]: ...
    def emit(self, op: Op, *inputs: Value) -> Value: ...
    def emit_all(self, op: Op, *inputs: Value, names: Sequence[str] = ()) -> tuple[Value, ...]: ...
    def map(self, expr: Operand, *inputs: Value, shape: Sequence[int] | None = None) -> Value: ...
    def maps(
        self, exprs: Sequence[Expr], *inputs: Value, shape: Sequence[int] | None = None
    ) -> tuple[Value, ...]: ...
    def fill(self, number: Operand, shape: Sequence[int]) -> Value: ...
    def broadcast(self, x: Value, shape: Sequence[int]) -> Value: ...
    def sum(self, x: Value, axes: Sequence[int]) -> Value: ...
    def reshape(self, x: Value, shape: Sequence[int]) -> Value: ...
    def copy(self, x: Value, layout: Layout | None = None) -> Value: ...
    def cast(self, x: Value, dtype: DType) -> Value: ...
    def transpose(self, x: Value, order: Sequence[int]) -> Value: ...
    def slice(self, x: Value, axis: int, start: int, stop: int) -> Value: ...
    def concat(self, values: Sequence[Value], axis: int) -> Value: ...
    def pad(
        self, x: Value, low: Sequence[int], high: Sequence[int], value: float = 0.0
    ) -> Value: ...
    def matmul(
        self, a: Value, c: Value, *, transpose_a: bool = False, transpose_b: bool = False
    ) -> Value: ...
    def at(
        self, location: Location | None = None, hint: str | None = None, direction: Any = None
    ) -> AbstractContextManager[None]: ...
    def nested(self, name: str) -> Self: ...


OPS: dict[str, type[Op]] = {}


def register(cls: type[Op]) -> type[Op]:
    """Class decorator: make the op known to the text form, by its name."""
    if cls.name in OPS:
        raise ValueError(f"op {cls.name!r} is registered twice")
    OPS[cls.name] = cls
    return cls


def require(condition: bool, message: str) -> None:
    """Type rules' check: TypeError with the message unless the condition holds."""
    if not condition:
        raise TypeError(message)


def require_factors(a: TensorType, b: TensorType) -> DType:
    """TypeError unless elements of two tensors can be multiplied and summed as they are.

    Returns the type of the sums.
    """
    if a.dtype is not b.dtype or not a.dtype.is_float:
        raise TypeError(f"factors of {a.dtype} and {b.dtype}: both must be of one float type")
    return sums_of(a.dtype)
