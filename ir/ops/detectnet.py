"""Pictures of scenes at DetectNet's size, and maps of which cells objects cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RoasteryError
from ..op import Op, Property, register, require
from ..pictures import resize_cubic
from ..types import TensorType
from .scene import DRAWS, SETTINGS, Augmentation, SceneChanges, drawn_changes

BOX = 16
"""Numbers in a row of boxes: x, y, width, height, an angle, the class, and ten more."""

FIXED_MAPS = 8
"""Object or none; x and y of two corners, from the cell's; 1 / width and height; 1 / area."""

GRIDBOXES = ("GRIDBOX_MAX", "GRIDBOX_MIN")


@register
@dataclass(frozen=True)
class DetectNet(Op):
    """(pictures[N,3,H,W], boxes[N,R,16][, draws[N,12]][, mean[3,h,w]]) -> (pictures like those of
    ``size``, maps[N, 8 + classes, rows, columns]).

    The first row of boxes is how many follow, and 16. Pictures are resized to ``size``, or changed
    at random, with their boxes, if there is an ``augmentation`` (the fields of
    `scene.Augmentation`). Of each cell of ``stride`` pixels that the middle of a box covers, maps
    tell the last such box: 1, its corners from the cell's, 1 / width, 1 / height, the cells that
    the covered part has as a fraction of 1, and 1 in the map of its class.

    Args:
        size: height and width. stride: of a cell.
        shrink: what part of a box's width and height its middle has, at most ``length`` pixels
            (GRIDBOX_MAX), or at least (GRIDBOX_MIN), and no more than the box.
        normalized: whether the fraction is less than 1 for large objects.
        cropped: boxes are cut off at the edges of the picture.
        classes, maps: of each class that counts its map.
        mean: of one or three channels; as a picture it is an operand.

    Source: NVIDIA/caffe: src/caffe/layers/detectnet_transform_layer.cpp (as on a CPU) and
    src/caffe/util/detectnet_coverage_rectangular.cpp.
    """

    size: tuple[int, ...]
    stride: int
    shrink: float
    gridbox: str
    length: int
    normalized: bool
    cropped: bool
    classes: tuple[int, ...]
    maps: tuple[int, ...]
    mean: tuple[float, ...] = ()
    augmentation: tuple[float, ...] = ()
    name = "detectnet"
    properties = Property.HOST

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        part = np.float32(1.0 / self.stride)
        rows, columns = (int(np.rint(np.float32(extent) * part)) for extent in self.size)
        return rows, columns

    @property
    def map_count(self) -> int:
        """How many maps there are of a picture."""
        return FIXED_MAPS + max(self.maps) + 1

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        pictures, boxes = inputs[:2]
        require(pictures.rank == 4 and pictures.shape[1] == 3, f"{pictures} are no pictures")
        require(boxes.rank == 3 and boxes.shape[2] == BOX, f"boxes are rows of {BOX}, not {boxes}")
        require(pictures.shape[0] == boxes.shape[0], f"{pictures} with {boxes}")
        require(pictures.dtype.is_float and boxes.dtype is pictures.dtype, f"{pictures}, {boxes}")
        require(len(self.size) == 2 and min(self.size) >= 1, f"size {list(self.size)}")
        require(self.stride >= 1 and min(self.grid) >= 1, f"stride {self.stride}")
        require(self.gridbox in GRIDBOXES, f"unknown {self.gridbox!r}")
        require(len(self.classes) == len(self.maps) >= 1, "a map for each class")
        require(min(self.maps) >= 0, "a map has a number from 0")
        require(len(self.mean) in (0, 1, 3), f"{len(self.mean)} mean values")
        require(len(self.augmentation) in (0, SETTINGS), f"{len(self.augmentation)} settings")
        more = list(inputs[2:])
        if self.augmentation:
            require(bool(more), "draws are missing")
            draws = more.pop(0)
            require(draws.shape == (pictures.shape[0], DRAWS), f"{draws} for {pictures}")
        for mean in more:
            require(mean.rank == 3 and mean.shape[0] == 3, f"{mean} is no mean picture")
        require(len(more) <= 1, f"{len(inputs)} operands")
        count, dtype = pictures.shape[0], pictures.dtype
        return (
            TensorType((count, 3, *self.size), dtype),
            TensorType((count, self.map_count, *self.grid), dtype),
        )

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        pictures, boxes = inputs[:2]
        more = list(inputs[2:])
        draws = more.pop(0) if self.augmentation else None
        high, wide = self.size
        have = (pictures.shape[2], pictures.shape[3])
        mean = self._mean(more[0] if more else None, have)
        made = np.zeros((len(pictures), 3, high, wide), pictures.dtype)
        maps = np.zeros((len(pictures), self.map_count, *self.grid), pictures.dtype)
        for image, picture in enumerate(pictures):
            changes = SceneChanges((high, wide))
            if draws is not None:
                settings = Augmentation(*self.augmentation)
                changes = drawn_changes(settings, draws[image], have, (high, wide))
            made[image] = changes.picture(picture, mean, (high, wide))
            rows = _rows(boxes[image], image)
            places = changes.boxes(rows[:, :4], *have)
            for place, number in zip(places, rows[:, 5], strict=True):
                self._mark(maps[image], place, float(number))
        return [made, maps]

    def _mean(self, picture: np.ndarray | None, size: tuple[int, int]) -> np.ndarray | None:
        """What is subtracted, from 0 to 1."""
        if picture is not None:
            scaled = picture if picture.shape[1:] == size else resize_cubic(picture, *size)
            return scaled / picture.dtype.type(255)
        if not self.mean:
            return None
        return np.array(self.mean, np.float32).reshape(-1, 1, 1) / np.float32(255)

    def _mark(self, maps: np.ndarray, place: np.ndarray, number: float) -> None:
        """Write a box (x, y, width, height) into the maps of its picture."""
        real = maps.dtype.type
        least = np.finfo(np.float32).eps
        low, high = place[:2], place[:2] + place[2:]
        edge = np.array(self.size[::-1], maps.dtype)
        if self.cropped:
            low, high = np.maximum(low, 0), np.minimum(high, edge)
        size = high - low
        if not np.isfinite(place).all() or (self.cropped and (size <= 0).any()):
            return
        if not number >= 0 or int(number) not in self.classes or not size[0] * size[1] >= least:
            return
        middle = size * real(self.shrink)
        if self.gridbox == "GRIDBOX_MIN":
            middle = np.minimum(size, np.maximum(real(self.length), middle))
        else:
            middle = np.minimum(real(self.length), middle)
        center = (low + high) * real(0.5)
        first, last = center - middle * real(0.5), center + middle * real(0.5)
        covered = (last - first).prod()
        rows, columns = self.grid
        left, top = np.maximum(np.floor(first / real(self.stride)), 0).astype(np.int64)
        right, bottom = np.minimum(np.ceil(last / real(self.stride)), [columns, rows]).astype(
            np.int64
        )
        if not covered > 0 or left >= right or top >= bottom:
            return
        x, y = (
            np.arange(begin, end).astype(maps.dtype) * real(self.stride)
            for begin, end in ((left, right), (top, bottom))
        )
        across, down = (
            np.clip(np.minimum(corners + self.stride, end) - np.maximum(corners, begin), 0, None)
            for corners, begin, end in zip((x, y), first, last, strict=True)
        )
        area = real(self.stride * self.stride)
        met = (down[:, np.newaxis] * across) / area > least
        wanted = maps[:, top:bottom, left:right]
        wanted[FIXED_MAPS:, met] = 0
        wanted[FIXED_MAPS + self.maps[self.classes.index(int(number))], met] = 1
        shape = met.shape
        corner_x, corner_y = np.broadcast_to(x, shape), np.broadcast_to(y[:, np.newaxis], shape)
        fraction = area / covered
        fixed = [
            real(1),
            low[0] - corner_x,
            low[1] - corner_y,
            high[0] - corner_x,
            high[1] - corner_y,
            1 / size[0],
            1 / size[1],
            fraction if self.normalized else max(real(1), fraction),
        ]
        for channel, values in enumerate(fixed):
            wanted[channel, met] = np.broadcast_to(values, shape)[met]


def _rows(boxes: np.ndarray, image: int) -> np.ndarray:
    """The rows that count of one picture's boxes."""
    rows = boxes.shape[0]
    count, width = (float(boxes[0, 0]), float(boxes[0, 1])) if rows else (0.0, float(BOX))
    if width != BOX or not 0 <= count < rows:
        raise RoasteryError(
            f"label {image} of the batch begins with {count:g} boxes of {width:g} numbers; it has "
            f"room for {max(0, rows - 1)} of {BOX}",
            hint=f"the first row of a label is how many boxes follow, and {BOX}",
        )
    return boxes[1 : 1 + int(count)]
