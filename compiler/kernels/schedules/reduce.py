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

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Graph, Node, Port, Value
from ir.ops.pointwise import Map

from ..builder import KernelBuilder
from ..choice import Choice
from ..emitter import Access, Emitter
from ..expressions import constant, element, read, spread
from ..folds import Fold
from ..index import ZERO, Affine, Base, delinearize, variable
from ..monomial import ONE, Monomial, product
from ..nodes import KernelBody
from ..task import Scheduled, Task
from .flat import schedule_flat
from .reduction import Reduction, reduction_of


def schedule_reduce(task: Task) -> Scheduled:
    reduction = reduction_of(task.body)
    if reduction.count(reduction.axes) == 0:
        return schedule_flat(replace(task, body=_without_elements(task.body)))

    def kernels(choice: Choice) -> list[KernelBody]:
        split = choice.splits > 1
        steps, _ = reduction.walk(choice.config)
        share = -(-steps // choice.splits)
        splits = -(-steps // share) if split else 1
        partials = _partials(reduction, splits)
        share *= choice.config["B" if reduction.kind == "rows" else "A"]
        config = choice.config.having("SPLIT", int(split))
        first = _gather(task, reduction, config, splits, share, partials)
        if not split:
            return [first]
        assert choice.second is not None
        return [first, _fold_partials(task, reduction, choice.second, splits, partials)]

    choices = task.heuristic.reduce(reduction.at(task.number), len(task.inputs))
    return Scheduled(choices, kernels)


def _without_elements(body: Graph) -> Graph:
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
    # Without a split nothing is written there; the kernel still takes the argument.
    elements = splits * reduction.count(reduction.kept) if splits != 1 else 16
    numbers = iter(range(2 * len(reduction.nodes)))
    return [
        tuple(Scratch(next(numbers), elements * d.itemsize) for d in f.dtypes)
        for f in reduction.folds
    ]


def _gather(
    task: Task,
    reduction: Reduction,
    config: Config,
    splits: int,
    share: int,  # how far along the split dimension one program goes
    partials: list[tuple[Scratch, ...]],
) -> KernelBody:
    """The launch that reads the input."""
    kind = reduction.kind
    count = reduction.count(reduction.kept)
    builder = task.builder()
    emitter = Emitter(task.body, builder, 2)
    emitter.bind(task.inputs)
    extents = emitter.extents(reduction.shape)
    output_axis = {"rows": 0, "planes": None, "columns": 1}[kind]
    outputs = outputs_base(builder, count, output_axis)
    # For rows it is a multiple of the tile, at least 16: addresses are seen aligned.
    stretch = builder.size(builder.amount(share, "share"), divisible=kind == "rows")
    start = builder.let(builder.program(1) * stretch, "i", "start")
    folds = reduction.folds
    gathered = [
        fold.begin(builder, emitter.tile, f"{node.output.name}_tile")
        for fold, node in zip(folds, reduction.nodes, strict=True)
    ]
    _Loop(reduction, emitter, outputs, extents).walk(folds, gathered, start, stretch)
    axes = {"rows": (1,), "planes": (0, 1), "columns": (0,)}[kind]
    results = [
        fold.finish(builder, tiles, axes, node.output.name)
        for fold, tiles, node in zip(folds, gathered, reduction.nodes, strict=True)
    ]
    if output_axis is None:  # one result per program, in a tile of one element
        outputs = Base(builder.let(spread(outputs.at, frozenset({0})), "i"))
    with builder.when(constant("SPLIT")):
        split = builder.let(builder.program(1), "i", "split")
        total = builder.size(builder.amount(count, "outputs"))
        mask = emitter.mask(variable(outputs), ())
        for values, buffers, fold in zip(results, partials, folds, strict=True):
            for value, buffer, dtype in zip(values, buffers, fold.dtypes, strict=True):
                pointer = builder.pointer(buffer, dtype, "partial")
                builder.store(element(pointer, split * total + outputs.at, mask), value)
    with builder.otherwise():
        _epilogue(reduction, task, emitter, outputs, extents, [values[-1] for values in results])
    written = [b for bs in partials for b in bs] if config["SPLIT"] else list(task.outputs)
    return KernelBody(
        name=f"reduce_{kind}",
        body=builder.body,
        tile=("A", "B"),
        config=config,
        grid=(reduction.programs(config), splits, 1),
        writes=tuple(written),
        why=_why(reduction, reduction.programs(config), splits),
        wide=builder.wide,
    )


def _why(reduction: Reduction, programs: int, splits: int) -> str:
    results, elements = reduction.count(reduction.kept), reduction.count(reduction.axes)
    text = f"{results} results of {elements} elements each"
    if splits != 1:
        text += f", split {splits} ways: {programs} programs would leave a device idle"
    return text


def below(builder: KernelBuilder, at: Expr, extent: Expr) -> Expr:
    """The condition that a position is inside its range."""
    return builder.let(at < extent, "m")


def outputs_base(builder: KernelBuilder, count: int, axis: int | None) -> Base:
    """The base of the results a program makes: a scalar, or along a tile axis."""
    if axis is None:
        return Base(builder.let(builder.program(), "i", "output"))
    tile = "AB"[axis]
    position = builder.program() * constant(tile) + builder.lanes(tile, axis)
    at = builder.let(position, "i", "output")
    most = builder.amount(count, "outputs")
    return Base(at, (lambda: below(builder, at, builder.size(most)),))


@dataclass(frozen=True, slots=True)
class _Loop:
    """Walks over the reduced axes of one program's results."""

    reduction: Reduction
    emitter: Emitter
    outputs: Base
    extents: tuple[Monomial, ...]

    def walk(
        self, folds: list[Fold], gathered: list[tuple[Expr, ...]], start: Expr, share: Expr
    ) -> None:
        if self.reduction.kind != "planes":
            axis = 1 if self.reduction.kind == "rows" else 0
            with self._steps(self.reduction.axes, axis, start, share) as base:
                self._take(folds, gathered, [(self.reduction.axes, base)])
            return
        inner = self.reduction.inner
        outer = tuple(a for a in self.reduction.axes if a not in inner)
        with self._steps(outer, 0, start, share) as rows, self._steps(inner, 1) as base:
            self._take(folds, gathered, [(outer, rows), (inner, base)])

    @contextlib.contextmanager
    def _steps(
        self,
        axes: Sequence[int],
        axis: int,
        start: Expr | None = None,
        share: Expr | None = None,
    ) -> Iterator[Base]:
        """A loop along dimension ``axis`` of the tile, over reduced axes; gives its base."""
        builder = self.emitter.builder
        end = total = builder.size(product(self.extents[a] for a in axes))
        if start is not None and share is not None:
            end = builder.let(e.minimum(start + share, total), "i", "end")
        tile = "AB"[axis]
        with builder.loop(end, start, constant(tile), hint="step") as step:
            at = builder.let(step + builder.lanes(tile, axis), "i", f"reduced{axis}")
            yield Base(at, (lambda: below(builder, at, total),))

    def _take(
        self,
        folds: list[Fold],
        gathered: list[tuple[Expr, ...]],
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
            fold.step(self.emitter.builder, tiles, taken(self.emitter, fold, node, access, inside))


def taken(
    emitter: Emitter, fold: Fold, node: Node, access: Access, inside: tuple[Expr, ...]
) -> tuple[Expr, ...]:
    """A tile of what is reduced (and of its places), neutral where not all of ``inside`` hold."""
    value = emitter.emit(node.inputs[0], access)
    emitter.builder.place(node.location)
    value = emitter.chosen(inside, value, fold.start)
    if not fold.is_place:
        return (value,)
    where = fold.place(emitter.builder, access.coordinates)
    return value, emitter.chosen(inside, where, fold.beyond)


def kept_coordinates(
    reduction: Reduction, outputs: Base, extents: tuple[Monomial, ...]
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
    extents: tuple[Monomial, ...],
    values: list[Expr],
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
            sizes = emitter.extents(port.value.shape)
            where = Access(delinearize(outputs, sizes), sizes)
        result = emitter.emit(port.value, where)
        store_result(emitter, port, buffer, where, outputs, result)


def store_result(
    emitter: Emitter, port: Port, buffer: Value, at: Access, outputs: Base, result: Expr
) -> None:
    """Where it belongs; row-major memory counts as the outputs do."""
    index, guard = variable(outputs), at.guard
    if port.value.type.layout is not None:
        index = emitter.address(at, port.value.type)
        guard = (*guard, *(bound() for bound in outputs.bounds))
    emitter.store(buffer, port.name, index, result, guard)


def _fold_partials(
    task: Task,
    reduction: Reduction,
    config: Config,
    splits: int,
    partials: list[tuple[Scratch, ...]],
) -> KernelBody:
    """The second launch: partial results (split, output) to results."""
    builder = task.builder()
    emitter = Emitter(task.body, builder, 2)
    emitter.bind(task.inputs)
    extents = emitter.extents(reduction.shape)
    count = reduction.count(reduction.kept)
    outputs = outputs_base(builder, count, 1)
    parts_there = builder.size(builder.amount(splits, "splits"))
    row = builder.let(builder.lanes("A", 0), "i", "split")
    inside = below(builder, row, parts_there)
    total = builder.size(builder.amount(count, "outputs"))
    results = []
    for fold, buffers, node in zip(reduction.folds, partials, reduction.nodes, strict=True):
        mask = (inside, outputs.bounds[0]())
        parts = []
        for buffer, dtype, start in zip(buffers, fold.dtypes, fold.starts, strict=True):
            pointer = builder.pointer(buffer, dtype, "partial")
            place = element(pointer, row * total + outputs.at, mask)
            parts.append(builder.let(read(place, start.value), "x", "part"))
        results.append(fold.finish(builder, tuple(parts), (0,), node.output.name)[-1])
    _epilogue(reduction, task, emitter, outputs, extents, results)
    return KernelBody(
        name="reduce_fold",
        body=builder.body,
        tile=("A", "B"),
        config=config,
        grid=(-(-count // config["B"]), 1, 1),
        writes=tuple(task.outputs),
        why=f"folds the {splits} partial results of every element, in fixed order",
        suffix=".fold",
        wide=builder.wide,
    )
