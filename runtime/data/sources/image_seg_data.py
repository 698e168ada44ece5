"""ImageSegData: pictures with a class for every pixel, for DeepLab and PSPNet.

hszhao/PSPNet: src/caffe/layers/image_seg_data_layer.cpp and src/caffe/data_transformer.cpp;
deeplab-v2's are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..config import Axis, KnownAxes, OpenOptions, SourceConfig, TransformConfig
from ..draws import CROP_COLUMN, CROP_ROW, RESCALE
from ..image_codec import channel_major
from ..image_list import label_number
from ..notes import NoteKind
from ..pair_list import ListedPair, read_labelled_lines
from ..picture_part import PicturePart
from ..pixel_labels import (
    Arranged,
    PairNotes,
    PixelLabelSource,
    known_size,
    missing_pictures,
)
from ..room import check_record
from ..source import Shape

_ORIGIN = "image_seg_data_layer.cpp"
_WANTED = {"NONE": None, "IMAGE": "class number", "PIXEL": "label picture"}
LabelType = Literal["NONE", "IMAGE", "PIXEL"]


@dataclass(frozen=True, kw_only=True)
class ImageSegDataConfig(SourceConfig):
    """ImageSegData: a list of pictures with label pictures, class numbers or nothing."""

    kind = "ImageSegData"
    reads = "image list"
    labelled = True

    batch_size: int = 1
    rand_skip: int = 0
    shuffle: bool = False
    new_height: int = 0
    new_width: int = 0
    is_color: bool = True
    root_folder: str = ""
    label_type: LabelType = "IMAGE"
    ignore_label: int = 255
    prefetch: int = 4

    @property
    def crop(self) -> tuple[int, int]:
        """Height and width that pictures are cut to; 0 and 0: they are not."""
        transform = self.transform or TransformConfig()
        if transform.crop_size:
            return transform.crop_size, transform.crop_size
        return transform.crop_height, transform.crop_width

    def read_list(self, path: Path) -> list[ListedPair]:
        """The list that ``source`` names."""
        return read_labelled_lines(path, _WANTED[self.label_type], self.at("source"))

    def missing(self) -> str | None:
        if lost := super().missing():
            return lost
        first = self.read_list(Path(self.source))[0]
        return missing_pictures(self.root_folder, first, self.label_type == "PIXEL")

    def known_axes(self) -> KnownAxes:
        return known_size(self, self.crop, ("crop_height", "crop_width"))

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        return [(images[0], 1, *images[2:]), (images[0], 1, 1, 2)]

    def open(self, options: OpenOptions) -> ImageSegSource:
        return ImageSegSource(self, options)


class ImageSegSource(PixelLabelSource):
    """Pictures are rescaled, padded at the bottom and the right, and cut: at random in TRAIN.

    A third top holds the height and width of each picture before that, at most the first top's.
    """

    block = "image_data_param"
    top_counts = (1, 2, 3)
    said = PairNotes(
        NoteKind(_ORIGIN, "Opening file {path}", line=46),
        NoteKind(_ORIGIN, "Shuffling data", line=63),
        NoteKind(_ORIGIN, "A total of {count} images.", line=68),
        NoteKind(_ORIGIN, "Skipping first {count} data points.", line=75),
        (
            NoteKind(_ORIGIN, "output data size: {shape}", line=137),
            NoteKind(_ORIGIN, "output label size: {shape}", line=141),
            NoteKind(_ORIGIN, "output data_dim size: {shape}", line=145),
        ),
    )

    def __init__(self, config: ImageSegDataConfig, options: OpenOptions) -> None:
        self._config = config
        self._transform = config.transform or TransformConfig()
        self._train = options.phase == "TRAIN"
        self._check()
        super().__init__(config, config, options)

    @property
    def label_pictures(self) -> bool:
        return self._config.label_type == "PIXEL"

    def read_list(self, path: Path) -> list[ListedPair]:
        pairs = self._config.read_list(path)
        if self._config.label_type == "IMAGE":
            for pair in pairs:
                value = label_number(pair.label)
                if value is None or not 0 <= value <= 255:
                    raise self.error(
                        f"'{pair.label[:40]}', the label of {self.name(pair)}, is no class number "
                        "from 0 to 255",
                        "with label_type: PIXEL the list names label pictures",
                        field="label_type",
                    )
        return pairs

    def row_shapes(self, arranged: Arranged) -> list[Shape]:
        return [*super().row_shapes(arranged), (1, 1, 2)]

    def fill(self, arranged: Arranged, rows: Sequence[np.ndarray]) -> None:
        super().fill(arranged, rows)
        if len(rows) > 2:
            rows[2][0, 0] = np.minimum(arranged.size, rows[0].shape[1:])

    def arrange(self, pair: ListedPair, number: int) -> Arranged:
        image = self.image(pair)
        size = (image.shape[0], image.shape[1])
        image, labels = self._rescaled(pair, image, self._labels(pair, size), number)
        pixels = channel_major(image)
        high, wide = self._config.crop
        if high:
            pixels, labels = self._padded(pixels, labels)
            row, column = labels.shape[0] - high, labels.shape[1] - wide
            if self._train:
                row = self.draws.word(CROP_ROW, number) % (row + 1)
                column = self.draws.word(CROP_COLUMN, number) % (column + 1)
            else:
                row, column = row // 2, column // 2
            found = Arranged(pixels, labels, size).cut(PicturePart(row, column, high, wide))
        else:
            found = Arranged(pixels, labels, size)
        return found.mirrored() if self._transform.mirror and self.coin(number) else found

    def _labels(self, pair: ListedPair, size: tuple[int, int]) -> np.ndarray:
        """(height, width) class numbers of a picture."""
        if self._config.label_type == "PIXEL":
            return self.label_image(pair, size)
        image_wide = self._config.label_type == "IMAGE"
        return np.full(size, int(pair.label) if image_wide else self._config.ignore_label, np.uint8)

    def _rescaled(
        self, pair: ListedPair, image: np.ndarray, labels: np.ndarray, number: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both resized by one of scale_factors."""
        factors = self._transform.scale_factors
        if not factors:
            return image, labels
        factor = np.float32(factors[self.draws.word(RESCALE, number) % len(factors)])
        return self.resized(pair, image, labels, factor, "scale_factors")

    def _padded(self, pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As large as the cut at least: with mean values, which become 0, and ignore_label."""
        below = max(0, self._config.crop[0] - labels.shape[0])
        right = max(0, self._config.crop[1] - labels.shape[1])
        if not below and not right:
            return pixels, labels
        means = np.asarray(self._transform.mean_value or (0.0,), np.float32)
        if len(means) not in (1, len(pixels)):
            return pixels, labels  # refused when the mean is subtracted
        channels, high, wide = pixels.shape
        larger = np.empty((channels, high + below, wide + right), np.float32)
        larger[...] = means[:, np.newaxis, np.newaxis]
        larger[:, :high, :wide] = pixels
        padding = ((0, below), (0, right))
        return larger, np.pad(labels, padding, constant_values=self._config.ignore_label)

    def _check(self) -> None:
        config, transform = self._config, self._transform
        high, wide = transform.crop_height, transform.crop_width
        if transform.mean_file:
            raise config.error(
                "ImageSegData takes no mean_file",
                "transform_param.mean_file",
                "give mean_value, one for each channel",
            )
        if transform.crop_size and (high or wide):
            raise config.error(
                "both crop_size and crop_height or crop_width are given",
                "transform_param.crop_size",
                "keep crop_size, or the other two",
            )
        if (high > 0) != (wide > 0):
            raise config.error(
                f"crop_height is {high} and crop_width is {wide}",
                f"transform_param.{'crop_height' if high > 0 else 'crop_width'}",
                "set both, or neither",
            )
        crop = config.crop
        field = "crop_size" if transform.crop_size else "crop_height"
        if min(crop) < 0:
            raise config.error(f"{field} is {min(crop)}", f"transform_param.{field}")
        sizes = (3 if config.is_color else 1, *crop)
        check_record(config, f"pictures are cut to {crop[0]} x {crop[1]}", sizes, "transform_param")
        if not 0 <= config.ignore_label <= 255:
            raise config.error(
                f"ignore_label is {config.ignore_label}, and labels are kept in 8 bits",
                "ignore_label",
                "take one from 0 to 255, which no class has",
            )
        if any(not (math.isfinite(factor) and factor > 0) for factor in transform.scale_factors):
            raise config.error(
                "scale_factors are above 0 and finite", "transform_param.scale_factors"
            )
        if any(factor != 1 for factor in transform.scale_factors) and not crop[0]:
            raise config.error(
                "scale_factors change the sizes of pictures, and nothing cuts them to one",
                "transform_param.scale_factors",
                "set crop_size, or crop_height and crop_width",
            )
