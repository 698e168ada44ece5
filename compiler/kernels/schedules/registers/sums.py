"""The sums of a tile: loops over the depth, whose innermost one runs along memory."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value

from ...builder import KernelBuilder
from ...emitter import Access
from ...expressions import across, address_of, as_computed, axes_of, element, every, read
from ...index import Affine, Base, variable
from ...monomial import Monomial
from ...nodes import Kind
from ..parted import located_parts, parts_of
from .form import LoopAxis, in_block
from .tile import RegisterTile, U, V, step_of


@dataclass
class Registers(RegisterTile):
    """``share``: steps along the outermost axis of the depth that a program takes; 0: all."""

    share: int = 0
    stepped: bool = False

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
        found = builder.let(read(place, 0.0 if self.mask else None), "x")
        return builder.let(as_computed(found), "x") if found.dtype.is_narrow else found


def _of_lanes(access: Access) -> Access:
    """With only the conditions that differ inside a vector."""
    return replace(access, guard=tuple(c for c in access.guard if V in axes_of(c)))


def _varying(access: Access) -> Access:
    """With only the conditions that differ inside a tile."""
    return replace(access, guard=tuple(c for c in access.guard if axes_of(c)))
