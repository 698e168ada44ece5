"""Which records of a data source one of several ranks reads.

Ranks are processes that train one net together. Caffe: src/caffe/layers/data_layer.cpp (Skip).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """One rank's part of what is read.

    What a source counts is counted over all ranks. A batch of all of them has ``count`` times
    batch_size records, of which the first goes to rank 0, the second to rank 1, and so round and
    round. So batches interleaved are the batch that a single rank would have, and a position is
    the same on every rank.

    With ``turns`` they share out whole batches instead: see `turns.Turns`.

    Attributes:
        rank: from 0 to ``count`` - 1.
        count: how many ranks there are.
        turns: batches of one test, of all ranks together; 0: records are shared out.
    """

    rank: int = 0
    count: int = 1
    turns: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.count or self.turns < 0:
            raise ValueError(f"rank {self.rank} of {self.count}, {self.turns} turns")

    @property
    def is_idle(self) -> bool:
        """Whether this rank has no batch at all: there are fewer in a test than ranks."""
        return 0 < self.turns <= self.rank

    @property
    def offset(self) -> int:
        """How many records of a batch come before this rank's first."""
        return 0 if self.turns else self.rank

    @property
    def step(self) -> int:
        """From one of this rank's records to the next."""
        return 1 if self.turns else self.count

    def whole(self, batch_size: int) -> int:
        """Records of one batch of all ranks that have records of it."""
        return self.step * batch_size

    def numbers(self, first: int, batch_size: int) -> range:
        """The numbers of this rank's records in a batch that begins with ``first``.

        Its ``stop`` is the number that the next batch begins with.
        """
        return range(first + self.offset, first + self.whole(batch_size), self.step)


ALL = Share()
