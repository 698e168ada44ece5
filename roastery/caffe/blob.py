"""Blobs as pycaffe shows them. Caffe: include/caffe/blob.hpp, python/caffe/_caffe.cpp."""

from __future__ import annotations

import numpy as np

from ir.errors import RoasteryError
from runtime.array_blob import BlobVec
from runtime.layerwise import BlobBuffers

MAX_AXES = 32


class Blob:
    """A tensor with data and diff, both writable float32 arrays that the net really uses.

    A view that is kept (``d = blob.data``) shows what later passes leave, until the blob needs
    more memory than it has. A blob outlives its net.
    """

    def __init__(self, buffers: BlobBuffers, owner: str = "") -> None:
        """``owner``: the layer whose parameter this is, which cannot change its shape."""
        self._buffers = buffers
        self._owner = owner

    @property
    def data(self) -> np.ndarray:
        return self._buffers.data.array

    @property
    def diff(self) -> np.ndarray:
        return self._buffers.diff.array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._buffers.data.type.shape

    @property
    def count(self) -> int:
        return self._buffers.data.type.size

    def _legacy(self, axis: int) -> int:
        # Missing axes count as 1. Caffe: Blob::LegacyShape.
        if len(self.shape) > 4:
            raise RoasteryError(
                f"a blob of shape {list(self.shape)} has no num, channels, height and width",
                hint="read blob.shape",
            )
        return self.shape[axis] if axis < len(self.shape) else 1

    @property
    def num(self) -> int:
        return self._legacy(0)

    @property
    def channels(self) -> int:
        return self._legacy(1)

    @property
    def height(self) -> int:
        return self._legacy(2)

    @property
    def width(self) -> int:
        return self._legacy(3)

    def reshape(self, *dims: int) -> None:
        """Take another shape; ``net.reshape()`` or the next pass carries it through the net.

        What the blob holds stays where memory suffices, else it starts with zeros.
        """
        shape = tuple(int(d) for d in dims)
        if len(shape) > MAX_AXES or any(d < 0 for d in shape):
            raise RoasteryError(
                f"a blob cannot have shape {list(shape)}",
                hint=f"up to {MAX_AXES} extents, none of them negative: reshape(1, 3, 224, 224)",
            )
        if self._owner and shape != self.shape:
            raise RoasteryError(
                f"a parameter of layer '{self._owner}' has shape {list(self.shape)} and cannot "
                f"take {list(shape)}",
                hint="change the layer in the prototxt, then copy into params[...].data.flat",
            )
        self._buffers.resize(shape)

    def __repr__(self) -> str:
        return f"<Blob {list(self.shape)}>"


__all__ = ["Blob", "BlobVec"]
