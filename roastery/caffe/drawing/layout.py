"""Where nodes stand: in ranks along the flow, with few crossings and short arrows.

The steps of every layered layout: ranks by the longest path, slots where long arrows pass through
ranks, order inside ranks by the mean place of neighbours, then coordinates that come as near to
the neighbours as sizes allow. Between two ranks of nodes is one of labels. Arrows run straight
through ranks, in slots of their own, and aslant only between them, where nothing stands: so none
of them strikes out a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .graph import Arrow, Drawing, DrawnNode
from .ranks import goes_back, ranks_of
from .slots import Slot, order_slots, place_slots
from .text_size import LINE, text_width

LABEL_SIZE = 10.0
"""Of the font of labels, in pixels."""

_MARGIN = 8.0
_RANK_GAP = 20.0
_LINE_ROOM = 6.0  # across an arrow
_PORTS = 0.7  # of a side, which arrows share
_CUT = 8.0

Point = tuple[float, float]


@dataclass
class Box:
    """A centre and a size in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Path:
    """An arrow and the points it runs through. ``label``: where its label stands, if it has one."""

    arrow: Arrow
    points: list[Point]
    label: Box | None = None


@dataclass
class Arrangement:
    """Boxes by node key, paths of the arrows, and the size of the whole picture."""

    boxes: dict[str, Box]
    paths: list[Path]
    width: float
    height: float


def octagon_cut(height: float) -> float:
    """How much of each side a blob's octagon lacks at a corner."""
    return min(_CUT, height / 3)


def text_lines(node: DrawnNode, vertical: bool) -> list[str]:
    """The lines of a node's text: joined where the flow runs down and width is free."""
    if vertical and len(node.lines) > 2:
        return [" ".join(node.lines[:2]), " ".join(node.lines[2:])]
    return list(node.lines)


def lay_out(drawing: Drawing, rankdir: str) -> Arrangement:
    """Place the nodes of a drawing. ``rankdir``: LR, RL, TB or BT."""
    vertical = rankdir in ("TB", "BT")
    sizes = {key: _size(node, vertical) for key, node in drawing.nodes.items()}
    ranks = ranks_of(drawing)
    columns: list[list[Slot]] = [[] for _ in range(2 * max(ranks.values(), default=-1) + 1)]
    slots = {}
    for key in drawing.nodes:
        width, height = sizes[key]
        depth, breadth = (height, width) if vertical else (width, height)
        side = _PORTS * breadth
        if drawing.nodes[key].kind == "blob":
            side = min(side, breadth - 2 * octagon_cut(height))
        slots[key] = Slot(2 * ranks[key], depth, breadth, side=side)
        columns[2 * ranks[key]].append(slots[key])
    routes = []
    for arrow in drawing.arrows:
        ends = slots[arrow.tail], slots[arrow.head]
        back = goes_back(arrow, ranks)
        first, last = reversed(ends) if back else ends
        route = _route(arrow, first, last, columns, vertical)
        routes.append(route[::-1] if back else route)
    order_slots(columns)
    place_slots(columns)
    return _Picture(columns, rankdir).arrangement(drawing, slots, routes, sizes)


def _size(node: DrawnNode, vertical: bool) -> tuple[float, float]:
    lines = text_lines(node, vertical)
    return max(map(text_width, lines)) + 2 * _MARGIN, len(lines) * LINE + _MARGIN


def _label_size(arrow: Arrow) -> tuple[float, float]:
    return text_width(arrow.label, LABEL_SIZE) + 4, LABEL_SIZE + 4


def _route(
    arrow: Arrow, first: Slot, last: Slot, columns: list[list[Slot]], vertical: bool
) -> list[Slot]:
    """The slots that an arrow passes, the first of which is beside its label."""
    chain = [first]
    for rank in range(first.rank + 1, last.rank):
        slot = Slot(rank, 0.0, _LINE_ROOM)
        if arrow.label and rank == first.rank + 1:
            width, height = _label_size(arrow)
            slot.depth, room = (height, width) if vertical else (width, height)
            slot.breadth = room + _LINE_ROOM
            # The label is right of an arrow that runs down, above one that runs across.
            slot.line = (-room if vertical else room) / 2
        columns[rank].append(slot)
        chain.append(slot)
    chain.append(last)
    for one, next_one in pairwise(chain):
        one.after.append(next_one)
        next_one.before.append(one)
    return chain


