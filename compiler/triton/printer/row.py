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

from .emitter import Access, Emit, Emitter
from .index import Base, Condition, linearize, variable
from .kernels import Choice, Printed, Scheduled, Task, make_launch
from .reduce import Reduction, along, kept_coordinates, limit, outputs_base, reduction_of
from .reductions import Fold
from .size import ONE
from .writer import Writer

LONGEST_ROWS = 4096  # neighbouring elements that are held at once
LONGEST_COLUMNS = 64  # elements with others in between, of which many rows are held side by side
ROW_ELEMENTS = 512  # of a tile of short rows
COLUMN_ELEMENTS = 2048


@dataclass(frozen=True, slots=True)
class Tile:
    """(A, B) as a reduction's kind has them; ``held``: the longest row that is held as a whole."""

    sizes: tuple[int, int]
    config: Config
    held: int | None = None


def _tile(a: int, b: int, held: int | None = None) -> Tile:
    config = Config((("A", a), ("B", b)), num_warps=8 if a * b >= 4096 else 4)
    return Tile((a, b), config, held)


def _powers(last: int) -> list[int]:
    return [1 << i for i in range(1, last.bit_length())]


# By the length of what they hold; the last ones walk through rows of any length.
TILES = {
    "rows": (
        *(_tile(max(1, ROW_ELEMENTS // n), n, held=n) for n in _powers(LONGEST_ROWS)),
        _tile(1, 1024),
    ),
    "columns": (
        *(_tile(n, COLUMN_ELEMENTS // n, held=n) for n in _powers(LONGEST_COLUMNS)),
        _tile(16, 64),
    ),
}


def row_choices(reduction: Reduction) -> list[Choice]:
    """Tiles that hold the rows, the smallest first, then that which walks through them."""
    length = reduction.count(reduction.axes)
    tiles = enumerate(TILES[reduction.kind])
    return [Choice(i) for i, tile in tiles if tile.held is None or length <= tile.held]


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
    if reduction.kind not in TILES:
        raise ValueError(f"group {task.label} reduces axes that are no row: {reduction.axes}")

    def launches(choice: Choice) -> list[Launch]:
        tile = TILES[reduction.kind][choice.tile]
        return [make_launch(task, lambda t, writer: _print_row(t, writer, reduction, tile))]

    return Scheduled(row_choices(reduction), launches)


def _print_row(task: Task, writer: Writer, reduction: Reduction, tile: Tile) -> Printed:
    writer.reserve("A", "B")
    results: dict[Value, Emit] = {}
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
        with rows.walk() as (access, inside):
            index = linearize(access.coordinates, access.extents)
            guard = (*(bound() for bound in rows.outputs.bounds), inside)
            for port, buffer in whole:
                emitter.store(buffer, port.name, index, emitter.emit(port.value, access), guard)
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
        + ("held as a whole" if tile.held else f"read {len(levels) + bool(whole)} times"),
    )


def _constant(text: str) -> Emit:
    """A row's result: the same wherever the row asks for it."""
    return lambda emitter, access: text


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
        self.result = Access(
            tuple(self.kept),
            tuple(ONE if a in reduction.axes else x for a, x in enumerate(self.extents)),
        )

    @contextlib.contextmanager
    def walk(self) -> Iterator[tuple[Access, Condition]]:
        """Once along the rows: the access, and whether it is inside the row."""
        writer = self.emitter.writer
        name = "AB"[self.axis]
        length = str(self.reduction.count(self.reduction.axes))
        with contextlib.ExitStack() as stack:
            start = ""
            if not self.tile.held:
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
            yield Access(tuple(coordinates), self.extents), inside

    def reduce(self, nodes: list[Node]) -> list[str]:
        """Results of reductions that do not depend on each other."""
        writer = self.emitter.writer
        folds = [Fold.of(n) for n in nodes]
        gathered: list[tuple[str, ...]] = []
        if not self.tile.held:
            gathered = [
                fold.begin(writer, "[A, B]", f"{node.output.name}_tile")
                for fold, node in zip(folds, nodes, strict=True)
            ]
        with self.walk() as (access, inside):
            for number, (fold, node) in enumerate(zip(folds, nodes, strict=True)):
                taken = self._taken(fold, node, access, inside)
                if self.tile.held:
                    gathered.append(taken)
                else:
                    fold.step(writer, gathered[number], taken[0], taken[-1])
        return [
            fold.finish(writer, tiles, (self.axis,), node.output.name)[-1]
            for fold, tiles, node in zip(folds, gathered, nodes, strict=True)
        ]

    def _taken(self, fold: Fold, node: Node, access: Access, inside: Condition) -> tuple[str, ...]:
        """A tile of what is reduced (and of its places), neutral outside the rows."""
        emitter = self.emitter
        value = emitter.emit(node.inputs[0], access)
        emitter.writer.place(node.location)
        value = emitter.chosen((inside,), value, fold.start)
        if not fold.is_place:
            return (value,)
        where = fold.place(emitter.writer, access.coordinates)
        return value, emitter.chosen((inside,), where, fold.beyond)
