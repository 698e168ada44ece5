"""SegData: pictures with a class for every pixel, scaled at random, one a batch.

yjxiong/caffe: src/caffe/layers/seg_data_layer.cpp and src/caffe/data_transformer.cpp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import Axis, KnownAxes, OpenOptions, SourceConfig, TransformConfig
from ..draws import CROP_COLUMN, CROP_ROW, MIRROR, RESCALE
from ..image_codec import channel_major
from ..notes import NoteKind
from ..pair_list import ListedPair, read_pair_list
from ..picture_part import PicturePart
from ..pixel_labels import Arranged, PairNotes, PixelLabelSource, missing_pictures

_ORIGIN = "seg_data_layer.cpp"
_TRIES = 10
_MOST_OF_ONE_CLASS = 0.8


@dataclass(frozen=True, kw_only=True)
class SegDataConfig(SourceConfig):
    """SegData: pictures and label pictures, named in turn in a list. With ``balance``, parts of
    pictures that are nearly all of one class are drawn anew, ten times at most."""

    kind = "SegData"
    reads = "image list"
    labelled = True

    root_dir: str = ""
    shuffle: bool = False
    balance: bool = False

    def missing(self) -> str | None:
        if lost := super().missing():
            return lost
        first = read_pair_list(Path(self.source), self.place)[0]
        return missing_pictures(self.root_dir, first, labelled=True)

    def known_axes(self) -> KnownAxes:
        return KnownAxes((3, None, None))

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        return [(images[0], 1, *images[2:])]

    def open(self, options: OpenOptions) -> SegSource:
        return SegSource(self, options)


@dataclass(frozen=True)
class _Settings:
    """What SegData has no fields for, beside the list."""

    root_folder: str
    shuffle: bool
    batch_size: int = 1
    rand_skip: int = 0
    new_height: int = 0
    new_width: int = 0
    is_color: bool = True


class SegSource(PixelLabelSource):
    """Scaling, cropping and mirroring are random in both phases, and the same for labels. Heights
    and widths are the largest multiples of ``stride``, and at most the upper sizes."""

    block = "seg_data_param"
    said = PairNotes(
        NoteKind(_ORIGIN, "Opening file: {path}", line=40),
        None,
        NoteKind(_ORIGIN, "A total of {count} images.", line=54),
        None,
        (
            NoteKind(_ORIGIN, "output data size: {shape}", line=82),
            NoteKind(_ORIGIN, "output label size: {shape}", line=83),
        ),
    )

    def __init__(self, config: SegDataConfig, options: OpenOptions) -> None:
        self._config = config
        self._transform = config.transform or TransformConfig()
        self._check()
        super().__init__(config, _Settings(config.root_dir, config.shuffle), options)

    def read_list(self, path: Path) -> list[ListedPair]:
        return read_pair_list(path, self._config.at("source"))

    def arrange(self, pair: ListedPair, number: int) -> Arranged:
        image = self.image(pair)
        labels = self.label_image(pair, (image.shape[0], image.shape[1]))
        found = self._drawn(pair, image, labels, number, 0)
        if self._config.balance:
            for again in range(1, _TRIES + 1):
                counts = np.bincount(found.labels.ravel())
                if counts.max() <= _MOST_OF_ONE_CLASS * found.labels.size:
                    break
                found = self._drawn(pair, image, labels, number, again)
        return found

    def _drawn(
        self, pair: ListedPair, image: np.ndarray, labels: np.ndarray, number: int, again: int
    ) -> Arranged:
        """A picture and its labels by one drawing of everything that is random."""
        size = (labels.shape[0], labels.shape[1])
        scale = self._scale(number, again)
        image, labels = self.resized(pair, image, labels, scale, "scale_ratios")
        high, wide = labels.shape
        crop_high, crop_wide = self._cropped(high, wide)
        if min(crop_high, crop_wide) < 1:
            raise self._config.error(
                f"{self.name(pair)}, scaled by {scale:g}, is {high} high and {wide} wide: less "
                f"than the stride {self._transform.stride}",
                "transform_param.stride",
                "take larger pictures, or larger scale_ratios",
            )
        row = self.draws.word(CROP_ROW, number, again) % (high - crop_high + 1)
        column = self.draws.word(CROP_COLUMN, number, again) % (wide - crop_wide + 1)
        part = PicturePart(row, column, crop_high, crop_wide)
        found = Arranged(channel_major(image), labels, size).cut(part)
        mirrored = self._transform.mirror and self.draws.word(MIRROR, number, again) & 1
        return found.mirrored() if mirrored else found

    def scaled(self, extent: int, scale: np.float32) -> int:
        """Rounded."""
        return int(float(np.float32(extent) * scale) + 0.5)

    def _scale(self, number: int, again: int) -> np.float32:
        """What height and width are multiplied by: thousandths above the lower of scale_ratios."""
        ratios = self._transform.scale_ratios
        lower, upper = map(np.float32, ratios if len(ratios) == 2 else (1.0, 1.0))
        steps = int(float(upper - lower) * 1000.0) + 1
        return np.float32(self.draws.word(RESCALE, number, again) % steps / 1000.0 + float(lower))

    def _cropped(self, high: int, wide: int) -> tuple[int, int]:
        transform = self._transform
        high, wide = (extent // transform.stride * transform.stride for extent in (high, wide))
        if transform.upper_size is not None:
            return min(high, transform.upper_size), min(wide, transform.upper_size)
        if transform.upper_height is not None and transform.upper_width is not None:
            return min(high, transform.upper_height), min(wide, transform.upper_width)
        return high, wide

    def _check(self) -> None:
        config, transform = self._config, self._transform
        if transform.mean_file:
            raise config.error(
                "SegData takes no mean_file",
                "transform_param.mean_file",
                "give mean_value, one for each channel",
            )
        if transform.crop_size:
            raise config.error(
                "SegData does not read crop_size",
                "transform_param.crop_size",
                "upper_size limits height and width",
            )
        for field in ("stride", "upper_size", "upper_height", "upper_width"):
            value = getattr(transform, field)
            if value is not None and value < 1:
                raise config.error(f"{field} is {value}", f"transform_param.{field}", "at least 1")
        ratios = transform.scale_ratios
        if any(not (math.isfinite(ratio) and ratio > 0) for ratio in ratios):
            raise config.error(
                "scale_ratios are above 0 and finite", "transform_param.scale_ratios"
            )
        if len(ratios) == 2 and ratios[1] < ratios[0]:
            raise config.error(
                f"scale_ratios are {ratios[0]:g} and {ratios[1]:g}",
                "transform_param.scale_ratios",
                "the lower one stands first",
            )
