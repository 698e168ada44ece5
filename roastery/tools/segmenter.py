"""A net that says of every pixel which class it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.types import shape_text
from runtime.data.image_codec import import_cv2

from ..caffe import TEST, Net
from ..caffe.classifier import input_transformer
from .sized_net import SizedNet


class Segmenter:
    """A segmentation net with its preprocessing.

    Args:
        model, weights: files.
        size: (height, width) that pictures are scaled to; None: to the net's input.
        keep_size: instead, the net takes every picture at its own size.
        output: the blob with scores (1, classes, height, width) or class numbers
            (1, 1, height, width); "": the net's only output.
        mean: as Transformer.set_mean takes it.
        input_scale, raw_scale, channel_swap: see :class:`roastery.caffe.io.Transformer`.
        net: what runs, if it is not what ``model`` holds.
        options: of the net.

    Attributes:
        sizes: of its input.
    """

    def __init__(
        self,
        model: str,
        weights: str,
        *,
        size: Sequence[int] | None = None,
        keep_size: bool = False,
        output: str = "",
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        net: Message | None = None,
        **options: Any,
    ) -> None:
        self._net = Net(model if net is None else net, TEST, weights=weights, **options)
        self._input = self._net.inputs[0]
        shape = self._net.blobs[self._input].data.shape
        if len(shape) != 4:
            raise RoasteryError(
                f"input '{self._input}' of '{model}' is {shape_text(shape)}; pictures need "
                "(1, channels, height, width)"
            )
        self._size = tuple(size) if size is not None else shape[2:]
        self._keep_size = keep_size
        # At sizes of their own, pictures have no place in which a mean picture would fit.
        self._mean = (
            mean.mean((1, 2)) if mean is not None and keep_size and mean.ndim == 3 else mean
        )
        self._scales = (input_scale, raw_scale, channel_swap)
        self._output = self._chosen(output)
        self.sizes = SizedNet(self._net, self._input)

    def classes_of(self, picture: np.ndarray) -> np.ndarray:
        """The class of every pixel: whole numbers (height, width).

        Args:
            picture: (height, width, channels), RGB in [0, 1].
        """
        high, wide = picture.shape[:2]
        size = (high, wide) if self._keep_size else self._size
        if self.sizes.take(size):
            self._transformer = input_transformer(self._net, self._mean, *self._scales)
        self._net.blobs[self._input].data[0] = self._transformer.preprocess(self._input, picture)
        self._net.forward()
        found = self._net.blobs[self._output].data
        if found.ndim != 4 or found.shape[0] != 1 or not found.size:
            raise RoasteryError(
                f"'{self._output}' is {shape_text(found.shape)}; scores of "
                "(1, classes, height, width) were expected",
                hint="--output_blob names the blob with the scores",
            )
        if found.shape[1] == 1:
            return _given_classes(found[0, 0], self._output, (high, wide))
        return _likeliest(found[0], (high, wide))

    def _chosen(self, name: str) -> str:
        outputs = self._net.outputs
        if name:
            if name not in self._net.blobs:
                raise RoasteryError(
                    f"the net has no blob '{name}'", hint=f"its outputs: {', '.join(outputs)}"
                )
            return name
        if len(outputs) != 1:
            raise RoasteryError(
                f"the net has {len(outputs)} outputs: {', '.join(outputs)}",
                hint="--output_blob names the one with the scores",
            )
        return str(outputs[0])


def _likeliest(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The class with the highest score (classes, h, w), of equal ones the first, at (H, W).

    Scores are interpolated to that size, and not the classes. One class at a time: all of a large
    picture's would need much memory.
    """
    cv2 = import_cv2()
    best: np.ndarray | None = None
    for number, plane in enumerate(scores):
        if plane.shape != size:
            plane = cv2.resize(plane, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
        if best is None:
            best, classes = np.array(plane), np.zeros(size, np.int64)
            continue
        better = plane > best
        best[better] = plane[better]
        classes[better] = number
    return classes


def _given_classes(found: np.ndarray, name: str, size: tuple[int, int]) -> np.ndarray:
    """The class numbers that an ArgMax made, each the nearest one's."""
    if not np.all((found >= 0) & (found < 1 << 16) & (found == np.floor(found))):
        raise RoasteryError(
            f"'{name}' has one channel, whose values are not class numbers",
            hint="scores need a channel for each class",
        )
    cv2 = import_cv2()
    if found.shape != size:
        found = cv2.resize(found, (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
    return found.astype(np.int64)
