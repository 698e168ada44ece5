"""Sums over all rows of a product, by its own kernel.

Who has a tile of the result has what the tile adds to sums over its rows, for each of its columns.
That goes to scratch memory, and a second launch folds it in fixed order: nobody reads the result
again. So a convolution gives the mean and the deviations that BatchNorm asks for, and the gradient
of an image the sums that the layer before needs. Where a tile has positions of images along its
columns it is the sums over columns.

Of deviations a tile gives its mean as it is rounded, and from there the sums of distances and of
their squares: what is folded is as exact as by a second pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Port, Value
from ir.op import DEVIATIONS
from ir.ops.pointwise import casts
from ir.types import F32

from ..emitter import Access, Emitter
from ..expressions import across, constant, element, read
from ..index import ZERO, Base, variable
from ..monomial import product
from ..nodes import KernelBody
from ..products import Product, Side, SideName
from ..task import Task
from .folding import Mask, Taken, fold_kernel
from .reduction import Reduction, reduction_of
from .results import Results
from .tile_sides import SidePositions

_ARRAYS = 3  # of a value of which deviations are asked for


@dataclass(frozen=True, slots=True)
class TileSums:
    """Of the reductions of a task (see :func:`.read_back.parted`).

    Attributes:
        product: what the kernel that multiplies has as it is.
        beside: what the kernel that multiplies writes besides.
        side: the dimension of the tile that is summed. along: what the result is along it.
    """

    task: Task
    product: Value
    beside: Sequence[tuple[Port, Value]]
    reduction: Reduction
    side: int
    along: Side

    def parts(self, tile: Config) -> int:
        """How many tiles there are along the side."""
        length = tile["MN"[self.side]]
        return -(-self.along.positions(length).size // length)

    def scratch(self, tile: Config, split: bool = False) -> list[Scratch]:
        """What the tiles give, in the order in which :meth:`store` does; nothing of a depth that is
        ``split``, although the kernel takes the arguments."""
        elements = self.parts(tile) * self.reduction.count(self.reduction.kept)
        nbytes = (16 if split else elements) * F32.itemsize
        arrays = sum(_ARRAYS if deviates else 1 for deviates in self._values.values())
        return [Scratch(1 + number, nbytes) for number in range(arrays)]  # 0: of a split depth

    @property
    def _values(self) -> dict[Value, bool]:
        """What is reduced, and whether its deviations are asked for."""
        found: dict[Value, bool] = {}
        for fold, node in zip(self.reduction.folds, self.reduction.nodes, strict=True):
            (value,) = node.inputs
            found[value] = found.get(value, False) or fold.kind == DEVIATIONS
        return found

    # --- the kernel that multiplies -------------------------------------------------------

    def store(
        self,
        emitter: Emitter,
        access: Access,
        sides: Sequence[SidePositions],
        number: Expr,
        tile: Config,
        split: bool,
    ) -> None:
        """What a tile of the result at ``access`` adds; ``number``: of the tile, along the side."""
        builder = emitter.builder
        inside, there = sides[self.side].bounds(), sides[1 - self.side].bounds()
        channels = builder.size(builder.extent(self.reduction.count(self.reduction.kept)))
        (axis,) = self.reduction.kept
        place = number * channels + builder.affine(access.coordinates[axis])
        buffers = iter(self.scratch(tile, split))

        def there_only(value: Expr) -> Expr:
            return emitter.chosen(inside, value, e.const(0.0))

        def total(value: Expr) -> Expr:
            return builder.let(across("sum", value, (self.side,)), "v", "total")

        def give(value: Expr) -> None:
            pointer = builder.pointer(next(buffers), F32, "partial")
            builder.store(element(pointer, place, there), value)

        for reduced, deviates in self._values.items():
            value = emitter.emit(reduced, access)
            # Of what is 0 outside anyway few conditions are asked: they take registers.
            bare = self._is_product(emitter, reduced)
            value = value if bare else there_only(value)
            if not deviates:
                give(total(value))
                continue
            count = self._count(emitter, number, constant("MN"[self.side]), tile)
            mean = builder.let(total(value) / count, "v", "mean")
            away = builder.let(value - there_only(mean), "v", "away")
            give(mean)
            give(total(away))
            give(total(builder.let(away * away, "v")))

    def _is_product(self, emitter: Emitter, value: Value) -> bool:
        """Whether a value is that of the product, perhaps rounded: 0 outside of the matrix."""
        while value is not self.product:
            node = emitter.body.producers.get(value)
            if node is None or not casts(node):
                return False
            (value,) = node.inputs
        return True

    def _count(self, emitter: Emitter, number: Expr, length: Expr, tile: Config) -> Expr:
        """How many elements a tile has along the side."""
        builder, start = emitter.builder, number * length
        filled, inner = self.along.filled(tile["MN"[self.side]]), self.along.inner
        if filled is None or inner is None:
            end = builder.size(builder.amount(product(self.along.sizes).size, "rows"))
        elif filled == self.along.sizes:
            return builder.let(e.to_float(length), "v", "count")
        else:  # tiles end where runs do
            end = builder.size(self.along.sizes[inner])
            start = start % builder.size(filled[inner])
        return builder.let(e.to_float(e.minimum(end - start, length)), "v", "count")

    # --- the kernel that folds ------------------------------------------------------------

    def folded(self, config: Config, tile: Config) -> KernelBody:
        """The second launch."""

        def reader(emitter: Emitter, results: Results) -> Callable[[Expr, Mask], Taken]:
            return self._taking(emitter, results, tile)

        parts = self.parts(tile)
        return fold_kernel(self.task, self.reduction, config, parts, reader, ".totals")

    def _taking(
        self, emitter: Emitter, results: Results, tile: Config
    ) -> Callable[[Expr, Mask], Taken]:
        builder, values = emitter.builder, self._values
        channels = builder.size(builder.extent(self.reduction.count(self.reduction.kept)))
        length = builder.size(builder.amount(tile["MN"[self.side]], "length"))
        scratch = iter(self.scratch(tile))
        buffers = {
            value: [next(scratch) for _ in range(_ARRAYS if deviates else 1)]
            for value, deviates in values.items()
        }

        def at(buffer: Scratch, part: Expr, mask: Mask) -> Expr:
            pointer = builder.pointer(buffer, F32, "partial")
            place = element(pointer, part * channels + results.base.at, mask)
            return builder.let(read(place, 0.0), "x", "part")

        there = (results.base.bounds[0](),)
        origins = {v: at(buffers[v][0], e.const(0), there) for v, wide in values.items() if wide}

        def take(part: Expr, mask: Mask) -> Taken:
            found: Taken = []
            for fold, node in zip(self.reduction.folds, self.reduction.nodes, strict=True):
                (value,) = node.inputs
                read = [at(buffer, part, mask) for buffer in buffers[value]]
                if not values[value]:
                    found.append((read[0],))
                    continue
                mean, distances, squares = read
                size = self._count(emitter, part, length, tile)
                count = builder.let(e.where(mask[0], size, 0.0), "v", "count")
                if fold.kind != DEVIATIONS:
                    found.append((builder.let(mean * count + distances, "v"),))
                    continue
                off = builder.let(e.where(mask[0], distances / size, 0.0), "v", "off")
                middle = builder.let(mean - origins[value] + off, "v", "middle")
                own = builder.let(e.maximum(squares - distances * off, 0.0), "v")
                found.append((count, middle, own))
            return found

        return take


def tile_sums(
    first: Task, task: Task, anchor: Node, emitter: Emitter, view: Product
) -> TileSums | None:
    """What the kernel of a product (``anchor``), which is to do ``first``, can give for the
    reductions of ``task``; None: it cannot.

    It can where one side of the result counts what is reduced, and the other one channels.
    """
    reduction = reduction_of(task.body)
    if product(view.count).constant != 1 or len(reduction.kept) != 1:
        return None
    builder = emitter.builder
    row, column = (
        tuple(variable(Base(builder.lanes(name, axis))) for _ in sizes)
        for axis, (name, sizes) in enumerate((("M", view.rows), ("N", view.columns)))
    )
    access = view.result(row, column, (ZERO,) * len(view.count))
    axes = [index.axes for index in access.coordinates]
    names: tuple[SideName, ...] = ("rows", "columns")
    for side, name in enumerate(names):
        kept = reduction.kept[0]
        others = (found for axis, found in enumerate(axes) if axis != kept)
        if axes[kept] == {1 - side} and all(found <= {side} for found in others):
            return TileSums(task, anchor.output, first.ports, reduction, side, view.side(name))
    return None
