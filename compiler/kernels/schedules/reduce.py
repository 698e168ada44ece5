"""The reduce schedule: whole axes of a tensor become one element.

Three shapes of tile, chosen by which axes are reduced, in the order in which memory has them (never
by their extents, so that every batch and image size shares one text):

* ``rows``: the last axis is reduced and all reduced axes are neighbours. Tile
  (outputs, reduced): several short rows per program, or one long row in steps.
* ``planes``: the last axis is reduced and others further out too (BatchNorm's sums over
  N and H, W of every channel, row-major). One output per program, tile (outer reduced, inner
  reduced).
* ``columns``: the last axis stays (the same sums, with the channels last). Tile (reduced, outputs),
  neighbours along the outputs.

Few outputs with long reductions are split over more programs: these write partial results
to scratch memory, and a second launch folds them in fixed order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from compiler.kernel import Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph
from ir.ops.pointwise import Map

from ..choice import Choice
from ..emitter import Emitter
from ..expressions import constant, element, read, spread
from ..index import Base, variable
from ..nodes import KernelBody
from ..task import Scheduled, Task
from .flat import schedule_flat
from .folding import Mask, PartReader, Taken, fold_kernel
from .reduction import Reduction, reduction_of
from .results import Results


def schedule_reduce(task: Task) -> Scheduled:
    reduction = reduction_of(task.body)
    if reduction.count(reduction.axes) == 0:
        return schedule_flat(replace(task, body=without_elements(task.body)))

    def kernels(choice: Choice) -> list[KernelBody]:
        share, splits = choice.shares(reduction.walk(choice.config)[0])
        partials = _partials(reduction, splits)
        first = _gather(task, reduction, choice, splits, share, partials)
        if choice.second is None or choice.splits == 1:
            return [first]
        reader = _reader(reduction, partials)
        return [first, fold_kernel(task, reduction, choice.second, splits, reader)]

    choices = task.heuristic.reduce(reduction.at(task.number), len(task.node.inputs))
    return Scheduled(choices, kernels)


def without_elements(body: Graph) -> Graph:
    """The body with reductions over nothing replaced by what they give."""
    nodes = []
    for node in body.nodes:
        if node.op.fold is not None:
            number = 1 if node.op.fold.kind == "prod" else 0
            fill = Map((e.const(number, node.output.type.dtype),), node.output.shape)
            node = replace(node, op=fill, inputs=())
        nodes.append(node)
    return replace(body, nodes=tuple(nodes))


def _partials(reduction: Reduction, splits: int) -> list[tuple[Scratch, ...]]:
    # Without a split nothing is written there; the kernel still takes the argument. A size that is
    # 1 at hand may be more elsewhere.
    whole = splits.__class__ is int and splits == 1
    elements = 16 if whole else splits * reduction.count(reduction.kept)
    numbers = iter(range(3 * len(reduction.nodes)))
    return [
        tuple(Scratch(next(numbers), elements * start.dtype.itemsize) for start in fold.starts)
        for fold in reduction.folds
    ]


def _gather(
    task: Task,
    reduction: Reduction,
    choice: Choice,
    splits: int,
    share: int,  # steps along the split dimension that one program takes
    partials: list[tuple[Scratch, ...]],
) -> KernelBody:
    """The launch that reads the input."""
    config = choice.config.having("SPLIT", int(choice.splits > 1))
    emitter = task.emitter(2)
    builder = emitter.builder
    results = Results(emitter, reduction, reduction.side, reduction.kind == "columns")
    # For rows it is a multiple of the tile, at least 16: addresses are seen aligned.
    _, split_axis = reduction.walked[0]
    amount = builder.amount(share * config["AB"[split_axis]], "share")
    stretch = builder.size(amount, divisible=reduction.kind == "rows")
    start = builder.let(builder.program(1) * stretch, "i", "start")
    found = results.reduce(reduction.nodes, (start, stretch))
    if reduction.side is None:  # one result per program, in a tile of one element
        results.base = Base(builder.let(spread(results.base.at, frozenset({0})), "i"))
    with builder.when(constant("SPLIT")):
        split = builder.let(builder.program(1), "i", "split")
        total = builder.size(builder.amount(reduction.count(reduction.kept), "outputs"))
        mask = emitter.mask(variable(results.base), ())
        for value, buffer in zip(itertools.chain(*found), itertools.chain(*partials), strict=True):
            pointer = builder.pointer(buffer, value.dtype, "partial")
            builder.store(element(pointer, split * total + results.base.at, mask), value)
    with builder.otherwise():
        results.give(reduction.nodes, found)
        results.store(task.ports)
    name, programs = f"reduce_{reduction.kind}", reduction.programs(config)
    written = [*itertools.chain(*partials)] if config["SPLIT"] else task.node.outputs
    why = _why(reduction, programs, splits)
    grid = (programs, splits)
    return task.kernel(builder, name, ("A", "B"), config, grid, why, writes=written)


def _why(reduction: Reduction, programs: int, splits: int) -> str:
    results, elements = reduction.count(reduction.kept), reduction.count(reduction.axes)
    text = f"{results} results of {elements} elements each"
    if splits != 1:
        text += f", split {splits} ways: {programs} programs would leave a device idle"
    return text


def _reader(reduction: Reduction, partials: list[tuple[Scratch, ...]]) -> PartReader:
    """Reads partial results (split, output)."""

    def reader(emitter: Emitter, results: Results) -> Callable[[Expr, Mask], Taken]:
        builder = emitter.builder
        total = builder.size(builder.amount(reduction.count(reduction.kept), "outputs"))

        def take(part: Expr, mask: Mask) -> Taken:
            def one(buffer: Scratch, start: Expr) -> Expr:
                pointer = builder.pointer(buffer, start.dtype, "partial")
                place = element(pointer, part * total + results.base.at, mask)
                return builder.let(read(place, start.value), "x", "part")

            return [
                tuple(map(one, buffers, fold.starts))
                for fold, buffers in zip(reduction.folds, partials, strict=True)
            ]

        return take

    return reader
