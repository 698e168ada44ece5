"""Emission of Winograd's transforms, element by element, for what has no schedule for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.winograd import WinogradInput, WinogradOutput, WinogradWeights
from ir.patches import Matrix
from ir.winograd import inputs_of, matrices

from ..builder import KernelBuilder
from ..emitter import Access, Emitter, rule, zero
from ..index import ZERO, Affine
from ..monomial import Monomial
from ..patches import patch_place, product_access

ReadPlace = Callable[[int, int], Expr]
"""Gives the element of a patch at a place."""


@rule(WinogradInput)
def emit_input(emitter: Emitter, node: Node, op: WinogradInput, number: int, at: Access) -> Expr:
    (x,) = node.inputs
    extents = emitter.extents(x.shape)
    t = Monomial.of(inputs_of(op.tile))
    left, right, channel = emitter.split(at.coordinates[1], (t, t, extents[1]))

    def read(i: int, j: int) -> Expr:
        places: list[Affine] = []
        conditions: list[Expr] = []
        for axis, step in ((2, i), (3, j)):
            pad = op.pad[axis - 2]
            place = patch_place(op.tile, at.coordinates[axis], step, pad)
            conditions += emitter.inside(place, step < pad, extents[axis])
            places.append(place)
        access = Access((at.coordinates[0], channel, *places), extents, at.guard)
        value = emitter.emit(x, access.guarded(*conditions))
        return emitter.chosen(tuple(conditions), value, zero(x.type.dtype))

    return _transformed(emitter, matrices(op.tile).inputs, left, right, read)


@rule(WinogradWeights)
def emit_weights(
    emitter: Emitter, node: Node, op: WinogradWeights, number: int, at: Access
) -> Expr:
    (w,) = node.inputs
    extents = emitter.extents(w.shape)
    t = Monomial.of(inputs_of(op.tile))
    left, right, result = emitter.split(at.coordinates[0], (t, t, extents[0]))

    def read(i: int, j: int) -> Expr:
        taps = [ZERO.shifted(Monomial.of(step)) if step else ZERO for step in (i, j)]
        access = Access((result, at.coordinates[1], *taps), extents, at.guard)
        return emitter.emit(w, access)

    return _transformed(emitter, matrices(op.tile).weights, left, right, read)


@rule(WinogradOutput)
def emit_output(emitter: Emitter, node: Node, op: WinogradOutput, number: int, at: Access) -> Expr:
    (x,) = node.inputs
    t = inputs_of(op.tile)
    extents = emitter.extents(x.shape)
    tiles = [emitter.quotient(at.coordinates[axis], op.tile, "tile") for axis in (2, 3)]
    places = [emitter.remainder(at.coordinates[axis], op.tile, "place") for axis in (2, 3)]
    channels = emitter.extents(node.outputs[number].shape)[1]
    here = Access((*at.coordinates[:2], *tiles), extents, at.guard)
    for tile, extent in zip(tiles, extents[2:], strict=True):  # what lies behind it has no bounds
        here = here.guarded(*emitter.inside(tile, False, extent))

    def read(i: int, j: int) -> Expr:
        return emitter.emit(x, product_access(i * t + j, channels, here))

    return _transformed(emitter, matrices(op.tile).results, places[0], places[1], read)


def _transformed(
    emitter: Emitter, matrix: Matrix, row: Affine, column: Affine, read: ReadPlace
) -> Expr:
    """One element of ``L patch L^T``, whose row and column only the kernel knows."""
    builder = emitter.builder
    left = [_chosen(builder, matrix, row, i) for i in range(len(matrix[0]))]
    right = [_chosen(builder, matrix, column, j) for j in range(len(matrix[0]))]
    total: Expr | None = None
    for j, factor in enumerate(right):
        part: Expr | None = None
        for i, other in enumerate(left):
            term = other * read(i, j)
            part = builder.let(term if part is None else part + term, "v")
        assert part is not None, "matrices have columns"
        total = builder.let(factor * part if total is None else total + factor * part, "v")
    assert total is not None, "matrices have columns"
    return total


def _chosen(builder: KernelBuilder, matrix: Matrix, row: Affine, column: int) -> Expr:
    """An element of a matrix by the number of its row."""
    numbers: Sequence[float] = [line[column] for line in matrix]
    found: Expr = e.const(numbers[-1])
    for number, value in reversed(list(enumerate(numbers[:-1]))):
        found = e.where(e.equal(builder.affine(row), number), e.const(value), found)
    return builder.let(found, "v")