class _Picture:
    """Turns places along and across the flow into pixels."""

    def __init__(self, columns: list[list[Slot]], rankdir: str) -> None:
        self._vertical = rankdir in ("TB", "BT")
        self._turned = rankdir in ("RL", "BT")
        self._depths = [max(slot.depth for slot in column) for column in columns]
        self._middles: list[float] = []
        total = _MARGIN
        for depth in self._depths:
            self._middles.append(total + depth / 2)
            total += depth + _RANK_GAP
        self._total = total + _MARGIN - _RANK_GAP if self._depths else 2 * _MARGIN
        every = [slot for column in columns for slot in column]
        self._low = min((s.position - s.breadth / 2 for s in every), default=0.0) - _MARGIN
        high = max((s.position + s.breadth / 2 for s in every), default=0.0) + _MARGIN
        self._breadth = high - self._low

    def arrangement(
        self,
        drawing: Drawing,
        slots: dict[str, Slot],
        routes: list[list[Slot]],
        sizes: dict[str, tuple[float, float]],
    ) -> Arrangement:
        boxes = {
            key: Box(*self._point(self._middles[slot.rank], slot.position), *sizes[key])
            for key, slot in slots.items()
        }
        ports = _ports(routes)
        paths = []
        for number, (arrow, route) in enumerate(zip(drawing.arrows, routes, strict=True)):
            points = self._points(route, ports[number, 0], ports[number, -1])
            paths.append(Path(arrow, points, self._label(arrow, route)))
        size = (self._breadth, self._total) if self._vertical else (self._total, self._breadth)
        return Arrangement(boxes, paths, *size)

    def _point(self, along: float, across: float) -> Point:
        if self._turned:
            along = self._total - along
        across -= self._low
        return (across, along) if self._vertical else (along, across)

    def _points(self, route: list[Slot], begin: float, end: float) -> list[Point]:
        """Straight through the ranks, aslant between them; without points that change nothing."""
        way = 1 if route[-1].rank > route[0].rank else -1
        places: list[Point] = []
        for number, slot in enumerate(route):
            middle, rank_half = self._middles[slot.rank], self._depths[slot.rank] / 2
            if number == 0:
                places += [
                    (middle + way * slot.depth / 2, begin),
                    (middle + way * rank_half, begin),
                ]
            elif number == len(route) - 1:
                places += [(middle - way * rank_half, end), (middle - way * slot.depth / 2, end)]
            else:
                across = slot.passed
                places += [(middle - way * rank_half, across), (middle + way * rank_half, across)]
        return [self._point(*place) for place in _bends(places)]

    def _label(self, arrow: Arrow, route: list[Slot]) -> Box | None:
        if not arrow.label:
            return None
        beside = next(slot for slot in route[1:-1] if slot.line)
        across = beside.position + (_LINE_ROOM if self._vertical else -_LINE_ROOM) / 2
        return Box(*self._point(self._middles[beside.rank], across), *_label_size(arrow))


def _ports(routes: list[list[Slot]]) -> dict[tuple[int, int], float]:
    """Where each route leaves its first node (0) and comes to its last one (-1), across the flow:
    side by side, in the order of where they go."""
    sides: dict[tuple[Slot, bool], list[tuple[float, int, int]]] = {}
    for number, route in enumerate(routes):
        for end, beside in ((0, 1), (-1, -2)):
            slot = route[end]
            side = (slot, route[beside].rank > slot.rank)
            sides.setdefault(side, []).append((route[beside].passed, number, end))
    found = {}
    for (slot, _), ends in sides.items():
        step = slot.side / len(ends)
        for place, (_, number, end) in enumerate(sorted(ends)):
            found[number, end] = slot.position + step * (place - (len(ends) - 1) / 2)
    return found


def _bends(places: Sequence[Point]) -> list[Point]:
    """Only the ends, and the points at which a line that runs along the flow turns."""
    found = [places[0]]
    for before, here, after in zip(places, places[1:], places[2:], strict=False):
        straight = before[1] == here[1] == after[1]
        if not straight and here != found[-1]:
            found.append(here)
    if places[-1] != found[-1] or len(found) == 1:
        found.append(places[-1])
    return found
