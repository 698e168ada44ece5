"""Batches of pairs of pictures, one behind the other in the channels.

MyCaffe/MyCaffe: MyCaffe/layers/DataLayer.cs (images_per_blob). Each picture is cropped and mirrored
by itself.
"""

from __future__ import annotations

import numpy as np

from roastery.wire.encoding import WireError

from ...logging.records import Severity
from ..config import OpenOptions
from ..database import Record
from ..datum import parse_datum
from ..notes import NoteKind
from ..planned import Allocate
from ..record_source import RecordBatch
from ..source import Shape
from .settings import DatumSettings
from .source import DatabaseSource

NOT_FOUND = NoteKind(
    "data_layer.cpp",
    "no record with {wanted} label as the first picture's was found for a pair in {count} tries",
    severity=Severity.WARNING,
)

_PAIR = 2
_TRIES = 1000
"""Records that are looked at for the second picture of a pair; MyCaffe asks its database for one
with the same label, and tries 10 times for one with another."""


class PairSource(DatabaseSource):
    """The first picture of a pair is the next record; the second is one of those behind it."""

    def __init__(self, config: DatumSettings, options: OpenOptions) -> None:
        if config.images_per_blob != _PAIR:
            raise config.error(
                f"images_per_blob is {config.images_per_blob}",
                "images_per_blob",
                "1 for single pictures, 2 for pairs",
            )
        super().__init__(config, options)
        self._config = config

    def plan_records(self) -> RecordBatch:
        """Each batch of all ranks begins with a pair of one label.

        Where the next pair begins, other ranks' pairs tell: labels are read of them, too.
        """
        size, first, lead = self.record_config.batch_size, self.number, self.upcoming
        own = self.share.numbers(0, size)
        records = []
        for pair in range(self.share.whole(size)):
            one = self.take()
            two = self._second(one, pair % 2 == 0)
            if pair in own:
                records += [one, two]
        numbers = [first + _PAIR * pair + picture for pair in own for picture in range(_PAIR)]
        return RecordBatch(records, self.transformer.choose(numbers), numbers, lead)

    def _second(self, one: Record, match: bool) -> Record:
        """The second picture's record."""
        found = self.take()
        if not self._config.balance_matches:
            return found
        label = self._label(one)
        for _ in range(_TRIES):
            if (self._label(found) == label) == match:
                return found
            found = self.take()
        self.notes(NOT_FOUND(wanted="the same" if match else "another", count=_TRIES))
        return found

    def _label(self, record: Record) -> int:
        try:
            return parse_datum(self.read(record)).label
        except WireError as error:
            raise self.unreadable(record, f"is not a Datum: {error}") from error

    def next_shapes(self) -> list[Shape]:
        shapes = super().next_shapes()
        size, channels, *rest = shapes[0]
        return [(size, _PAIR * channels, *rest), self._label_shape(size)][: len(shapes)]

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        pictures = len(work.records)
        pairs = pictures // _PAIR

        def paired(shape: Shape) -> np.ndarray:
            """Room for a batch of single pictures, or of labels, where the batch of pairs is."""
            if len(shape) == 1:
                return np.empty(shape, np.float32)
            return allocate((pairs, _PAIR * shape[1], *shape[2:])).reshape(shape)

        data, *labels = super().load(work, paired)
        out = [data.reshape(pairs, -1, *data.shape[2:])]
        if labels:
            both = labels[0].reshape(pairs, _PAIR)
            top = allocate(self._label_shape(pairs))
            top[...] = both if self._config.output_all_labels else both[:, :1] == both[:, 1:]
            out.append(top)
        return out

    def _label_shape(self, pairs: int) -> Shape:
        return pairs, _PAIR if self._config.output_all_labels else 1
