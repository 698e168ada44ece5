"""Tables of small tiles for the schedules: even a small tensor takes many programs.

Where programs meet, kernels go wrong: at the ends of tiles, between the parts of split work, and
where one program overwrites what another one reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from compiler.kernel import Config
from compiler.kernels.schedules import contract, flat, reduce, row

_BLOCKS = tuple(Config((("BLOCK", block),)) for block in (16, 32))
_PRODUCTS = (((4, 4, 16), 4, 3), ((8, 16, 16), 4, 3), ((2, 16, 16), 4, 2))
_REDUCTIONS = {
    "rows": ((2, 16), (1, 16)),  # a share is a multiple of 16
    "planes": ((2, 4), (1, 4)),
    "columns": ((4, 4), (2, 8)),
}
_ROWS = {
    "rows": ((1, 2, 2), (1, 4, 4), (1, 8, 8), (1, 4, None)),
    "columns": ((2, 2, 2), (4, 2, 4), (8, 2, 8), (4, 2, None)),
}


def use_small_tiles(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone."""
    for name in ("LIGHT", "BROAD", "HEAVY"):
        patch.setattr(flat, name, _BLOCKS)
    patch.setattr(contract, "TILES", _PRODUCTS)
    for few in contract.CONFIGS:
        tiles = [tile for tile, _, _ in (_PRODUCTS[: contract.FEW_TILES] if few else _PRODUCTS)]
        patch.setitem(contract.CONFIGS, few, _split_or_not("MNK", tiles))
    for kind, warps in reduce.CONFIGS:
        patch.setitem(reduce.TILES, kind, _REDUCTIONS[kind])
        patch.setitem(reduce.CONFIGS, (kind, warps), _split_or_not("AB", _REDUCTIONS[kind]))
    for kind, sizes in _ROWS.items():
        tiles = tuple(row.Tile((a, b), Config((("A", a), ("B", b))), held) for a, b, held in sizes)
        patch.setitem(row.TILES, kind, tiles)


def _split_or_not(names: str, tiles: Sequence[tuple[int, ...]]) -> tuple[Config, ...]:
    return tuple(
        Config((*zip(names, tile, strict=True), ("SPLIT", split)))
        for split in (0, 1)
        for tile in tiles
    )
