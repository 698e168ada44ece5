"""The reduce schedule: whole axes of a tensor become one element.

Three shapes of tile, chosen by which axes are reduced (never by their extents, so that
every batch and image size shares one text):

* ``rows``: the last axis is reduced and all reduced axes are neighbours. Tile
  (outputs, reduced): several short rows per program, or one long row in steps.
* ``planes``: the last axis is reduced and others further out too (BatchNorm's sums over
  N and H, W of every channel). One output per program, tile (outer reduced, inner reduced).
* ``columns``: the last axis stays. Tile (reduced, outputs), neighbours along the outputs.

Few outputs with long reductions are split over more programs: these write partial results
to scratch memory, and a second launch folds them in fixed order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compiler.kernel import Config, Launch, Scratch
from ir.expr import const
from ir.graph import Graph, Node
from ir.ops.pointwise import Map
from ir.types import DType

from .emitter import Access, Emitter
from .flat import schedule_flat
from .index import ZERO, Affine, Base, Condition, delinearize, variable
from .kernels import Choice, Printed, Schedule, Scheduled, Task, make_launch, preferring
from .reductions import Fold
from .size import ONE, Size
from .writer import Writer

TILES = {
    "rows": ((64, 16), (16, 64), (4, 256), (1, 1024)),  # (outputs, reduced)
    "planes": ((64, 16), (16, 64), (4, 256), (1, 1024)),  # (outer reduced, inner reduced)
    "columns": ((64, 16), (16, 64), (4, 256)),  # (reduced, outputs)
}
LONGEST_WALK = 16  # steps of the loop from which on splitting pays
MOST_SPLITS = 64
MANY_INPUTS = 6  # more make tiles that need the registers of eight warps
CONFIGS = {
    (kind, warps): tuple(
        Config((("A", a), ("B", b), ("SPLIT", split)), warps) for split in (0, 1) for a, b in tiles
    )
    for kind, tiles in TILES.items()
    for warps in (4, 8)
}
FOLD = Config((("A", MOST_SPLITS), ("B", 16)), num_warps=4)


@dataclass(frozen=True, slots=True)
class Reduction:
    """The anchors of a group: reductions of one shape over the same axes."""

    nodes: tuple[Node, ...]
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    constant: tuple[int, ...] = ()  # axes whose extents are constants of the text

    @property
    def folds(self) -> list[Fold]:
        return [Fold.of(n) for n in self.nodes]

    @property
    def kind(self) -> str:
        if len(self.shape) - 1 not in self.axes:
            return "columns"
        neighbours = self.axes == tuple(range(self.axes[0], len(self.shape)))
        return "rows" if neighbours else "planes"

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(i for i in range(len(self.shape)) if i not in self.axes)

    @property
    def inner(self) -> tuple[int, ...]:
        """For planes: the last run of reduced axes."""
        last = len(self.shape)
        while last - 1 in self.axes:
            last -= 1
        return tuple(range(last, len(self.shape)))

    def count(self, axes: Sequence[int]) -> int:
        total = 1
        for axis in axes:
            total *= self.shape[axis]
        return total


def reduction_of(body: Graph, constant: tuple[int, ...] = ()) -> Reduction:
    nodes = tuple(n for n in body.nodes if n.op.fold is not None)
    shapes = {n.inputs[0].shape for n in nodes}
    axes = {n.op.reduced_axes for n in nodes}
    if len(shapes) != 1 or len(axes) != 1:
        raise ValueError(f"a reduce group needs one shape and one set of axes: {shapes}, {axes}")
    return Reduction(nodes, shapes.pop(), tuple(sorted(axes.pop())), constant)


@dataclass(frozen=True, slots=True)
class ReducePlan:
    """Numbers of one launch: which configuration, how many programs and splits."""

    config: int
    outputs: int
    programs: int
    splits: int
    share: int  # how far along the split dimension one program goes


def reduce_choices(reduction: Reduction, processors: int) -> list[Choice]:
    """Every tile, each with a result's elements in one program and in parts of them."""
    tiles = TILES[reduction.kind]
    choices = []
    for tile in preferring(_best_tile(reduction), len(tiles)):
        wanted = _splits_for(reduction, tile, processors)
        steps, _ = _walk(reduction, tile)
        splits = (wanted, 2 if wanted == 1 else 1)
        choices += [Choice(tile, s) for s in splits if s == 1 or s <= steps]
    return choices


def _best_tile(reduction: Reduction) -> int:
    """The first that is as wide as what lies side by side in memory."""
    if reduction.kind == "columns":
        extent = reduction.count(reduction.kept) // 64
    else:
        extent = reduction.count(reduction.inner if reduction.kind == "planes" else reduction.axes)
    tiles = TILES[reduction.kind]
    return next((i for i, (_, b) in enumerate(tiles) if b >= extent), len(tiles) - 1)


