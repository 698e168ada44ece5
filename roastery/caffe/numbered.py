"""Layers and blobs by number, as scripts that walk a net read them.

Caffe: python/caffe/_caffe.cpp, whose names begin with an underscore too.
"""

from __future__ import annotations

from collections.abc import Sequence

from ir.program import shown_blob
from runtime.net import PartitionedNet

from .blob import Blob


class Numbered:
    """What :class:`roastery.caffe.Net` tells by number; blobs are numbered as they are made."""

    _net: PartitionedNet
    _own_blobs: dict[str, Blob]

    @property
    def _layer_names(self) -> list[str]:
        return [layer.name for layer in self._net.program.layers]

    @property
    def _blob_names(self) -> list[str]:
        return [shown_blob(name) for name in self._own_blobs]

    @property
    def _blobs(self) -> list[Blob]:
        return [*self._own_blobs.values()]

    @property
    def _blob_loss_weights(self) -> list[float]:
        weights = dict.fromkeys(self._own_blobs, 0.0)
        for layer in self._net.program.layers:
            weights.update(zip(layer.tops, layer.loss_weights, strict=True))
        return [*weights.values()]

    @property
    def _inputs(self) -> list[int]:
        return self._numbers(self._net.program.inputs)

    @property
    def _outputs(self) -> list[int]:
        return self._numbers(self._net.program.outputs)

    def _bottom_ids(self, layer: int) -> list[int]:
        return self._numbers(self._net.program.layers[layer].bottoms)

    def _top_ids(self, layer: int) -> list[int]:
        return self._numbers(self._net.program.layers[layer].tops)

    def _numbers(self, blobs: Sequence[str]) -> list[int]:
        numbers = {name: number for number, name in enumerate(self._own_blobs)}
        return [numbers[name] for name in blobs]
