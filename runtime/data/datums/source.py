"""Batches of Datum records. Caffe: src/caffe/layers/data_layer.cpp."""

from __future__ import annotations

import numpy as np

from roastery.wire.encoding import WireError

from ..annotated_datum import is_annotated
from ..config import OpenOptions
from ..database import Record
from ..datum import Datum, parse_datum
from ..image_codec import ImageError, decode_image
from ..notes import NoteKind
from ..planned import Allocate
from ..record_source import (
    PicturesOfBatch,
    RecordBatch,
    RecordSource,
    name_of,
)
from ..room import PLANNED_BYTES, check_batch
from ..source import Shape
from .settings import DatumSettings

SIZE = NoteKind("data_layer.cpp", "output data size: {shape}", line=45)
RESTARTING = NoteKind("data_layer.cpp", "Restarting data prefetching from start.", line=73)


class DatabaseSource(RecordSource):
    """Batches of consecutive records, from the start again after the last one."""

    restarting = RESTARTING

    def __init__(self, config: DatumSettings, options: OpenOptions) -> None:
        super().__init__(config, options)
        try:
            datum, image = self._decode(self.upcoming, 0)
            sizes = self.transformer.output_shape(image.shape, name_of(self.upcoming))
            kept = image.nbytes if self.database.backend == "LEVELDB" else 0
            records = config.batch_size * config.images_per_blob
            check_batch(config, records, [sizes, ()], PLANNED_BYTES + kept)
            if not datum.encoded:
                self.note_raw()
        except BaseException:
            self.database.close()
            raise
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def next_shapes(self) -> list[Shape]:
        size = self.record_config.batch_size
        first, number = self.begins_with()
        image = self._decode(first, number)[1]
        data = (size, *self.transformer.output_shape(image.shape, name_of(first)))
        return [data, (size,)][: len(self.tops)]

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        labels = allocate((len(work.records),))
        pictures = PicturesOfBatch(self, work, allocate)
        for index, record in enumerate(work.records):
            datum, image = self._decode(record, work.numbers[index])
            labels[index] = datum.label
            pictures.add(image)
        return [pictures.top, labels][: len(self.tops)]

    def _decode(self, record: Record, number: int) -> tuple[Datum, np.ndarray]:
        """A record and its (channels, height, width) values."""
        data = self.read(record)
        if is_annotated(data):
            raise self.unreadable(
                record,
                "is an AnnotatedDatum: it has boxes",
                'such databases are read by layers of type: "AnnotatedData"',
            )
        try:
            datum = parse_datum(data)
        except WireError as error:
            raise self.unreadable(record, f"is not a Datum: {error}") from error
        try:
            if datum.encoded:
                pixels = decode_image(datum.data, self.color, self.layer_config.place)
                image = self.transformer.prepared(pixels, number)
            else:
                image = self.transformer.prepared_raw(datum.array(), number)
        except WireError as error:
            raise self.unreadable(record, f"cannot be used: {error}") from error
        except ImageError as error:
            raise self.unreadable(record, f"holds an image that cannot be used: {error}") from error
        return datum, image
