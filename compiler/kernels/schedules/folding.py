"""The second launch of what is reduced in parts: partial results become results."""

from __future__ import annotations

from collections.abc import Callable

from compiler.kernel import Config
from ir.expr import Expr

from ..emitter import Emitter
from ..expressions import constant
from ..nodes import KernelBody
from ..task import Task
from .reduction import Reduction
from .results import Results

Mask = tuple[Expr, ...]
Taken = list[tuple[Expr, ...]]
PartReader = Callable[[Emitter, Results], Callable[[Expr, Mask], Taken]]
"""Given where results are it says what parts are: by the number of a part, and the conditions under
which it and the result exist, a tile for each fold, as it is gathered."""


def fold_kernel(
    task: Task,
    reduction: Reduction,
    config: Config,
    parts: int,
    reader: PartReader,
    suffix: str = ".fold",
) -> KernelBody:
    """Folds so many parts of every result, and computes the task's outputs of that."""
    emitter = task.emitter(2)
    builder = emitter.builder
    results = Results(emitter, reduction, 1)
    count = reduction.count(reduction.kept)
    there = builder.size(builder.amount(parts, "splits"))
    pairs = list(zip(reduction.folds, reduction.nodes, strict=True))
    read = reader(emitter, results)
    gathered = [fold.begin(builder, emitter.tile, node.output.name) for fold, node in pairs]
    with builder.loop(there, step=constant("A"), hint="step") as step:
        part = builder.let(step + builder.lanes("A", 0), "i", "split")
        mask = (builder.let(part < there, "m"), results.base.bounds[0]())
        taken = read(part, mask)
        for (fold, _), tiles, more in zip(pairs, gathered, taken, strict=True):
            fold.step(builder, tiles, more)
    found = [
        fold.finish(builder, tiles, (0,), node.output.name)
        for (fold, node), tiles in zip(pairs, gathered, strict=True)
    ]
    results.give(reduction.nodes, found)
    results.store(task.ports)
    why = f"folds the {parts} partial results of every element, in fixed order"
    grid = (-(-count // config["B"]), 1)

    def again(config: Config) -> KernelBody:
        return fold_kernel(task, reduction, config, parts, reader, suffix)

    name, tile = "reduce_fold", ("A", "B")
    return task.kernel(builder, name, tile, config, grid, why, suffix, light=again)
