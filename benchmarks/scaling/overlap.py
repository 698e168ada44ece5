"""An iteration as events: buckets leave one after the other while backward runs, and the update
waits for the last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

from .collectives import AllReduce


@dataclass(frozen=True)
class RankWork:
    """What one rank does in an iteration.

    Attributes:
        passes: seconds of forward and backward. update: of the update.
        buckets: in the order in which they leave: when each is complete, in seconds since the
            pass began, and its bytes.
    """

    name: str
    batch: int
    passes: float
    update: float
    buckets: tuple[tuple[float, int], ...]

    @property
    def alone(self) -> float:
        """Seconds of an iteration without other ranks."""
        return self.passes + self.update

    @property
    def nbytes(self) -> int:
        return sum(nbytes for _, nbytes in self.buckets)

    def slower(self, factor: float) -> RankWork:
        """With passes and updates that take so many times as long."""
        buckets = tuple((ready * factor, nbytes) for ready, nbytes in self.buckets)
        return replace(
            self, passes=self.passes * factor, update=self.update * factor, buckets=buckets
        )


@dataclass(frozen=True)
class Iteration:
    """``travels``: seconds in which buckets travelled; ``exposed``: for which ranks waited."""

    seconds: float
    travels: float
    exposed: float

    @property
    def hidden(self) -> float:
        """The share of the travelling that cost nothing."""
        return 1.0 - self.exposed / self.travels if self.travels else 1.0


def iteration(work: RankWork, takes: AllReduce) -> Iteration:
    """A bucket begins when it is complete and the one before has arrived."""
    free = travels = 0.0
    for ready, nbytes in work.buckets:
        time = takes(nbytes)
        free = max(free, ready) + time
        travels += time
    exposed = max(0.0, free - work.passes)
    return Iteration(work.passes + exposed + work.update, travels, exposed)


def efficiency(work: RankWork, takes: AllReduce) -> float:
    """What a rank does in a second, beside one that is alone."""
    return work.alone / iteration(work, takes).seconds


def straggling(deviation: float, count: int) -> float:
    """How much longer than the mean the slowest of ``count`` ranks takes, if times are normal with
    this relative deviation: Blom's approximation of the largest of them."""
    if count == 1:
        return 1.0
    return 1.0 + deviation * NormalDist().inv_cdf((count - 0.375) / (count + 0.25))
