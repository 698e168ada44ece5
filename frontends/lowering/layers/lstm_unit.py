"""LSTMUnit: one step of an LSTM."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value

from ..context import LayerContext
from ..lstm_steps import lstm_cell
from ..registry import layer


@layer("LSTMUnit", bottoms=3, tops=2, no_gradient_to=(2,))
def lower_lstm_unit(ctx: LayerContext) -> Sequence[Value]:
    """(c [1,N,H], gates [1,N,4H], cont [1,N]) -> new c, h. Gates lie in the order i, f, o, g.

    Caffe: src/caffe/layers/lstm_unit_layer.cpp.
    """
    b = ctx.b
    cell, gates, cont = ctx.bottoms
    names = ctx.layer.bottom
    fixed = [tuple(map(int, v.shape)) for v in ctx.bottoms]  # one step, and no other number
    ctx.check(
        cell.type.rank == 3 and fixed[0][0] == 1,
        f"the cell '{names[0]}' has shape {list(cell.shape)}; [1, N, H] is expected",
        "bottom",
    )
    _, streams, width = fixed[0]
    for name, have, shape in (
        (names[1], fixed[1], (1, streams, 4 * width)),
        (names[2], fixed[2], (1, streams)),
    ):
        ctx.check(
            have == shape,
            f"'{name}' has shape {list(have)}; the cell {list(cell.shape)} needs {list(shape)}",
            "bottom",
        )
    parts = [b.slice(gates, 2, k * width, (k + 1) * width) for k in range(4)]
    operands = [*parts, cell, b.reshape(cont, (1, streams, 1))]
    return lstm_cell(b, [e.arg(k) for k in range(4)], operands, e.arg(4), e.arg(5))
