"""A tile of sums in registers: where it is, what it reads, and its loops over the depth."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value

from ...builder import KernelBuilder
from ...emitter import Access, Emitter
from ...expressions import across, address_of, axes_of, constant, element, every, read
from ...index import ZERO, Affine, Base, delinearize, variable
from ...monomial import Monomial
from ...nodes import Kind
from ...products import Product
from ...task import Task
from ..parted import located_parts, parts_of
from .form import LoopAxis, RegisterForm, extents_of, in_block, operands, register_form, result_of

U, R, V = range(3)  # dimensions of a tile: what is spread is used up before the next is read
TileOrder = Literal["vectors", "images", "results"]
"""Tiles that run next to each other share the vectors' operand, or do so of one image at a time, or
make what lies side by side in memory."""
MOST_TAPS = 25  # of a window whose loops are unrolled


@dataclass
class Registers:
    emitter: Emitter
    anchor: Node
    view: Product
    config: Config
    share: int = 0
    order: TileOrder = "vectors"
    programs: int = 1
    form: RegisterForm = field(init=False)
    stepped: bool = False
    start: Expr | None = None  # the first of a tile's positions, which follow each other

    def __post_init__(self) -> None:
        self.extents = extents_of(self.view)
        self.form = register_form(self.emitter, self.anchor, self.view, self.config["V"])

    @property
    def builder(self) -> KernelBuilder:
        return self.emitter.builder

    @property
    def depth(self) -> list[LoopAxis]:
        return [a for a in self.extents if a.kind == "depth"]

    def store(self, task: Task, at: Mapping[LoopAxis, Affine], total: Expr) -> None:
        """All results of the group at the places of a tile."""
        emitter = self.emitter
        access = result_of(self.view, at).guarded(*self.bounds(at))
        emitter.preset(self.anchor.output, access, total)
        for port, buffer in task.ports:
            emitter.write(port, buffer, access)

    # Of the axes that are not summed over, where the program's tile is.

    def placed(self) -> dict[LoopAxis, Affine]:
        builder = self.builder
        axes = [a for a in self.extents if a.kind != "depth"]
        counts = {a: self._count(a) for a in axes}
        order = sorted(axes, key=self._rank)
        program = Base(builder.let(builder.program(), "i", "program"))
        self.programs = 1
        for axis in axes:
            self.programs *= counts[axis].size
        places = delinearize(program, [counts[a] for a in order])
        found = {}
        for axis, place in zip(order, places, strict=True):
            found[axis] = self._place(
                axis, variable(Base(builder.index(place))) if place.terms else place
            )
        return {a: found.get(a, ZERO) for a in self.extents}

    def _rank(self, axis: LoopAxis) -> tuple[bool, bool, bool]:
        """The axes in order have programs that run next to each other along the last one."""
        lanes, single = axis == self.form.lanes, axis == self.form.single
        if self.order == "results":
            return lanes, single, False
        image = LoopAxis("columns", 0) if self.order == "images" else self.form.lanes
        return axis != image, not lanes, single

    def _count(self, axis: LoopAxis) -> Monomial:
        """Programs along an axis."""
        return self._parts(self._parts(self.extents[axis], self._block(axis)), self._tile(axis))

    def _block(self, axis: LoopAxis) -> int:
        return self.config["V"] if axis == self.form.lanes else 1

    def _tile(self, axis: LoopAxis) -> int:
        """Positions (or blocks) that a tile has along an axis."""
        tile = 1
        if axis == self.form.vectors:
            tile *= self.config["R"]
        if axis == self.form.single:
            tile *= self.config["U"]
        return tile

    def _parts(self, extent: Monomial, size: int) -> Monomial:
        return self.builder.blocks(extent, size) if size != 1 else extent

    def _place(self, axis: LoopAxis, program: Affine) -> Affine:
        builder, form = self.builder, self.form
        block = form.blocks.get(axis, 0) if axis == form.single and axis != form.lanes else 0
        place = program
        for mine, name, dimension in ((form.vectors, "R", R), (form.single, "U", U)):
            if axis == mine and self.config[name] > 1:
                blocks = self._parts(self.extents[axis], self._block(axis))
                start = builder.affine(place) * constant(name)
                position = builder.lanes(name, dimension)
                whole = blocks.constant is not None and blocks.constant % self.config[name] == 0
                if whole and block and name == "U" and block % self.config[name] == 0:
                    return self._inside(builder.let(start, "i"), position, block)
                if name == "U" and not block and axis != form.lanes:
                    self.start = start = builder.let(start, "i", "start")
                at = start + position
                if not whole:
                    # What a tile has too much repeats its last one.
                    at = e.minimum(at, builder.size(blocks) - 1)
                place = variable(Base(builder.let(at, "i")))
        if axis == form.lanes:
            return in_block(place, self._lane(), self.config["V"])
        if block and len(place.terms) == 1:
            return self._inside(builder.affine(place), None, block)
        return place

    def _inside(self, at: Expr, position: Expr | None, block: int) -> Affine:
        """A place by its block. ``position``: added to it, which leads to no other block."""
        inner = self.builder.let(at % block, "i")
        if position is not None:
            inner = self.builder.let(inner + position, "i")
        outer = variable(Base(self.builder.let(at // block, "i")))
        return in_block(outer, Base(inner, below=block), block)

    def _lane(self) -> Base:
        return Base(self.builder.lanes("V", V), below=self.config["V"])

    def bounds(self, at: Mapping[LoopAxis, Affine]) -> list[Expr]:
        """Conditions under which lanes are inside of what is not filled up."""
        axis = self.form.lanes
        extent = self.extents[axis]
        if axis.kind == "depth" or (extent.constant and extent.constant % self.config["V"] == 0):
            return []
        inside = self.builder.affine(at[axis]) < self.builder.size(extent)
        condition = self.builder.let(inside, "m")
        self.emitter.fills(condition, at[axis], extent, self.config["V"])
        return [condition]

    # --- the sums ---------------------------------------------------------------------

    def summed(self, at: Mapping[LoopAxis, Affine]) -> Expr:
        """The tile of sums over the depth."""
        builder = self.builder
        total = builder.declare(e.const(0.0), self.emitter.tile, "acc", "acc")
        axes = self.depth
        known = [a for a in axes if self.extents[a].constant is not None]
        fast = None
        if known == axes and not any(a in self.form.blocks for a in axes):
            last = {a: step_of((self.extents[a].constant or 1) - 1) for a in axes}
            fast = self._ends([at, {**at, **last}])
        if not fast:
            self.stepped = True
            self._loops(at, axes, total)
        else:
            with builder.when(builder.let(every(fast), "m", "inside")):
                self._loops(self._following(at), axes, total, masked=False)
            with builder.otherwise():
                self._loops(at, axes, total)
        if self.form.name != "inner":
            return total
        return builder.let(across("sum", total, (V,)), "v", "total")

    def _ends(self, tiles: Sequence[Mapping[LoopAxis, Affine]]) -> tuple[Expr, ...]:
        """Conditions that all positions of tiles meet if the first and the last one do. None: there
        are no such, or they are not known."""
        builder, single, start = self.builder, self.form.single, self.start
        if start is None:
            return ()
        last = builder.let(start + (self.config["U"] - 1), "i", "last")
        ends = [variable(Base(place)) for place in (start, last)]
        found = []
        for at in tiles:
            one, *others = (self._operands({**at, single: p}) for p in (at[single], *ends))
            for n, (_, access) in enumerate(one):
                guards = [access.guard, *(sides[n][1].guard for sides in others)]
                if len(set(map(len, guards))) > 1:
                    return ()
                for condition, *scalars in zip(*guards, strict=True):
                    if U in axes_of(condition):
                        found += scalars
        if any(axes_of(condition) for condition in found):
            return ()
        extent = self.extents[single]
        if extent.constant is None or extent.constant % self.config["U"]:
            found.append(builder.let(last < builder.size(extent), "m"))
        return tuple(dict.fromkeys(found))

    def _following(self, at: Mapping[LoopAxis, Affine]) -> dict[LoopAxis, Affine]:
        """Where all positions of the tile are there."""
        assert self.start is not None
        positions = variable(Base(self.builder.lanes("U", U)))  # a number of every address itself
        return {**at, self.form.single: variable(Base(self.start)).plus(positions)}

    @property
    def is_window(self) -> bool:
        """Whether the depth is a small window, whose loops are unrolled."""
        sizes = [self.extents[a].constant for a in self.depth if a not in self.form.blocks]
        whole = self.form.name == "each" and len(sizes) == len(self.depth)
        return whole and math.prod(s or MOST_TAPS + 1 for s in sizes) <= MOST_TAPS

    def _loops(
        self,
        at: Mapping[LoopAxis, Affine],
        axes: Sequence[LoopAxis],
        total: Expr,
        masked: bool = True,
    ) -> None:
        """Over the depth. ``masked``: some of what is read may not be there."""
        builder = self.builder
        unrolled = axes if self.is_window else ()
        inner = self._innermost(axes)
        with contextlib.ExitStack() as stack:
            found = dict(at)
            for axis in axes:
                extent = self.extents[axis]
                if axis == self.form.lanes:
                    continue
                if axis == inner:
                    blocks = builder.size(builder.blocks(extent, self.form.blocks[axis]))
                    loop = builder.loop(blocks, hint="block")
                    found[axis] = variable(Base(stack.enter_context(loop)))
                elif self.share and axis.number == 0:
                    found[axis] = variable(Base(stack.enter_context(self._share(extent))))
                elif extent.constant != 1:
                    kind = Kind.UNROLLED if axis in unrolled else Kind.SERIAL
                    loop = builder.loop(builder.size(extent), kind=kind, hint="step")
                    found[axis] = variable(Base(stack.enter_context(loop)))
            self._steps(found, inner, total, masked)

    def _innermost(self, axes: Sequence[LoopAxis]) -> LoopAxis | None:
        """That of the lanes, or the last one that memory holds in blocks; of other blocks each
        element has its own address."""
        found = [a for a in axes if a == self.form.lanes] or [
            a for a in axes if a in self.form.blocks
        ]
        return found[-1] if found else None

    def _share(self, extent: Monomial) -> contextlib.AbstractContextManager[Expr]:
        """Over the program's part of an axis."""
        builder = self.builder
        share = builder.size(builder.amount(self.share, "share"))
        start = builder.let(builder.program(1) * share, "i", "start")
        return builder.loop(e.minimum(start + share, builder.size(extent)), start, hint="step")

    def _steps(
        self, at: dict[LoopAxis, Affine], axis: LoopAxis | None, total: Expr, masked: bool
    ) -> None:
        """The innermost loop: along a block of the depth, or its lanes, where there is one."""
        builder = self.builder
        if axis is None:
            self._step(at, None, 0, total, masked=masked)
            return
        extent, lanes = self.extents[axis], self.config["V"]
        if axis == self.form.lanes:
            whole = extent.constant is not None and extent.constant % lanes == 0
            with builder.loop(builder.size(builder.blocks(extent, lanes)), hint="step") as step:
                place = in_block(variable(Base(step)), self._lane(), lanes)
                guard = () if whole else (self.builder.affine(place) < builder.size(extent),)
                self._step({**at, axis: place}, None, 0, total, guard)
            return
        block = self.form.blocks[axis]
        stop: Expr = e.const(block)
        if extent.constant is None or extent.constant % block:
            rest = builder.size(extent) - builder.affine(at[axis]) * block
            stop = builder.let(e.minimum(rest, block), "i")
        self._step(at, axis, block, total, stop=stop)

    def _step(
        self,
        at: dict[LoopAxis, Affine],
        inner: LoopAxis | None,
        block: int,
        total: Expr,
        guard: tuple[Expr, ...] = (),
        stop: Expr | None = None,
        masked: bool = True,
    ) -> None:
        builder = self.builder
        here = dict(at)
        if inner is not None:
            here[inner] = at[inner].scaled(Monomial.of(block))
        sides = self.sides(here, guard)
        alike = [c for _, access in sides for c in access.guard if not axes_of(c)]
        with contextlib.ExitStack() as stack:
            for condition in dict.fromkeys(alike):
                stack.enter_context(builder.when(condition))
            if inner is None and masked and self.stepped and (ends := self._ends([at])):
                with builder.when(every(ends)):
                    self._step(self._following(at), None, 0, total, guard, masked=False)
                stack.enter_context(builder.otherwise())
            sides = [
                (value, _varying(access) if masked else _of_lanes(access))
                for value, access in sides
            ]
            if inner is None:
                a, b = (self.emitter.emit_guarded(value, access) for value, access in sides)
                builder.assign(total, total + a * b)
                return
            assert stop is not None
            mark = Base(e.node("probe", (), "inner"))
            moved = self._operands({**at, inner: in_block(at[inner], mark, block)})
            starts = [
                self._start(value, access, far, mark)
                for (value, access), (_, far) in zip(sides, moved, strict=True)
            ]
            with builder.loop(stop, kind=Kind.UNROLLED, hint="inner") as step:
                a, b = (start.at(builder, step) for start in starts)
                builder.assign(total, total + a * b)

    def sides(
        self, at: dict[LoopAxis, Affine], guard: tuple[Expr, ...] = ()
    ) -> list[tuple[Value, Access]]:
        """Left and right, with the conditions under which there is something to read."""
        outside = self.bounds(at) if self.form.name != "inner" else []
        found = [
            (value, access.guarded(*guard, *(outside if self._has_lanes(value, access) else ())))
            for value, access in self._operands(at)
        ]
        return [
            (value, replace(access, guard=self.emitter.needed(access, value.type)))
            for value, access in found
        ]

    def _operands(self, at: dict[LoopAxis, Affine]) -> list[tuple[Value, Access]]:
        """Left and right, where they are read."""
        found = []
        values = (self.view.left[0], self.view.right[0])
        for value, access in zip(values, operands(self.view, at), strict=True):
            located = self.emitter.is_load(value)
            found.append(self.emitter.located(value, access) if located else (value, access))
        return found

    def _has_lanes(self, value: Value, access: Access) -> bool:
        return V in self.emitter.address(access, value.type).axes

    def _start(self, value: Value, access: Access, far: Access, mark: Base) -> _Start:
        builder, emitter = self.builder, self.emitter
        part, moved, _ = next(parts_of(emitter, value, far))
        stepped = emitter.address(moved, part.type)
        stride = next((w for r, w in stepped.terms if r.base is mark), Monomial.of(0))
        pointer, index = located_parts(emitter, list(parts_of(emitter, value, access)))
        lane = Affine(tuple((r, w) for r, w in index.terms if V in r.base.axes))
        rest = Affine(tuple((r, w) for r, w in index.terms if V not in r.base.axes), index.offsets)
        mask = tuple(c for c in access.guard if V not in axes_of(c))
        start = builder.address(address_of(pointer, builder.affine(rest), mask))
        lanes = tuple(c for c in access.guard if V in axes_of(c))
        return _Start(start, builder.size(stride), builder.affine(lane), lanes)


class _Start(NamedTuple):
    """Where a block of the depth begins, what one step of it is, and what lanes read."""

    address: Expr
    stride: Expr
    lane: Expr
    mask: tuple[Expr, ...]

    def at(self, builder: KernelBuilder, step: Expr) -> Expr:
        place = element(self.address, step * self.stride + self.lane, self.mask)
        return builder.let(read(place, 0.0 if self.mask else None), "x")


def step_of(value: int) -> Affine:
    return ZERO.shifted(Monomial.of(value))


def _of_lanes(access: Access) -> Access:
    """With only the conditions that differ inside a vector."""
    return replace(access, guard=tuple(c for c in access.guard if V in axes_of(c)))


def _varying(access: Access) -> Access:
    """With only the conditions that differ inside a tile."""
    return replace(access, guard=tuple(c for c in access.guard if axes_of(c)))
