"""Which neighbouring digits are one loop: found by a trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.op import Property
from ir.types import I32, TensorType

from ...builder import KernelBuilder
from ...expressions import Local, ref
from ...index import Affine, Base
from ...monomial import ONE, Monomial
from ...task import Task
from .digits import DigitGroups, MemoryDigit, digits_of, split_places
from .emitter import NestEmitter, emission
from .tile import ONE_VECTOR


@dataclass
class JoinedDigits:
    """What a trial says: the digits that are one loop, whether memory is one row of elements."""

    groups: DigitGroups
    flat: bool
    reads: list[tuple[Value, Affine]] = field(default_factory=list)


WriteElement = Callable[[NestEmitter, list[MemoryDigit], Sequence[Affine]], list[Affine]]
"""Writes all that one element takes; gives the addresses that are stored to."""


def planned(
    task: Task,
    type: TensorType,
    write: WriteElement,
    lanes: int,
    apart: Callable[[MemoryDigit, MemoryDigit], bool] = lambda a, b: False,
) -> JoinedDigits:
    """Which digits of a tensor's memory every operand counts alike, by a trial.

    ``apart``: neighbours that are two loops in any case.
    """
    builder = _Recorder(task.builder())
    trial = emission(task, builder, lanes)
    digits = digits_of(trial, type)
    if not digits:
        return JoinedDigits((), True)
    bases = [Base(ref(Local("i", "", I32)), below=d.block) for d in digits]
    bases[-1] = Base(ref(Local("i", "", I32, ONE_VECTOR)), below=digits[-1].block)
    groups = tuple((n,) for n in range(len(digits)))
    written = write(trial, digits, split_places(digits, groups, bases))
    indices = [*builder.indices, *written]
    joined: list[tuple[int, ...]] = [(0,)]
    for n in range(1, len(digits)):
        block = trial.shifts and n == len(digits) - 1
        fits = (
            not block
            and not apart(digits[n - 1], digits[n])
            and all(
                _continues(index, bases[n - 1], bases[n], digits[n].extent) for index in indices
            )
        )
        joined = [*joined[:-1], (*joined[-1], n)] if fits else [*joined, (n,)]
    weights = [w for index in indices for r, w in index.terms if r.base is bases[-1]]
    return JoinedDigits(
        tuple(joined), len(joined) == 1 and all(w == ONE for w in weights), trial.reads
    )


def _continues(index: Affine, outer: Base, inner: Base, extent: Monomial) -> bool:
    """Whether two digits mean to an index what one of both would."""
    if any(r.inner != ONE for r, _ in index.terms if r.base is outer or r.base is inner):
        return False
    above = [w for r, w in index.terms if r.base is outer]
    below = [w for r, w in index.terms if r.base is inner]
    if not above and not below:
        return True
    return len(above) == len(below) == 1 and above[0] == below[0] * extent


def is_pointwise(task: Task) -> bool:
    """Whether nothing is addressed by what was computed, so that any element may be computed."""
    kinds = Property.POINTWISE | Property.VIEW
    return all(node.op.properties & kinds for node in task.body.nodes)


class _Recorder(KernelBuilder):
    """Writes variables for indices, and notes which."""

    def __init__(self, like: KernelBuilder) -> None:
        super().__init__(like.wide, like.unrolled)
        self.indices: dict[Affine, Expr] = {}

    def affine(self, index: Affine) -> Expr:
        if index.is_zero:
            return e.const(0)
        found = self.indices.get(index)
        if found is None:
            found = ref(Local("q", "", I32, index.axes))
            self.indices[index] = found
        return found
