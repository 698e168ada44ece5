"""What an exported net says of pictures, in lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from ir.errors import RoasteryError
from ir.printable import printable
from runtime.artifact import LoadedNet
from runtime.data.picture_file import load_image
from runtime.pictures import Preprocessing

from .best_classes import best_classes
from .objects.rows import ROW, are_rows, objects_in_rows


class PictureAnswers:
    """An exported net that takes pictures.

    Args:
        top: of so many classes it tells. threshold: the least score of an object.
    """

    def __init__(self, net: LoadedNet, *, top: int, threshold: float) -> None:
        self._net = net
        self._top = top
        self._threshold = threshold
        self.guessed = net.pictures.preprocessing is None
        """Whether the file does not say how pictures become the input."""
        self._rules = net.pictures.preprocessing or usual_preprocessing(net.inputs)
        if len(net.inputs) != 1:
            names = ", ".join(net.inputs)
            raise RoasteryError(
                f"the net has {len(net.inputs)} inputs ({names}); pictures are one",
                hint="give all of them as arrays: --input NAME=FILE.npy",
            )

    def of(self, file: Path) -> tuple[Mapping[str, np.ndarray], list[str]]:
        """The outputs for a picture, and what there is to say of it, its name first."""
        picture = load_image(file, color=self._channels != 1)
        results = self._results(picture)
        return results, [str(file), *self._said(results, picture.shape[:2])]

    @property
    def _channels(self) -> int:
        return int(self._net.inputs[self._rules.input].shape[1])

    def _results(self, picture: np.ndarray) -> Mapping[str, np.ndarray]:
        """Of one picture. Where the net takes several at once, the others are empty."""
        count, _, height, width = self._net.inputs[self._rules.input].shape
        accepted = self._net.accepted(self._rules.input)
        if accepted is not None and accepted[0] is None:
            count = 1
        values = self._rules.apply(picture, (height, width))
        batch = np.zeros((count, *values.shape), np.float32)
        batch[0] = values
        return self._net(**{self._rules.input: batch})

    def _said(self, results: Mapping[str, np.ndarray], size: tuple[int, int]) -> Iterator[str]:
        for name, array in results.items():
            shown = printable(name)
            if are_rows(array.shape):
                if len(results) > 1:
                    yield f"  {shown}:"
                yield from self._objects(array, size)
            elif array.ndim >= 2 and array[0].size == array.shape[1]:
                if len(results) > 1:
                    yield f"  {shown}:"
                yield from self._classes(array[0].reshape(-1))
            else:
                yield f"  {shown}: {array.dtype} {list(array.shape)}"

    def _objects(self, rows: np.ndarray, size: tuple[int, int]) -> Iterator[str]:
        first = rows[rows[..., 0] <= 0].reshape(1, 1, -1, ROW)  # of the first picture
        found = objects_in_rows(first, size, self._threshold)
        found.sort(key=lambda thing: -thing.score)
        if not found:
            yield f"  nothing with a score of {self._threshold:g} or more"
        for thing in found:
            edges = " ".join(f"{edge:.1f}" for edge in thing.box)
            yield f"  {thing.score:.4f}  {self._net.pictures.name_of(thing.label)}  {edges}"

    def _classes(self, scores: np.ndarray) -> Iterator[str]:
        for label in best_classes(scores, self._top):
            yield f"  {scores[label]:.4f}  {self._net.pictures.name_of(label)}"


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


def usual_preprocessing(inputs: Mapping[str, _Shaped]) -> Preprocessing:
    """What Caffe's nets want where nobody said it. Raises RoasteryError: none takes pictures."""
    for name, type in inputs.items():
        if len(type.shape) == 4 and int(type.shape[1]) in (1, 3):
            swap = (2, 1, 0) if int(type.shape[1]) == 3 else ()
            return Preprocessing(name, channel_swap=swap)
    shown = ", ".join(f"{name} {list(type.shape)}" for name, type in inputs.items()) or "none"
    raise RoasteryError(
        "no input takes pictures: none has four axes with 1 or 3 channels",
        hint=f"inputs: {shown}; give them as arrays: --input NAME=FILE.npy",
    )
