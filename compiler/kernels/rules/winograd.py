"""Emission of Winograd's transforms, element by element, for what has no schedule for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.winograd import WinogradInput, WinogradOutput, WinogradWeights
from ir.winograd import Matrix, inputs_of, matrices

from ..emitter import Access, Emitter, rule, zero
from ..index import ZERO, Affine
from ..monomial import Monomial

ReadPlace = Callable[[int, int], Expr]
"""Gives the element of a patch at a place."""


def patch_place(tile: int, number: Affine, step: int, pad: int) -> Affine:
    """Along one axis of an image: an element of the patch of a tile."""
    return number.scaled(Monomial.of(tile)).shifted(Monomial.of(step - pad))


def product_access(
    emitter: Emitter, product: int, channel: Affine, channels: Monomial, at: Access
) -> Access:
    """Of images of products, that of a channel in some tile: ``at`` says which image and tile."""
    place = channel.shifted(channels * Monomial.of(product)) if product else channel
    return at.moved(1, place, at.extents[1])


@rule(WinogradInput)
def emit_input(emitter: Emitter, node: Node, op: WinogradInput, number: int, at: Access) -> Expr:
    (x,) = node.inputs
    channels = x.shape[1]
    builder = emitter.builder
    product = emitter.quotient(at.coordinates[1], channels, "product")
    channel = emitter.remainder(at.coordinates[1], channels, "channel")
    extents = emitter.extents(x.shape)

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

    t = inputs_of(op.tile)
    left, right = _digits(emitter, product, t)
    return _transformed(emitter, matrices(op.tile).inputs, left, right, read, builder.affine)


@rule(WinogradWeights)
def emit_weights(
    emitter: Emitter, node: Node, op: WinogradWeights, number: int, at: Access
) -> Expr:
    (w,) = node.inputs
    results = w.shape[0]
    product = emitter.quotient(at.coordinates[0], results, "product")
    result = emitter.remainder(at.coordinates[0], results, "result")
    extents = emitter.extents(w.shape)

    def read(i: int, j: int) -> Expr:
        taps = [ZERO.shifted(Monomial.of(step)) if step else ZERO for step in (i, j)]
        access = Access((result, at.coordinates[1], *taps), extents, at.guard)
        return emitter.emit(w, access)

    left, right = _digits(emitter, product, inputs_of(op.tile))
    matrix = matrices(op.tile).weights
    return _transformed(emitter, matrix, left, right, read, emitter.builder.affine)


@rule(WinogradOutput)
def emit_output(emitter: Emitter, node: Node, op: WinogradOutput, number: int, at: Access) -> Expr:
    (x,) = node.inputs
    t = inputs_of(op.tile)
    extents = emitter.extents(x.shape)
    tiles = [emitter.quotient(at.coordinates[axis], op.tile, "tile") for axis in (2, 3)]
    places = [emitter.remainder(at.coordinates[axis], op.tile, "place") for axis in (2, 3)]
    channels = emitter.extents(node.outputs[number].shape)[1]
    here = Access((*at.coordinates[:2], *tiles), extents, at.guard)

    def read(i: int, j: int) -> Expr:
        return emitter.emit(
            x, product_access(emitter, i * t + j, at.coordinates[1], channels, here)
        )

    matrix = matrices(op.tile).results
    return _transformed(emitter, matrix, places[0], places[1], read, emitter.builder.affine)


def _digits(emitter: Emitter, product: Affine, t: int) -> tuple[Affine, Affine]:
    return emitter.quotient(product, t), emitter.remainder(product, t)


def _transformed(
    emitter: Emitter,
    matrix: Matrix,
    row: Affine,
    column: Affine,
    read: ReadPlace,
    affine: Callable[[Affine], Expr],
) -> Expr:
    """One element of ``L patch L^T``, whose row and column only the kernel knows."""
    builder = emitter.builder
    left = [_chosen(emitter, matrix, affine(row), i) for i in range(len(matrix[0]))]
    right = [_chosen(emitter, matrix, affine(column), j) for j in range(len(matrix[0]))]
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


def _chosen(emitter: Emitter, matrix: Matrix, row: Expr, column: int) -> Expr:
    """An element of a matrix by the number of its row."""
    numbers: Sequence[float] = [line[column] for line in matrix]
    found: Expr = e.const(numbers[-1])
    for number, value in reversed(list(enumerate(numbers[:-1]))):
        found = e.where(e.equal(row, number), e.const(value), found)
    return emitter.builder.let(found, "v")
