"""What data layers with a class for every pixel have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from .config import KnownAxes, OpenOptions, SourceConfig, TransformConfig
from .counted import CountedSource
from .draws import MIRROR
from .epochs import Epochs
from .image_codec import Color, ImageError, resize_image, resize_labels
from .listed_pictures import ListedPictures
from .new_size import check_new_size
from .notes import NoteKind
from .pair_list import ListedPair
from .picture_part import PicturePart
from .picture_source import uneven
from .planned import Allocate
from .room import PLANNED_BYTES, check_batch
from .source import Shape
from .transform import Choices, Transformer

_GREY_NOISE = 16
"""How far apart JPEG may set the channels of a grey picture."""


class PixelLabelSettings(Protocol):
    """Settings that all these layers have."""

    @property
    def batch_size(self) -> int: ...
    @property
    def rand_skip(self) -> int: ...
    @property
    def shuffle(self) -> bool: ...
    @property
    def new_height(self) -> int: ...
    @property
    def new_width(self) -> int: ...
    @property
    def is_color(self) -> bool: ...
    @property
    def root_folder(self) -> str: ...


@dataclass(frozen=True)
class PairNotes:
    """What a layer says when it is opened; None: nothing of that."""

    opening: NoteKind
    shuffling: NoteKind | None
    total: NoteKind
    skipping: NoteKind | None
    sizes: tuple[NoteKind, ...]


@dataclass(frozen=True, slots=True)
class PixelBatch:
    """Pictures of one batch, and their numbers."""

    pairs: list[ListedPair]
    numbers: range


@dataclass(frozen=True, slots=True)
class Arranged:
    """A picture and its labels, cut and mirrored alike.

    Attributes:
        pixels: (channels, height, width), uint8 or float32, without mean and scale.
        labels: (height, width), uint8.
        size: height and width before anything was cut.
    """

    pixels: np.ndarray
    labels: np.ndarray
    size: tuple[int, int]

    def mirrored(self) -> Arranged:
        """Left and right exchanged."""
        return replace(self, pixels=self.pixels[..., ::-1], labels=self.labels[..., ::-1])

    def cut(self, part: PicturePart) -> Arranged:
        """This part of both."""
        return replace(self, pixels=part.of_planes(self.pixels), labels=part.of(self.labels))


class PixelLabelSource(CountedSource[PixelBatch]):
    """Tops: pictures (N, C, H, W), and their labels (N, 1, H, W)."""

    block: ClassVar[str]
    """The layer's own block in a prototxt."""
    top_counts: ClassVar[tuple[int, ...]] = (2,)
    said: ClassVar[PairNotes]

    def __init__(
        self, config: SourceConfig, settings: PixelLabelSettings, options: OpenOptions
    ) -> None:
        """``settings`` are ``config``'s."""
        super().__init__(config, options, settings.batch_size)
        self._settings = settings
        self.check_top_count(self.top_counts)
        self.check_batch_size(settings.batch_size, self.block)
        check_new_size(config, settings.is_color, settings.new_height, settings.new_width)
        # Cutting and mirroring are done here, for labels too.
        plain = replace(config.transform or TransformConfig(), crop_size=0, mirror=False)
        self._transformer = Transformer(replace(config, transform=plain), options, self.draws)
        list_path = options.root / config.source
        self._pictures = ListedPictures(config, options.root, settings.root_folder, list_path)
        self.notes(self.said.opening(path=config.source))
        pairs = self.read_list(list_path)
        if settings.shuffle and self.said.shuffling is not None:
            self.notes(self.said.shuffling())
        self.notes(self.said.total(count=len(pairs)))
        self._pairs = Epochs(pairs, self.draws, settings.shuffle)
        self.skip(settings.rand_skip, len(pairs), self.said.skipping)
        if self.label_pictures:
            self._refuse_colors(self._pairs[self._number])
        shapes = self.next_shapes()
        check_batch(
            config, settings.batch_size, [shape[1:] for shape in shapes], planned=PLANNED_BYTES
        )
        for note, shape in zip(self.said.sizes, shapes, strict=False):
            self.notes(note(shape=",".join(map(str, shape))))

    @property
    def label_pictures(self) -> bool:
        """Whether labels are pictures that the list names."""
        return True

    @abstractmethod
    def read_list(self, path: Path) -> list[ListedPair]:
        """The list that ``source`` names."""

    @abstractmethod
    def arrange(self, pair: ListedPair, number: int) -> Arranged:
        """Read a picture and its labels, and make the random choices of this number on them."""

    def row_shapes(self, arranged: Arranged) -> list[Shape]:
        """Shapes of one picture's rows in all tops that the layer can have."""
        sizes = self._transformer.output_shape(
            (arranged.pixels.shape[0], *arranged.labels.shape), "a picture (cut as asked)"
        )
        return [sizes, (1, *sizes[1:])]

    def fill(self, arranged: Arranged, rows: Sequence[np.ndarray]) -> None:
        """Write one picture's rows: arrays of the shapes that `row_shapes` tells."""
        self._transformer.apply([arranged.pixels], Choices(None, None, None), rows[0][np.newaxis])
        if len(rows) > 1:
            rows[1][0] = arranged.labels

    def plan_work(self) -> PixelBatch:
        numbers = self.next_numbers()
        self._number = numbers.stop
        return PixelBatch([self._pairs[number] for number in numbers], numbers)

    def next_shapes(self) -> list[Shape]:
        number = self.next_numbers().start
        arranged = self.arrange(self._pairs[number], number)
        return [(self.batch_size, *shape) for shape in self.row_shapes(arranged)][: len(self.tops)]

    def load(self, work: PixelBatch, allocate: Allocate) -> list[np.ndarray]:
        out: list[np.ndarray] = []
        for index, pair in enumerate(work.pairs):
            arranged = self.arrange(pair, work.numbers[index])
            shapes = self.row_shapes(arranged)[: len(self.tops)]
            if not out:
                out = [allocate((len(work.pairs), *shape)) for shape in shapes]
            elif out[0].shape[1:] != shapes[0]:
                first, sizes = self.name(work.pairs[0]), out[0].shape[1:]
                hint = "set new_height and new_width, or crop, or use batch_size: 1"
                raise uneven(self, first, sizes, self.name(pair), shapes[0], hint)
            self.fill(arranged, [array[index] for array in out])
        return out

    def image(self, pair: ListedPair) -> np.ndarray:
        """A picture, (height, width) or (height, width, 3), resized if that was asked for."""
        color: Color = "color" if self._settings.is_color else "gray"
        pixels = self._pictures.read(pair.path, pair.line, color)
        if self._settings.new_height:
            pixels = resize_image(pixels, self._settings.new_height, self._settings.new_width)
        return pixels

    def label_image(self, pair: ListedPair, size: tuple[int, int]) -> np.ndarray:
        """The label picture of a picture of this size: (height, width) class numbers."""
        labels = self._pictures.read(pair.label, pair.line, "gray")
        if self._settings.new_height:
            labels = resize_labels(labels, self._settings.new_height, self._settings.new_width)
        if labels.shape != size:
            raise self.error(
                f"{self.name(pair)} is {size[0]} high and {size[1]} wide, its label picture "
                f"'{pair.label}' {labels.shape[0]} and {labels.shape[1]}",
                "both need one size; new_height and new_width resize both",
            )
        return labels

    def resized(
        self, pair: ListedPair, image: np.ndarray, labels: np.ndarray, scale: np.float32, field: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """A picture and its labels at the size that ``field`` of transform_param scales them to:
        ``scale`` times their own, rounded by the subclass's `scaled`."""
        size = self.scaled(labels.shape[0], scale), self.scaled(labels.shape[1], scale)
        if size == labels.shape:
            return image, labels
        try:
            return resize_image(image, *size), resize_labels(labels, *size)
        except ImageError as error:
            raise self.error(
                f"{self.name(pair)}, scaled by {scale:g}: {error}", field=f"transform_param.{field}"
            ) from error

    def scaled(self, extent: int, scale: np.float32) -> int:
        """A height or width times ``scale``, cut off to a whole number."""
        return int(np.float32(extent) * scale)

    def coin(self, number: int) -> bool:
        """Whether a record is mirrored, where that is left to chance."""
        return bool(self.draws.word(MIRROR, number) & 1)

    def name(self, pair: ListedPair) -> str:
        """How errors name a picture."""
        return self._pictures.name(pair.path, pair.line)

    def _refuse_colors(self, pair: ListedPair) -> None:
        """Label pictures in colours, as VOC's are: their brightness is no class number."""
        colors = self._pictures.read(pair.label, pair.line, "color").astype(np.int16)
        apart = np.ptp(colors, axis=2)
        if apart.max() > _GREY_NOISE:
            row, column = map(int, np.argwhere(apart == apart.max())[0])
            blue, green, red = map(int, colors[row, column])
            raise self.error(
                f"the label picture of {self.name(pair)}, '{pair.label}', is in colours: pixel "
                f"({row}, {column}) is red {red}, green {green}, blue {blue}; their brightness "
                "would be read as a class number",
                "write class numbers into one channel. Of a PNG with a palette, numpy and Pillow "
                "make that: Image.fromarray(numpy.array(Image.open(NAME))).save(NEW)",
            )


def missing_pictures(root_folder: str, first: ListedPair, labelled: bool) -> str | None:
    """What of a list's first line is not there; None if all is."""
    for path in (first.path, first.label)[: 1 + labelled]:
        if not Path(root_folder + path).exists():
            return f"image '{root_folder + path}'"
    return None


def known_size(
    settings: PixelLabelSettings, crop: tuple[int, int], crop_fields: tuple[str, ...]
) -> KnownAxes:
    """What is known of the pictures without reading one.

    Args:
        settings: of the layer.
        crop: height and width that they are cut to, 0 where they are not.
        crop_fields: the fields that say so.
    """
    channels = 3 if settings.is_color else 1
    if all(crop):
        return KnownAxes((channels, *crop), ("is_color", *crop_fields))
    if settings.new_height and settings.new_width:
        size = (settings.new_height, settings.new_width)
        return KnownAxes((channels, *size), ("is_color", "new_height", "new_width"))
    return KnownAxes((channels, None, None), ("is_color",))
