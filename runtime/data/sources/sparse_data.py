"""SparseData: rows that are mostly 0, of a database, as dense ones.

jolibrain/caffe: src/caffe/layers/sparse_data_layer.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roastery.wire.encoding import WireError

from ..config import OpenOptions
from ..database import Record
from ..notes import NoteKind
from ..planned import Allocate
from ..record_source import RecordBatch, RecordConfig, RecordSource
from ..room import PLANNED_BYTES, check_batch
from ..source import Shape
from ..sparse_datum import SparseDatum, parse_sparse

SIZE = NoteKind("sparse_data_layer.cpp", "output sparse data size: {shape}", line=148)
RESTARTING = NoteKind("data_reader.cpp", "Restarting data prefetching from start.", line=137)


@dataclass(frozen=True, kw_only=True)
class SparseDataConfig(RecordConfig):
    """SparseData: SparseDatum records of an LMDB or LevelDB. transform_param is not read."""

    kind = "SparseData"
    labelled = False
    transforms = False

    def open(self, options: OpenOptions) -> SparseSource:
        return SparseSource(self, options)


class SparseSource(RecordSource):
    """Batches of consecutive records, as wide as the first record of each (of all ranks) says."""

    restarting = RESTARTING

    def __init__(self, config: SparseDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        try:
            width = self._width(self._parse(self.upcoming))
        except BaseException:
            self.database.close()
            raise
        self.notes(SIZE(shape=f"{config.batch_size},{width},1,1"))

    def next_shapes(self) -> list[Shape]:
        size = self.record_config.batch_size
        return [(size, self._width(self._parse(self.upcoming))), (size,)][: len(self.tops)]

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        count = len(work.records)
        lead = self._parse(work.lead)
        width = self._width(lead)
        rows, labels = allocate((count, width)), allocate((count,))
        rows[...] = 0.0
        for index, record in enumerate(work.records):
            datum = self._parse(record) if record is not work.lead else lead
            try:
                datum.add_to(rows[index])
            except WireError as error:
                raise self.unreadable(
                    record,
                    f"does not fit its batch: {error}",
                    "the first record of a batch says how wide all of them are",
                ) from error
            labels[index] = datum.label
        return [rows, labels][: len(self.tops)]

    def _width(self, first: SparseDatum) -> int:
        """Of a batch, given its first record: a few bytes may ask for more than there is."""
        config = self.record_config
        check_batch(config, config.batch_size, [(first.size,), ()], PLANNED_BYTES)
        return first.size

    def _parse(self, record: Record) -> SparseDatum:
        try:
            return parse_sparse(self.read(record))
        except WireError as error:
            raise self.unreadable(record, f"is not a SparseDatum: {error}") from error
