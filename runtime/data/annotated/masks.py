"""Labels of a picture's pixels, as a mask for each class: MobileNet-YOLO's third top.

eric612/MobileNet-YOLO: src/caffe/layers/annotated_data_layer.cpp, src/caffe/data_transformer.cpp
(Transform2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..image_codec import import_cv2
from .settings import AnnotatedSettings

_LEVELS = 256
_MOST_CLASSES = 255
_TOLD_FROM = 100
"""Of one class alone: what is greyer than this after resizing is of it."""

_TO_ONE = np.float32(1 / 255)


@dataclass(frozen=True)
class PixelMasks:
    """Which grey levels of the labels' picture are of which class.

    Attributes:
        classes: for each grey level its class, from 1, or 0; None: all pixels that are not black
            are of the one class there is.
    """

    classes: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        """How many masks there are."""
        return 1 if self.classes is None else max((0, *self.classes))

    def of(self, labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The masks at a new size: (count, *size) float32, 1 where all pixels are of the class.

        Args:
            labels: (height, width) uint8, cropped.
        """
        if self.classes is None:
            part = _resized(labels, size) > _TOLD_FROM
            return part[np.newaxis].astype(np.float32)
        levels = np.zeros(_LEVELS, np.int64)
        levels[: len(self.classes)] = self.classes[:_LEVELS]
        found = levels[labels]
        masks = [_resized(_white(found == number), size) for number in range(1, self.count + 1)]
        return np.stack(masks).astype(np.float32) * _TO_ONE


def mask_size(config: AnnotatedSettings, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the masks of a picture that comes out at this size."""
    high, wide = map(int, config.mask_size((0, 0, *size)))
    if min(high, wide) < 1:
        raise config.error(
            f"seg_scales is {config.seg_scales}, and pictures come out {size[0]} high and "
            f"{size[1]} wide: no labels of pixels are left",
            "seg_scales",
        )
    return high, wide


def read_masks(config: AnnotatedSettings, root: Path) -> PixelMasks:
    """What a layer's masks say; of several classes, by its label map."""
    if config.single_class:
        return PixelMasks()
    if not config.label_map_file or config.read_pixel_classes is None:
        raise config.error(
            "no label_map_file is given, which says of which class pixels are",
            "single_class",
            'set annotated_data_param { label_map_file: "FILE" }, or single_class: true',
        )
    path = root / config.label_map_file
    masks = PixelMasks(config.read_pixel_classes(path, config.at("label_map_file")))
    if masks.count > _MOST_CLASSES:
        raise config.error(
            f"label map '{path}' has label_id {masks.count}; pixels have 256 grey levels, and "
            f"there are at most {_MOST_CLASSES} classes beside the background",
            "label_map_file",
        )
    if not masks.count:
        raise config.error(
            f"label map '{path}' has no label_id above 0: there is no class of pixels",
            "label_map_file",
        )
    return masks


def _white(where: np.ndarray) -> np.ndarray:
    return where.astype(np.uint8) * np.uint8(255)


def _resized(mask: np.ndarray, size: Sequence[int]) -> np.ndarray:
    cv2 = import_cv2()
    resized: np.ndarray = cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return resized
