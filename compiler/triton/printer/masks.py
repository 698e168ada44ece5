"""Makes masks as Triton takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.kernels.expressions import SCALAR, Local, axes_of, element, spread
from compiler.kernels.nodes import Let, Statement, rewritten, walk_statements
from ir import expr as e
from ir.expr import Expr
from ir.types import I32

_COMPARISONS = {"lt", "le", "gt", "ge", "eq", "ne"}


def tiled_masks(body: Sequence[Statement]) -> Sequence[Statement]:
    """``body`` with comparisons of scalars, in masks of tiles, as tiles of one element.

    Triton 3.9's interpreter makes integers of a scalar boolean that meets a tile, and refuses them
    as a mask.

    before: ``m = i < 5; load p + tile, mask m``
    after:  ``m = i < 5; load p + tile, mask spread(i) < 5``
    """
    scalars = dict(_comparisons(body))

    def change(value: Expr) -> Expr:
        if value.op != "element" or not axes_of(value.args[1]):
            return value
        pointer, index, *mask = value.args
        return element(pointer, index, tuple(scalars.get(c.value, c) for c in mask))

    return rewritten(body, change) if scalars else body


def _comparisons(body: Sequence[Statement]) -> Iterator[tuple[Local, Expr]]:
    """Variables that hold comparisons of scalars, which are spread."""
    for statement in walk_statements(body):
        match statement:
            case Let(variable, value) if value.op in _COMPARISONS and not axes_of(value):
                left, right = value.args
                if left.dtype is I32:
                    spreading = (spread(left, SCALAR), right)
                    yield variable, e.node(value.op, spreading, None, value.dtype)
