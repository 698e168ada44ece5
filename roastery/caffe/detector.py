"""``caffe.Detector``: classify windows of pictures, with their surroundings, as R-CNN does."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from . import modes
from .classifier import input_transformer
from .images import load_image, resize_image
from .net import Net, PathLike


class Detector(Net):
    """A net with its preprocessing for windows. Caffe: python/caffe/detector.py.

    Args:
        mean, input_scale, raw_scale, channel_swap: see :class:`caffe.io.Transformer`.
        context_pad: how many pixels at each border of the net's input show the surroundings
            of the window; what lies outside the picture is filled with the mean.
    """

    def __init__(
        self,
        model_file: PathLike,
        pretrained_file: PathLike,
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        context_pad: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(model_file, modes.TEST, weights=pretrained_file, **options)
        self.transformer = input_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def configure_crop(self, context_pad: int | None) -> None:
        """Set how much context is shown, and what stands for the outside of a picture."""
        shape = self.blobs[self.inputs[0]].data.shape
        if context_pad and shape[2] != shape[3]:
            raise RoasteryError(
                f"context_pad is {context_pad}, which needs a square input; this net's is "
                f"{shape[2]} x {shape[3]}"
            )
        self.crop_dims = np.array([shape[2], shape[3], shape[1]])
        self.context_pad = context_pad
        if context_pad and 2 * context_pad >= min(shape[2:]):
            raise RoasteryError(
                f"context_pad is {context_pad}, which leaves nothing of an input of "
                f"{shape[2]} x {shape[3]}"
            )
        self.crop_mean = np.zeros(self.crop_dims, np.float32)
        name = self.inputs[0]
        mean = self.transformer.mean.get(name)
        if context_pad and mean is not None:
            # The mean as it is before preprocessing: (height, width, channels), unscaled, RGB.
            outside = np.array(mean, np.float32).transpose(1, 2, 0)
            order = self.transformer.channel_swap.get(name)
            if order is not None:
                outside = outside[:, :, np.argsort(order)]
            self.crop_mean = self.crop_mean + outside / self.transformer.raw_scale.get(name, 1.0)

    def detect_windows(
        self, images_windows: Iterable[tuple[str, Iterable[Sequence[float] | np.ndarray]]]
    ) -> list[dict[str, Any]]:
        """Classify windows of pictures.

        Args:
            images_windows: a picture file and its windows (ymin, xmin, ymax, xmax), each.

        Returns a dictionary with ``filename``, ``window`` and ``prediction`` for every window.
        """
        channels = int(self.crop_dims[2])
        if channels not in (1, 3):
            raise RoasteryError(
                f"input '{self.inputs[0]}' has {channels} channels; pictures have 1 or 3"
            )
        places: list[tuple[str, np.ndarray]] = []
        batch = []
        name = self.inputs[0]
        for filename, windows in images_windows:
            image = load_image(filename, color=channels == 3)
            for window in windows:
                corners = np.asarray(window)
                batch.append(self.transformer.preprocess(name, self.crop(image, corners)))
                places.append((filename, corners))
        if not batch:
            return []
        predictions = self.forward_all(**{name: np.stack(batch)})[self.outputs[0]]
        return [
            {"window": window, "prediction": prediction, "filename": filename}
            for (filename, window), prediction in zip(places, predictions, strict=True)
        ]

    def detect_selective_search(self, image_fnames: Iterable[str]) -> list[dict[str, Any]]:
        """Classify the proposals of selective search, if its package is there.

        Raises RoasteryError where it is not: it drives MATLAB and comes from elsewhere.
        """
        try:
            selective_search = importlib.import_module("selective_search_ijcv_with_python")
        except ImportError:
            raise RoasteryError(
                "selective search needs the package selective_search_ijcv_with_python (and "
                "MATLAB), which is not installed",
                hint="give your own windows: detector.detect_windows([(file, windows), ...]), or "
                "`roastery detect --crop_mode=list` with a CSV file",
            ) from None
        files = [os.path.abspath(name) for name in image_fnames]
        windows = selective_search.get_windows(files, cmd="selective_search_rcnn")
        return self.detect_windows(zip(files, windows, strict=True))

    def crop(self, im: np.ndarray, window: Sequence[float] | np.ndarray) -> np.ndarray:
        """The part of a picture that ``window`` (ymin, xmin, ymax, xmax) shows, with context."""
        box = np.asarray(window)
        top, left, bottom, right = (int(v) for v in box)
        if not (0 <= top < bottom <= im.shape[0] and 0 <= left < right <= im.shape[1]):
            raise RoasteryError(
                f"window {[top, left, bottom, right]} is not inside a picture of "
                f"{im.shape[0]} x {im.shape[1]}",
                hint="a window is ymin, xmin, ymax, xmax in pixels",
            )
        if not self.context_pad:
            return im[top:bottom, left:right]
        return self._with_context(im, box)

    def _with_context(self, im: np.ndarray, box: np.ndarray) -> np.ndarray:
        size = int(self.blobs[self.inputs[0]].width)  # the input is square, as in R-CNN
        pad = self.context_pad or 0
        grown = size / (size - 2.0 * pad)
        half = (box[2:] - box[:2] + 1) / 2.0
        centre = box[:2] + half
        low, high = np.round(centre - grown * half), np.round(centre + grown * half)
        scale = size / (high - low + 1)
        # Where the enlarged box leaves the picture, the input keeps the mean.
        before = np.round(np.maximum(0, -low) * scale).astype(int)
        limit = np.array(im.shape[:2], float)
        low, high = np.clip(low, 0, limit), np.clip(high, 0, limit)
        extent = np.round((high - low + 1) * scale).astype(int)
        extent = np.minimum(extent, size - before)
        part = im[int(low[0]) : int(high[0]), int(low[1]) : int(high[1])]
        crop = np.array(np.broadcast_to(self.crop_mean, tuple(self.crop_dims)), np.float32)
        shown = resize_image(part, extent)
        crop[before[0] : before[0] + extent[0], before[1] : before[1] + extent[1]] = shown
        return crop
