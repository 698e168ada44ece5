"""Operands that are several tensors one after the other, of which no two share a block of memory:
where a block begins it is asked which of them it is in, and nothing is copied.

before: ``x = concat(a, b)`` in memory of its own
after:  ``at = block < 4 ? a + block * 784 : b + (block - 4) * 784``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from ..emitter import Access, Emitter
from ..expressions import address_of
from ..index import Affine


class OperandPart(NamedTuple):
    """A tensor, where it is read, and whether the place is before its end (the last: always)."""

    value: Value
    access: Access
    inside: Expr | None


def parts_of(emitter: Emitter, value: Value, at: Access) -> Iterator[OperandPart]:
    """What a value is made of, at a place where a block begins; most are made of themselves."""
    node = emitter.body.producers.get(value)
    axis = None if node is None else node.op.parts_axis
    if node is None or axis is None:
        yield OperandPart(value, at, None)
        return
    index = at.coordinates[axis]
    for number, x in enumerate(node.inputs, 1):
        extent = emitter.builder.extent(x.shape[axis], f"part{number}")
        inside = emitter.inside(index, False, extent) if number < len(node.inputs) else (None,)
        yield OperandPart(x, at.moved(axis, index, extent), inside[0])
        index = index.shifted(-extent)


def located_parts(emitter: Emitter, parts: Sequence[OperandPart]) -> tuple[Expr, Affine]:
    """From which address on the part is read that a place is in, and where: what the addresses of
    all parts have in common."""
    places = [emitter.address(part.access, part.value.type) for part in parts]
    if len(parts) == 1:
        return emitter.pointer(parts[0].value), places[0]
    alike = tuple(t for t in places[0].terms if all(t in place.terms for place in places))
    chosen: Expr | None = None
    for part, place in zip(reversed(parts), reversed(places), strict=True):
        own = Affine(tuple(t for t in place.terms if t not in alike), place.offsets)
        start = address_of(emitter.pointer(part.value), emitter.builder.affine(own))
        if part.inside is not None and chosen is not None:
            start = e.where(part.inside, start, chosen)
        chosen = start
    assert chosen is not None, "a value has parts"
    return emitter.builder.address(chosen), Affine(alike)
