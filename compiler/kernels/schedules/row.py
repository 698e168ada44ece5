"""The row schedule: reductions over the channels that depend on each other, and what every
element becomes with their results (softmax: the maximum, the sum, the quotient) in one kernel.

A program owns some rows. Short ones are held as a whole: everything is read and computed once.
Long ones are walked through again for every level of dependence and once more for the results;
what earlier levels gave stays in registers, what is read again comes from the cache. The length
of a row is a channel count, thus a constant of the text; rows are never split over programs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from compiler.kernel import Config
from ir.expr import Expr
from ir.graph import Graph, Node, Value

from ..choice import Choice
from ..emitter import Access, Emit, Emitter
from ..expressions import constant
from ..folds import Fold
from ..index import Base, variable
from ..monomial import ONE, product
from ..nodes import KernelBody
from ..task import Scheduled, Task
from .reduce import below, kept_coordinates, outputs_base, store_result, taken
from .reduction import Reduction, reduction_of


def levels_of(body: Graph, reduction: Reduction) -> list[list[Node]]:
    """The reductions, those first that need no other one's result."""
    depth: dict[Value, int] = {}
    found: dict[int, list[Node]] = {}
    for node in body.nodes:
        level = max((depth.get(v, 0) for v in node.inputs), default=0)
        if node in reduction.nodes:
            found.setdefault(level, []).append(node)
            level += 1
        depth.update((v, level) for v in node.outputs)
    return [found[level] for level in sorted(found)]


def schedule_row(task: Task) -> Scheduled:
    reduction = reduction_of(task.body)
    if reduction.kind == "planes":
        raise ValueError(f"group {task.label} reduces axes that are no row: {reduction.axes}")
    choices = [Choice(config) for config in task.heuristic.row(reduction.at(task.number))]
    return Scheduled(choices, lambda choice: [_row_kernel(task, reduction, choice.config)])


def _row_kernel(task: Task, reduction: Reduction, config: Config) -> KernelBody:
    builder = task.builder()
    results: dict[Value, Emit] = {}
    emitter = Emitter(task.body, builder, 2, results)
    emitter.bind(task.inputs)
    rows = _Rows(reduction, config, emitter)
    levels = levels_of(task.body, reduction)
    for nodes in levels:
        for node, result in zip(nodes, rows.reduce(nodes), strict=True):
            results[node.output] = _same(result)
    whole = [
        (port, buffer)
        for port, buffer in zip(task.body.outputs, task.outputs, strict=True)
        if port.value.shape == reduction.shape
    ]
    for port, buffer in zip(task.body.outputs, task.outputs, strict=True):
        if port.value.shape != reduction.shape:
            element = emitter.emit(port.value, rows.result)
            store_result(emitter, port, buffer, rows.result, rows.outputs, element)
    if whole:
        with rows.walk() as (access, inside):
            guard = (*(bound() for bound in rows.outputs.bounds), inside)
            for port, buffer in whole:
                index = emitter.address(access, port.value.type)
                emitter.store(buffer, port.name, index, emitter.emit(port.value, access), guard)
    count = reduction.count(reduction.kept)
    per_program = config["A" if reduction.kind == "rows" else "B"]
    length = reduction.count(reduction.axes)
    return KernelBody(
        name="row" if reduction.kind == "rows" else "row_columns",
        body=builder.body,
        tile=("A", "B"),
        config=config,
        grid=(-(-count // per_program), 1, 1),
        writes=tuple(task.outputs),
        why=f"{count} rows of {length} elements, "
        + ("held as a whole" if rows.held else f"read {len(levels) + bool(whole)} times"),
        wide=builder.wide,
    )


def _same(result: Expr) -> Emit:
    """A row's result: the same wherever the row asks for it."""
    return lambda emitter, access: result


class _Rows:
    """The rows of one program: walks along them, and where their results are."""

    def __init__(self, reduction: Reduction, config: Config, emitter: Emitter) -> None:
        self.reduction = reduction
        self.emitter = emitter
        self.extents = emitter.extents(reduction.shape)
        self.axis = 1 if reduction.kind == "rows" else 0  # of the tile, along the row
        self.held = (
            emitter.builder.number(reduction.count(reduction.axes)) <= config["AB"[self.axis]]
        )  # as a whole
        count = reduction.count(reduction.kept)
        self.outputs = outputs_base(emitter.builder, count, 1 - self.axis)
        self.kept = kept_coordinates(reduction, self.outputs, self.extents)
        self.result = Access(
            tuple(self.kept),
            tuple(ONE if a in reduction.axes else x for a, x in enumerate(self.extents)),
        )

    @contextlib.contextmanager
    def walk(self) -> Iterator[tuple[Access, Expr]]:
        """Once along the rows: the access, and whether it is inside the row."""
        builder = self.emitter.builder
        name = "AB"[self.axis]
        length = builder.size(product(self.extents[a] for a in self.reduction.axes))
        with contextlib.ExitStack() as stack:
            start = None
            if not self.held:
                loop = builder.loop(length, step=constant(name), hint="step")
                start = stack.enter_context(loop)
            lane = builder.lanes(name, self.axis)
            at = builder.let(lane if start is None else start + lane, "i", "channel")
            inside = below(builder, at, length)
            coordinates = list(self.kept)
            (reduced,) = self.reduction.axes
            coordinates[reduced] = variable(Base(at, (lambda: inside,)))
            yield Access(tuple(coordinates), self.extents), inside

    def reduce(self, nodes: list[Node]) -> list[Expr]:
        """Results of reductions that do not depend on each other."""
        builder = self.emitter.builder
        folds = [Fold.of(n) for n in nodes]
        gathered: list[tuple[Expr, ...]] = []
        if not self.held:
            gathered = [
                fold.begin(builder, self.emitter.tile, f"{node.output.name}_tile")
                for fold, node in zip(folds, nodes, strict=True)
            ]
        with self.walk() as (access, inside):
            for number, (fold, node) in enumerate(zip(folds, nodes, strict=True)):
                tile = taken(self.emitter, fold, node, access, (inside,))
                if self.held:
                    gathered.append(tile)
                else:
                    fold.step(builder, gathered[number], tile)
        return [
            fold.finish(builder, tiles, (self.axis,), node.output.name)[-1]
            for fold, tiles, node in zip(folds, gathered, nodes, strict=True)
        ]
