"""``caffe.Classifier``: pictures in, class probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from . import modes
from .images import oversample as ten_crops
from .images import resize_image
from .net import Net, PathLike
from .transformer import Transformer


def input_transformer(
    net: Net,
    mean: np.ndarray | None,
    input_scale: float | None,
    raw_scale: float | None,
    channel_swap: Sequence[int] | None,
    input_name: str = "",
) -> Transformer:
    """The transformer of an input of a net, the first one unless it is named, with pictures'
    channels brought to the front."""
    name = input_name or net.inputs[0]
    transformer = Transformer({name: net.blobs[name].data.shape})
    transformer.set_transpose(name, (2, 0, 1))
    if mean is not None:
        transformer.set_mean(name, mean)
    if input_scale is not None:
        transformer.set_input_scale(name, input_scale)
    if raw_scale is not None:
        transformer.set_raw_scale(name, raw_scale)
    if channel_swap is not None:
        transformer.set_channel_swap(name, channel_swap)
    return transformer


class Classifier(Net):
    """A net with its preprocessing. Caffe: python/caffe/classifier.py.

    Args:
        image_dims: (height, width) that pictures are scaled to before they are cropped; the
            net's own input size unless given.
        mean, input_scale, raw_scale, channel_swap: see :class:`caffe.io.Transformer`.
    """

    def __init__(
        self,
        model_file: PathLike,
        pretrained_file: PathLike,
        image_dims: Sequence[int] | None = None,
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(model_file, modes.TEST, weights=pretrained_file, **options)
        self.transformer = input_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].data.shape[2:])
        self.image_dims = tuple(self.crop_dims if image_dims is None else image_dims)

    def predict(self, inputs: Sequence[np.ndarray], oversample: bool = True) -> np.ndarray:
        """Probabilities, (pictures, classes).

        Args:
            inputs: (height, width, channels) pictures.
            oversample: take the mean over corners, centre and their mirror images; otherwise
                only the centre is looked at.
        """
        if not len(inputs):
            raise RoasteryError("no pictures to classify")
        pictures = [resize_image(picture, self.image_dims) for picture in inputs]
        if oversample:
            crops = list(ten_crops(pictures, self.crop_dims))
        else:
            height, width = self.crop_dims
            top, left = (
                int(whole / 2.0 - part / 2.0)
                for whole, part in zip(self.image_dims, self.crop_dims, strict=True)
            )
            crops = [p[top : top + height, left : left + width] for p in pictures]
        name = self.inputs[0]
        batch = np.stack([self.transformer.preprocess(name, crop) for crop in crops])
        predictions = self.forward_all(**{name: batch})[self.outputs[0]]
        if oversample:
            predictions = predictions.reshape(len(predictions) // 10, 10, -1).mean(1)
        return predictions
