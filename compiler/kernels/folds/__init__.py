"""How tiles are reduced: start values, steps over tiles, the last step across a tile.

Partial results are tiles: every element of a tile gathers its own share over the loop,
and only at the end one value is made across the tile. That is fast and, as a tree, more
accurate than one running total.
"""

from __future__ import annotations

from ir.graph import Node
from ir.op import DEVIATIONS

from ..expressions import computed
from .deviations import DeviationFold
from .fold import START, Fold
from .places import PlaceFold

__all__ = ["KINDS", "Fold", "PlaceFold", "fold_of"]

KINDS = frozenset({*START, DEVIATIONS})


def fold_of(node: Node) -> Fold:
    """The fold that a node of a reduction is."""
    by, dtype = node.op.fold, computed(node.inputs[0].type.dtype)
    assert by is not None
    if by.kind == DEVIATIONS:
        return DeviationFold(by, dtype)
    return PlaceFold(by, dtype) if by.tie else Fold(by, dtype)
