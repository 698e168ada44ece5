"""DenseImageData: pictures with a class for every pixel, for SegNet.

alexgkendall/caffe-segnet: src/caffe/layers/dense_image_data_layer.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config import Axis, KnownAxes, OpenOptions, SourceConfig
from ..draws import CROP_COLUMN, CROP_ROW
from ..image_codec import channel_major
from ..notes import NoteKind
from ..pair_list import ListedPair, read_pair_list
from ..picture_part import PicturePart
from ..pixel_labels import (
    Arranged,
    PairNotes,
    PixelLabelSource,
    known_size,
    missing_pictures,
)
from ..room import check_record

_ORIGIN = "dense_image_data_layer.cpp"


@dataclass(frozen=True, kw_only=True)
class DenseImageDataConfig(SourceConfig):
    """DenseImageData: pictures and label pictures, named in turn in a list."""

    kind = "DenseImageData"
    reads = "image list"
    labelled = True

    batch_size: int = 0
    rand_skip: int = 0
    shuffle: bool = False
    new_height: int = 0
    new_width: int = 0
    is_color: bool = True
    mean_file: str = ""
    root_folder: str = ""
    mirror: bool = False
    crop_width: int = 0
    crop_height: int = 0
    prefetch: int = 4

    def missing(self) -> str | None:
        if lost := super().missing():
            return lost
        first = read_pair_list(Path(self.source), self.place)[0]
        return missing_pictures(self.root_folder, first, labelled=True)

    def known_axes(self) -> KnownAxes:
        crop = (self.crop_height, self.crop_width)
        return known_size(self, crop, ("crop_height", "crop_width"))

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        return [(images[0], 1, *images[2:])]

    def open(self, options: OpenOptions) -> DenseImageSource:
        return DenseImageSource(self, options)


class DenseImageSource(PixelLabelSource):
    """Mirroring and cropping are random in both phases, and the same for labels."""

    block = "dense_image_data_param"
    said = PairNotes(
        NoteKind(_ORIGIN, "Opening file {path}", line=41),
        NoteKind(_ORIGIN, "Shuffling data", line=51),
        NoteKind(_ORIGIN, "A total of {count} examples.", line=56),
        NoteKind(_ORIGIN, "Skipping first {count} data points.", line=63),
        (NoteKind(_ORIGIN, "output data size: {shape}", line=109),),
    )

    def __init__(self, config: DenseImageDataConfig, options: OpenOptions) -> None:
        self._config = config
        self._check(config)
        super().__init__(config, config, options)

    def read_list(self, path: Path) -> list[ListedPair]:
        return read_pair_list(path, self._config.at("source"))

    def arrange(self, pair: ListedPair, number: int) -> Arranged:
        pixels = channel_major(self.image(pair))
        size = (pixels.shape[1], pixels.shape[2])
        whole = Arranged(pixels, self.label_image(pair, size), size)
        if self._config.mirror and self.coin(number):
            whole = whole.mirrored()
        high, wide = self._config.crop_height, self._config.crop_width
        if not high:
            return whole
        if high > size[0] or wide > size[1]:
            raise self.error(
                f"crop_height is {high} and crop_width is {wide}, but {self.name(pair)} is "
                f"{size[0]} high and {size[1]} wide",
                "cut out no more than there is; new_height and new_width resize first",
                field="crop_height" if high > size[0] else "crop_width",
            )
        row = self.draws.word(CROP_ROW, number) % (size[0] - high + 1)
        column = self.draws.word(CROP_COLUMN, number) % (size[1] - wide + 1)
        return whole.cut(PicturePart(row, column, high, wide))

    def _check(self, config: DenseImageDataConfig) -> None:
        high, wide = config.crop_height, config.crop_width
        if (high > 0) != (wide > 0):
            raise config.error(
                f"crop_height is {high} and crop_width is {wide}",
                "crop_height" if high > 0 else "crop_width",
                "set both, or neither",
            )
        fields = f"crop_height is {high} and crop_width is {wide}"
        check_record(config, fields, (3 if config.is_color else 1, high, wide), "crop_height")
        if config.mean_file:
            raise config.error(
                f"mean_file '{config.mean_file}' is not read from this block, in the fork neither",
                "mean_file",
                "name it in transform_param { mean_file: ... }",
            )
        transform = config.transform
        if transform is not None and (transform.mirror or transform.crop_size):
            field = "mirror" if transform.mirror else "crop_size"
            raise config.error(
                f"transform_param's {field} would change pictures and not their labels",
                f"transform_param.{field}",
                "set mirror, crop_height and crop_width in dense_image_data_param",
            )