def _programs(reduction: Reduction, tile: int) -> int:
    outputs = reduction.count(reduction.kept)
    a, b = TILES[reduction.kind][tile]
    return -(-outputs // {"rows": a, "planes": 1, "columns": b}[reduction.kind])


def _walk(reduction: Reduction, tile: int) -> tuple[int, int]:
    """Steps along the dimension that can be split, and loads that each of them takes."""
    total = reduction.count(reduction.axes)
    a, b = TILES[reduction.kind][tile]
    if reduction.kind == "planes":
        inner = reduction.count(reduction.inner)
        return -(-(total // max(inner, 1)) // a), -(-inner // b)
    return -(-total // (b if reduction.kind == "rows" else a)), 1


def _splits_for(reduction: Reduction, tile: int, processors: int) -> int:
    programs = _programs(reduction, tile)
    steps, loads = _walk(reduction, tile)
    if not (0 < programs < processors and steps * loads > LONGEST_WALK):
        return 1
    return min(MOST_SPLITS, -(-2 * processors // programs), steps)


def reduce_plan(reduction: Reduction, choice: Choice) -> ReducePlan:
    tiles = TILES[reduction.kind]
    steps = max(_walk(reduction, choice.tile)[0], 1)
    share = -(-steps // choice.splits)
    splits = -(-steps // share)
    return ReducePlan(
        config=choice.tile + (len(tiles) if splits > 1 else 0),
        outputs=reduction.count(reduction.kept),
        programs=_programs(reduction, choice.tile),
        splits=splits,
        share=share * tiles[choice.tile][1 if reduction.kind == "rows" else 0],
    )


def schedule_reduce(task: Task, constant: tuple[int, ...] = ()) -> Scheduled:
    """``constant``: axes of what is reduced whose extents are the net's, beside the channels."""
    reduction = reduction_of(task.body, constant)
    if reduction.count(reduction.axes) == 0:
        return schedule_flat(replace(task, body=_without_elements(task.body)))

    def launches(choice: Choice) -> list[Launch]:
        plan = reduce_plan(reduction, choice)
        partials = _partials(reduction, plan)
        first = make_launch(task, _gather(reduction, plan, partials))
        if plan.splits == 1:
            return [first]
        return [first, make_launch(task, _fold_partials(reduction, plan, partials), ".fold")]

    return Scheduled(reduce_choices(reduction, task.options.target.processors), launches)


def _without_elements(body: Graph) -> Graph:
    """The body with reductions over nothing replaced by what they give."""
    nodes = []
    for node in body.nodes:
        if node.op.fold is not None:
            number = 1 if node.op.fold.kind == "prod" else 0
            fill = Map((const(number, node.output.type.dtype),), node.output.shape)
            node = replace(node, op=fill, inputs=())
        nodes.append(node)
    return replace(body, nodes=tuple(nodes))


def _partials(reduction: Reduction, plan: ReducePlan) -> list[tuple[Scratch, ...]]:
    # Without a split nothing is written there; the kernel still takes the argument.
    elements = plan.splits * plan.outputs if plan.splits > 1 else 16
    numbers = iter(range(2 * len(reduction.nodes)))
    return [
        tuple(Scratch(next(numbers), elements * d.itemsize) for d in f.dtypes)
        for f in reduction.folds
    ]


def along(axis: int) -> str:
    """Makes a range one that lies along an axis of the tile."""
    return "[:, None]" if axis == 0 else "[None, :]"


def limit(writer: Writer, name: str, size: str, axis: int) -> Condition:
    return writer.condition(f"{name} < {size}", frozenset({axis}))


def _gather(
    reduction: Reduction, plan: ReducePlan, partials: list[tuple[Scratch, ...]]
) -> Schedule:
    """The launch that reads the input."""
    kind = reduction.kind
    names = ("A", "B")

    def schedule(task: Task, writer: Writer) -> Printed:
        writer.reserve("SPLIT", *names)
        emitter = Emitter(task.body, writer, "[A, B]")
        emitter.bind(task.inputs)
        extents = emitter.extents(reduction.shape, reduction.constant)
        output_axis = {"rows": 0, "planes": None, "columns": 1}[kind]
        outputs = outputs_base(writer, plan.outputs, output_axis)
        # For rows it is a multiple of the tile, at least 16: addresses are seen aligned.
        share = writer.size(writer.symbol(plan.share, "share"), divisible=kind == "rows")
        start = writer.let(f"{writer.program(1)} * {share}", "i", "start")
        loop = _Loop(reduction, emitter, outputs, extents)
        folds = reduction.folds
        gathered = [
            fold.begin(writer, "[A, B]", f"{node.output.name}_tile")
            for fold, node in zip(folds, reduction.nodes, strict=True)
        ]
        loop.walk(folds, gathered, start, share)
        axes = {"rows": (1,), "planes": (0, 1), "columns": (0,)}[kind]
        results = [
            fold.finish(writer, tiles, axes, node.output.name)
            for fold, tiles, node in zip(folds, gathered, reduction.nodes, strict=True)
        ]
        if output_axis is None:  # one result per program, in a tile of one element
            one = f"{outputs.name} + tl.zeros([1, 1], {'tl.int64' if writer.wide else 'tl.int32'})"
            outputs = Base(writer.let(one, "i"), frozenset({0}))
        with writer.block("if SPLIT:"):
            split = Base(writer.let(writer.program(1), "i", "split"))
            total = writer.size(writer.symbol(plan.outputs, "outputs"))
            for values, buffers, fold in zip(results, partials, folds, strict=True):
                for value, buffer, dtype in zip(values, buffers, fold.dtypes, strict=True):
                    _store_partial(emitter, buffer, dtype, split, total, outputs, value)
        with writer.block("else:"):
            _epilogue(
                reduction, task, emitter, outputs, extents, [values[-1] for values in results]
            )
        warps = 8 if len(task.inputs) > MANY_INPUTS else 4
        written = [b for bs in partials for b in bs] if plan.splits > 1 else list(task.outputs)
        return Printed(
            name=f"reduce_{kind}",
            constants=(*names, "SPLIT"),
            configs=CONFIGS[kind, warps],
            choice=plan.config,
            grid=(plan.programs, plan.splits, 1),
            writes=tuple(written),
            why=_why(reduction, plan),
        )

    return schedule


def _why(reduction: Reduction, plan: ReducePlan) -> str:
    text = f"{plan.outputs} results of {reduction.count(reduction.axes)} elements each"
    if plan.splits > 1:
        text += f", split {plan.splits} ways: {plan.programs} programs would leave a device idle"
    return text


def outputs_base(writer: Writer, count: int, axis: int | None) -> Base:
    """The base of the results a program makes: a scalar, or along a tile axis."""
    if axis is None:
        return Base(writer.let(writer.program(0), "i", "output"))
    tile, view = ("A", "[:, None]") if axis == 0 else ("B", "[None, :]")
    name = writer.let(f"{writer.program(0)} * {tile} + tl.arange(0, {tile}){view}", "i", "output")
    most = writer.symbol(count, "outputs")
    return Base(name, frozenset({axis}), (lambda: limit(writer, name, writer.size(most), axis),))


@dataclass(frozen=True, slots=True)
class _Loop:
    """Walks over the reduced axes of one program's results."""

    reduction: Reduction
    emitter: Emitter
    outputs: Base
    extents: tuple[Size, ...]

    def walk(
        self, folds: list[Fold], gathered: list[tuple[str, ...]], start: str, share: str
    ) -> None:
        writer = self.emitter.writer
        if self.reduction.kind != "planes":
            axis = 1 if self.reduction.kind == "rows" else 0
            tile = "B" if axis == 1 else "A"
            base, head = self._steps(self.reduction.axes, tile, axis, start, share)
            with writer.block(head):
                self._take(folds, gathered, [(self.reduction.axes, base())])
            return
        inner = self.reduction.inner
        outer = tuple(a for a in self.reduction.axes if a not in inner)
        base, head = self._steps(outer, "A", 0, start, share)
        with writer.block(head):
            rows = base()
            inner_base, inner_head = self._steps(inner, "B", 1, "", "")
            with writer.block(inner_head):
                self._take(folds, gathered, [(outer, rows), (inner, inner_base())])

    def _steps(
        self, axes: Sequence[int], tile: str, axis: int, start: str, share: str
    ) -> tuple[Callable[[], Base], str]:
        """What makes the loop's base inside its block, and its head."""
        writer = self.emitter.writer
        extent = self.extents[axes[0]]
        for a in axes[1:]:
            extent = extent * self.extents[a]
        total = writer.size(extent)
        end = total
        if start:
            end = writer.let(f"tl.minimum({start} + {share}, {total})", "i", "end")
        step = writer.name("k", "step")
        head = f"for {step} in range({start or 0}, {end}, {tile}):"

        def base() -> Base:
            view = along(axis)
            name = writer.let(f"{step} + tl.arange(0, {tile}){view}", "i", f"reduced{axis}")
            return Base(name, frozenset({axis}), (lambda: limit(writer, name, total, axis),))

        return base, head

    def _take(
        self,
        folds: list[Fold],
        gathered: list[tuple[str, ...]],
        reduced: list[tuple[Sequence[int], Base]],
    ) -> None:
        coordinates = kept_coordinates(self.reduction, self.outputs, self.extents)
        for axes, base in reduced:
            parts = delinearize(base, [self.extents[a] for a in axes])
            for a, part in zip(axes, parts, strict=True):
                coordinates[a] = part
        access = Access(tuple(coordinates), self.extents)
        inside = tuple(base.bounds[0]() for _, base in reduced)
        for fold, tiles, node in zip(folds, gathered, self.reduction.nodes, strict=True):
            value = self.emitter.emit(node.inputs[0], access)
            self.emitter.writer.place(node.location)
            value = self.emitter.chosen(inside, value, fold.start)
            where = ""
            if fold.is_place:
                where = fold.place(self.emitter.writer, coordinates)
                where = self.emitter.chosen(inside, where, fold.beyond)
            fold.step(self.emitter.writer, tiles, value, where)


def kept_coordinates(
    reduction: Reduction, outputs: Base, extents: tuple[Size, ...]
) -> list[Affine]:
    coordinates = [ZERO] * len(extents)
    kept = reduction.kept
    for axis, part in zip(kept, delinearize(outputs, [extents[a] for a in kept]), strict=True):
        coordinates[axis] = part
    return coordinates


def _epilogue(
    reduction: Reduction,
    task: Task,
    emitter: Emitter,
    outputs: Base,
    extents: tuple[Size, ...],
    values: list[str],
) -> None:
    """Store the results, and what is computed from them element by element."""
    access = Access(
        tuple(kept_coordinates(reduction, outputs, extents)),
        tuple(ONE if a in reduction.axes else extents[a] for a in range(len(extents))),
    )
    for node, value in zip(reduction.nodes, values, strict=True):
        emitter.preset(node.output, access, value)
    for port, buffer in zip(task.body.outputs, task.outputs, strict=True):
        where = access
        if port.value.shape != node.output.shape:  # the results, seen in another shape
            rank = port.value.type.rank
            sizes = emitter.extents(port.value.shape, range(rank) if reduction.constant else ())
            where = Access(delinearize(outputs, sizes), sizes)
        text = emitter.emit(port.value, where)
        emitter.store(buffer, port.name, variable(outputs), text)


def _store_partial(
    emitter: Emitter,
    buffer: Scratch,
    dtype: DType,
    split: Base,
    total: str,
    outputs: Base,
    value: str,
) -> None:
    writer = emitter.writer
    pointer = writer.pointer(buffer, dtype, "partial")
    mask = emitter.mask(variable(outputs), ())
    address = f"{pointer} + {split.name} * {total} + {outputs.name}"
    writer.line(f"tl.store({address}, {value}{f', mask={mask}' if mask else ''})")


def _fold_partials(
    reduction: Reduction, plan: ReducePlan, partials: list[tuple[Scratch, ...]]
) -> Schedule:
    """The second launch: partial results (split, output) to results."""

    def schedule(task: Task, writer: Writer) -> Printed:
        writer.reserve("A", "B")
        emitter = Emitter(task.body, writer, "[A, B]")
        emitter.bind(task.inputs)
        extents = emitter.extents(reduction.shape, reduction.constant)
        outputs = outputs_base(writer, plan.outputs, 1)
        splits = writer.size(writer.symbol(plan.splits, "splits"))
        row = writer.let("tl.arange(0, A)[:, None]", "i", "split")
        inside = writer.condition(f"{row} < {splits}", frozenset({0}))
        total = writer.size(writer.symbol(plan.outputs, "outputs"))
        results = []
        for fold, buffers, node in zip(reduction.folds, partials, reduction.nodes, strict=True):
            mask = f"{inside.name} & {outputs.bounds[0]().name}"
            starts = [fold.start]
            if fold.is_place:
                starts.append(fold.beyond)
            loaded = []
            for buffer, dtype, start in zip(buffers, fold.dtypes, starts, strict=True):
                pointer = writer.pointer(buffer, dtype, "partial")
                address = f"{pointer} + {row} * {total} + {outputs.name}"
                loaded.append(
                    writer.let(f"tl.load({address}, mask={mask}, other={start})", "x", "part")
                )
            results.append(fold.finish(writer, tuple(loaded), (0,), node.output.name)[-1])
        _epilogue(reduction, task, emitter, outputs, extents, results)
        return Printed(
            name="reduce_fold",
            constants=("A", "B"),
            configs=(FOLD,),
            choice=0,
            grid=(-(-plan.outputs // 16), 1, 1),
            writes=tuple(task.outputs),
            why=f"folds the {plan.splits} partial results of every element, in fixed order",
        )

    return schedule
