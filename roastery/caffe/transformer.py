"""``caffe.io.Transformer``: pictures to a net's input and back. Caffe: python/caffe/io.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ir.errors import RoasteryError

from .images import resize_image


class Transformer:
    """Turns (height, width, channels) pictures into what input blobs hold.

    In this order, each where it is set: resize to the input, transpose, swap channels, times
    raw_scale, minus the mean, times input_scale.

    Args:
        inputs: shapes of the input blobs by name, the batch axis included:
            ``{"data": net.blobs["data"].data.shape}``.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        self.inputs = inputs
        self.transpose: dict[str, Sequence[int]] = {}
        self.channel_swap: dict[str, Sequence[int]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}

    def _shape(self, in_: str) -> tuple[int, ...]:
        if in_ not in self.inputs:
            raise RoasteryError(
                f"'{in_}' is not an input of this transformer",
                hint=f"inputs: {', '.join(self.inputs)}",
            )
        return tuple(self.inputs[in_])

    def preprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """A new (channels, height, width) float32 array for the input ``in_``."""
        extent = self._shape(in_)[2:]
        result = np.array(data, np.float32)
        if result.shape[:2] != extent:
            result = resize_image(result, extent)
        if in_ in self.transpose:
            result = result.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            result = result[list(self.channel_swap[in_])]
        if self.raw_scale.get(in_) is not None:
            result *= np.float32(self.raw_scale[in_])
        if self.mean.get(in_) is not None:
            result -= self.mean[in_]
        if self.input_scale.get(in_) is not None:
            result *= np.float32(self.input_scale[in_])
        return result

    def deprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`preprocess`, but for the size: a picture to look at."""
        self._shape(in_)
        result = np.array(data).squeeze()
        if self.input_scale.get(in_) is not None:
            result /= self.input_scale[in_]
        if self.mean.get(in_) is not None:
            result += self.mean[in_]
        if self.raw_scale.get(in_) is not None:
            result /= self.raw_scale[in_]
        if in_ in self.channel_swap:
            result = result[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            result = result.transpose(np.argsort(self.transpose[in_]))
        return result

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """Order of the axes: (2, 0, 1) puts the channels of a picture first."""
        wanted = len(self._shape(in_)) - 1
        if len(order) != wanted:
            raise RoasteryError(
                f"the order {tuple(order)} has {len(order)} axes; '{in_}' has {wanted} besides "
                "the batch"
            )
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """Order of the channels, after the transpose: (2, 1, 0) turns RGB into BGR."""
        channels = self._shape(in_)[1]
        if len(order) != channels:
            raise RoasteryError(
                f"the order {tuple(order)} names {len(order)} channels; '{in_}' has {channels}"
            )
        if any(not -channels <= channel < channels for channel in order):
            raise RoasteryError(
                f"the order {tuple(order)} names a channel that '{in_}' has not: they are "
                f"0 to {channels - 1}"
            )
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """Multiply before the mean is subtracted: 255 for pictures in [0, 1] where the net was
        trained on [0, 255]."""
        self._shape(in_)
        self.raw_scale[in_] = scale

    def set_input_scale(self, in_: str, scale: float) -> None:
        """Multiply after everything else."""
        self._shape(in_)
        self.input_scale[in_] = scale

    def set_mean(self, in_: str, mean: np.ndarray) -> None:
        """Subtract this: a value per channel, or a (channels, height, width) or (height, width)
        array, which is resized to the input if it has another size."""
        shape = self._shape(in_)[1:]
        mean = np.asarray(mean)
        if mean.ndim == 1:
            if len(mean) != shape[0]:
                raise RoasteryError(
                    f"the mean has {len(mean)} values, '{in_}' has {shape[0]} channels"
                )
            mean = mean[:, np.newaxis, np.newaxis]
        else:
            mean = mean[np.newaxis] if mean.ndim == 2 else mean
            if mean.ndim != 3 or mean.shape[0] not in (1, shape[0]):
                raise RoasteryError(
                    f"the mean has shape {list(mean.shape)}, '{in_}' takes {list(shape)}",
                    hint="give a value per channel, or (channels, height, width)",
                )
            if mean.shape[1:] not in (shape[1:], (1, 1)):
                mean = resize_image(mean.transpose(1, 2, 0), shape[1:]).transpose(2, 0, 1)
        self.mean[in_] = mean
