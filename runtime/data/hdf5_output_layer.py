"""File outputs, as lowering sees layers that run on the host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ir.location import Location
from roastery.files.missing import no_folder

from .hdf5_output import HDF5Output


class HDF5OutputLayer:
    """Writes what it is given. The file is made by the first forward pass."""

    shapes: Sequence[tuple[int, ...]] = ()
    blobs: Sequence[np.ndarray] = ()
    backward = None

    def __init__(self, path: Path, place: Location) -> None:
        """``place``: where the layer names its file."""
        self._path, self._place = path, place
        self._file: HDF5Output | None = None
        if not self._path.parent.is_dir():
            raise no_folder(self._path, self._path.parent, self._place)

    def reshape(self, bottoms: Sequence[tuple[int, ...]]) -> None:
        """Its file takes what comes."""

    def forward(
        self, inputs: Sequence[np.ndarray], tops: Sequence[tuple[int, ...]] = ()
    ) -> list[np.ndarray]:
        if self._file is None:
            self._file = HDF5Output(self._path, self._place)
        data, label = inputs
        self._file.append(data, label)
        return []

    def hold(self, results: Sequence[np.ndarray]) -> None:
        """It has no results."""
