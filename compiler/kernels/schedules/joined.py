"""Axes of a contraction that memory holds as one: a loop over both is one loop, a tile need not end
where rows do.

before: ``columns (n, 14, 14), depth (64, 1, 1)``    (1 x 1, stride 1)
after:  ``columns (n, 196), depth (64, 1, 1)``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ir import expr as e
from ir.graph import Node, Value

from ..emitter import Access, Emitter
from ..index import ZERO, Affine, Base, variable
from ..monomial import ONE, product
from ..products import Places, Product, Sizes

Groups = tuple[tuple[int, ...], ...]
"""Numbers of axes, those that are one together."""


def joined(emitter: Emitter, anchor: Node, view: Product) -> Product:
    """The product with as few columns' axes, and axes of the depth, as there can be."""
    for kind in ("columns", "depth"):
        sizes: Sizes = getattr(view, kind)
        groups: Groups = tuple((i,) for i in range(len(sizes)))
        number = 0
        while number + 1 < len(groups):
            tried = (*groups[:number], groups[number] + groups[number + 1], *groups[number + 2 :])
            real = all(sizes[i] != ONE for i in (*groups[number], *groups[number + 1]))
            if real and _is_one(emitter, anchor, _with(emitter, view, kind, tried), kind, number):
                groups = tried
            else:
                number += 1
        if len(groups) < len(sizes):
            view = _with(emitter, view, kind, groups)
    return view


def _with(emitter: Emitter, view: Product, kind: str, groups: Groups) -> Product:
    """The product with groups of axes of a kind as one axis each."""
    sizes: Sizes = getattr(view, kind)

    def split(places: Places) -> Places:
        found = [ZERO] * len(sizes)
        for place, group in zip(places, groups, strict=True):
            parts: Places = (place,)
            if len(group) > 1:
                parts = emitter.split(place, tuple(sizes[i] for i in group))
            for axis, part in zip(group, parts, strict=True):
                found[axis] = part
        return found

    (left, read_left), (right, read_right), result = view.left, view.right, view.result
    extents = tuple(product([sizes[i] for i in group]) for group in groups)
    if kind == "columns":
        return replace(
            view,
            columns=extents,
            right=(right, lambda depth, column, which: read_right(depth, split(column), which)),
            result=lambda row, column, which: result(row, split(column), which),
        )
    return replace(
        view,
        depth=extents,
        left=(left, lambda row, depth, which: read_left(row, split(depth), which)),
        right=(right, lambda depth, column, which: read_right(split(depth), column, which)),
    )


def _is_one(emitter: Emitter, anchor: Node, view: Product, kind: str, number: int) -> bool:
    """Whether whatever is read or written steps evenly along an axis."""
    base = Base(e.node("probe", (), (kind, number)))
    for value, access in _accesses(emitter, anchor, view, kind, number, variable(base)):
        index = emitter.place_of(value, access)
        parts = [r for r, _ in index.terms if r.base is base]
        if access.guard or any(r.inner != ONE or r.extent is not None for r in parts):
            return False
    return True


def _accesses(
    emitter: Emitter, anchor: Node, view: Product, kind: str, number: int, place: Affine
) -> Iterator[tuple[Value, Access]]:
    def at(name: str, sizes: Sequence[object]) -> list[Affine]:
        return [place if (name, i) == (kind, number) else ZERO for i in range(len(sizes))]

    row, column = at("rows", view.rows), at("columns", view.columns)
    depth, which = at("depth", view.depth), at("count", view.count)
    (left, read_left), (right, read_right) = view.left, view.right
    for value, access in (
        (left, read_left(row, depth, which)),
        (right, read_right(depth, column, which)),
    ):
        yield emitter.located(value, access) if emitter.is_load(value) else (value, access)
    yield anchor.output, view.result(row, column, which)
