"""Crop, mirror, mean and scale, with Caffe's results to the last bit.

out = (pixel - mean) * scale in float32; the mean image is read at the crop's place; a
crop is random in TRAIN and centred in TEST; mirroring is a coin flip in both phases.
Caffe: src/caffe/data_transformer.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.types import shape_text

from .config import OpenOptions, SourceConfig, TransformConfig
from .draws import CROP_COLUMN, CROP_ROW, MIRROR, Draws
from .image_codec import mirror_rows
from .mean_file import read_mean
from .notes import NoteKind

LOADING_MEAN = NoteKind("data_transformer.cpp", "Loading mean file from: {path}", line=22)

_BLOCK_VALUES = 1 << 16
"""Values transformed at a time: 256 KiB of float32 stay in a core's cache."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Random words of consecutive records; None where nothing is random."""

    mirror: np.ndarray | None
    row: np.ndarray | None
    column: np.ndarray | None


class Transformer:
    """The transform_param of one layer."""

    def __init__(self, layer: SourceConfig, options: OpenOptions, draws: Draws) -> None:
        self.config = layer.transform or TransformConfig()
        self._layer = layer
        self._train = options.phase == "TRAIN"
        self._draws = draws
        self._mean_image: np.ndarray | None = None
        self._mean_values = np.asarray(self.config.mean_value, np.float32)
        self._scale = np.float32(self.config.scale)
        if self.config.mean_file and self.config.mean_value:
            raise self._error(
                "both mean_file and mean_value are given",
                "mean_file",
                "keep one of the two: the mean image, or one value per channel",
            )
        if self.config.force_color and self.config.force_gray:
            raise self._error(
                "both force_color and force_gray are set", "force_color", "keep one of the two"
            )
        if self.config.crop_size < 0:
            raise self._error(f"crop_size is {self.config.crop_size}", "crop_size")
        if self.config.mean_file:
            options.notes(LOADING_MEAN(path=self.config.mean_file))
            self._mean_image = read_mean(
                options.root / self.config.mean_file, layer.at("transform_param.mean_file")
            )

    def output_shape(self, shape: tuple[int, int, int], what: str) -> tuple[int, int, int]:
        """(channels, height, width) after cropping; refuses what cannot be transformed.

        Args:
            shape: (channels, height, width) of the record.
            what: names the record in errors.
        """
        channels, height, width = shape
        crop = self.config.crop_size
        if min(shape) < 1:
            raise self._layer.error(f"{what} is {shape_text(shape)}: nothing to transform")
        if crop > height or crop > width:
            raise self._error(
                f"crop_size is {crop}, but {what} is {height} high and {width} wide",
                "crop_size",
                "crop_size may be at most the smaller of the two; "
                "resize the images when they are converted",
            )
        count = len(self._mean_values)
        if count not in (0, 1, channels):
            raise self._error(
                f"{count} mean_value given, but {what} has {channels} "
                f"channel{'s' if channels > 1 else ''}",
                "mean_value",
                f"give one mean_value, or {channels}",
            )
        mean = self._mean_image
        if mean is not None and mean.shape != shape:
            raise self._error(
                f"mean file '{self.config.mean_file}' is {shape_text(mean.shape)}, "
                f"but {what} is {shape_text(shape)} (channels x height x width)",
                "mean_file",
                "compute the mean from this database, or use mean_value",
            )
        return (channels, crop, crop) if crop else shape

    def choose(self, first: int, count: int) -> Choices:
        """Random choices of the records numbered from ``first``."""
        crops = self._train and self.config.crop_size > 0
        draw = self._draws.words
        return Choices(
            draw(MIRROR, first, count) & 1 != 0 if self.config.mirror else None,
            draw(CROP_ROW, first, count) if crops else None,
            draw(CROP_COLUMN, first, count) if crops else None,
        )

    def apply(
        self, images: Sequence[np.ndarray], choices: Choices, out: np.ndarray, first: int = 0
    ) -> None:
        """Transform (channels, height, width) images, uint8 or float32, into ``out``.

        Their sizes must have passed `output_shape`. ``first`` is the place of
        ``images[0]`` in ``choices``.
        """
        step = max(1, _BLOCK_VALUES // max(1, out[0].size))
        for begin in range(0, len(images), step):
            block = out[begin : begin + step]
            self._apply_block(images[begin : begin + step], choices, first + begin, block)

    def _apply_block(
        self, images: Sequence[np.ndarray], choices: Choices, first: int, out: np.ndarray
    ) -> None:
        crop = self.config.crop_size
        if crop:
            corners = [self._corner(image, choices, first + i) for i, image in enumerate(images)]
            images = [
                image[:, y : y + crop, x : x + crop]
                for image, (y, x) in zip(images, corners, strict=True)
            ]
        if len(images) == 1:
            out[0] = images[0]
        else:
            np.concatenate([image[np.newaxis] for image in images], out=out)
        if self._mean_image is not None:
            if crop:
                for i, (y, x) in enumerate(corners):
                    out[i] -= self._mean_image[:, y : y + crop, x : x + crop]
            else:
                out -= self._mean_image
        elif self._mean_values.size:
            out -= self._mean_values[:, np.newaxis, np.newaxis]
        if self._scale != 1:
            out *= self._scale
        if choices.mirror is not None:
            for index in np.flatnonzero(choices.mirror[first : first + len(images)]):
                mirror_rows(out[index])

    def _corner(self, image: np.ndarray, choices: Choices, index: int) -> tuple[int, int]:
        high = image.shape[1] - self.config.crop_size
        wide = image.shape[2] - self.config.crop_size
        if choices.row is None or choices.column is None:
            return high // 2, wide // 2
        return int(choices.row[index]) % (high + 1), int(choices.column[index]) % (wide + 1)

    def _error(self, message: str, field: str, hint: str | None = None) -> RoasteryError:
        return self._layer.error(message, f"transform_param.{field}", hint)
