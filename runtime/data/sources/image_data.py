"""ImageData: pictures named in a list. Caffe: src/caffe/layers/image_data_layer.cpp."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import KnownAxes, OpenOptions, SourceConfig
from ..epochs import Epochs
from ..image_codec import Color, ImageError, resize_image
from ..image_list import ListedImage, read_image_list
from ..listed_pictures import ListedPictures
from ..new_size import check_new_size
from ..notes import NoteKind
from ..picture_source import PictureSource
from ..room import PLANNED_BYTES, check_batch
from ..transform import Transformer

_ORIGIN = "image_data_layer.cpp"
OPENING = NoteKind(_ORIGIN, "Opening file {path}", line=36)
SHUFFLING = NoteKind(_ORIGIN, "Shuffling data", line=49)
TOTAL = NoteKind(_ORIGIN, "A total of {count} images.", line=57)
SKIPPING = NoteKind(_ORIGIN, "Skipping first {count} data points.")
SIZE = NoteKind(_ORIGIN, "output data size: {shape}", line=90)


@dataclass(frozen=True, kw_only=True)
class ImageDataConfig(SourceConfig):
    """ImageData: pictures named in a list, one "path label" a line."""

    kind = "ImageData"
    reads = "image list"
    labelled = True

    batch_size: int = 1
    rand_skip: int = 0
    shuffle: bool = False
    new_height: int = 0
    new_width: int = 0
    short_side: int = 0
    is_color: bool = True
    root_folder: str = ""
    prefetch: int = 4

    def missing(self) -> str | None:
        if lost := super().missing():
            return lost
        first = self.root_folder + read_image_list(Path(self.source), self.place)[0].path
        return None if Path(first).exists() else f"image '{first}'"

    def known_axes(self) -> KnownAxes:
        channels, size = 3 if self.is_color else 1, (self.new_height, self.new_width)
        if not all(size) or self.short_side:
            return KnownAxes((channels, None, None), ("is_color",))
        return KnownAxes((channels, *size), ("is_color", "new_height", "new_width"))

    def open(self, options: OpenOptions) -> ImageSource:
        return ImageSource(self, options)


class ImageSource(PictureSource[ListedImage]):
    """Batches of consecutive pictures; with ``shuffle``, in a new order every epoch."""

    evens_out = "set new_height and new_width, or crop_size, or use batch_size: 1"

    def __init__(self, config: ImageDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options, config.batch_size)
        self.config = config
        self.check_top_count((2,))
        self.check_batch_size(config.batch_size, "image_data_param")
        check_new_size(config, config.is_color, config.new_height, config.new_width)
        self.transformer = Transformer(
            config, options, self.draws, self.share.whole(config.batch_size)
        )
        list_path = options.root / config.source
        self._pictures = ListedPictures(config, options.root, config.root_folder, list_path)
        self.notes(OPENING(path=config.source))
        images = read_image_list(list_path, config.at("source"))
        if config.shuffle:
            self.notes(SHUFFLING())
        self.notes(TOTAL(count=len(images)))
        self._images = Epochs(images, self.draws, config.shuffle)
        self.skip(config.rand_skip, len(images), SKIPPING)
        sizes = self.next_sizes()
        check_batch(config, config.batch_size, [sizes, ()], PLANNED_BYTES)
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def take(self, number: int) -> ListedImage:
        return self._images[number]

    def pixels(self, entry: ListedImage, number: int) -> np.ndarray:
        color: Color = "color" if self.config.is_color else "gray"
        pixels = self._pictures.read(entry.path, entry.line, color)
        try:
            height, width = self._read_size(*pixels.shape[:2])
            if height:
                pixels = resize_image(pixels, height, width)
            if self.transformer.config.bgr2rgb and pixels.ndim == 3:
                pixels = pixels[:, :, ::-1]
            return self.transformer.prepared(pixels, number)
        except ImageError as error:
            raise self.error(f"{self.name(entry)} cannot be used: {error}") from error

    def label(self, entry: ListedImage) -> int:
        return entry.label

    def name(self, entry: ListedImage) -> str:
        return self._pictures.name(entry.path, entry.line)

    def next_sizes(self) -> tuple[int, int, int]:
        number = self.next_numbers().start
        entry = self._images[number]
        shape = self.pixels(entry, number).shape
        return self.transformer.output_shape(shape, self.name(entry))

    def _read_size(self, height: int, width: int) -> tuple[int, int]:
        """What a picture is resized to while it is read; 0: it stays.

        ``short_side`` counts before the others. NVIDIA/caffe: src/caffe/util/io.cpp
        (ReadImageToCVMat).
        """
        side = self.config.short_side
        if not side:
            return self.config.new_height, self.config.new_width
        if height > width:
            return height * side // width, side
        return side, width * side // height
