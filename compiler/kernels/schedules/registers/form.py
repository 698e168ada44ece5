"""Where the lanes of vectors lie in a contraction, and what registers hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from ir import expr as e
from ir.graph import Node, Value

from ...emitter import Access, Emitter
from ...index import ZERO, Affine, Base, IterationRange, variable
from ...monomial import ONE, Monomial
from ...products import Product


class LoopAxis(NamedTuple):
    """One of a contraction's: the number of its kind."""

    kind: Literal["count", "rows", "columns", "depth"]
    number: int


class RegisterForm(NamedTuple):
    """Where lanes and registers lie.

    Attributes:
        lanes: the axis in the lanes. vectors: that of ``R``. single: that of ``U``.
        blocks: by axis, elements of the blocks that memory holds it in.
    """

    lanes: LoopAxis
    vectors: LoopAxis
    single: LoopAxis
    blocks: Mapping[LoopAxis, int]

    @property
    def name(self) -> str:
        return {"count": "each", "depth": "inner"}.get(self.lanes.kind, "outer")


def extents_of(view: Product) -> dict[LoopAxis, Monomial]:
    kinds = {"count": view.count, "rows": view.rows, "columns": view.columns, "depth": view.depth}
    return {LoopAxis(k, i): extent for k, sizes in kinds.items() for i, extent in enumerate(sizes)}  # type: ignore[arg-type]


def register_form(emitter: Emitter, anchor: Node, view: Product, lanes: int) -> RegisterForm:
    """The best form: that in which most of what is read and written lies side by side."""
    extents = extents_of(view)
    probe = _Probe(emitter, anchor.output, view, extents)
    long = [axis for axis, extent in extents.items() if extent.constant != 1]
    blocks = {axis: block for axis in long if (block := probe.block(axis))}

    def cost(axis: LoopAxis) -> tuple[int, bool, bool, int]:
        left, right, result = (s not in (0, 1) for s in probe.strides(axis, blocks.get(axis, 0)))
        short = 0 < (extents[axis].constant or 0) < lanes
        order = ("rows", "columns", "count", "depth").index(axis.kind)
        return left + right, short, result, order  # the result is written once

    last = [
        max((a for a in extents if a.kind == kind), default=None) for kind in ("columns", "depth")
    ]
    tried = [a for a in extents if a.kind in ("rows", "count") or a in last or a in blocks]
    best = min(tried, key=cost)
    rows, columns = LoopAxis("rows", 0), last[0]
    assert columns is not None, "a product has columns"
    inner = [a for a in blocks if a.kind == "columns"]
    match best.kind:
        case "rows":
            return RegisterForm(best, best, inner[0] if inner else columns, blocks)
        case "columns":
            return RegisterForm(best, best, rows, blocks)
        case "count":
            return RegisterForm(best, best, columns, blocks)
        case "depth":
            return RegisterForm(best, columns, rows, blocks)


def strides_along(
    emitter: Emitter, result: Value, view: Product, axis: LoopAxis
) -> tuple[int | None, ...]:
    """Of left, right and result in memory, from one place to the next; None: no constant.

    ``result``: that of the product, or what becomes of each of its elements."""
    return _Probe(emitter, result, view, extents_of(view)).strides(axis, 0)


class _Probe:
    """Asks accesses what they do along an axis."""

    def __init__(
        self, emitter: Emitter, result: Value, view: Product, extents: Mapping[LoopAxis, Monomial]
    ) -> None:
        self.emitter, self.view, self.extents = emitter, view, extents
        self.result = result

    def block(self, axis: LoopAxis) -> int:
        """Elements of the blocks in which memory holds an axis; 0: it has none."""
        base = Base(e.node("probe", (), axis))
        for value, access in self._accesses({axis: variable(base)}):
            layout = value.type.layout
            for number, index in enumerate(access.coordinates):
                if layout and layout.block(number) and any(r.base is base for r, _ in index.terms):
                    return layout.block(number)
        return 0

    def strides(self, axis: LoopAxis, block: int) -> tuple[int | None, ...]:
        """Of left, right and result from lane to lane; None: no constant."""
        lane = Base(e.node("probe", (), axis))
        place = variable(lane)
        if block:
            place = in_block(variable(Base(e.node("probe", (), "block"))), lane, block)
        found = []
        for value, access in self._accesses({axis: place}):
            index = self.emitter.place_of(value, access)
            weights = [w.constant for r, w in index.terms if r.base is lane]
            found.append(weights[0] if weights else 0)
        return tuple(found)

    def _accesses(self, places: Mapping[LoopAxis, Affine]) -> Iterator[tuple[Value, Access]]:
        at = {axis: places.get(axis, ZERO) for axis in self.extents}
        sides = zip((self.view.left, self.view.right), operands(self.view, at), strict=True)
        for (value, _), access in sides:
            if self.emitter.is_load(value):
                yield self.emitter.located(value, access)
            else:
                yield value, access
        yield self.result, result_of(self.view, at)


def in_block(block: Affine, lane: Base, size: int) -> Affine:
    """A coordinate by the number of a block and the place inside it."""
    place = Affine(((IterationRange(lane, ONE, Monomial.of(size)), ONE),))
    return block.scaled(Monomial.of(size)).plus(place)


def _group(at: Mapping[LoopAxis, Affine], kind: str) -> list[Affine]:
    return [place for axis, place in at.items() if axis.kind == kind]


def operands(view: Product, at: Mapping[LoopAxis, Affine]) -> tuple[Access, Access]:
    count, rows, columns, depth = (_group(at, k) for k in ("count", "rows", "columns", "depth"))
    return view.left[1](rows, depth, count), view.right[1](depth, columns, count)


def result_of(view: Product, at: Mapping[LoopAxis, Affine]) -> Access:
    return view.result(_group(at, "rows"), _group(at, "columns"), _group(at, "count"))
