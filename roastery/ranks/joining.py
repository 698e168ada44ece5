"""How a command becomes a rank, and how it ends as one."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from frontends.prototxt import Message
from ir.errors import RoasteryError, StoppedBySignal
from runtime.distributed.ranks import ALONE, LostRanks, Ranks

from .place import RankPlace
from .solvers import PLACE

_FIRST_WORD = 5.0
"""Seconds that a rank leaves to the one that failed first: who started them ends it meanwhile."""

_SIGNALLED = 128
"""What a shell adds to the number of a signal that ended a process."""


@contextmanager
def joined_ranks(
    place: RankPlace | None, device: str, tell: Callable[[str], None]
) -> Iterator[Ranks]:
    """The ranks that train together, in the block, for one that runs on ``device``.

    Args:
        tell: hears for whom this one waits, if it waits long.
    """
    if place is None or place.count == 1:
        yield ALONE
        return
    from runtime.distributed.by_torch import join

    ranks = join(device, tell=tell)
    PLACE.count, PLACE.rank = ranks.count, ranks.rank
    yield ranks
    ranks.close()


@contextmanager
def one_voice(place: RankPlace | None, stopping: Callable[[], bool]) -> Iterator[None]:
    """Let the ranks tell what ends the block once.

    Mistakes in files are the same for all ranks, and where one has ended the others only know that
    they lost it. So another than rank 0 waits before it tells an error, and each before it tells
    that it lost others, for whoever started it to end it. Nothing is held meanwhile that would
    have to be removed.

    Args:
        stopping: whether this rank was asked to stop, as whoever started it does where one failed.
    """
    try:
        yield
    except StoppedBySignal as stop:
        if place is None or place.rank == 0:
            raise
        raise SystemExit(_SIGNALLED + stop.number) from stop
    except Exception as error:
        lost = isinstance(error, LostRanks)
        if place is None or place.count == 1 or (place.rank == 0 and not lost):
            raise
        if stopping():
            raise SystemExit(_SIGNALLED + signal.SIGTERM) from error
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(_SIGNALLED + number))
        time.sleep(_FIRST_WORD)
        if isinstance(error, RoasteryError) and not lost:
            error.message = f"rank {place.rank}: {error.message}"
        raise


def shared_seed(ranks: Ranks, solver: Message, seed: int | None) -> int | None:
    """One seed for all ranks, where neither the solver file gives one nor a snapshot."""
    if ranks.count == 1 or seed is not None or solver.random_seed >= 0:
        return seed
    return ranks.from_first(secrets.randbits(31))
