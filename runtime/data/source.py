"""The protocol between data sources and executors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

Shape: TypeAlias = tuple[int, ...]
Position: TypeAlias = dict[str, Any]
"""Where a source stands, as JSON-able values: the next record and the random state."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One forward pass of input: a float32 C-contiguous array per top.

    Arrays may be views of what the source keeps: read them, or copy them, but do not
    write to them.

    ``position`` is where the source stands after this batch: a source restored to it
    continues with the batch that follows.
    """

    arrays: list[np.ndarray]
    position: Position


class DataSource(Protocol):
    """Batches, one after the other, without end."""

    @property
    def tops(self) -> tuple[str, ...]:
        """Names of the tops, in the order of the arrays."""

    def shapes(self) -> list[Shape]:
        """Shapes of the next batch. They change only where pictures of several sizes
        are read with batch_size 1."""

    def next(self) -> Batch:
        """The next batch. Raises RoasteryError for data that cannot be read."""

    def position(self) -> Position:
        """Where the source stands: after the batch that `next` gave last."""

    def restore(self, position: Mapping[str, Any]) -> None:
        """Continue from a `position` of a source with the same configuration and seed."""

    def close(self) -> None:
        """Give back files and locks; the source is of no use afterwards."""
