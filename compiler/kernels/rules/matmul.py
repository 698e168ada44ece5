"""Matrix products as such."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.matmul import MatMul

from ..emitter import Access, Emitter
from ..monomial import Monomial
from ..products import Found, Places, Product, Read, view


@view(MatMul)
def matmul_product(emitter: Emitter, node: Node, op: MatMul) -> Product:
    a, b = node.inputs
    extent = emitter.builder.extent
    rows, columns = (extent(d, name) for d, name in zip(node.output.shape[-2:], "mn", strict=True))
    # One of the two may have it as the number that the weights have.
    depths = (a.shape[-2 if op.transpose_a else -1], b.shape[-1 if op.transpose_b else -2])
    depth = extent(next((d for d in depths if isinstance(d, int)), depths[0]), "k")
    batch = tuple(extent(d, f"batch{i}") for i, d in enumerate(a.shape[:-2]))

    def reader(extents: tuple[Monomial, Monomial], swap: bool) -> Read:
        def read(first: Places, second: Places, which: Places) -> Access:
            places, sizes = (first[0], second[0]), extents
            if swap:
                places, sizes = (second[0], first[0]), (extents[1], extents[0])
            return Access((*which, *places), (*batch, *sizes))

        return read

    def find(at: Access) -> Found:
        *which, row, column = at.coordinates
        return (row,), (column,), which

    return Product(
        batch,
        (rows,),
        (columns,),
        (depth,),
        (a, reader((rows, depth), op.transpose_a)),
        (b, reader((depth, columns), op.transpose_b)),
        reader((rows, columns), False),
        find,
    )
