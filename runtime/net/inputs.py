"""The blobs of a net that are fed: by the caller, or by its data layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np

from ir.errors import RoasteryError

from .blobs import BlobBuffers, Shape
from .partition import RunningPartition

Arrays = Mapping[str, np.ndarray]


class NetInputs(Mapping[str, BlobBuffers]):
    """Blobs by name.

    Args:
        blobs: of the net, by their names in memory.
        places: the inputs -> their names in memory.
        fed: those that data layers fill.
    """

    def __init__(
        self,
        blobs: Mapping[str, BlobBuffers],
        places: Mapping[str, str],
        fed: Set[str],
        parts: Sequence[RunningPartition],
    ) -> None:
        self._blobs = {name: blobs[place] for name, place in places.items()}
        self._fed = fed
        # What others compute from blobs of these partitions has the shapes that come out.
        self._first = [p for p in parts if p.partition.reads.items() <= places.items()]

    def __getitem__(self, name: str) -> BlobBuffers:
        return self._blobs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs)

    def __len__(self) -> int:
        return len(self._blobs)

    @property
    def shapes(self) -> dict[str, Shape]:
        return {name: blob.shape for name, blob in self.items()}

    def take(self, arrays: Arrays) -> None:
        """Copy arrays in that are all inputs that no data layer fills; as :meth:`put`.

        Raises RoasteryError for an unknown or missing input too.
        """
        wanted = self.keys() - self._fed
        if arrays.keys() != wanted:
            raise RoasteryError(
                f"the net's inputs are {sorted(wanted)}; given {sorted(arrays)}",
                hint="pass each input by name: net(data=x)",
            )
        for name, array in arrays.items():
            if not _holds_numbers(array):
                raise RoasteryError(
                    f"input '{name}' must be an array of numbers, not {array!r:.60}"
                )
        self.put(arrays)

    def put(self, arrays: Arrays) -> None:
        """Copy arrays in, taking their shapes.

        Raises RoasteryError for shapes that the net cannot have: then the inputs are as they were.
        """
        shapes = {name: np.shape(array) for name, array in arrays.items()}
        if any(self[name].shape != shape for name, shape in shapes.items()):
            for part in self._first:
                part.try_shapes(shapes)
        for name, array in arrays.items():
            self[name].resize(shapes[name])
            self[name].data.put(np.asarray(array))

    def held(self) -> dict[str, np.ndarray]:
        """Copies of what all inputs hold, data layers' too; :meth:`put` is the inverse."""
        return {name: blob.data.peek().copy() for name, blob in self.items()}


def _holds_numbers(array: object) -> bool:
    try:
        return np.asarray(array).dtype.kind not in "OSUMmc"
    except ValueError:  # rows of different lengths
        return False
