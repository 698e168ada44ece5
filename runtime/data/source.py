"""The protocol between data sources and executors, and the one way to open a source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from .config import (
    DataConfig,
    DummyDataConfig,
    HDF5DataConfig,
    ImageDataConfig,
    MemoryDataConfig,
    Phase,
    SourceConfig,
    WindowDataConfig,
)
from .notes import silence

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


def open_source(
    config: SourceConfig,
    phase: Phase,
    seed: int,
    root: str | os.PathLike[str] = ".",
    lock: bool = True,
) -> DataSource:
    """Open the source that ``config`` describes.

    Args:
        phase: "TRAIN" crops at random, "TEST" in the centre.
        seed: of crops, mirroring and shuffling; equal seeds and layer names give equal
            batches.
        root: folder that relative paths start from; Caffe's is the working directory.
        lock: keep writers of a database from what is read; not worth it for one record.

    Raises RoasteryError for everything that can be known before the first batch.
    """
    folder = Path(root)
    match config:
        case DataConfig():
            from .database_source import DatabaseSource

            return DatabaseSource(config, phase, seed, folder, lock)
        case ImageDataConfig():
            from .image_source import ImageSource

            return ImageSource(config, phase, seed, folder)
        case HDF5DataConfig():
            from .hdf5_source import HDF5Source

            return HDF5Source(config, phase, seed, folder)
        case MemoryDataConfig():
            from .memory_source import MemorySource

            return MemorySource(config, phase, seed, folder)
        case WindowDataConfig():
            from .window_source import WindowSource

            return WindowSource(config, phase, seed, folder)
        case DummyDataConfig():
            from .dummy_source import DummySource

            return DummySource(config, phase, seed, folder)
    raise TypeError(f"{type(config).__name__} describes no data source")


def probe_shapes(
    config: SourceConfig, phase: Phase, root: str | os.PathLike[str] = "."
) -> list[Shape]:
    """Top shapes of the first batch, for shape inference.

    Nothing stays open or locked, and nothing is noted: that is left to `open_source`.
    """
    with silence():
        source = open_source(config, phase, 0, root, lock=False)
        try:
            return source.shapes()
        finally:
            source.close()
