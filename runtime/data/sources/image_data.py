"""ImageData: pictures named in a list. Caffe: src/caffe/layers/image_data_layer.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roastery.files.regular_file import read_regular

from ..config import KnownAxes, OpenOptions, SourceConfig
from ..draws import SHUFFLE, SKIP
from ..image_codec import ImageError, channel_major, decode_image, resize_image
from ..image_limit import max_image_pixels
from ..image_list import ListedImage, read_image_list
from ..notes import NoteKind
from ..planned import Allocate, PlannedSource
from ..room import PLANNED_BYTES, check_batch, check_record
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
        if not all(size):
            return KnownAxes((channels, None, None), ("is_color",))
        return KnownAxes((channels, *size), ("is_color", "new_height", "new_width"))

    def open(self, options: OpenOptions) -> ImageSource:
        return ImageSource(self, options)


@dataclass(frozen=True, slots=True)
class ImageBatch:
    """Pictures of one batch and their random choices."""

    images: list[ListedImage]
    choices: Choices


class ImageSource(PlannedSource[ImageBatch]):
    """Batches of consecutive pictures; with ``shuffle``, in a new order every epoch."""

    def __init__(self, config: ImageDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        self.check_top_count((2,))
        self.check_batch_size(config.batch_size, "image_data_param")
        if (config.new_height > 0) != (config.new_width > 0):
            raise self.error(
                f"new_height is {config.new_height} and new_width is {config.new_width}",
                "set both, or neither",
                field="new_height" if config.new_height > 0 else "new_width",
            )
        resized = (3 if config.is_color else 1, config.new_height, config.new_width)
        fields = f"new_height is {config.new_height} and new_width is {config.new_width}"
        check_record(config, fields, resized, "new_height")
        if config.new_height * config.new_width > max_image_pixels():
            raise self.error(
                f"new_height is {config.new_height} and new_width {config.new_width}; pictures of "
                f"at most {max_image_pixels()} pixels are made",
                "set the size that the net wants; --max_image_pixels raises the limit",
                field="new_height",
            )
        self._transformer = Transformer(config, options, self.draws)
        self._list_path = options.root / config.source
        self._folder = options.root
        self.notes(OPENING(path=config.source))
        self._images = read_image_list(self._list_path, config.at("source"))
        if config.shuffle:
            self.notes(SHUFFLING())
        self.notes(TOTAL(count=len(self._images)))
        self._epoch = -1
        self._order = np.arange(len(self._images))
        self._number = 0
        if config.rand_skip:
            self._skip()
        sizes = self._sizes(self._image_at(self._number))
        check_batch(config, config.batch_size, [sizes, ()], PLANNED_BYTES)
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def plan_work(self) -> ImageBatch:
        size = self.config.batch_size
        choices = self._transformer.choose(self._number, size)
        images = [self._image_at(self._number + i) for i in range(size)]
        self._number += size
        return ImageBatch(images, choices)

    def next_shapes(self) -> list[Shape]:
        size = self.config.batch_size
        return [(size, *self._sizes(self._image_at(self._number))), (size,)]

    def load(self, work: ImageBatch, allocate: Allocate) -> list[np.ndarray]:
        labels = allocate((len(work.images),))
        labels[...] = [image.label for image in work.images]
        out: np.ndarray | None = None
        for index, listed in enumerate(work.images):
            pixels = self._pixels(listed)
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

    def _skip(self) -> None:
        skip = self.draws.word(SKIP, 0) % self.config.rand_skip
        self.notes(SKIPPING(count=skip))
        if skip >= len(self._images):
            raise self.error(
                f"rand_skip drew {skip}, but the list has {len(self._images)} images",
                f"set rand_skip to at most {len(self._images)}",
                field="rand_skip",
            )
        self._number = skip

    def _image_at(self, number: int) -> ListedImage:
        """The picture with this number, counted over all epochs from 0."""
        epoch, index = divmod(number, len(self._images))
        if self.config.shuffle and epoch != self._epoch:
            self._order = self.draws.permutation(SHUFFLE, epoch, len(self._images))
            self._epoch = epoch
        return self._images[int(self._order[index])]

    def _pixels(self, listed: ListedImage) -> np.ndarray:
        """A picture's (channels, height, width) pixels, resized if that was asked for."""
        # Joined as text, as Caffe does: root_folder may be a prefix that is no folder.
        path = self._folder / (self.config.root_folder + listed.path)
        try:
            data = read_regular(path, self.config.place)
            pixels = decode_image(
                data, "color" if self.config.is_color else "gray", self.config.place
            )
        except OSError as error:
            raise self.error(
                f"cannot read {self._name(listed)}: {error.strerror} ({path})",
                "paths start from root_folder, or without one from the working directory",
            ) from error
        except ImageError as error:
            raise self.error(f"cannot decode {self._name(listed)}: {error}") from error
        if self.config.new_height:
            pixels = resize_image(pixels, self.config.new_height, self.config.new_width)
        return channel_major(pixels)

    def _sizes(self, listed: ListedImage) -> tuple[int, int, int]:
        return self._transformer.output_shape(self._pixels(listed).shape, self._name(listed))

    def _name(self, listed: ListedImage) -> str:
        return f"image '{listed.path}' ({self._list_path}, line {listed.line})"
