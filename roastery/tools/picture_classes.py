"""A net that says of pictures what they show. Caffe: examples/cpp_classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.types import shape_text

from ..caffe import TEST, Net
from ..caffe.classifier import input_transformer
from ..caffe.images import oversample, resize_image
from .best_classes import best_classes

_PROBABLE = 1e-2
"""By how much probabilities may miss 1 in sum: they may be of 16 bits."""


class PictureClasses:
    """A net with its preprocessing.

    Args:
        model, weights: files.
        image_dims: (height, width) that pictures are scaled to; None: the net's input, and the
            whole picture is looked at.
        crops: whether to take the mean over ten parts of it, instead of its middle.
        mean: of each channel, or of each pixel, whose mean by channel is what counts.
        input_scale, raw_scale, channel_swap: see :class:`roastery.caffe.io.Transformer`.
        output: the blob with the scores; "": the net's only output with a row of them.
        net: what runs, if it is not what ``model`` holds.
        options: of the net.

    Attributes:
        classes: how many the net tells.
    """

    def __init__(
        self,
        model: str,
        weights: str,
        *,
        image_dims: Sequence[int] | None = None,
        crops: bool = False,
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        output: str = "",
        net: Message | None = None,
        **options: Any,
    ) -> None:
        self._net = Net(model if net is None else net, TEST, weights=weights, **options)
        self._input = self._picture_input(model)
        blob = self._net.blobs[self._input]
        blob.reshape(10 if crops else 1, *blob.data.shape[1:])
        self._net.reshape()
        self._crop = np.array(blob.data.shape[2:])
        self._dims = tuple(self._crop if image_dims is None else image_dims)
        if min(np.subtract(self._dims, self._crop)) < 0:
            raise RoasteryError(
                f"pictures of {shape_text(self._dims)} are smaller than the net's input, "
                f"{shape_text(self._crop.tolist())}"
            )
        self._crops = crops
        self._transformer = input_transformer(
            self._net, _by_channel(mean), input_scale, raw_scale, channel_swap, self._input
        )
        self._output = output or self._scores_output()
        if self._output not in self._net.outputs:
            told = ", ".join(self._net.outputs)
            raise RoasteryError(f"the net has no output '{self._output}'; it has {told}")
        shape = self._net.blobs[self._output].data.shape
        if not self._has_scores(self._output):
            raise RoasteryError(
                f"output '{self._output}' has shape {shape_text(shape)}; a score for each class "
                "was expected, (pictures, classes)",
                hint="`roastery segment` is for classes of pixels, `roastery detect_objects` for "
                "objects",
            )
        self.classes = int(np.prod(shape[1:]))

    def _picture_input(self, model: str) -> str:
        taken = [n for n in self._net.inputs if len(self._net.blobs[n].data.shape) == 4]
        if len(taken) == 1 == len(self._net.inputs):
            return str(taken[0])
        shown = [f"'{n}' {shape_text(self._net.blobs[n].data.shape)}" for n in self._net.inputs]
        raise RoasteryError(
            f"'{model}' has inputs {', '.join(shown) or 'none'}; one is wanted, for pictures of "
            "(count, channels, height, width)"
        )

    def _has_scores(self, output: str) -> bool:
        """Whether a blob has a row for each picture, of several numbers."""
        count, *rest = self._net.blobs[output].data.shape or (0,)
        pictures = self._net.blobs[self._input].data.shape[0]
        return count == pictures and max(rest, default=1) > 1 and max(rest) == np.prod(rest)

    def _scores_output(self) -> str:
        """Where scores are, if nobody says it."""
        outputs = list(self._net.outputs)
        likely = [name for name in outputs if self._has_scores(name)]
        for names in (outputs, likely):
            if len(names) == 1:
                return str(names[0])
        raise RoasteryError(
            f"the net has {len(outputs)} outputs: {', '.join(outputs)}",
            hint="--output_blob names the one with the scores",
        )

    def scores(self, picture: np.ndarray) -> np.ndarray:
        """Of each class, (classes,), float32. ``picture``: as ``caffe.io.load_image`` gives it."""
        scaled = resize_image(picture, self._dims)
        if self._crops:
            parts = oversample([scaled], self._crop)
        else:
            top, left = (np.subtract(self._dims, self._crop) // 2).tolist()
            height, width = self._crop.tolist()
            parts = scaled[np.newaxis, top : top + height, left : left + width]
        batch = np.stack([self._transformer.preprocess(self._input, part) for part in parts])
        given: dict[str, Any] = {self._input: batch}
        result = self._net.forward(**given)[self._output]
        rows = np.asarray(result, np.float32).reshape(len(batch), self.classes)
        return np.asarray(rows.mean(0) if self._crops else np.array(rows[0]))


def _by_channel(mean: np.ndarray | None) -> np.ndarray | None:
    return mean if mean is None or mean.ndim < 3 else mean.mean((1, 2))


def are_probabilities(scores: np.ndarray) -> bool:
    """Whether scores can be what Softmax gives."""
    return bool(scores.min() >= 0 and abs(scores.sum(dtype=np.float64) - 1) < _PROBABLE)


def best_lines(scores: np.ndarray, top: int, labels: Mapping[int, str]) -> list[str]:
    """``0.3134 - "n02123045 tabby, tabby cat"``, the best first; of equal ones the first class.

    Caffe: examples/cpp_classification/classification.cpp, main.
    """
    best = best_classes(scores, top)
    return [f'{scores[n]:.4f} - "{labels.get(n, f"class {n}")}"' for n in best]
