"""A net that finds objects: SSD, YOLO, Faster R-CNN or R-FCN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.types import shape_text

from ...caffe import TEST, Net
from ...caffe.classifier import input_transformer
from ..sized_net import SizedNet
from .found import PictureObject
from .regions import RegionNet, regions_of
from .rows import are_rows, objects_in_rows


@dataclass(frozen=True)
class ScaledSize:
    """How large pictures become.

    Attributes:
        size: (height, width); None: the net's input, or as below.
        shortest, longest: of a net that takes any size: the shorter side becomes ``shortest``
            unless the longer one then is more than ``longest``.
    """

    size: tuple[int, int] | None
    shortest: int
    longest: int

    def scaled(self, height: int, width: int) -> float:
        """How much larger a picture becomes."""
        scale = self.shortest / min(height, width)
        return min(scale, self.longest / max(height, width))


class ObjectFinder:
    """A net with its preprocessing.

    Args:
        model, weights: files.
        pictures: how large pictures become.
        box_scales: what moves of boxes are multiplied by (Faster R-CNN).
        overlap: of what overlaps a better box of its class by more, nothing is kept (likewise).
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
        pictures: ScaledSize,
        box_scales: Sequence[float],
        overlap: float,
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        net: Message | None = None,
        **options: Any,
    ) -> None:
        self._net = Net(model if net is None else net, TEST, weights=weights, **options)
        self._pictures = pictures
        self._box_scales = np.asarray(box_scales, np.float32)
        self._overlap = overlap
        self._scales = (input_scale, raw_scale, channel_swap)
        self._input, self._info = _inputs(self._net, model)
        self._regions: RegionNet | None = None
        self._rows = ""
        if self._info:
            self._regions = regions_of(self._net, model)
            self._mean = mean.mean((1, 2)) if mean is not None and mean.ndim == 3 else mean
        else:
            self._rows = _rows_output(self._net, model)
            self._mean = mean
        self.sizes = SizedNet(self._net, self._input)

    @property
    def sizes_follow_pictures(self) -> bool:
        """Whether pictures keep their proportions (Faster R-CNN)."""
        return bool(self._info)

    def objects_in(self, picture: np.ndarray, threshold: float) -> list[PictureObject]:
        """What was found with at least this score, the best first.

        Args:
            picture: (height, width, channels), RGB in [0, 1].
        """
        height, width = picture.shape[:2]
        scale = self._pictures.scaled(height, width)
        if self._info:
            size = max(1, round(height * scale)), max(1, round(width * scale))
        else:
            size = self._pictures.size or self._net.blobs[self._input].data.shape[2:]
        if self.sizes.take(size):
            self._transformer = input_transformer(self._net, self._mean, *self._scales, self._input)
        blobs = self._net.blobs
        blobs[self._input].data[0] = self._transformer.preprocess(self._input, picture)
        if self._info:
            blobs[self._info].data.reshape(-1)[:3] = (*size, scale)
        self._net.forward()
        if self._regions is not None:
            found = self._regions.objects(
                self._net, scale, (height, width), self._box_scales, threshold, self._overlap
            )
        else:
            found = objects_in_rows(blobs[self._rows].data, (height, width), threshold)
        return sorted(found, key=lambda each: -each.score)


def _inputs(net: Net, model: str) -> tuple[str, str]:
    """The input that takes pictures, and the one that takes their size, if there is one."""
    shapes = {name: net.blobs[name].data.shape for name in net.inputs}
    pictures = [name for name, shape in shapes.items() if len(shape) == 4 and shape[1] in (1, 3)]
    others = [name for name in shapes if name not in pictures[:1]]
    infos = [name for name in others if math.prod(shapes[name]) == 3]
    if not pictures or len(infos) != len(others) or len(infos) > 1:
        shown = ", ".join(f"'{name}' {shape_text(shape)}" for name, shape in shapes.items())
        raise RoasteryError(
            f"the inputs of '{model}' are {shown or 'missing'}; a picture (1, channels, height, "
            "width) is expected, and for Faster R-CNN its size (1, 3)",
            hint="give a deploy prototxt, whose data comes from Input layers",
        )
    return pictures[0], infos[0] if infos else ""


def _rows_output(net: Net, model: str) -> str:
    """The output with rows of detections."""
    found = []
    for name in net.outputs:
        shape = net.blobs[name].data.shape
        if are_rows(shape):
            found.append(name)
    if len(found) != 1:
        shown = ", ".join(f"'{n}' {shape_text(net.blobs[n].data.shape)}" for n in net.outputs)
        raise RoasteryError(
            f"the outputs of '{model}' are {shown}; one of rows of 7 numbers is expected, as "
            "DetectionOutput makes",
            hint="detect_objects runs SSD, YOLO, Faster R-CNN and R-FCN nets as they are deployed",
        )
    return str(found[0])
