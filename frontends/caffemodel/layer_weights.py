"""What a file of weights holds of each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from roastery.wire.blob_proto import Blob

T = TypeVar("T")
ByLayer = Mapping[str, T] | Sequence[tuple[str, T]]
"""Something for each of some layers: by name, or as pairs in order where names repeat."""


@dataclass
class LayerWeights:
    """What a file holds of one layer.

    Args:
        name: the layer's name, by which weights find their layer.
        type: its type ("Convolution"; "conv" in V0 files; "" in HDF5, which does not say).
        blobs: float32 arrays in Caffe's order.
        legacy: per blob, whether its shape was given as num, channels, height, width; such
            a shape matches any shape with the same sizes after leading ones.
        diffs: per blob its stored diff, if there is one.
    """

    name: str
    type: str = ""
    blobs: list[np.ndarray] = field(default_factory=list)
    legacy: list[bool] = field(default_factory=list)
    diffs: list[np.ndarray | None] = field(default_factory=list)

    def append(self, blob: Blob) -> None:
        """Add the next blob."""
        self.blobs.append(blob.data)
        self.legacy.append(blob.legacy)
        self.diffs.append(blob.diff)


def pairs(items: ByLayer[T]) -> list[tuple[str, T]]:
    """What there is for layers, as pairs in order."""
    return list(items.items()) if isinstance(items, Mapping) else list(items)
