"""Blobs as pycaffe shows them. Caffe: include/caffe/blob.hpp, python/caffe/_caffe.cpp."""

from __future__ import annotations

import numpy as np

from runtime.exclusive import Exclusive
from runtime.net import BlobBuffers
from runtime.python.array_blob import LegacyAxes, checked_shape


class Blob(LegacyAxes):
    """A tensor with data and diff, both writable float32 arrays that the net really uses.

    A view that is kept (``d = blob.data``) shows what later passes leave, until the blob needs
    more memory than it has. A blob outlives its net.
    """

    def __init__(self, buffers: BlobBuffers, use: Exclusive | None = None) -> None:
        """
        Args:
            use: of the net: while another thread runs it, its blobs are not to be touched.
        """
        self._buffers = buffers
        self._use = use

    def _now(self) -> BlobBuffers:
        """What it holds."""
        return self._buffers

    @property
    def data(self) -> np.ndarray:
        if self._use is not None:
            self._use.check()
        return self._now().data.array

    @property
    def diff(self) -> np.ndarray:
        if self._use is not None:
            self._use.check()
        return self._now().diff.array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._now().shape

    @property
    def count(self) -> int:
        return self._now().data.type.size

    def reshape(self, *dims: int) -> None:
        """Take another shape; ``net.reshape()`` or the next pass carries it through the net.

        What the blob holds stays where memory suffices, else it starts with zeros.
        """
        if self._use is not None:
            self._use.check()
        self._buffers.resize(checked_shape(dims))

    def __repr__(self) -> str:
        return f"<Blob {list(self.shape)}>"
