"""Detections told right or wrong by ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import RoasteryError
from ..op import Op, Property, register, require
from ..types import I32, TensorType

MODES = ("", "WARP", "FIT_SMALL_SIZE", "FIT_LARGE_SIZE_AND_PAD")


@register
@dataclass(frozen=True)
class EvaluateDetections(Op):
    """(found[D,7], truth[G,8]) -> (rows[K+D,5], total i32[1]), of which ``total`` rows count.

    ``found`` has rows (image, label, score, x1, y1, x2, y2), ``truth`` (image, label, instance, x1,
    y1, x2, y2, difficult). A row of the result is (-1, label, number of boxes in truth, -1, -1) for
    each of K labels, then (image, label, score, right, wrong) for each detection, by image, then by
    label, then, if there is truth for both, by score. A detection is right if it overlaps a box of
    its label by ``threshold``, which no better one did; if the box is difficult and these do not
    count it is neither.

    With two more operands, sizes i32[I,2] (height, width) of images and place i32[1], there is one
    more result: the place after. Boxes are then scaled to the size of their image, which is the one
    at the place; each image with detections moves it by one, from the end to the start.

    Args:
        classes: labels are 0 to ``classes`` - 1 without ``background`` (-1: there is none).
        difficult: whether difficult boxes count.
        mode, resized: how images were resized before detection ("": they were not): WARP,
            FIT_SMALL_SIZE or FIT_LARGE_SIZE_AND_PAD, and height, width, height_scale, width_scale.

    Source: weiliu89/caffe, ssd: src/caffe/layers/detection_evaluate_layer.cpp,
    src/caffe/util/bbox_util.cpp (OutputBBox, JaccardOverlap).
    """

    classes: int
    background: int
    threshold: float
    difficult: bool = True
    mode: str = ""
    resized: tuple[int, ...] = (0, 0, 0, 0)
    name = "evaluate_detections"
    properties = Property.HOST

    @property
    def labels(self) -> list[int]:
        return [c for c in range(self.classes) if c != self.background]

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        found, truth = inputs[:2]
        require(found.rank == 2 and found.shape[1] == 7, f"detections are rows of 7, not {found}")
        require(truth.rank == 2 and truth.shape[1] == 8, f"truth is rows of 8, not {truth}")
        require(found.dtype.is_float and truth.dtype is found.dtype, f"{found} and {truth}")
        require(self.classes >= 1, f"{self.classes} classes")
        require(self.mode in MODES, f"unknown mode {self.mode!r}")
        require(len(self.resized) == 4, f"{len(self.resized)} sizes of resized images, not 4")
        one = TensorType((1,), I32)
        shape = (len(self.labels) + found.shape[0], 5)
        results = (TensorType(shape, found.dtype), one)
        if len(inputs) == 2:
            return results
        sizes, place = inputs[2:]
        require(sizes.rank == 2 and sizes.shape[1] == 2, f"sizes are rows of 2, not {sizes}")
        require(sizes.dtype is I32 and place == one, f"{sizes}, {place}: whole numbers")
        require(sizes.shape[0] >= 1, "no sizes of images")
        return (*results, one)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        found, truth = inputs[:2]
        sizes, place = inputs[2:] if len(inputs) > 2 else (None, None)
        work = _Evaluation(self, truth, sizes, place)
        work.evaluate(found)
        made = np.zeros(results[0].shape, found.dtype)
        if work.rows:
            made[: len(work.rows)] = work.rows
        totals = [np.array([len(work.rows)], np.int32)]
        if len(inputs) > 2:
            totals.append(np.array([work.place], np.int32))
        return [made, *totals]


@dataclass
class _Evaluation:
    """One run of the op: its rows, and the place among the sizes."""

    op: EvaluateDetections
    truth: np.ndarray
    sizes: np.ndarray | None = None
    place_given: np.ndarray | None = None
    rows: list[tuple[float, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place = 0
        if self.sizes is not None and self.place_given is not None:
            self.place = int(self.place_given[0]) % len(self.sizes)

    def evaluate(self, found: np.ndarray) -> None:
        truth = _by_image(self._counted(self.truth, "ground truth", ends=True))
        numbers = dict.fromkeys(self.op.labels, 0)
        for of_label in truth.values():
            for label, boxes in of_label.items():
                counted = len(boxes) if self.op.difficult else int((boxes[:, 7] == 0).sum())
                if label in numbers:
                    numbers[label] += counted
        for label, number in numbers.items():
            self.rows.append((-1, label, number, -1, -1))
        for image, of_label in _by_image(self._counted(found, "detections")).items():
            for label, boxes in of_label.items():
                if label == -1:
                    continue
                expected = truth.get(image, {}).get(label)
                if expected is None:
                    self.rows += [(image, label, row[2], 0, 1) for row in boxes]
                else:
                    self._compare(image, label, boxes, expected)
            if self.sizes is not None:
                self.place = (self.place + 1) % len(self.sizes)

    def _counted(self, rows: np.ndarray, what: str, ends: bool = False) -> np.ndarray:
        """Rows of images; ``ends``: a row of none ends them."""
        there = rows[:, 0].astype(np.int64) != -1
        if ends and not there.all():
            there[int(np.argmin(there)) :] = False
        counted = rows[there]
        if self.op.background != -1 and (counted[:, 1].astype(int) == self.op.background).any():
            raise RoasteryError(
                f"{what} with label {self.op.background}, the background",
                hint="background_label_id says which label is that of no object; -1 is not allowed "
                "there: it is 0 unless it is given",
            )
        return counted

    def _compare(self, image: int, label: int, found: np.ndarray, truth: np.ndarray) -> None:
        found = found[np.argsort(-found[:, 2], kind="stable")]
        boxes, expected = self._shown(found[:, 3:7]), self._shown(truth[:, 3:7])
        taken = np.zeros(len(truth), bool)
        overlaps = _overlaps(boxes, expected)
        for row, overlap in zip(found, overlaps, strict=True):
            best = int(overlap.argmax())
            right = wrong = 0
            if not overlap[best] >= found.dtype.type(self.op.threshold):
                wrong = 1
            elif self.op.difficult or not truth[best, 7]:
                right, wrong = int(not taken[best]), int(taken[best])
                taken[best] = True
            self.rows.append((image, label, row[2], right, wrong))

    def _shown(self, boxes: np.ndarray) -> _Sized:
        """Boxes in the size of their image, and their areas."""
        if self.sizes is None:
            return _Sized(boxes, _areas(boxes, 0), 0)
        height, width = (int(d) for d in self.sizes[self.place])
        mode, (to_height, to_width, by_height, by_width) = self.op.mode, self.op.resized
        pixel = 1 if width > 1 or height > 1 else 0
        if mode == "FIT_SMALL_SIZE" and by_height and by_width:
            size = np.array([by_width, by_height] * 2, boxes.dtype)
            most = np.array([width, height] * 2, boxes.dtype)
            boxes = np.clip(boxes * size, 0, most)
            return _Sized(boxes, _areas(boxes, 0), 1)
        if mode == "FIT_LARGE_SIZE_AND_PAD":
            boxes = _unpadded(boxes, width / height, to_width, to_height)
        boxes = np.clip(boxes, 0, 1) * np.array([width, height] * 2, boxes.dtype)
        return _Sized(boxes, _areas(boxes, pixel), 1)


@dataclass(frozen=True)
class _Sized:
    """Boxes, their areas, and 1 where coordinates count pixels, else 0."""

    boxes: np.ndarray
    areas: np.ndarray
    pixel: int


def _by_image(rows: np.ndarray) -> Mapping[int, Mapping[int, np.ndarray]]:
    """Rows by image, then by label, both ascending."""
    found: dict[int, dict[int, np.ndarray]] = {}
    keys = rows[:, :2].astype(np.int64)
    for image in np.unique(keys[:, 0]):
        mine = keys[:, 0] == image
        found[int(image)] = {
            int(label): rows[mine & (keys[:, 1] == label)] for label in np.unique(keys[mine, 1])
        }
    return found


def _unpadded(boxes: np.ndarray, aspect: float, width: int, height: int) -> np.ndarray:
    """Boxes of an image with padding as boxes of the image; those in the padding stay."""
    real = boxes.dtype.type
    low, high = np.zeros(2, boxes.dtype), np.ones(2, boxes.dtype)
    if aspect > width / height:
        share = real((height - width / aspect) / 2 / height)
        low[1], high[1] = share, 1 - share
    else:
        share = real((width - height * aspect) / 2 / width)
        low[0], high[0] = share, 1 - share
    meets = np.logical_and(boxes[:, :2] < high, boxes[:, 2:] > low).all(axis=1, keepdims=True)
    inner = np.clip((boxes - np.tile(low, 2)) / np.tile(high - low, 2), 0, 1)
    moved: np.ndarray = np.where(meets, inner, boxes)
    return moved


def _areas(boxes: np.ndarray, pixel: int) -> np.ndarray:
    size = boxes[:, 2:] - boxes[:, :2]
    areas: np.ndarray = (size + pixel).prod(axis=1)
    areas[(size < 0).any(axis=1)] = 0
    return areas


def _overlaps(a: _Sized, c: _Sized) -> np.ndarray:
    """Intersection over union of all pairs. In pixels those that do not meet have one in common:
    SSD's intersection of such is the box (0, 0, 0, 0)."""
    low = np.maximum(a.boxes[:, np.newaxis, :2], c.boxes[np.newaxis, :, :2])
    high = np.minimum(a.boxes[:, np.newaxis, 2:], c.boxes[np.newaxis, :, 2:])
    apart = np.logical_or(
        c.boxes[np.newaxis, :, :2] > a.boxes[:, np.newaxis, 2:],
        c.boxes[np.newaxis, :, 2:] < a.boxes[:, np.newaxis, :2],
    ).any(axis=2, keepdims=True)
    size = np.where(apart, 0, high - low) + a.pixel
    common = np.where((size > 0).all(axis=2), size.prod(axis=2), 0)
    union = a.areas[:, np.newaxis] + c.areas[np.newaxis] - common
    return np.divide(common, union, out=np.zeros_like(common), where=common > 0)
