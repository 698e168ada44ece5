"""ImageData: pictures named in a list. Caffe: src/caffe/layers/image_data_layer.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config import KnownAxes, OpenOptions, SourceConfig
from ..epochs import Epochs, drawn_skip
from ..image_codec import Color, ImageError, resize_image
from ..image_list import ListedImage, read_image_list
from ..listed_pictures import ListedPictures
from ..new_size import check_new_size
from ..notes import NoteKind
from ..planned import Allocate, PlannedSource
from ..room import PLANNED_BYTES, check_batch
from ..source import Position, Shape
from ..transform import Choices, Transformer

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


@dataclass(frozen=True, slots=True)
class ImageBatch:
    """Pictures of one batch and their random choices."""

    images: list[ListedImage]
    choices: Choices
    first: int


class ImageSource(PlannedSource[ImageBatch]):
    """Batches of consecutive pictures; with ``shuffle``, in a new order every epoch."""

    def __init__(self, config: ImageDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        self.check_top_count((2,))
        self.check_batch_size(config.batch_size, "image_data_param")
        check_new_size(config, config.is_color, config.new_height, config.new_width)
        self._transformer = Transformer(config, options, self.draws)
        list_path = options.root / config.source
        self._pictures = ListedPictures(config, options.root, config.root_folder, list_path)
        self.notes(OPENING(path=config.source))
        images = read_image_list(list_path, config.at("source"))
        if config.shuffle:
            self.notes(SHUFFLING())
        self.notes(TOTAL(count=len(images)))
        self._images = Epochs(images, self.draws, config.shuffle)
        self._number = 0
        if config.rand_skip:
            self._skip(len(images))
        sizes = self._next_sizes()
        check_batch(config, config.batch_size, [sizes, ()], PLANNED_BYTES)
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def plan_work(self) -> ImageBatch:
        size = self.config.batch_size
        first = self._number
        choices = self._transformer.choose(first, size)
        images = [self._images[first + i] for i in range(size)]
        self._number += size
        return ImageBatch(images, choices, first)

    def next_shapes(self) -> list[Shape]:
        size = self.config.batch_size
        return [(size, *self._next_sizes()), (size,)]

    def load(self, work: ImageBatch, allocate: Allocate) -> list[np.ndarray]:
        labels = allocate((len(work.images),))
        labels[...] = [image.label for image in work.images]
        out: np.ndarray | None = None
        for index, listed in enumerate(work.images):
            pixels = self._pixels(listed, work.first + index)
            sizes = self._transformer.output_shape(pixels.shape, self._name(listed))
            if out is None:
                out = allocate((len(work.images), *sizes))
            elif out.shape[1:] != sizes:
                raise self.error(
                    f"{self._name(listed)} is {sizes[1]} high and {sizes[2]} wide, but "
                    f"{self._name(work.images[0])} of the same batch is {out.shape[2]} high and "
                    f"{out.shape[3]} wide",
                    "set new_height and new_width, or crop_size, or use batch_size: 1",
                )
            self._transformer.apply([pixels], work.choices, out[index : index + 1], index)
        assert out is not None  # batch_size is at least 1
        return [out, labels]

    def place_now(self) -> Position:
        return {"record": self._number}

    def move_to(self, position: Mapping[str, Any]) -> None:
        self._number = self.saved_number(position, "record")

    def close(self) -> None:
        """Nothing stays open between batches."""

    def _skip(self, count: int) -> None:
        skip = drawn_skip(self.draws, self.config.rand_skip)
        self.notes(SKIPPING(count=skip))
        if skip >= count:
            raise self.error(
                f"rand_skip drew {skip}, but the list has {count} images",
                f"set rand_skip to at most {count}",
                field="rand_skip",
            )
        self._number = skip

    def _pixels(self, listed: ListedImage, number: int) -> np.ndarray:
        """A picture's (channels, height, width) pixels, resized if that was asked for.

        ``number``: as which picture it is read, for random choices.
        """
        color: Color = "color" if self.config.is_color else "gray"
        pixels = self._pictures.read(listed.path, listed.line, color)
        try:
            height, width = self._read_size(*pixels.shape[:2])
            if height:
                pixels = resize_image(pixels, height, width)
            if self._transformer.config.bgr2rgb and pixels.ndim == 3:
                pixels = pixels[:, :, ::-1]
            return self._transformer.prepared(pixels, number)
        except ImageError as error:
            raise self.error(f"{self._name(listed)} cannot be used: {error}") from error

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

    def _next_sizes(self) -> tuple[int, int, int]:
        """Channels, height and width of the picture that is planned next."""
        listed = self._images[self._number]
        shape = self._pixels(listed, self._number).shape
        return self._transformer.output_shape(shape, self._name(listed))

    def _name(self, listed: ListedImage) -> str:
        return self._pictures.name(listed.path, listed.line)
