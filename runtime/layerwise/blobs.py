"""Blobs of a net: data and diff that take other shapes. Caffe: include/caffe/blob.hpp."""

from __future__ import annotations

from dataclasses import dataclass, field

from ir.types import TensorType

from ..memory.buffers import Buffer

Shape = tuple[int, ...]


@dataclass
class Changes:
    """How often anything of a net was given another buffer."""

    count: int = 0


@dataclass
class BlobBuffers:
    """Data and diff of one named blob. The object stays; its buffers change with its shape."""

    data: Buffer
    diff: Buffer
    changes: Changes = field(default_factory=Changes)
    _widest: list[Buffer] = field(default_factory=list)  # what data and diff are parts of

    @property
    def shape(self) -> Shape:
        return self.data.type.shape

    def resize(self, shape: Shape) -> None:
        """Take another shape: in the same memory where it is large enough, else in new, zeroed.

        Caffe: Blob::Reshape.
        """
        if shape == self.data.type.shape == self.diff.type.shape:
            return
        self.changes.count += 1
        type = TensorType(shape, self.data.type.dtype)
        room = [
            wide if wide.memory is now.memory else now
            for wide, now in zip(self._widest or self._both(), self._both(), strict=True)
        ]
        fits = type.size <= min(wide.capacity for wide in room)
        self.data, self.diff = (wide.view(type) if fits else Buffer(type) for wide in room)
        self._widest = room if fits else [*self._both()]

    def share(self, source: BlobBuffers, shape: Shape) -> None:
        """Have the data of another blob, and a diff of its own. Caffe: Blob::ShareData."""
        self.resize(shape)
        theirs = source.data
        if self.data.memory is not theirs.memory or self.data.start != theirs.start:
            self.changes.count += 1
            self.data = theirs.view(self.data.type)

    def _both(self) -> tuple[Buffer, Buffer]:
        return self.data, self.diff
