"""Which rank each node of a drawing stands in: behind all that it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .graph import Arrow, Drawing


def ranks_of(drawing: Drawing) -> dict[str, int]:
    """The longest way from a source to each node, without what would close a circle.

    The two ends of an arrow are never in one rank.
    """
    out: dict[str, list[str]] = {key: [] for key in drawing.nodes}
    for arrow in drawing.arrows:
        if not arrow.back:
            out[arrow.tail].append(arrow.head)
    closing = _closing(out)
    ranks = dict.fromkeys(drawing.nodes, 0)
    waiting = dict.fromkeys(drawing.nodes, 0)
    kept = {
        tail: [head for head in heads if (tail, head) not in closing] for tail, heads in out.items()
    }
    for heads in kept.values():
        for head in heads:
            waiting[head] += 1
    ready = [key for key, count in waiting.items() if not count]
    for tail in ready:  # which grows
        for head in kept[tail]:
            ranks[head] = max(ranks[head], ranks[tail] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return ranks


def _closing(out: Mapping[str, Collection[str]]) -> set[tuple[str, str]]:
    """Arrows that close circles: to a node from which the way has come."""
    closing: set[tuple[str, str]] = set()
    done: set[str] = set()
    for first in out:
        if first in done:
            continue
        way, on_way = [(first, iter(out[first]))], {first}
        while way:
            key, heads = way[-1]
            head = next(heads, None)
            if head is None:
                way.pop()
                on_way.remove(key)
                done.add(key)
            elif head in on_way:
                closing.add((key, head))
            elif head not in done:
                way.append((head, iter(out[head])))
                on_way.add(head)
    return closing


def goes_back(arrow: Arrow, ranks: Mapping[str, int]) -> bool:
    """Whether an arrow runs against the flow."""
    return ranks[arrow.head] < ranks[arrow.tail]
