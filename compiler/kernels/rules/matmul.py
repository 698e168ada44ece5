"""Matrix products as such."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.matmul import MatMul

from ..emitter import Access, Emitter
from ..products import Found, KnownSizes, Places, Product, Read, view
from ..size import Size


@view(MatMul)
def matmul_product(emitter: Emitter, node: Node, known: KnownSizes) -> Product:
    op = node.op
    assert isinstance(op, MatMul)
    a, b = node.inputs
    rank = a.type.rank
    m, n = node.output.shape[-2:]
    k = a.shape[-2] if op.transpose_a else a.shape[-1]

    def size(value: int, constant: bool, hint: str) -> Size:
        # The second axis of a matrix (features) is constant, the first (a batch) is not.
        return Size.of(value) if constant and rank == 2 else emitter.builder.symbol(value, hint)

    rows = size(m, op.transpose_a, "m")
    columns = size(n, True, "n")
    depth = size(k, not op.transpose_a or op.transpose_b, "k")
    batch = tuple(emitter.builder.symbol(d, f"batch{i}") for i, d in enumerate(a.shape[:-2]))

    def reader(extents: tuple[Size, Size], swap: bool) -> Read:
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
