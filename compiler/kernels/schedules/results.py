"""Results of reductions in one program: where they are, and what is read for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Port, Value

from ..emitter import Access, Emit, Emitter
from ..expressions import constant
from ..folds import fold_of
from ..index import ZERO, Affine, Base, delinearize, linearize, variable
from ..monomial import ONE, product
from .reduction import Reduction

Stretch = tuple[Expr, Expr]  # where a program starts along what is split, and how far it goes


class Results:
    """Of a tile (A, B). ``side`` is its dimension along them; without one there is one result.

    ``beside``: what they are of lies side by side along them, too. Channels that are constants end
    where the text says, so that tiles are seen to be whole vectors.
    """

    def __init__(
        self, emitter: Emitter, reduction: Reduction, side: int | None, beside: bool = False
    ) -> None:
        self.emitter = emitter
        self.reduction = reduction
        self.extents = emitter.extents(reduction.shape)
        builder = emitter.builder
        if side is None:
            self.base = Base(builder.let(builder.program(), "i", "output"))
            return
        tile = "AB"[side]
        position = builder.program() * constant(tile) + builder.lanes(tile, side)
        at = builder.let(position, "i", "output")
        most = product(self.extents[axis] for axis in reduction.kept)
        if not beside or most.constant is None:
            most = builder.amount(reduction.count(reduction.kept), "outputs")
        self.base = Base(at, (lambda: builder.let(at < builder.size(most), "m"),))

    def access(self, reduced: Mapping[int, Affine]) -> Access:
        """An element of what is reduced; of the results, whose other extents are 1, for none."""
        kept = self.reduction.kept
        places = delinearize(self.base, [self.extents[a] for a in kept])
        found = {**dict(zip(kept, places, strict=True)), **reduced}
        axes = range(len(self.extents))
        return Access(
            tuple(found.get(a, ZERO) for a in axes),
            tuple(self.extents[a] if a in found else ONE for a in axes),
        )

    @contextlib.contextmanager
    def walk(
        self, part: Stretch | None = None, held: bool = False
    ) -> Iterator[tuple[Access, tuple[Expr, ...]]]:
        """Once over all that is reduced: the access, and the conditions that it is inside.

        ``held``: the tile holds it as a whole.
        """
        with contextlib.ExitStack() as stack:
            places: dict[int, Affine] = {}
            bases = []
            for axes, axis in self.reduction.walked:
                bases.append(stack.enter_context(self._steps(axes, axis, part, held)))
                parts = delinearize(bases[-1], [self.extents[a] for a in axes])
                places.update(zip(axes, parts, strict=True))
                part = None
            yield self.access(places), tuple(base.bounds[0]() for base in bases)

    @contextlib.contextmanager
    def _steps(
        self, axes: Sequence[int], axis: int, part: Stretch | None, held: bool
    ) -> Iterator[Base]:
        """Positions along dimension ``axis`` of the tile, over reduced axes."""
        builder, tile = self.emitter.builder, "AB"[axis]
        start, end = None, builder.size(product(self.extents[a] for a in axes))
        total = end
        if part is not None:
            start, share = part
            end = builder.let(e.minimum(start + share, total), "i", "end")
        with contextlib.ExitStack() as stack:
            if held:
                position = builder.lanes(tile, axis)
            else:
                loop = builder.loop(end, start, constant(tile), hint="step")
                position = stack.enter_context(loop) + builder.lanes(tile, axis)
            at = builder.let(position, "i", f"reduced{axis}")
            yield Base(at, (lambda: builder.let(at < total, "m"),))

    def reduce(
        self, nodes: Sequence[Node], part: Stretch | None = None, held: bool = False
    ) -> list[tuple[Expr, ...]]:
        """Reductions that do not depend on each other: of each its value, of some a place, too."""
        builder = self.emitter.builder
        folds = [(fold_of(node), node) for node in nodes]
        reduced = frozenset(axis for _, axis in self.reduction.walked)
        gathered: list[tuple[Expr, ...]] = []
        origins = [self._origin(node) if fold.from_origin else None for fold, node in folds]
        if not held:
            for fold, node in folds:
                hint = f"{node.output.name}_tile"
                gathered.append(fold.begin(builder, self.emitter.tile, hint, reduced))
        with self.walk(part, held) as (access, inside):
            for number, (fold, node) in enumerate(folds):
                value = self.emitter.emit(node.inputs[0], access)
                builder.place(node.location)
                tiles = fold.taken(self.emitter, value, access, inside, origins[number])
                if held:
                    gathered.append(tiles)
                else:
                    fold.step(builder, gathered[number], tiles)
        axes = tuple(axis for _, axis in self.reduction.walked)
        return [
            fold.finish(builder, tiles, axes, node.output.name)
            for (fold, node), tiles in zip(folds, gathered, strict=True)
        ]

    def _origin(self, node: Node) -> Expr:
        """The first of all elements that are reduced."""
        at = self.access(dict.fromkeys(self.reduction.axes, ZERO))
        return self.emitter.emit(node.inputs[0], at)

    def give(self, nodes: Sequence[Node], found: Sequence[tuple[Expr, ...]]) -> None:
        """Who asks for results of this program gets what was found; for others there is no rule."""
        for node, values in zip(nodes, found, strict=True):
            self.emitter.preset(node.output, self.access({}), values[-1])
            if not self.reduction.in_order:  # a view of them is asked for by other coordinates
                self.emitter.given[node.output] = everywhere(values[-1])

    def store(self, ports: Sequence[tuple[Port, Value]]) -> None:
        """What was found, and what is computed from it element by element."""
        emitter = self.emitter
        kept = self.reduction.nodes[0].output.shape
        in_order = self.reduction.in_order
        for port, buffer in ports:
            kind, at = port.value.type, self.access({})
            if kind.shape != kept:  # seen in another shape
                sizes = emitter.extents(kind.shape)
                if in_order:
                    at = Access(delinearize(self.base, sizes), sizes)
                else:
                    place = linearize(at.coordinates, at.extents)
                    at = Access(emitter.split(place, sizes), sizes)
            result = emitter.emit(port.value, at)
            index, guard = variable(self.base), at.guard
            if kind.layout is not None or not in_order or emitter.is_inside(port.value):
                index = emitter.place_of(port.value, at)  # it does not count as the results do
                guard = (*guard, *(bound() for bound in self.base.bounds))
            emitter.store(buffer, port.name, index, result, guard)


def everywhere(result: Expr) -> Emit:
    """A program's result, wherever it is asked for: there is one in each lane."""
    return lambda emitter, access: result
