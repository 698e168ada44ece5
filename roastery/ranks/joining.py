"""How a command becomes a rank, and how it ends as one."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from frontends.prototxt import Message
from ir.errors import RoasteryError, StoppedBySignal
from runtime.distributed.ranks import ALONE, Ranks

from .local import SIGNALLED, end_with_parent
from .place import RankPlace
from .solvers import PLACE

_FIRST_WORD = 5.0
"""Seconds that a rank leaves to the one that failed first: who started them ends it meanwhile."""


@contextmanager
def joined_ranks(place: RankPlace | None, device: str) -> Iterator[Ranks]:
    """The ranks that train together, in the block, for one that runs on ``device``.

    Mistakes in files are the same for all ranks. So that they are told once, another than rank 0
    waits before it tells one, for whoever started it to end it. It holds no files that would have
    to be removed.
    """
    if place is None or place.count == 1:
        yield ALONE
        return
    end_with_parent()
    try:
        from runtime.distributed.by_torch import join

        ranks = join(device)
        PLACE.count, PLACE.rank = ranks.count, ranks.rank
        yield ranks
        ranks.close()
    except RoasteryError as error:
        if isinstance(error, StoppedBySignal) or place.rank == 0:
            raise
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(SIGNALLED + number))
        time.sleep(_FIRST_WORD)
        if not error.message.startswith("rank "):
            error.message = f"rank {place.rank}: {error.message}"
        raise


def shared_seed(ranks: Ranks, solver: Message, seed: int | None) -> int | None:
    """One seed for all ranks, where neither the solver file gives one nor a snapshot."""
    if ranks.count == 1 or seed is not None or solver.random_seed >= 0:
        return seed
    return ranks.from_first(secrets.randbits(31))
