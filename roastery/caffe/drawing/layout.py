"""Where nodes stand: in ranks along the flow, with few crossings and short arrows.

The steps of every layered layout: ranks by the longest path, points where long arrows pass
through ranks, order inside ranks by the mean place of neighbours, then coordinates that come as
near to the neighbours as sizes allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .graph import Arrow, Drawing, DrawnNode

_CHAR, _LINE, _MARGIN = 6.6, 15.0, 8.0
_RANK_GAP, _GAP = 36.0, 14.0
_SWEEPS = 6

Point = tuple[float, float]


@dataclass
class Box:
    """A node's centre and size in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Path:
    """An arrow and the points it runs through."""

    arrow: Arrow
    points: list[Point]


@dataclass
class Arrangement:
    """Boxes by node key, paths of the arrows, and the size of the whole picture."""

    boxes: dict[str, Box]
    paths: list[Path]
    width: float
    height: float


@dataclass
class _Slot:
    """A place in a rank: a node's, or a point that an arrow passes through."""

    rank: int
    depth: float  # extent along the flow
    breadth: float  # extent across it
    before: list[_Slot]
    after: list[_Slot]
    position: float = 0.0


def text_lines(node: DrawnNode, vertical: bool) -> list[str]:
    """The lines of a node's text: joined where the flow runs down and width is free."""
    if vertical and len(node.lines) > 2:
        return [" ".join(node.lines[:2]), " ".join(node.lines[2:])]
    return list(node.lines)


def lay_out(drawing: Drawing, rankdir: str) -> Arrangement:
    """Place the nodes of a drawing. ``rankdir``: LR, RL, TB or BT."""
    vertical = rankdir in ("TB", "BT")
    sizes = {key: _size(node, vertical) for key, node in drawing.nodes.items()}
    ranks = _ranks(drawing)
    slots = {}
    for key in drawing.nodes:
        width, height = sizes[key]
        depth, breadth = (height, width) if vertical else (width, height)
        slots[key] = _Slot(ranks[key], depth, breadth, [], [])
    columns: list[list[_Slot]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for slot in slots.values():
        columns[slot.rank].append(slot)
    routes = [_route(arrow, slots, columns) for arrow in drawing.arrows]
    _order(columns)
    _place(columns)
    return _picture(drawing, slots, columns, routes, sizes, rankdir)


def _size(node: DrawnNode, vertical: bool) -> tuple[float, float]:
    lines = text_lines(node, vertical)
    width = max(len(line) for line in lines) * _CHAR + 2 * _MARGIN
    return width, len(lines) * _LINE + _MARGIN


def _ranks(drawing: Drawing) -> dict[str, int]:
    """The longest way from a source to each node."""
    ranks = dict.fromkeys(drawing.nodes, 0)
    forward = [arrow for arrow in drawing.arrows if not arrow.back]
    # Layers stand in an order in which every blob is made before it is read: one sweep does,
    # unless a file is drawn that breaks this; then a few sweeps do well enough.
    for _ in range(4):
        moved = False
        for arrow in forward:
            if ranks[arrow.head] <= ranks[arrow.tail]:
                ranks[arrow.head] = ranks[arrow.tail] + 1
                moved = True
        if not moved:
            break
    return ranks


def _route(arrow: Arrow, slots: dict[str, _Slot], columns: list[list[_Slot]]) -> list[_Slot]:
    """The slots an arrow passes, with points in the ranks between."""
    tail, head = slots[arrow.tail], slots[arrow.head]
    if arrow.back or head.rank <= tail.rank:
        return [tail, head]
    chain = [tail]
    for rank in range(tail.rank + 1, head.rank):
        point = _Slot(rank, 0.0, 2.0, [], [])
        columns[rank].append(point)
        chain.append(point)
    chain.append(head)
    for first, second in pairwise(chain):
        first.after.append(second)
        second.before.append(first)
    return chain


def _order(columns: list[list[_Slot]]) -> None:
    for column in columns:
        for index, slot in enumerate(column):
            slot.position = float(index)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for column in columns if down else reversed(columns):
            column.sort(key=lambda slot: _mean(slot.before if down else slot.after, slot.position))
            for index, slot in enumerate(column):
                slot.position = float(index)


def _mean(neighbours: Sequence[_Slot], default: float) -> float:
    if not neighbours:
        return default
    return sum(slot.position for slot in neighbours) / len(neighbours)


def _place(columns: list[list[_Slot]]) -> None:
    for column in columns:
        _settle(column, [slot.position for slot in column])
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            _settle(column, [_mean(slot.before + slot.after, slot.position) for slot in column])


def _settle(column: list[_Slot], wanted: Sequence[float]) -> None:
    """As near as possible (least squares) to the wanted places, in order and without overlap."""
    offsets = [0.0]
    for first, second in pairwise(column):
        offsets.append(offsets[-1] + (first.breadth + second.breadth) / 2 + _GAP)
    # Without the gaps the places must not fall: pool neighbours that do (isotonic regression).
    pools: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        mean, count = place - offset, 1
        while pools and pools[-1][0] > mean:
            before, size = pools.pop()
            mean = (before * size + mean * count) / (size + count)
            count += size
        pools.append((mean, count))
    settled = [mean for mean, count in pools for _ in range(count)]
    for slot, place, offset in zip(column, settled, offsets, strict=True):
        slot.position = place + offset


def _picture(
    drawing: Drawing,
    slots: dict[str, _Slot],
    columns: list[list[_Slot]],
    routes: list[list[_Slot]],
    sizes: dict[str, tuple[float, float]],
    rankdir: str,
) -> Arrangement:
    depths, total = [], _MARGIN
    for column in columns:
        depth = max(slot.depth for slot in column)
        depths.append(total + depth / 2)
        total += depth + _RANK_GAP
    total += _MARGIN - _RANK_GAP
    low = min((s.position - s.breadth / 2 for c in columns for s in c), default=0.0) - _MARGIN
    high = max((s.position + s.breadth / 2 for c in columns for s in c), default=0.0) + _MARGIN

    def point(slot: _Slot) -> Point:
        along = depths[slot.rank]
        if rankdir in ("RL", "BT"):
            along = total - along
        across = slot.position - low
        return (across, along) if rankdir in ("TB", "BT") else (along, across)

    boxes = {key: Box(*point(slot), *sizes[key]) for key, slot in slots.items()}
    paths = [
        Path(arrow, [point(slot) for slot in route])
        for arrow, route in zip(drawing.arrows, routes, strict=True)
    ]
    for path in paths:
        path.points[0] = _edge_of(boxes[path.arrow.tail], path.points[1])
        path.points[-1] = _edge_of(boxes[path.arrow.head], path.points[-2])
    breadth = high - low
    vertical = rankdir in ("TB", "BT")
    return Arrangement(boxes, paths, breadth if vertical else total, total if vertical else breadth)


def _edge_of(box: Box, towards: Point) -> Point:
    """Where the line from a box's centre to a point leaves the box."""
    dx, dy = towards[0] - box.x, towards[1] - box.y
    if not dx and not dy:
        return box.x, box.y
    scale = min(
        box.width / 2 / abs(dx) if dx else float("inf"),
        box.height / 2 / abs(dy) if dy else float("inf"),
        1.0,
    )
    return box.x + dx * scale, box.y + dy * scale
