"""The reduce and row schedules of CPUs: reductions by loops along the digits of memory.

Where memory has results side by side (channels in blocks), each lane of a vector gathers its own;
where it has what is reduced side by side, lanes gather shares of one result, which go across in the
end. Several vectors gather at once, so that none waits for the addition before, and what an outer
loop reduces is gathered from what the inner ones did: a tree, more accurate than one running total.

Long reductions of few results are cut into parts, as many as the sizes say: who runs them in what
order changes no bit. A second kernel folds the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.kernel import Config
from ir.expr import Expr
from ir.graph import Node, Port, Value

from ...choice import Choice
from ...expressions import SCALAR, Axes
from ...folds import PlaceFold
from ...index import Base
from ...monomial import product
from ...nodes import KernelBody
from ...task import Scheduled, Task
from ..reduce import without_elements
from ..reduction import reduction_of
from ..row import levels_of
from .flat import NestHeuristic, schedule_nest
from .gathered import Gathering
from .programs import Programs
from .reduced_loops import ReducedLoops, same
from .reduced_parts import ReducedParts
from .reduced_walk import ReducedWalk
from .tile import TILE

_VECTORS = 4  # that gather at once


def schedule_nest_reduce(task: Task, heuristic: NestHeuristic) -> Scheduled:
    reduction = reduction_of(task.body)
    if reduction.count(reduction.axes) == 0:
        return schedule_nest(replace(task, body=without_elements(task.body)), heuristic)
    places = any(isinstance(fold, PlaceFold) for fold in reduction.folds)
    config = Config((("U", 1 if places else _VECTORS), ("V", heuristic.lanes)))

    def kernels(choice: Choice) -> list[KernelBody]:
        steps = (False,) if choice.splits == 1 else (False, True)
        loops = [ReducedLoops(task, reduction, choice.config, choice.splits, x) for x in steps]
        return [_Nest(x).kernel() for x in loops]

    row = task.op.schedule == "row"
    parts = 1 if row else ReducedLoops(task, reduction, config, 1).parts()
    return Scheduled([Choice(config, parts)], kernels)


class _Nest:
    """Programs own some results, or a part of each."""

    def __init__(self, loops: ReducedLoops) -> None:
        self._loops = loops
        self._walk, self._parts = ReducedWalk(loops), ReducedParts(loops)
        self._levels = levels_of(loops.task.body, loops.reduction)

    def kernel(self) -> KernelBody:
        loops, lane = self._loops, self._loops.lane
        task, builder, config = loops.task, loops.builder, loops.config
        rows = [x for x in loops.kept if x != lane]
        reduced = task.number(product(x.extent for x in loops.reduced).size)
        each = loops.splits if loops.folding else reduced
        long = lane is not None and lane in loops.kept and not lane.block
        if lane in loops.kept and lane is not None and lane.block:
            each *= lane.block
        programs = Programs(task, builder, [x.extent for x in rows], each)
        if long and lane is not None:
            programs.cut(lane.extent, config["U"] * config["V"])
        for places, begin, end in programs.rows():
            bases = {x.number: Base(p, below=x.block) for x, p in zip(rows, places, strict=True)}
            if lane is None or lane not in loops.kept:
                self._results(bases, (), SCALAR)
                continue
            if long:
                walk = self._walk.lanes.tiles(begin, end, lane.extent)
            else:
                count = builder.size(lane.extent)
                walk = self._walk.lanes.vectors(None, count, lane.extent, lane.block)
            for base, inside, axes in walk:
                self._results({**bases, lane.number: base}, inside, axes)
        name = "row" if loops.row else "reduce_fold" if loops.folding else "reduce"
        grid = (programs.count, 1 if loops.folding else loops.splits)
        scratch = [s for buffers in self._parts.buffers() for s in buffers] if loops.split else []
        suffix = ".fold" if loops.folding else ""
        return task.kernel(builder, name, TILE, config, grid, self._why(), suffix, scratch or None)

    def _why(self) -> str:
        reduction, splits = self._loops.reduction, self._loops.splits
        kept, reduced = reduction.count(reduction.kept), reduction.count(reduction.axes)
        text = f"{kept} results of {reduced} elements each"
        return f"{text}, in {splits} parts" if splits > 1 else text

    def _results(self, kept: dict[int, Base], inside: tuple[Expr, ...], axes: Axes) -> None:
        """One vector of results, or one."""
        loops, given = self._loops, self._loops.emitter.given
        for nodes in self._levels:
            found = self._found(nodes, kept, inside, axes)
            if loops.split:
                self._parts.store(kept, inside, found)
                continue
            given.update(
                (node.output, same(values[-1])) for node, values in zip(nodes, found, strict=True)
            )
        if loops.split:
            return
        at = loops.access(kept, inside)
        whole = []
        for (port, buffer), (_, own) in zip(
            loops.task.ports, loops.results(loops.emitter, at), strict=True
        ):
            if loops.is_whole(port):
                whole.append((port, buffer))
            else:
                loops.emitter.write(port, buffer, own)
        if whole:
            self._rewrite(whole, kept, inside)
        for node in loops.reduction.nodes:
            given.pop(node.output, None)

    def _found(
        self, nodes: Sequence[Node], kept: dict[int, Base], inside: tuple[Expr, ...], axes: Axes
    ) -> list[tuple[Expr, ...]]:
        if self._loops.folding:
            return [self._parts.folded(node, kept, inside, axes) for node in nodes]
        return Gathering(self._loops, self._walk, nodes).gathered(kept, inside, axes)

    def _rewrite(
        self, ports: Sequence[tuple[Port, Value]], kept: dict[int, Base], inside: tuple[Expr, ...]
    ) -> None:
        """Every element of rows, by what was found."""
        for access, _ in self._walk.elements(kept, inside):
            for port, buffer in ports:
                self._loops.emitter.write(port, buffer, access)
