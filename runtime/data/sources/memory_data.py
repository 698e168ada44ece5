"""MemoryData: arrays that the program hands over.

Caffe: src/caffe/layers/memory_data_layer.cpp. Never read ahead: what `reset` gives
counts from the next forward pass. Labels have shape (batch,) always; Caffe's are
(batch, 1, 1, 1) from the first forward pass on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...logging.records import Severity
from ..config import KnownAxes, OpenOptions, SourceConfig
from ..notes import NoteKind
from ..planned import Allocate, PlannedSource
from ..room import check_batch, check_record
from ..source import Position, Shape
from ..transform import Transformer

UNTRANSFORMED = NoteKind(
    "memory_data_layer.cpp",
    "MemoryData does not transform array data on Reset()",
    severity=Severity.WARNING,
)


@dataclass(frozen=True, kw_only=True)
class MemoryDataConfig(SourceConfig):
    """MemoryData: arrays handed over by the program."""

    kind = "MemoryData"
    labelled = True
    transforms = False

    batch_size: int = 0
    channels: int = 0
    height: int = 0
    width: int = 0
    # MyCaffe's. NONE: there is no second top.
    label_type: str = "SINGLE"
    label_channels: int = 0
    label_height: int = 0
    label_width: int = 0

    @property
    def can_take_turns(self) -> bool:
        return False

    def known_axes(self) -> KnownAxes:
        axes = (self.channels or None, self.height or None, self.width or None)
        return KnownAxes(axes, ("memory_data_param",))

    def open(self, options: OpenOptions) -> MemorySource:
        return MemorySource(self, options)


class MemorySource(PlannedSource[tuple[np.ndarray, np.ndarray]]):
    """Goes round and round through the rows that it was given last.

    Of several ranks each is given arrays of its own by the program, and reads all of them.
    """

    reads_ahead = False

    def __init__(self, config: MemoryDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        self._labelled = config.label_type != "NONE"
        self.check_top_count((2,) if self._labelled else (1,))
        self._check_labels()
        for name in ("batch_size", "channels", "height", "width"):
            if getattr(config, name) < 1:
                raise self.error(
                    f"{name} is {getattr(config, name)}",
                    "set batch_size, channels, height and width of "
                    "memory_data_param, each at least 1",
                    field=name,
                )
        # Arrays are not transformed; what transform_param says must be right all the same.
        Transformer(config, options, self.draws)
        self._batch_size = config.batch_size
        self._row_shape = (config.channels, config.height, config.width)
        check_record(config, "channels, height and width", self._row_shape, "channels")
        check_batch(config, config.batch_size, [self._row_shape, ()], planned=0)
        self._data: np.ndarray | None = None
        self._labels = np.empty(0, np.float32)
        self._row = 0

    def _check_labels(self) -> None:
        if self.config.label_type not in ("SINGLE", "NONE"):
            raise self.error(
                f"label_type is {self.config.label_type}",
                "SINGLE, one label per row, or NONE: no labels and one top",
                field="label_type",
            )
        for name in ("label_channels", "label_height", "label_width"):
            if getattr(self.config, name) > 1:
                raise self.error(
                    f"{name} is {getattr(self.config, name)}", "one label per row", field=name
                )

    @property
    def batch_size(self) -> int:
        """Rows per forward pass; may be changed between passes."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
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
            self.notes(UNTRANSFORMED())
        self._data, self._labels = data, labels
        self._row = 0

    def plan_work(self) -> tuple[np.ndarray, np.ndarray]:
        if self._data is None:
            raise self.error(
                "MemoryData was given no data",
                "call set_input_arrays(data, labels) before the forward pass",
            )
        begin, end = self._row, self._row + self._batch_size
        self._row = end % len(self._data)
        return self._data[begin:end], self._labels[begin:end]

    def next_shapes(self) -> list[Shape]:
        size = self._batch_size
        return [(size, *self._row_shape), *([(size,)] if self._labelled else [])]

    def load(self, work: tuple[np.ndarray, np.ndarray], allocate: Allocate) -> list[np.ndarray]:
        return list(work) if self._labelled else [work[0]]

    def place_now(self) -> Position:
        return {"row": self._row}

    def move_to(self, position: Mapping[str, Any]) -> None:
        row = self.saved_number(position, "row")
        # The arrays are not part of a snapshot: the program gives them again, and a row
        # that they do not have means that it gave others, which are read from the start.
        self._row = row if self._data is not None and row < len(self._data) else 0

    def close(self) -> None:
        self._data = None
