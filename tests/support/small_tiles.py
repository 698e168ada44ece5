"""Tables of small tiles for the schedules: even a small tensor takes many programs.

Where programs meet, kernels go wrong: at the ends of tiles, between the parts of split work, and
where one program overwrites what another one reads.
"""

from __future__ import annotations

import pytest

from compiler.kernel import Config
from compiler.kernels.schedules.reduction import tile_of
from compiler.triton.heuristics import contract, elements, reduce, row

_BLOCKS = tuple(Config((("BLOCK", block),)) for block in (16, 32))
_PRODUCTS = tuple(contract.product_tile(m, n, 16) for m, n in ((4, 4), (8, 16), (2, 16)))
_REDUCTIONS = {
    "rows": ((2, 16), (1, 16)),  # a share is a multiple of 16
    "planes": ((2, 4), (1, 4)),
    "columns": ((4, 4), (2, 8)),
}
_ROWS = {
    "rows": ((1, 2), (1, 4), (1, 8), (1, 4)),
    "columns": ((2, 2), (4, 2), (8, 2), (4, 2)),
}


def use_small_tiles(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone."""
    for name in ("LIGHT", "BROAD", "HEAVY"):
        patch.setattr(elements, name, _BLOCKS)
    for factors in contract.TILES:
        patch.setitem(contract.TILES, factors, _PRODUCTS)
    for kind, warps in reduce.TILES:
        tiles = tuple(tile_of(a, b) for a, b in _REDUCTIONS[kind])
        patch.setitem(reduce.TILES, (kind, warps), tiles)
    for kind, sizes in _ROWS.items():
        patch.setitem(row.TILES, kind, tuple(tile_of(a, b) for a, b in sizes))
