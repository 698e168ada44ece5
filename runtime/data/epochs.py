"""Records of a list in the order in which they are read, over all epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from .draws import SHUFFLE, SKIP, Draws

Record = TypeVar("Record")


class Epochs(Generic[Record]):
    """A list read again and again; with ``shuffle``, in a new order every epoch."""

    def __init__(self, records: Sequence[Record], draws: Draws, shuffle: bool) -> None:
        self._records = records
        self._draws = draws
        self._shuffle = shuffle
        self._epoch = -1
        self._order = np.arange(len(records))

    def __len__(self) -> int:
        """Records of one epoch."""
        return len(self._records)

    def __getitem__(self, number: int) -> Record:
        """The record with this number, counted over all epochs from 0."""
        epoch, index = divmod(number, len(self._records))
        if self._shuffle and epoch != self._epoch:
            self._order = self._draws.permutation(SHUFFLE, epoch, len(self._records))
            self._epoch = epoch
        return self._records[int(self._order[index])]


def drawn_skip(draws: Draws, rand_skip: int) -> int:
    """How many records are passed over at the start: fewer than ``rand_skip``."""
    return draws.word(SKIP, 0) % rand_skip
