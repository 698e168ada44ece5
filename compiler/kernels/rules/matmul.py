"""Matrix products as such."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.matmul import MatMul

from ..emitter import Access, Emitter
from ..index import Base, delinearize, variable
from ..products import Product, Read, view
from ..size import Size, product


@view(MatMul)
def matmul_product(emitter: Emitter, node: Node) -> Product:
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
        def read(first: Base, second: Base, which: Base) -> Access:
            pair, sizes = (variable(first), variable(second)), extents
            if swap:
                pair, sizes = (pair[1], pair[0]), (sizes[1], sizes[0])
            return Access((*delinearize(which, batch), *pair), (*batch, *sizes))

        return read

    return Product(
        product(batch),
        rows,
        columns,
        depth,
        (a, reader((rows, depth), op.transpose_a)),
        (b, reader((depth, columns), op.transpose_b)),
        reader((rows, columns), False),
    )
