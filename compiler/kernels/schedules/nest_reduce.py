"""The reduce and row schedules of CPUs: reductions by loops along the digits of memory.

Where memory has results side by side (channels in blocks), each lane of a vector gathers its own;
where it has what is reduced side by side, lanes gather shares of one result, which go across in the
end. Several vectors gather at once, so that none waits for the addition before, and what an outer
loop reduces is gathered from what the inner ones did: a tree, more accurate than one running total.

Long reductions of few results are cut into parts, as many as the sizes say: who runs them in what
order changes no bit. A second kernel folds the parts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Port, Value
from ir.types import TensorType

from ..choice import Choice
from ..emitter import Access, Emit, Emitter
from ..expressions import SCALAR, Axes, Local, axes_of, element, read, ref
from ..folds import Fold
from ..index import ZERO, Affine, Base
from ..monomial import ONE, Monomial, product
from ..nodes import KernelBody
from ..reshaping import reshaped
from ..task import Scheduled, Task
from .nest import (
    ONE_VECTOR,
    SHARE,
    TILE,
    JoinedDigits,
    Lanes,
    MemoryDigit,
    NestEmitter,
    Programs,
    U,
    V,
    access_of,
    digits_of,
    emission,
    existing,
    planned,
    split_places,
)
from .nest_flat import NestHeuristic, schedule_nest
from .reduce import without_elements
from .reduction import Reduction, reduction_of
from .row import levels_of

PARTS = 16  # of a reduction at most
_VECTORS = 4  # that gather at once


def schedule_nest_reduce(task: Task, heuristic: NestHeuristic) -> Scheduled:
    reduction = reduction_of(task.body)
    if reduction.count(reduction.axes) == 0:
        return schedule_nest(replace(task, body=without_elements(task.body)), heuristic)
    places = any(fold.is_place for fold in reduction.folds)
    config = Config((("U", 1 if places else _VECTORS), ("V", heuristic.lanes)))

    def kernels(choice: Choice) -> list[KernelBody]:
        nest = _Nest(task, reduction, choice.config, choice.splits)
        if choice.splits == 1:
            return [nest.kernel()]
        return [nest.kernel(), _Nest(task, reduction, choice.config, choice.splits, True).kernel()]

    row = task.op.schedule == "row"
    parts = 1 if row else _Nest(task, reduction, config, 1).parts()
    return Scheduled([Choice(config, parts)], kernels)


def _walked(task: Task, reduction: Reduction) -> TensorType:
    """What lies in memory as most of what is reduced does."""
    found = [p.value.type for p in task.body.inputs if p.value.shape == reduction.shape]
    found.sort(key=lambda type: type.layout is None)
    return found[0] if found else TensorType(reduction.shape)


@dataclass(frozen=True, slots=True)
class _Loop:
    """A group of digits: its number, and how far it goes. ``block``: see Base.below."""

    number: int
    extent: Monomial
    block: int


class _Nest:
    """``splits``: parts of each reduction. ``folding``: what folds them."""

    def __init__(
        self,
        task: Task,
        reduction: Reduction,
        config: Config,
        splits: int,
        folding: bool = False,
    ) -> None:
        self.task, self.reduction, self.config = task, reduction, config
        self.splits, self.folding = splits, folding
        self.type = _walked(task, reduction)
        self.row = task.op.schedule == "row"
        plan = self._plan()
        self.emitter = emission(task, task.builder(), config["V"])
        self.builder = self.emitter.builder
        self.digits = digits_of(self.emitter, self.type)
        self.lanes = Lanes(self.builder, config)
        self.groups = plan.groups
        loops = [self._loop(n) for n in range(len(self.groups))]
        self.kept = [
            x for x in loops if not self._is_reduced(self.digits[self.groups[x.number][0]])
        ]
        self.reduced = [x for x in loops if x not in self.kept]
        last = loops[-1] if loops else None
        self.lane = last
        if folding and last in self.reduced:
            self.lane = self.kept[-1] if self.kept else None
        self.levels = levels_of(task.body, reduction)

    def _loop(self, number: int) -> _Loop:
        numbers = self.groups[number]
        block = self.digits[numbers[0]].block if len(numbers) == 1 else 0
        return _Loop(number, product(self.digits[n].extent for n in numbers), block)

    def _is_reduced(self, digit: MemoryDigit) -> bool:
        return digit.axis in self.reduction.axes

    # --- what is one loop -------------------------------------------------------------

    def _plan(self) -> JoinedDigits:
        def write(
            emitter: NestEmitter, digits: list[MemoryDigit], places: Sequence[Affine]
        ) -> list[Affine]:
            at = existing(emitter, self.type, access_of(emitter, self.type, digits, places))
            for node in self.reduction.nodes:
                emitter.emit(node.inputs[0], at)
                stub = ref(Local("r", "", node.output.type.dtype))
                emitter.given[node.output] = _same(stub)
            written = []
            for port, own in self._ports(emitter, at):
                emitter.emit(port.value, own)
                written.append(emitter.address(own, port.value.type))
            if self.splits > 1:
                written.append(_numbered(digits, places, self._is_reduced))
            return written

        def apart(a: MemoryDigit, b: MemoryDigit) -> bool:
            return self._is_reduced(a) != self._is_reduced(b)

        return planned(self.task, self.type, write, self.config["V"], apart)

    def _ports(self, emitter: Emitter, at: Access) -> Iterator[tuple[Port, Access]]:
        for port, _ in self.task.ports:
            if port.value.shape == self.reduction.shape and self.row:
                yield port, at
            else:
                yield port, self._result(emitter, at, port)

    def _result(self, emitter: Emitter, at: Access, port: Port) -> Access:
        """Where the result's element is that is made of what is reduced there."""
        axes = self.reduction.axes
        own = Access(
            tuple(ZERO if a in axes else c for a, c in enumerate(at.coordinates)),
            tuple(ONE if a in axes else x for a, x in enumerate(at.extents)),
            at.guard,
        )
        shape = self.reduction.nodes[0].output.shape
        return own if port.value.shape == shape else reshaped(emitter, own, shape, port.value.shape)

    # --- programs ---------------------------------------------------------------------

    def parts(self) -> int:
        """Into how many parts the sizes at hand cut each reduction."""
        number = self.task.number
        kept, reduced = (
            number(product(x.extent for x in loops).size) for loops in (self.kept, self.reduced)
        )
        programs = -(-kept // max(self.config["V"], 1)) if self.lane in self.kept else kept
        longest = max((number(x.extent.size) for x in self.reduced), default=1)
        if programs >= PARTS or kept * reduced < 8 * SHARE:
            return 1
        most = min(PARTS // programs, longest, kept * reduced // (4 * SHARE))
        return max(1, most)

    @property
    def _split(self) -> _Loop | None:
        """What is cut into parts."""
        if self.splits == 1 or self.folding:
            return None
        return max(self.reduced, key=lambda x: self.task.number(x.extent.size))

    def kernel(self) -> KernelBody:
        number, lane = self.task.number, self.lane
        rows = [x for x in self.kept if x != lane]
        each = self.splits if self.folding else number(product(x.extent for x in self.reduced).size)
        long = lane is not None and lane in self.kept and not lane.block
        if lane in self.kept and lane is not None and lane.block:
            each *= lane.block
        programs = Programs(self.task, self.builder, [x.extent for x in rows], each)
        if long and lane is not None:
            programs.cut(lane.extent, self.config["U"] * self.config["V"])
        for places, begin, end in programs.rows():
            bases = {x.number: Base(p, below=x.block) for x, p in zip(rows, places, strict=True)}
            if lane is None or lane not in self.kept:
                self._results(bases, (), SCALAR)
            elif long:
                for base, inside, axes in self.lanes.tiles(begin, end, lane.extent):
                    self._results({**bases, lane.number: base}, inside, axes)
            else:
                count = self.builder.size(lane.extent)
                for base, inside, axes in self.lanes.vectors(None, count, lane.extent, lane.block):
                    self._results({**bases, lane.number: base}, inside, axes)
        name = "row" if self.row else "reduce_fold" if self.folding else "reduce"
        grid = (programs.count, 1 if self.folding else self.splits)
        partials = [s for fold in self._partials() for s in fold] if self._split else []
        suffix = ".fold" if self.folding else ""
        return self.task.kernel(
            self.builder, name, TILE, self.config, grid, self._why(), suffix, partials
        )

    def _why(self) -> str:
        count = self.reduction.count
        text = f"{count(self.reduction.kept)} results of {count(self.reduction.axes)} elements each"
        return f"{text}, in {self.splits} parts" if self.splits > 1 else text

    def _partials(self) -> list[tuple[Scratch, ...]]:
        elements = self.splits * product(x.extent for x in self.kept).size
        numbers = iter(range(2 * len(self.reduction.nodes)))
        return [
            tuple(Scratch(next(numbers), elements * start.dtype.itemsize) for start in fold.starts)
            for fold in self.reduction.folds
        ]

    # --- one vector of results, or one ------------------------------------------------

    def _results(self, kept: dict[int, Base], inside: tuple[Expr, ...], axes: Axes) -> None:
        emitter = self.emitter
        for nodes in self.levels:
            found = [self._folded(n, kept, inside, axes) for n in nodes] if self.folding else None
            found = found or self._reduce(nodes, kept, inside, axes)
            if self._split:
                self._store_partials(kept, inside, found)
                continue
            for node, values in zip(nodes, found, strict=True):
                emitter.given[node.output] = _same(values[-1])
        if self._split:
            return
        at = self._access(kept, inside)
        whole = []
        for (port, buffer), (_, own) in zip(self.task.ports, self._ports(emitter, at), strict=True):
            if port.value.shape == self.reduction.shape and self.row:
                whole.append((port, buffer))
                continue
            value = emitter.emit(port.value, own)
            index = emitter.address(own, port.value.type)
            guard = emitter.needed(own, port.value.type)
            emitter.store(buffer, port.name, index, value, guard)
        if whole:
            self._rewrite(whole, kept, inside)
        for node in self.reduction.nodes:
            emitter.given.pop(node.output, None)

    def _rewrite(
        self, ports: Sequence[tuple[Port, Value]], kept: dict[int, Base], inside: tuple[Expr, ...]
    ) -> None:
        """Every element of rows, by what was found."""
        for access, _ in self._walk(kept, inside, tiles=False):
            for port, buffer in ports:
                value = self.emitter.emit(port.value, access)
                index = self.emitter.address(access, port.value.type)
                guard = self.emitter.needed(access, port.value.type)
                self.emitter.store(buffer, port.name, index, value, guard)

    def _access(self, bases: dict[int, Base], inside: tuple[Expr, ...]) -> Access:
        """``bases``: of groups, by number; others are at 0."""
        nowhere = Base(e.const(0), below=1)
        all_bases = [bases.get(n, nowhere) for n in range(len(self.groups))]
        places = split_places(self.digits, self.groups, all_bases)
        for number, numbers in enumerate(self.groups):
            if number not in bases:
                for digit in numbers:
                    places[digit] = ZERO
        at = access_of(self.emitter, self.type, self.digits, places)
        return existing(self.emitter, self.type, at).guarded(*inside)

    # --- what is reduced --------------------------------------------------------------

    def _walk(
        self, kept: dict[int, Base], inside: tuple[Expr, ...], tiles: bool
    ) -> Iterator[tuple[Access, Axes]]:
        """Once over all that is reduced: the access, the dimensions of the tile along it."""
        outer, inner = self.reduced[:-1], self.reduced[-1:]
        with contextlib.ExitStack() as stack:
            bases = dict(kept)
            for loop in outer:
                bases[loop.number] = self._position(stack, loop)
            yield from self._inner(bases, inside, inner, tiles)

    def _position(self, stack: contextlib.ExitStack, loop: _Loop) -> Base:
        start, stop = self._stretch(loop)
        return Base(
            stack.enter_context(self.builder.loop(stop, start, hint="step")), below=loop.block
        )

    def _stretch(self, loop: _Loop) -> tuple[Expr | None, Expr]:
        """From where to where a part goes."""
        builder = self.builder
        stop = builder.size(loop.extent)
        if loop != self._split:
            return None, stop
        width = self.config["V"] if loop == self.lane else 1
        share = -(-self.task.number(loop.extent.size) // self.splits // width) * width
        size = builder.size(builder.amount(max(share, width), "part"))
        start = builder.let(builder.program(1) * size, "i", "start")
        last = e.equal(builder.program(1), builder.size(builder.amount(self.splits - 1, "last")))
        return start, builder.let(e.where(last, stop, e.minimum(start + size, stop)), "i", "stop")

    def _inner(
        self,
        bases: dict[int, Base],
        inside: tuple[Expr, ...],
        inner: Sequence[_Loop],
        tiles: bool,
    ) -> Iterator[tuple[Access, Axes]]:
        builder = self.builder
        if not inner:
            yield self._access(bases, inside), SCALAR
            return
        (loop,) = inner
        start, stop = self._stretch(loop)
        if loop == self.lane:
            walk = self.lanes.tiles if tiles else self.lanes.vectors
            for base, more, axes in walk(start, stop, loop.extent, loop.block):
                yield self._access({**bases, loop.number: base}, (*inside, *more)), axes
            return
        count = self.config["U"]
        rest = start
        many = tiles and count > 1 and not any(U in axes_of(b.at) for b in bases.values())
        if many and (loop.extent.constant or count) >= count:
            lanes = builder.lanes("U", U)
            with builder.loop(stop - (count - 1), start, e.const(count), hint="step") as step:
                base = Base(builder.let(step + lanes, "i"), below=loop.block)
                yield self._access({**bases, loop.number: base}, inside), frozenset({U})
            if (loop.extent.constant or 1) % count == 0 and start is None:
                return
            first = e.const(0) if start is None else start
            rest = builder.let(first + (stop - first) // count * count, "i", "rest")
        with builder.loop(stop, rest, hint="step") as step:
            base = Base(step, below=loop.block)
            yield self._access({**bases, loop.number: base}, inside), SCALAR

    def _reduce(
        self,
        nodes: Sequence[Node],
        kept: dict[int, Base],
        inside: tuple[Expr, ...],
        axes: Axes,
    ) -> list[tuple[Expr, ...]]:
        """Of each its value, of some a place, too."""
        builder = self.builder
        folds = [Fold.of(node) for node in nodes]
        across = self.lane in self.reduced
        mine = ONE_VECTOR if across else axes
        totals = self._begin(folds, nodes, mine)
        with contextlib.ExitStack() as stack:
            bases = dict(kept)
            for loop in self.reduced[:-1]:
                bases[loop.number] = self._position(stack, loop)
            nested = len(self.reduced) > 1
            parts = self._begin(folds, nodes, mine) if nested else totals
            wide: list[tuple[Expr, ...]] | None = None
            many = self.config["U"] > 1 and U not in mine
            if many:
                wide = self._begin(folds, nodes, mine | {U})
            for access, along in self._inner(bases, inside, self.reduced[-1:], True):
                target = wide if wide is not None and U in along else parts
                for fold, node, gathered in zip(folds, nodes, target, strict=True):
                    fold.step(builder, gathered, self._taken(fold, node, access))
            if wide is not None:
                for fold, node, gathered, part in zip(folds, nodes, wide, parts, strict=True):
                    fold.step(builder, part, fold.finish(builder, gathered, (U,), node.output.name))
            if nested:
                for fold, part, total in zip(folds, parts, totals, strict=True):
                    fold.step(builder, total, part)
        if across:
            return [
                fold.finish(builder, total, (V,), node.output.name)
                for fold, node, total in zip(folds, nodes, totals, strict=True)
            ]
        return totals

    def _begin(
        self, folds: Sequence[Fold], nodes: Sequence[Node], axes: Axes
    ) -> list[tuple[Expr, ...]]:
        return [
            fold.begin(self.builder, axes, node.output.name)
            for fold, node in zip(folds, nodes, strict=True)
        ]

    def _taken(self, fold: Fold, node: Node, access: Access) -> tuple[Expr, ...]:
        """What is reduced (and its place), neutral where it is not inside."""
        emitter = self.emitter
        value = emitter.emit(node.inputs[0], access)
        emitter.builder.place(node.location)
        value = emitter.chosen(access.guard, value, fold.start)
        if not fold.is_place:
            return (value,)
        where = fold.place(emitter.builder, access.coordinates)
        return value, emitter.chosen(access.guard, where, fold.beyond)

    # --- parts ------------------------------------------------------------------------

    def _partial_place(self, kept: dict[int, Base], part: Expr) -> Expr:
        """The number of a result among those of all parts."""
        builder = self.builder
        total: Expr = part
        for loop in self.kept:
            total = total * builder.size(loop.extent) + kept[loop.number].at
        return total

    def _store_partials(
        self,
        kept: dict[int, Base],
        inside: tuple[Expr, ...],
        found: Sequence[tuple[Expr, ...]],
    ) -> None:
        builder = self.builder
        place = self._partial_place(kept, builder.program(1))
        for values, buffers in zip(found, self._partials(), strict=True):
            for value, buffer in zip(values, buffers, strict=True):
                pointer = builder.pointer(buffer, value.dtype, "partial")
                builder.store(element(pointer, place, inside), value)

    def _folded(
        self, node: Node, kept: dict[int, Base], inside: tuple[Expr, ...], axes: Axes
    ) -> tuple[Expr, ...]:
        builder, fold = self.builder, Fold.of(node)
        buffers = self._partials()[self.reduction.nodes.index(node)]
        totals = fold.begin(builder, axes, node.output.name)
        parts = builder.size(builder.amount(self.splits, "parts"))
        with builder.loop(parts, hint="part") as part:
            place = self._partial_place(kept, part)
            taken = []
            for buffer, start in zip(buffers, fold.starts, strict=True):
                pointer = builder.pointer(buffer, start.dtype, "partial")
                where = element(pointer, place, inside)
                taken.append(builder.let(read(where, start.value if inside else None), "x", "part"))
            fold.step(builder, totals, tuple(taken))
        return totals


def _numbered(
    digits: Sequence[MemoryDigit], places: Sequence[Affine], reduced: Callable[[MemoryDigit], bool]
) -> Affine:
    """The number of a result, as memory counts them."""
    total = ZERO
    for digit, place in zip(digits, places, strict=True):
        if not reduced(digit):
            total = total.scaled(digit.extent).plus(place)
    return total


def _same(result: Expr) -> Emit:
    """The same wherever a row asks for it."""
    return lambda emitter, access: result
