"""How groups are computed by vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.kernel import Config
from compiler.kernels.choice import ALONE, Beside, Choice, Heuristic
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.kernels.schedules.reduction import Reduction, tile_of
from compiler.kernels.schedules.registers.form import LoopAxis, RegisterForm
from compiler.target import Target
from ir.graph import Graph

from .register_tiles import depth_splits, images_first, register_tiles, results_first


@dataclass(frozen=True, slots=True)
class VectorHeuristic(Heuristic):
    """Rows are walked, not held. Of reductions the schedule itself says how they are cut.

    ``lanes``: elements of a vector.
    """

    target: Target
    lanes: int

    unrolled = 9
    one_thread = True

    def flat(self, body: Graph, count: int) -> Sequence[Config]:
        return [Config((("BLOCK", self.lanes),))]

    def reduce(self, reduction: Reduction, inputs: int) -> Sequence[Choice]:
        return [Choice(tile_of(1, self.lanes))]

    def row(self, reduction: Reduction) -> Sequence[Config]:
        return [tile_of(1, self.lanes)]

    def contract(
        self, shape: ProductShape, strided: bool, factors: DotKind, beside: Beside = ALONE
    ) -> Sequence[Choice]:
        return [Choice(Config((("M", 1), ("N", self.lanes), ("K", 1))))]

    def single(
        self, configs: Sequence[Config], length: int, lanes: bool = False
    ) -> Sequence[Config]:
        sizes = {"BLOCK": self.lanes} if lanes else {}
        return [Config(tuple((name, sizes.get(name, 1)) for name, _ in configs[0].constants))]

    def images_first(self, images: int, tiles: int, vectors: int, others: int) -> bool:
        return images_first(self.target, images, tiles, vectors, others)

    def results_first(self, operands: int, result: int) -> bool:
        return results_first(self.target, operands, result)

    def registers(self, form: RegisterForm, extents: Mapping[LoopAxis, int]) -> Sequence[Choice]:
        tiles = register_tiles(form, extents, self.target, self.lanes)
        splits = depth_splits(form, extents, self.target)
        return [Choice(tile, splits) for tile in tiles]
