"""A tile of sums in registers: where it is, what it reads and stores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value

from ...builder import KernelBuilder
from ...emitter import Access, Emitter
from ...expressions import constant
from ...index import ZERO, Affine, Base, delinearize, variable
from ...monomial import Monomial
from ...products import Product
from ...task import Task
from .form import LoopAxis, RegisterForm, extents_of, in_block, operands, register_form, result_of

U, R, V = range(3)  # dimensions of a tile: what is spread is used up before the next is read
TileOrder = Literal["vectors", "images", "results"]
"""Tiles that run next to each other share the vectors' operand, or do so of one image at a time, or
make what lies side by side in memory."""
MOST_TAPS = 25  # of a window whose loops are unrolled


@dataclass
class RegisterTile:
    """What there is to say of a tile without its loops.

    Attributes:
        programs: how many have a tile, known once it is placed.
        start: the first of its positions along the axis of ``U``, where these follow each other.
    """

    emitter: Emitter
    anchor: Node
    view: Product
    config: Config
    order: TileOrder = "vectors"
    programs: int = 1
    form: RegisterForm = field(init=False)
    start: Expr | None = None

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

    @property
    def is_window(self) -> bool:
        """Whether the depth is a small window, whose loops are unrolled."""
        sizes = [self.extents[a].constant for a in self.depth if a not in self.form.blocks]
        whole = self.form.name == "each" and len(sizes) == len(self.depth)
        return whole and math.prod(s or MOST_TAPS + 1 for s in sizes) <= MOST_TAPS

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


def step_of(value: int) -> Affine:
    return ZERO.shifted(Monomial.of(value))
