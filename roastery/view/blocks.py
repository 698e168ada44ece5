"""Blocks of a net: what names say belongs together, and what is repeated.

A page draws each as one box until somebody opens it. A block holds everything that lies between
what it holds, so that a drawing with it closed has no circle.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

_LEAST = 2  # nodes of a block
_LEAST_REPEATS = 3
_LONGEST_PERIOD = 40


@dataclass
class Block:
    """Some nodes, or blocks of them.

    Attributes:
        name: of what it holds. times: how many alike blocks it holds; 1: it is none of repeats.
        nodes: all of them, by number, in the order of the file. blocks: those inside, by number.
    """

    name: str
    nodes: list[int]
    times: int = 1
    blocks: list[int] = field(default_factory=list)


def find_blocks(
    names: Sequence[str],
    kinds: Sequence[Hashable],
    edges: Sequence[tuple[int, int]],
) -> list[Block]:
    """The blocks of a graph.

    Args:
        names: of the nodes, in an order in which edges lead ahead. kinds: what tells nodes apart
            that are not alike.
    """
    graph = _Graph(len(names), edges)
    blocks = _named(names, graph)
    items: list[list[int]] = []
    of_item: list[int | None] = []
    inside = {node: number for number, block in enumerate(blocks) for node in block.nodes}
    taken: set[int] = set()
    for node in range(len(names)):
        number = inside.get(node)
        if number is None:
            items.append([node])
            of_item.append(None)
        elif number not in taken:
            taken.add(number)
            items.append(blocks[number].nodes)
            of_item.append(number)
    alike = [tuple(kinds[node] for node in item) for item in items]
    for begin, period, times in _repeats(alike):
        end = begin + period * times
        nodes = sorted(node for item in items[begin:end] for node in item)
        if len(nodes) < _LEAST or not graph.is_closed(nodes):
            continue
        parts: list[int] = []
        for part in range(begin, end, period):
            part_nodes = sorted(n for item in items[part : part + period] for n in item)
            known = of_item[part] if period == 1 else None
            if known is None:
                if len(part_nodes) < _LEAST or not graph.is_closed(part_nodes):
                    parts = []
                    break
                known = len(blocks)
                children = [n for n in of_item[part : part + period] if n is not None]
                blocks.append(Block(names[part_nodes[0]], part_nodes, blocks=children))
            parts.append(known)
        if parts:
            name = f"{blocks[parts[0]].name} … {blocks[parts[-1]].name}"
            blocks.append(Block(name, nodes, times, parts))
    return blocks


class _Graph:
    def __init__(self, count: int, edges: Sequence[tuple[int, int]]) -> None:
        self.after: list[list[int]] = [[] for _ in range(count)]
        for tail, head in edges:
            self.after[tail].append(head)

    def is_closed(self, nodes: Sequence[int]) -> bool:
        """Whether no way leads out of the nodes and back in."""
        inside, last = set(nodes), max(nodes)
        waiting = [h for node in nodes for h in self.after[node] if h not in inside]
        seen = set(waiting)
        while waiting:
            for head in self.after[waiting.pop()]:
                if head in inside:
                    return False
                if head <= last and head not in seen:
                    seen.add(head)
                    waiting.append(head)
        return True


def _named(names: Sequence[str], graph: _Graph) -> list[Block]:
    """Nodes whose names begin alike: up to a slash, else up to an underscore."""
    found: dict[str, list[int]] = {}
    for node, name in enumerate(names):
        found.setdefault(_beginning(name), []).append(node)
    blocks = []
    for name, nodes in found.items():
        if name and len(nodes) >= _LEAST and len(nodes) < len(names):
            run = [nodes[0]]
            ahead: list[int | None] = [*nodes[1:], None]
            for later in ahead:
                # Names may come again elsewhere: what is apart is a block of its own.
                if later is not None and later - run[-1] <= len(run) + 3:
                    run.append(later)
                    continue
                if len(run) >= _LEAST and graph.is_closed(run):
                    blocks.append(Block(name, run))
                run = [] if later is None else [later]
    return blocks


def _beginning(name: str) -> str:
    if "/" in name.strip("/"):
        return name.partition("/")[0] if name[0] != "/" else ""
    head, separator, _ = name.partition("_")
    return head if separator else (name if re.search(r"\d", name) else "")


def _repeats(alike: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """Where something begins that is there several times in a row, how long it is, how often."""
    found, begin = [], 0
    while begin < len(alike):
        best = (0, 0)
        for period in range(1, min(_LONGEST_PERIOD, (len(alike) - begin) // 2) + 1):
            first = alike[begin : begin + period]
            times = 1
            while alike[begin + times * period : begin + (times + 1) * period] == first:
                times += 1
            if times >= _LEAST_REPEATS and times * period > best[0] * best[1]:
                best = (period, times)
        if best[1]:
            found.append((begin, *best))
            begin += best[0] * best[1]
        else:
            begin += 1
    return found
