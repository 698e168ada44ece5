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
from dataclasses import dataclass

from compiler.kernel import Config, Launch
from ir.graph import Graph, Node, Value

from .emitter import Emitter, Place, Source
from .index import Base, Condition, linearise, variable
from .kernels import Printed, Task, make_launch
from .reduce import Reduction, along, kept_coordinates, limit, outputs_base, reduction_of
from .reductions import Fold
from .size import ONE
from .writer import Writer

LONGEST_ROWS = 4096  # neighbouring elements that are held at once
LONGEST_COLUMNS = 64  # elements with others in between, of which many rows are held side by side
ROW_ELEMENTS = 512  # of a tile of short rows
COLUMN_ELEMENTS = 2048
STEPS = {"rows": (1, 1024), "columns": (16, 64)}  # tiles that walk through long rows


@dataclass(frozen=True, slots=True)
class Tile:
    """(A, B) as a reduction's kind has them, and whether it holds whole rows."""

    sizes: tuple[int, int]
    whole: bool

    @property
    def config(self) -> Config:
        a, b = self.sizes
        return Config((("A", a), ("B", b)), num_warps=8 if a * b >= 4096 else 4)


def tile_of(reduction: Reduction) -> Tile:
    length = reduction.count(reduction.axes)
    rows = reduction.kind == "rows"
    if length > (LONGEST_ROWS if rows else LONGEST_COLUMNS):
        return Tile(STEPS[reduction.kind], whole=False)
    held = max(2, 1 << (length - 1).bit_length())
    if rows:
        return Tile((max(1, ROW_ELEMENTS // held), held), whole=True)
    return Tile((held, COLUMN_ELEMENTS // held), whole=True)


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


def lower_row(task: Task) -> list[Launch]:
    return [make_launch(task, _print_row)]


def _print_row(task: Task, writer: Writer) -> Printed:
    reduction = reduction_of(task.body)
    if reduction.kind == "planes":
        raise ValueError(f"group {task.label} reduces axes that are no row: {reduction.axes}")
    tile = tile_of(reduction)
    writer.reserve("A", "B")
    results: dict[Value, Source] = {}
    emitter = Emitter(task.body, writer, "[A, B]", results)
    emitter.bind(task.inputs)
    rows = _Rows(reduction, tile, emitter)
    levels = levels_of(task.body, reduction)
    for nodes in levels:
        for node, text in zip(nodes, rows.reduce(nodes), strict=True):
            results[node.output] = _constant(text)
    whole = [
        (port, buffer)
        for port, buffer in zip(task.body.outputs, task.outputs, strict=True)
        if port.value.shape == reduction.shape
    ]
    for port, buffer in zip(task.body.outputs, task.outputs, strict=True):
        if port.value.shape != reduction.shape:
            text = emitter.emit(port.value, rows.result)
            emitter.store(buffer, port.name, variable(rows.outputs), text)
    if whole:
        with rows.walk() as (place, inside):
            index = linearise(place.coordinates, place.extents)
            guard = (*(bound() for bound in rows.outputs.bounds), inside)
            for port, buffer in whole:
                emitter.store(buffer, port.name, index, emitter.emit(port.value, place), guard)
    count = reduction.count(reduction.kept)
    per_program = tile.sizes[0 if reduction.kind == "rows" else 1]
    length = reduction.count(reduction.axes)
    return Printed(
        name="row" if reduction.kind == "rows" else "row_columns",
        constants=("A", "B"),
        configs=(tile.config,),
        choice=0,
        grid=(-(-count // per_program), 1, 1),
        writes=tuple(task.outputs),
        why=f"{count} rows of {length} elements, "
        + ("held as a whole" if tile.whole else f"read {len(levels) + bool(whole)} times"),
    )


def _constant(text: str) -> Source:
    """A row's result: the same wherever the row asks for it."""
    return lambda emitter, place: text


class _Rows:
    """The rows of one program: walks along them, and where their results are."""

    def __init__(self, reduction: Reduction, tile: Tile, emitter: Emitter) -> None:
        self.reduction = reduction
        self.tile = tile
        self.emitter = emitter
        self.extents = emitter.extents(reduction.shape, reduction.axes)
        self.axis = 1 if reduction.kind == "rows" else 0  # of the tile, along the row
        count = reduction.count(reduction.kept)
        self.outputs = outputs_base(emitter.writer, count, 1 - self.axis)
        self.kept = kept_coordinates(reduction, self.outputs, self.extents)
        self.result = Place(
            tuple(self.kept),
            tuple(ONE if a in reduction.axes else x for a, x in enumerate(self.extents)),
        )

    @contextlib.contextmanager
    def walk(self) -> Iterator[tuple[Place, Condition]]:
        """Once along the rows: the place, and whether it is inside the row."""
        writer = self.emitter.writer
        name = "AB"[self.axis]
        length = str(self.reduction.count(self.reduction.axes))
        with contextlib.ExitStack() as stack:
            start = ""
            if not self.tile.whole:
                step = writer.name("k", "step")
                stack.enter_context(writer.block(f"for {step} in range(0, {length}, {name}):"))
                start = f"{step} + "
            view = along(self.axis)
            spot = writer.let(f"{start}tl.arange(0, {name}){view}", "i", "channel")
            inside = limit(writer, spot, length, self.axis)
            base = Base(spot, frozenset({self.axis}), (lambda: inside,))
            coordinates = list(self.kept)
            (reduced,) = self.reduction.axes
            coordinates[reduced] = variable(base)
            yield Place(tuple(coordinates), self.extents), inside

    def reduce(self, nodes: list[Node]) -> list[str]:
        """Results of reductions that do not depend on each other."""
        writer = self.emitter.writer
        folds = [Fold.of(n) for n in nodes]
        gathered: list[tuple[str, ...]] = []
        if not self.tile.whole:
            gathered = [
                fold.begin(writer, "[A, B]", f"{node.output.name}_tile")
                for fold, node in zip(folds, nodes, strict=True)
            ]
        with self.walk() as (place, inside):
            for number, (fold, node) in enumerate(zip(folds, nodes, strict=True)):
                taken = self._taken(fold, node, place, inside)
                if self.tile.whole:
                    gathered.append(taken)
                else:
                    fold.step(writer, gathered[number], taken[0], taken[-1])
        return [
            fold.finish(writer, tiles, (self.axis,), node.output.name)[-1]
            for fold, tiles, node in zip(folds, gathered, nodes, strict=True)
        ]

    def _taken(self, fold: Fold, node: Node, place: Place, inside: Condition) -> tuple[str, ...]:
        """A tile of what is reduced (and of its places), neutral outside the rows."""
        emitter = self.emitter
        value = emitter.emit(node.inputs[0], place)
        emitter.writer.place(node.location)
        value = emitter.chosen((inside,), value, fold.start)
        if not fold.is_place:
            return (value,)
        where = fold.place(emitter.writer, place.coordinates)
        return value, emitter.chosen((inside,), where, fold.beyond)
