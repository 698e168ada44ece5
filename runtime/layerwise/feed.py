"""What a data layer is fed with."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import numpy as np

from ..buffers import Buffer
from ..data.source import DataSource


@dataclass
class Feed:
    """A data layer's source, and what it gave last (not held: its memory may be used again)."""

    source: DataSource
    _given: dict[str, tuple[weakref.ref[np.ndarray], Buffer]] = field(default_factory=dict)

    def fill(self, top: str, buffer: Buffer, array: np.ndarray) -> None:
        """Copy an array that is new. DummyData's constant tops are filled once, so that what a
        user wrote there stays, as in Caffe."""
        if top in self._given:
            before, filled = self._given[top]
            if filled is buffer and before() is array:
                return
        buffer.fill(array)
        self._given[top] = weakref.ref(array), buffer
