"""What each of several ranks has for itself: its random numbers, and what its layers remember.

The rest of a solver's state is the same on all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ir.errors import RoasteryError

from ..distributed.ranks import Ranks
from .hidden_state import restore_state, saved_state
from .nets import RunnableNet

Nets = Sequence[tuple[str, RunnableNet]]
"""A solver's, by the names that they have in a position."""


def own_state(nets: Nets) -> dict[str, Any]:
    """This rank's, for JSON: random counters and hidden state by net."""
    return {
        "random": {key: net.random_state() for key, net in nets},
        "state": {key: saved_state(net.store) for key, net in nets},
    }


def restore_own_state(nets: Nets, saved: Mapping[str, Any]) -> None:
    """Inverse of :func:`own_state`; parts of other nets are ignored.

    Raises RoasteryError for what was not written by it.
    """
    random, state = part(saved, "random"), part(saved, "state")
    for key, net in nets:
        counters = random.get(key, [])
        if not _are_counters(counters):
            raise RoasteryError(f"the saved random state is damaged: {counters!r:.80}")
        net.restore_random(counters)
        restore_state(net.store, part(state, key))


def each_own_state(ranks: Ranks, nets: Nets) -> list[dict[str, Any]]:
    """Of all ranks, for a snapshot; none where there is one rank, or nothing to keep."""
    if ranks.count == 1:
        return []
    mine = own_state(nets)
    kept = any(value for part in mine.values() for value in part.values())
    return ranks.gathered(mine) if kept else []


def take_own_state(ranks: Ranks, nets: Nets, each: Sequence[Mapping[str, Any]]) -> None:
    """Go on as this rank did when a snapshot was written, by as many ranks; else, as one that
    draws random numbers of its own.

    Args:
        nets: have the state of rank 0.
        each: by rank, what the snapshot holds.
    """
    if len(each) == ranks.count:
        restore_own_state(nets, each[ranks.rank])
        return
    draw_as(ranks.rank, nets)


def draw_as(rank: int, nets: Nets) -> None:
    """Let random layers that would draw what rank 0 draws draw what another rank does.

    Caffe: Solver::Init.
    """
    for _, net in nets:
        if drawn := net.random_state():
            net.restore_random([(drawn[0] + rank) & 0xFFFFFFFF, drawn[1]])


def saved_by_each(position: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a snapshot's position holds of ranks.

    Raises RoasteryError for what is none.
    """
    found = position.get("ranks", [])
    if not isinstance(found, list) or not _are_mappings(found):
        raise RoasteryError("the saved position is damaged: its ranks cannot be read")
    return found


def part(saved: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of what was saved; states of older versions lack some."""
    found = saved.get(name, {})
    if not isinstance(found, Mapping):
        raise RoasteryError(f"the saved position is damaged: its {name} cannot be read")
    return found


def _are_mappings(values: Iterable[Any]) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _are_counters(values: Any) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 2**32 for v in values)
