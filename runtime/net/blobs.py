"""Blobs of a net: data and diff that take other shapes. Caffe: include/caffe/blob.hpp."""

from __future__ import annotations

from dataclasses import dataclass, field

from ir.types import TensorType

from ..memory.buffers import Buffer

Shape = tuple[int, ...]


@dataclass
class Changes:
    """How often anything of a net took another shape, and how often other memory."""

    shapes: int = 0
    memory: int = 0


@dataclass
class BlobBuffers:
    """Data and diff of one named blob. The object stays; its buffers change with its shape."""

    data: Buffer
    diff: Buffer
    changes: Changes = field(default_factory=Changes)

    @property
    def shape(self) -> Shape:
        return self.data.type.shape

    def resize(self, shape: Shape) -> None:
        """Take another shape: in the same memory where it is large enough, else in new, zeroed.

        Caffe: Blob::Reshape.
        """
        if shape == self.data.type.shape == self.diff.type.shape:
            return
        self.changes.shapes += 1
        type = TensorType(shape, self.data.type.dtype)
        fits = self.data.has_room(type) and self.diff.has_room(type)
        self.changes.memory += not fits
        self.data, self.diff = (
            buffer.view(type) if fits else Buffer(type) for buffer in (self.data, self.diff)
        )

    def reserve(self, type: TensorType) -> None:
        """Have memory that could hold such a tensor; what the blob holds is lost if it is new."""
        if not (self.data.has_room(type) and self.diff.has_room(type)):
            self.changes.memory += 1
            now = self.data.type
            self.data, self.diff = Buffer(type).view(now), Buffer(type).view(now)

    def share(self, source: BlobBuffers, shape: Shape) -> None:
        """Have the data of another blob, and a diff of its own. Caffe: Blob::ShareData."""
        self.resize(shape)
        theirs = source.data
        if self.data.memory is not theirs.memory or self.data.start != theirs.start:
            self.changes.memory += 1
            self.data = theirs.view(self.data.type)
