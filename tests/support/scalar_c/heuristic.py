"""How groups are computed by scalars: tiles of one element, and nothing split."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import Config
from compiler.kernels.choice import ALONE, Beside, Choice, Heuristic
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.kernels.schedules.reduction import Reduction, tile_of
from ir.graph import Graph


class ScalarHeuristic(Heuristic):
    """One way for each group. Rows of more than one element are walked, not held."""

    unrolled = 0
    one_thread = True

    def flat(self, body: Graph, count: int) -> Sequence[Config]:
        return [Config((("BLOCK", 1),))]

    def reduce(self, reduction: Reduction, inputs: int) -> Sequence[Choice]:
        return [Choice(tile_of(1, 1))]

    def row(self, reduction: Reduction) -> Sequence[Config]:
        return [tile_of(1, 1)]

    def contract(
        self, shape: ProductShape, strided: bool, factors: DotKind, beside: Beside = ALONE
    ) -> Sequence[Choice]:
        return [Choice(Config((("M", 1), ("N", 1), ("K", 1))))]

    def single(self, configs: Sequence[Config], length: int, lanes: bool = False) -> list[Config]:
        return [Config(tuple((name, 1) for name, _ in configs[0].constants))]
