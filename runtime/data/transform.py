"""Crop, mirror, mean and scale, with Caffe's results to the last bit.

out = (pixel - mean) * scale in float32; the mean image is read at the crop's place; a
crop is random in TRAIN and centred in TEST; mirroring is a coin flip in both phases.
Caffe: src/caffe/data_transformer.cpp. What weiliu89/caffe (SSD) does to decoded pictures before,
`Transformer.prepared`: resize_param, then noise_param. What yjxiong/caffe (TSN) does instead of
Caffe's crop: `augment.scaled_crops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.types import shape_text

from ..logging.records import Severity
from .augment.noise import add_noise, noise_mistake
from .augment.random_resize import (
    Resizing,
    drawn_resizing,
    is_resized_at_random,
    random_size_mistakes,
)
from .augment.resize import interpolation_for, resize_picture, resized_size
from .augment.scaled_crops import crop_sizes, fixed_corners, scaled_crop_mistakes
from .augment.settings import ResizeConfig
from .augment.size_choice import drawn_size, sizes_mistake
from .config import OpenOptions, SourceConfig, TransformConfig
from .draws import CROP_COLUMN, CROP_ROW, CROP_SCALE, MIRROR, Draws
from .image_codec import ImageError, channel_count, channel_major, mirror_rows, resize_plane
from .image_limit import max_image_pixels
from .mean_file import read_mean
from .notes import NoteKind
from .picture_part import PicturePart
from .room import check_record

LOADING_MEAN = NoteKind("data_transformer.cpp", "Loading mean file from: {path}", line=22)
NOT_BOXED = NoteKind(
    "data_transformer.cpp",
    "{field} changes nothing in {kind} layers, only in AnnotatedData",
    severity=Severity.WARNING,
)
NOT_SCALED = NoteKind(
    "data_transformer.cpp",
    "Multi scale augmentation is only activated with crop_size set.",
    line=199,
    severity=Severity.WARNING,
)

_BLOCK_VALUES = 1 << 16
"""Values transformed at a time: 256 KiB of float32 stay in a core's cache."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Random words of a batch's records; None where nothing is random."""

    mirror: np.ndarray | None
    row: np.ndarray | None
    column: np.ndarray | None
    scale: np.ndarray | None = None


class Transformer:
    """The transform_param of one layer.

    Args:
        batch_size: how many consecutive records get one size where several are given.
    """

    def __init__(
        self, layer: SourceConfig, options: OpenOptions, draws: Draws, batch_size: int = 1
    ) -> None:
        self.config = layer.transform or TransformConfig()
        self._batch_size = max(1, batch_size)
        self._behind = 0
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
        for name in ("use_image_mean", "use_imagedb_mean"):
            if getattr(self.config, name) and not self.config.mean_file:
                raise self._error(
                    f"{name} subtracts the mean image that MyCaffe's image database keeps, which "
                    "is not here",
                    name,
                    'make one with compute_image_mean and give mean_file: "FILE"',
                )
        for name in ("crop_size", "crop_h", "crop_w"):
            if getattr(self.config, name) < 0:
                raise self._error(f"{name} is {getattr(self.config, name)}", name)
        self.crop = self.config.crop
        """Height and width to crop to; 0: what the picture has."""
        self._check_augmentation()
        self._scaled = self.config.multi_scale and all(self.crop)
        if self.config.multi_scale and not self._scaled:
            options.notes(NOT_SCALED())
        for name in ("distort_param", "expand_param", "emit_constraint"):
            if getattr(self.config, name) is not None and not layer.annotated:
                options.notes(NOT_BOXED(field=name, kind=layer.kind))
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
        if min(shape) < 1:
            raise self._layer.error(f"{what} is {shape_text(shape)}: nothing to transform")
        for crop, extent, name in (
            (self.crop[0], height, "crop_h"),
            (self.crop[1], width, "crop_w"),
        ):
            name = "crop_size" if self.config.crop_size else name
            if crop > extent:
                raise self._error(
                    f"{name} is {crop}, but {what} is {height} high and {width} wide",
                    name,
                    "crop_size may be at most the smaller of the two; "
                    "resize the images when they are converted",
                )
        if self._scaled and self._train:
            least = min(map(min, crop_sizes(height, width, self.crop, self.config)))
            if least < 1:
                raise self._error(
                    f"{what} is {height} high and {width} wide: "
                    "at one of its scales nothing is left",
                    "scale_ratios" if self.config.scale_ratios else "multi_scale",
                )
        count = len(self._mean_values)
        groups = self._layer.mean_groups and count and channels % count == 0
        if count not in (0, 1, channels) and not groups:
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
        return channels, self.crop[0] or height, self.crop[1] or width

    def size_of(self, number: int) -> ResizeConfig | None:
        """What resize_param says of the record with this number."""
        sizes = self.config.sizes
        return drawn_size(sizes, self._draws, self.batch_of(number)) if sizes else None

    def batch_of(self, number: int) -> int:
        """Which batch the record with this number is in."""
        return (number - self._behind) // self._batch_size

    def begin_at(self, number: int) -> None:
        """A batch begins with the record of this number. No other thread may be transforming."""
        self._behind = number % self._batch_size

    def prepared_size(self, height: int, width: int, number: int) -> tuple[int, int]:
        """Height and width of a picture after `prepared`."""
        resize = self.size_of(number)
        return resized_size(resize, height, width) if resize is not None else (height, width)

    def prepared(self, pixels: np.ndarray, number: int) -> np.ndarray:
        """A decoded picture, resized and with its noise, as (channels, height, width).

        Args:
            pixels: (height, width) or (height, width, channels), uint8.
            number: of the record, for random choices.

        Raises ImageError for a picture that this cannot be done to.
        """
        pixels = self._in_order(pixels)
        resizing = self._resizing(pixels.shape[0], pixels.shape[1], number)
        resize, part = resizing.resize, resizing.part
        noise = self.config.noise_param
        if part is not None:
            pixels = part.of(pixels)
        if resize is not None:
            pixels = resize_picture(pixels, resize, interpolation_for(resize, self._draws, number))
        if noise is not None:
            pixels = add_noise(pixels, noise, self._draws, number)
        return channel_major(pixels)

    def _in_order(self, pixels: np.ndarray) -> np.ndarray:
        """A picture of blue, green and red with its channels as they are asked for."""
        channels = channel_count(pixels)
        if self.config.cvt_bgr2rgb and channels != 3:
            raise ImageError(f"it has {channels} channels, and cvt_bgr2rgb needs 3")
        turned = self.config.cvt_bgr2rgb or (self.config.color_order == "RGB" and channels == 3)
        return np.ascontiguousarray(pixels[..., ::-1]) if turned else pixels

    def prepared_raw(self, values: np.ndarray, number: int) -> np.ndarray:
        """A record of (channels, height, width) values, resized; it gets no noise, as in SSD.

        Raises ImageError for values that cannot be resized.
        """
        resizing = self._resizing(values.shape[1], values.shape[2], number)
        resize, part = resizing.resize, resizing.part
        if part is not None:
            values = part.of_planes(values)
        if resize is None or resized_size(resize, *values.shape[1:]) == values.shape[1:]:
            return values
        if len(values) > 4:
            raise ImageError(f"it has {len(values)} channels; at most 4 can be resized")
        mode = interpolation_for(resize, self._draws, number)
        rows = np.ascontiguousarray(values.transpose(1, 2, 0))
        pixels = resize_picture(rows, resize, mode)
        return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))

    def _resizing(self, height: int, width: int, number: int) -> Resizing:
        """How the picture with this number is resized."""
        if is_resized_at_random(self.config):
            return drawn_resizing(self.config, height, width, self._draws, number)
        return Resizing(resize=self.size_of(number))

    def choose(self, numbers: Sequence[int]) -> Choices:
        """Random choices of the records with these numbers."""
        crops = self._train and max(self.crop) > 0
        draw = self._draws.words
        return Choices(
            draw(MIRROR, numbers) & 1 != 0 if self.config.mirror else None,
            draw(CROP_ROW, numbers) if crops else None,
            draw(CROP_COLUMN, numbers) if crops else None,
            draw(CROP_SCALE, numbers) if crops and self._scaled else None,
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
        high, wide = out.shape[2:]
        crop = max(self.crop) > 0
        if crop:
            windows = [
                self._window(image.shape[1], image.shape[2], choices, first + i)
                for i, image in enumerate(images)
            ]
            images = [
                _cut(image, window, high, wide)
                for image, window in zip(images, windows, strict=True)
            ]
        if len(images) == 1:
            out[0] = images[0]
        else:
            np.concatenate([image[np.newaxis] for image in images], out=out)
        mirrored = (
            np.flatnonzero(choices.mirror[first : first + len(images)])
            if choices.mirror is not None
            else ()
        )
        if self.config.is_flow:
            for index in mirrored:  # what moves to the left moves to the right in a mirror
                np.subtract(255, out[index, ::2], out=out[index, ::2])
        if self._mean_image is not None:
            if self.config.multi_scale:  # TSN: whatever was cropped
                out -= self._mean_image[:, :high, :wide]
            elif crop:
                for row, window in zip(out, windows, strict=True):
                    row -= window.of_planes(self._mean_image)
            else:
                out -= self._mean_image
        elif self._mean_values.size:
            means = self._mean_values
            if means.size > 1:
                means = np.resize(means, out.shape[1])
            out -= means[:, np.newaxis, np.newaxis]
        if self._scale != 1:
            out *= self._scale
        for index in mirrored:
            mirror_rows(out[index])

    def _window(self, height: int, width: int, choices: Choices, index: int) -> PicturePart:
        """What is cropped of a (height, width) picture."""
        size = self.crop[0] or height, self.crop[1] or width
        if choices.scale is not None:
            sizes = crop_sizes(height, width, self.crop, self.config)
            size = sizes[int(choices.scale[index]) % len(sizes)]
        if self.config.fix_crop and choices.row is not None:
            corners = fixed_corners(height - size[0], width - size[1], self.config.more_fix_crop)
            return PicturePart(*corners[int(choices.row[index]) % len(corners)], *size)
        if choices.scale is not None:
            return PicturePart(*self._corner(height, width, size, choices, index), *size)
        return PicturePart(*self.corner(height, width, choices, index), *size)

    def corner(self, height: int, width: int, choices: Choices, index: int) -> tuple[int, int]:
        """Where the crop of a (height, width) picture begins: its row and column.

        A picture that is cropped along one axis only keeps its start, as in weiliu89/caffe.
        """
        if not all(self.crop):
            return 0, 0
        return self._corner(height, width, self.crop, choices, index)

    @staticmethod
    def _corner(
        height: int, width: int, size: tuple[int, int], choices: Choices, index: int
    ) -> tuple[int, int]:
        high, wide = height - size[0], width - size[1]
        if choices.row is None or choices.column is None:
            return high // 2, wide // 2
        return int(choices.row[index]) % (high + 1), int(choices.column[index]) % (wide + 1)

    def _check_augmentation(self) -> None:
        """Refuse what forks' blocks of transform_param can never do."""
        for text, field in (
            *random_size_mistakes(self.config),
            *scaled_crop_mistakes(self.config),
        ):
            raise self._error(text, field)
        resize = self.config.resize_param
        if resize is not None and is_resized_at_random(self.config):
            raise self._error(
                "pictures are resized in two ways", "resize_param", "keep one of the two"
            )
        for size in self.config.sizes:
            self._check_size(size)
        mistake = sizes_mistake(self.config.sizes)
        if mistake is not None:
            raise self._error(mistake, "resize_param")
        if self.config.noise_param is not None:
            noise = noise_mistake(self.config.noise_param)
            if noise is not None:
                raise self._error(noise[0], "noise_param", noise[1])

    def _check_size(self, resize: ResizeConfig) -> None:
        size = f"height is {resize.height} and width {resize.width}"
        if min(resize.height, resize.width) < 1:
            raise self._error(
                f"height is {resize.height} and width is {resize.width}",
                "resize_param",
                "give both, at least 1",
            )
        check_record(
            self._layer, size, (1, resize.height, resize.width), "transform_param.resize_param"
        )
        if resize.height * resize.width > max_image_pixels():
            raise self._error(
                f"{size}; pictures of at most {max_image_pixels()} pixels are made",
                "resize_param",
                "set the size that the net wants; --max_image_pixels raises the limit",
            )

    def _error(self, message: str, field: str, hint: str | None = None) -> RoasteryError:
        return self._layer.error(message, f"transform_param.{field}", hint)


def _cut(image: np.ndarray, window: PicturePart, high: int, wide: int) -> np.ndarray:
    """The window of a (channels, height, width) picture, resized to (high, wide)."""
    part = window.of_planes(image)
    if (window.height, window.width) == (high, wide):
        return part
    return np.stack([resize_plane(plane, high, wide) for plane in part])
