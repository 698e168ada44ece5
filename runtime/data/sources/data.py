"""Data: Datum records of an LMDB or LevelDB. Caffe: src/caffe/layers/data_layer.cpp."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir.errors import RoasteryError
from ir.types import shape_text
from roastery.wire.encoding import WireError

from ...logging.records import Severity
from ..config import OpenOptions, SourceConfig
from ..database import Record, open_database, unreadable
from ..database_error import DatabaseError
from ..datum import Datum, parse_datum
from ..image_codec import Color, ImageError, channel_major, decode_image
from ..notes import NoteKind
from ..planned import Allocate, PlannedSource
from ..room import PLANNED_BYTES, check_batch
from ..source import Position, Shape
from ..transform import Choices, Transformer

SIZE = NoteKind("data_layer.cpp", "output data size: {shape}", line=45)
RESTARTING = NoteKind("data_layer.cpp", "Restarting data prefetching from start.", line=73)
ENCODED_ONLY = NoteKind(
    "data_transformer.cpp",
    "force_color and force_gray only for encoded datum",
    severity=Severity.WARNING,
)


@dataclass(frozen=True, kw_only=True)
class DataConfig(SourceConfig):
    """Data: Datum records of an LMDB or LevelDB. ``rand_skip`` is not read, as in Caffe."""

    kind = "Data"
    reads = "database"
    labelled = True

    batch_size: int = 0
    backend: str = "LEVELDB"
    rand_skip: int = 0
    prefetch: int = 4

    def open(self, options: OpenOptions) -> DatabaseSource:
        return DatabaseSource(self, options)


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records of one batch and their random choices."""

    records: list[Record]
    choices: Choices


class DatabaseSource(PlannedSource[RecordBatch]):
    """Batches of consecutive records, from the start again after the last one."""

    def __init__(self, config: DataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        self.check_top_count((1, 2))
        self.check_batch_size(config.batch_size, "data_param")
        if not config.source:
            raise self.error(
                "no source is given",
                'set data_param { source: "DATABASE" } to its directory',
                field="source",
            )
        self._transformer = Transformer(config, options, self.draws)
        transform = self._transformer.config
        self._color: Color = (
            "color" if transform.force_color else "gray" if transform.force_gray else "native"
        )
        self._database = open_database(
            options.root / config.source,
            config.backend,
            config.at("source"),
            options.lock,
            options.notes,
        )
        try:
            self._number = 0
            self._records: Iterator[Record] = iter(())
            self._rewind(None)
            datum, image = self._decode(self._upcoming)
            sizes = self._transformer.output_shape(image.shape, _name(self._upcoming))
            kept = image.nbytes if self._database.backend == "LEVELDB" else 0
            check_batch(config, config.batch_size, [sizes, ()], PLANNED_BYTES + kept)
            if self._color != "native" and not datum.encoded:
                self.notes(ENCODED_ONLY())
        except BaseException:
            self._database.close()
            raise
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def plan_work(self) -> RecordBatch:
        size = self.config.batch_size
        choices = self._transformer.choose(self._number, size)
        records = []
        for _ in range(size):
            records.append(self._upcoming)
            self._advance()
        self._number += size
        return RecordBatch(records, choices)

    def next_shapes(self) -> list[Shape]:
        size = self.config.batch_size
        first = self._upcoming
        sizes = self._transformer.output_shape(self._decode(first)[1].shape, _name(first))
        data = (size, *sizes)
        return [data, (size,)][: len(self.tops)]

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        out: np.ndarray | None = None
        sizes: tuple[int, int, int] | None = None
        labels = allocate((len(work.records),))
        pending: list[np.ndarray] = []
        done = 0
        for index, record in enumerate(work.records):
            datum, image = self._decode(record)
            labels[index] = datum.label
            cropped = self._transformer.output_shape(image.shape, _name(record))
            if out is None:
                sizes = cropped
                out = allocate((len(work.records), *cropped))
            elif cropped != sizes:
                raise self._uneven(work.records[0], sizes, record, cropped)
            pending.append(image)
            if len(pending) * image.size >= _PENDING_VALUES or index + 1 == len(work.records):
                self._transformer.apply(pending, work.choices, out[done : index + 1], done)
                done = index + 1
                pending = []
        assert out is not None  # batch_size is at least 1
        return [out, labels][: len(self.tops)]

    def place_now(self) -> Position:
        return {"record": self._number, "key": self._upcoming.key.decode("latin-1")}

    def move_to(self, position: Mapping[str, Any]) -> None:
        number = self.saved_number(position, "record")
        key = position.get("key")
        if not isinstance(key, str):
            raise self.error("the saved data position has no key")
        self._rewind(key.encode("latin-1", "replace"))
        self._number = number

    def close(self) -> None:
        self._records = iter(())
        self._database.close()

    def _rewind(self, key: bytes | None) -> None:
        """Stand before the record with ``key``, or before the first one."""
        close = getattr(self._records, "close", None)
        if close is not None:
            close()
        self._records = iter(self._database.records(key))
        found = next(self._records, None)
        if found is None and key is None:
            raise self.error(f"database '{self._database.path}' holds no records", field="source")
        if found is None or (key is not None and found.key != key):
            raise self.error(
                f"database '{self._database.path}' has no record {_quoted(key)}, with which "
                "the saved run was to continue: the database was changed since",
            )
        self._upcoming = found

    def _advance(self) -> None:
        following = next(self._records, None)
        if following is None:
            self.notes(RESTARTING())
            self._rewind(None)
        else:
            self._upcoming = following

    def _read(self, record: Record) -> Datum:
        try:
            return parse_datum(record.read())
        except WireError as error:
            raise self._unreadable(record, f"is not a Datum: {error}") from error
        except (DatabaseError, OSError) as error:
            raise unreadable(self._database, error, self.config.at("source")) from error

    def _decode(self, record: Record) -> tuple[Datum, np.ndarray]:
        """A record and its (channels, height, width) values."""
        datum = self._read(record)
        try:
            if datum.encoded:
                image = channel_major(decode_image(datum.data, self._color, self.config.place))
            else:
                image = datum.array()
        except WireError as error:
            raise self._unreadable(record, f"cannot be used: {error}") from error
        except ImageError as error:
            raise self._unreadable(
                record, f"holds an image that cannot be used: {error}"
            ) from error
        return datum, image

    def _unreadable(self, record: Record, what: str) -> RoasteryError:
        return self.error(
            f"record {_quoted(record.key)} of database '{self._database.path}' {what}",
            field="source",
        )

    def _uneven(
        self, first: Record, sizes: Shape | None, record: Record, other: Shape
    ) -> RoasteryError:
        return self.error(
            f"{_name(record)} is {shape_text(other)} (channels x height x width), but "
            f"{_name(first)} of the same batch is {shape_text(sizes or ())}",
            "convert the images to one size, set crop_size, or use batch_size: 1; "
            "force_color or force_gray evens out the channels of encoded images",
        )


_PENDING_VALUES = 1 << 16
"""Decoded values that wait to be transformed together: small pictures go in blocks."""


def _quoted(key: bytes | None) -> str:
    return "'" + (key or b"").decode("utf-8", "backslashreplace") + "'"


def _name(record: Record) -> str:
    return f"record {_quoted(record.key)}"
