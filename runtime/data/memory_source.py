"""MemoryData: arrays that the program hands over.

Caffe: src/caffe/layers/memory_data_layer.cpp. Never read ahead: what `reset` gives
counts from the next forward pass. Labels have shape (batch,) always; Caffe's are
(batch, 1, 1, 1) from the first forward pass on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ir.wire import WireError

from .config import MemoryDataConfig, Phase
from .datum import Datum
from .draws import Draws
from .image_codec import channel_major, decode_image
from .notes import warn
from .planned import Allocate, PlannedSource
from .room import check_batch, check_record
from .source import Position, Shape
from .transform import Transformer


class MemorySource(PlannedSource[tuple[np.ndarray, np.ndarray]]):
    """Goes round and round through the rows that it was given last."""

    kind = "MemoryData"
    reads_ahead = False

    def __init__(self, config: MemoryDataConfig, phase: Phase, seed: int, root: Path) -> None:
        super().__init__(config)
        self.config = config
        self.check_top_count((2,))
        for name in ("batch_size", "channels", "height", "width"):
            if getattr(config, name) < 1:
                raise self.error(
                    f"{name} is {getattr(config, name)}",
                    "set batch_size, channels, height and width of "
                    "memory_data_param, each at least 1",
                )
        self._transformer = Transformer(
            config, phase, Draws(seed, config.key or config.layer), root
        )
        self._batch_size = config.batch_size
        self._row_shape = (config.channels, config.height, config.width)
        check_record(config, "channels, height and width", self._row_shape)
        check_batch(config, config.batch_size, [self._row_shape, ()], planned=0)
        self._data: np.ndarray | None = None
        self._labels = np.empty(0, np.float32)
        self._row = 0
        self._added = 0
        self._unread = False

    @property
    def batch_size(self) -> int:
        """Rows per forward pass; may be changed between passes."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        if self._unread:
            raise self.error("batch_size cannot change before the added images were read")
        self.check_batch_size(size, "memory_data_param")
        check_batch(self.config, size, [self._row_shape, ()], planned=0)
        self._batch_size = size

    def reset(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Read from these arrays, untransformed, beginning with the first row.

        Args:
            data: (n, channels, height, width); kept, not copied, when it is a
                C-contiguous float32 array. n is a multiple of the batch size.
            labels: n values, of any shape.
        """
        data = np.ascontiguousarray(data, np.float32)
        labels = np.ascontiguousarray(labels, np.float32).reshape(-1)
        row = self._row_shape
        if data.ndim != 4 or data.shape[1:] != row:
            raise self.error(
                f"the data has shape {data.shape}; (n, {row[0]}, {row[1]}, {row[2]}) was expected"
            )
        if len(labels) != len(data):
            raise self.error(f"{len(data)} rows of data came with {len(labels)} labels")
        if not len(data) or len(data) % self._batch_size:
            raise self.error(
                f"{len(data)} rows were given; a multiple of the batch size "
                f"{self._batch_size} was expected"
            )
        if self.config.transform is not None:
            warn("MemoryData does not transform array data on Reset()", "memory_data_layer.cpp")
        self._use(data, labels)

    def add_datums(self, datums: Sequence[Datum]) -> None:
        """Read from records, transformed by transform_param; see `reset`."""
        images = []
        try:
            for datum in datums:
                images.append(
                    channel_major(decode_image(datum.data, "native"))
                    if datum.encoded
                    else datum.array()
                )
        except (WireError, ValueError) as error:
            raise self.error(f"record {len(images)} cannot be used: {error}") from error
        self._add(images, [datum.label for datum in datums])

    def add_images(self, images: Sequence[np.ndarray], labels: Sequence[int]) -> None:
        """Read from uint8 (height, width[, channels]) pictures, transformed; see `reset`."""
        for image in images:
            if image.dtype != np.uint8:
                raise self.error(f"an image holds {image.dtype}; uint8 was expected")
        self._add([channel_major(image) for image in images], list(labels))

    def plan_work(self) -> tuple[np.ndarray, np.ndarray]:
        if self._data is None:
            raise self.error(
                "MemoryData was given no data",
                "call set_input_arrays(data, labels) before the forward pass",
            )
        begin, end = self._row, self._row + self._batch_size
        self._row = end % len(self._data)
        if not self._row:
            self._unread = False
        return self._data[begin:end], self._labels[begin:end]

    def next_shapes(self) -> list[Shape]:
        size = self._batch_size
        return [(size, *self._row_shape), (size,)]

    def load(self, work: tuple[np.ndarray, np.ndarray], allocate: Allocate) -> list[np.ndarray]:
        return list(work)

    def place_now(self) -> Position:
        return {"row": self._row, "added": self._added}

    def move_to(self, position: Mapping[str, Any]) -> None:
        row = self.saved_number(position, "row")
        self._added = self.saved_number(position, "added")
        # The arrays are not part of a snapshot: the program gives them again, and a row
        # that they do not have means that it gave others, which are read from the start.
        self._row = row if self._data is not None and row < len(self._data) else 0

    def close(self) -> None:
        self._data = None

    def _add(self, images: Sequence[np.ndarray], labels: Sequence[int]) -> None:
        if self._unread:
            raise self.error("images were added before the ones added last were read")
        if not images or len(images) % self._batch_size:
            raise self.error(
                f"{len(images)} images were added; a multiple of the batch size "
                f"{self._batch_size} was expected"
            )
        if len(images) != len(labels):
            raise self.error(f"{len(images)} images came with {len(labels)} labels")
        row = self._row_shape
        for index, image in enumerate(images):
            shape = self._transformer.output_shape(image.shape, f"image {index}")
            if shape != row:
                raise self.error(
                    f"image {index} is {shape} after cropping; {row} (channels, "
                    "height, width) was expected"
                )
        data = np.empty((len(images), *row), np.float32)
        choices = self._transformer.choose(self._added, len(images))
        self._transformer.apply(images, choices, data)
        self._use(data, np.asarray(labels, np.float32))
        self._added += len(images)
        self._unread = True

    def _use(self, data: np.ndarray, labels: np.ndarray) -> None:
        self._data, self._labels = data, labels
        self._row = 0
