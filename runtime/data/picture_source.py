"""Sources of pictures, one by one, each with a label; those of a batch have one size."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np

from ir.errors import RoasteryError

from .counted import CountedSource
from .planned import Allocate, PlannedSource, Work
from .source import Shape
from .transform import Choices, Transformer

Entry = TypeVar("Entry")
"""What is planned of a picture."""


@dataclass(frozen=True, slots=True)
class PictureBatch(Generic[Entry]):
    """Pictures of one batch, their random choices, and their numbers."""

    entries: list[Entry]
    choices: Choices
    numbers: range


class PictureSource(CountedSource[PictureBatch[Entry]]):
    """Tops: pictures (N, C, H, W), and their labels (N, ...)."""

    transformer: Transformer
    """What is done to every picture; the subclass sets it."""
    label_shape: ClassVar[Shape] = ()
    """The shape of one label."""
    evens_out: ClassVar[str | None] = None
    """What to do about pictures of several sizes."""

    @abstractmethod
    def take(self, number: int) -> Entry:
        """The picture with this number, to be loaded later. Called in order, never at once, with
        numbers left out that are other ranks'."""

    def pass_to(self, number: int) -> None:
        """Stand before the picture with this number, where a source stands somewhere."""

    @abstractmethod
    def pixels(self, entry: Entry, number: int) -> np.ndarray:
        """Its (channels, height, width) pixels, resized if that was asked for.

        ``number``: as which picture it is read, for random choices.
        """

    @abstractmethod
    def label(self, entry: Entry) -> float:
        """Its label."""

    @abstractmethod
    def name(self, entry: Entry) -> str:
        """How errors name it."""

    @abstractmethod
    def next_sizes(self) -> tuple[int, int, int]:
        """Channels, height and width, as they come out, of the picture that is planned next."""

    def plan_work(self) -> PictureBatch[Entry]:
        numbers = self.next_numbers()
        choices = self.transformer.choose(numbers)
        entries = [self.take(number) for number in numbers]
        self.pass_to(numbers.stop)
        self._number = numbers.stop
        return PictureBatch(entries, choices, numbers)

    def go_to(self, number: int) -> None:
        super().go_to(number)
        self.transformer.begin_at(number)

    def next_shapes(self) -> list[Shape]:
        size = self.batch_size
        shapes = [(size, *self.next_sizes()), (size, *self.label_shape)]
        return shapes[: len(self.tops)]

    def load(self, work: PictureBatch[Entry], allocate: Allocate) -> list[np.ndarray]:
        count, out = len(work.entries), None
        for index, entry in enumerate(work.entries):
            pixels = self.pixels(entry, work.numbers[index])
            sizes = self.transformer.output_shape(pixels.shape, self.name(entry))
            if out is None:
                out = allocate((count, *sizes))
            elif out.shape[1:] != sizes:
                first = self.name(work.entries[0])
                raise uneven(self, first, out.shape[1:], self.name(entry), sizes, self.evens_out)
            self.transformer.apply([pixels], work.choices, out[index : index + 1], index)
        assert out is not None  # batch_size is at least 1
        if len(self.tops) == 1:
            return [out]
        labels = allocate((count, *self.label_shape))
        labels.reshape(count)[...] = [self.label(entry) for entry in work.entries]
        return [out, labels]


def uneven(
    source: PlannedSource[Work], first: str, sizes: Shape, name: str, other: Shape, hint: str | None
) -> RoasteryError:
    """The error for a batch of pictures of several (channels, height, width) sizes: the first
    picture's and another's."""
    return source.error(
        f"{name} is {other[1]} high and {other[2]} wide, but {first} of the same batch is "
        f"{sizes[1]} high and {sizes[2]} wide",
        hint,
    )
