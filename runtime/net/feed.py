"""What a data layer is fed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..data.source import DataSource
from ..data.sources.dummy_data import DummySource
from .blobs import BlobBuffers


@dataclass(frozen=True)
class Feed:
    """A data layer's source, and the tops that it fills.

    As in Caffe a DummyData layer fills its constant tops when it is made and never again, and no
    top takes another shape from it later: what a user writes into one stays, and so does the
    shape that a user gives it. All other data layers give their tops a shape in every pass.
    """

    source: DataSource
    tops: Sequence[str]
    blobs: Mapping[str, BlobBuffers]

    def set_up(self) -> None:
        """Fill the tops that are filled once, at the shapes the net was lowered for."""
        if isinstance(self.source, DummySource):
            for top, values in self.source.constants().items():
                self.blobs[top].data.fill(values)

    def take_batch(self) -> None:
        """Fill the tops with the next batch."""
        once: Mapping[str, object] = {}
        if isinstance(self.source, DummySource):
            once = self.source.constants()
            self.source.reshape([self.blobs[top].shape for top in self.tops])
        for top, array in zip(self.tops, self.source.next().arrays, strict=True):
            if top not in once:
                self.blobs[top].resize(array.shape)
                self.blobs[top].data.fill(array)
