"""How groups are computed on a GPU: tables of tiles, and which of them suits.

Tiles and splits of matrix products are those that :mod:`compiler.triton.cost` predicts to take the
least time; the rest are rules of thumb. Nothing here is measured on the device at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compiler.kernel import Config
from compiler.kernels.choice import ALONE, Beside, Choice
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.kernels.schedules.reduction import Reduction
from compiler.target import Target
from ir.graph import Graph

from .contract import contract_choices
from .elements import channel_tiles, flat_configs, row_tiles, tap_choices
from .reduce import fold_tiles, reduce_choices
from .row import row_configs


@dataclass(frozen=True, slots=True)
class GpuHeuristic:
    """``target``: whose processors have to be filled."""

    target: Target
    unrolled: int = 32
    one_thread: bool = False

    def flat(self, body: Graph, count: int) -> Sequence[Config]:
        return flat_configs(body, count, self.target.processors)

    def channels(self, rows: int, channels: int) -> Sequence[Config]:
        return channel_tiles(rows, channels, self.target.processors)

    def channel_rows(self, body: Graph, rows: int, channels: int) -> Sequence[Config]:
        return row_tiles(body, rows, channels, self.target.processors)

    def tap_sums(self, rows: int, channels: int, narrow: bool = False) -> Sequence[Choice]:
        return tap_choices(rows, channels, narrow, self.target.processors)

    def reduce(self, reduction: Reduction, inputs: int) -> Sequence[Choice]:
        return reduce_choices(reduction, inputs, self.target.processors)

    def fold(self, parts: int) -> Sequence[Config]:
        return fold_tiles(parts)

    def row(self, reduction: Reduction) -> Sequence[Config]:
        return row_configs(reduction)

    def contract(
        self, shape: ProductShape, strided: bool, factors: DotKind, beside: Beside = ALONE
    ) -> Sequence[Choice]:
        return contract_choices(shape, strided, factors, self.target, beside)

    def single(
        self, configs: Sequence[Config], length: int, lanes: bool = False
    ) -> Sequence[Config]:
        """The first configuration whose block holds all, else the last."""
        best = next((c for c in configs if length <= c["BLOCK"]), configs[-1])
        return sorted(configs, key=lambda config: config is not best)
