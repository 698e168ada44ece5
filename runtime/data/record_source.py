"""Sources that read the records of a database in order, round and round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ir.errors import RoasteryError
from ir.types import shape_text

from ..logging.records import Severity
from .config import OpenOptions, SourceConfig
from .database import Record, open_database, unreadable
from .database_error import DatabaseError
from .image_codec import Color
from .notes import NoteKind
from .planned import Allocate, PlannedSource
from .record_order import Drawn, InOrder, RecordOrder, Shuffled
from .source import Position, Shape
from .transform import Choices, Transformer

ENCODED_ONLY = NoteKind(
    "data_transformer.cpp",
    "force_color and force_gray only for encoded datum",
    severity=Severity.WARNING,
)
NOT_TURNED = NoteKind(
    "data_transformer.cpp",
    "cvt_bgr2rgb only for encoded datum",
    severity=Severity.WARNING,
)
NOT_ORDERED = NoteKind(
    "data_transformer.cpp",
    "color_order only for encoded datum",
    severity=Severity.WARNING,
)
NO_NOISE = NoteKind(
    "data_transformer.cpp",
    "noise_param only for encoded datum",
    severity=Severity.WARNING,
)


@dataclass(frozen=True, kw_only=True)
class RecordConfig(SourceConfig):
    """What all layers that read a database are asked for: data_param."""

    reads = "database"
    labelled = True

    batch_size: int = 0
    backend: str = "LEVELDB"
    rand_skip: int = 0
    shuffle: bool = False
    enable_random_selection: bool = False
    prefetch: int = 4


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records of one batch, their random choices, and their numbers.

    ``lead`` is the first record of the batch of all ranks.
    """

    records: list[Record]
    choices: Choices
    numbers: Sequence[int]
    lead: Record


@dataclass(frozen=True, slots=True)
class _Peeked:
    """The batch that comes next, and where planning stood before it."""

    work: RecordBatch
    place: Position


class RecordSource(PlannedSource[RecordBatch]):
    """Batches of consecutive records, from the start again after the last one.

    What a record is, and what becomes of it, is the subclass's. ``restarting`` is what it says
    then.
    """

    restarting: ClassVar[NoteKind]
    evens_out: ClassVar[str] = (
        "convert the images to one size, set crop_size, or use batch_size: 1; "
        "force_color or force_gray evens out the channels of encoded images"
    )
    """What to do about records of several sizes."""

    def __init__(self, config: RecordConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.record_config = config
        self.check_top_count(self.top_counts())
        self.check_batch_size(config.batch_size, "data_param")
        if not config.source:
            raise self.error(
                "no source is given",
                'set data_param { source: "DATABASE" } to its directory',
                field="source",
            )
        self.transformer = Transformer(
            config, options, self.draws, self.share.whole(config.batch_size)
        )
        self._peeked: _Peeked | None = None
        transform = self.transformer.config
        self.color: Color = (
            "color" if transform.force_color else "gray" if transform.force_gray else "native"
        )
        self.database = open_database(
            options.root / config.source,
            config.backend,
            config.at("source"),
            options.lock,
            options.notes,
        )
        try:
            self._order = self._chosen_order()
            self._number = 0
            self._go_to(0, None)
        except BaseException:
            self.database.close()
            raise

    def top_counts(self) -> tuple[int, ...]:
        """How many tops it can fill."""
        return 1, 2

    def _chosen_order(self) -> RecordOrder:
        config = self.record_config
        if config.shuffle and config.enable_random_selection:
            raise self.error(
                "records are chosen in two ways: shuffle and enable_random_selection",
                "keep one of the two",
                field="shuffle",
            )
        if config.enable_random_selection:
            return Drawn(self.database, self.draws)
        return Shuffled(self.database, self.draws) if config.shuffle else InOrder(self.database)

    @property
    def upcoming(self) -> Record:
        """The record that the next batch of all ranks begins with."""
        return self._upcoming

    @property
    def number(self) -> int:
        """How many records were planned before it."""
        return self._number

    def plan_work(self) -> RecordBatch:
        if self._peeked is None:
            return self.plan_records()
        work, self._peeked = self._peeked.work, None
        return work

    def peek(self) -> RecordBatch:
        """What `plan_work` gives next."""
        if self._peeked is None:
            place = self.place_now()
            self._peeked = _Peeked(self.plan_records(), place)
        return self._peeked.work

    def plan_records(self) -> RecordBatch:
        """Choose the records of the next batch and move on."""
        numbers = self.share.numbers(self._number, self.record_config.batch_size)
        choices, lead = self.transformer.choose(numbers), self._upcoming
        records = []
        for number in numbers:
            self._pass_to(number)
            records.append(self.take())
        self._pass_to(numbers.stop)
        return RecordBatch(records, choices, numbers, lead)

    def begins_with(self) -> tuple[Record, int]:
        """The first record of this rank's next batch, and its number."""
        if not self.share.offset:
            return self._upcoming, self._number
        work = self.peek()
        return work.records[0], work.numbers[0]

    def take(self) -> Record:
        """The record that comes next; planning moves on."""
        record = self._upcoming
        self._number += 1
        self._advance()
        return record

    def place_now(self) -> Position:
        if self._peeked is not None:
            return dict(self._peeked.place)
        return {"record": self._number, "key": self._upcoming.key.decode("latin-1")}

    def move_to(self, position: Mapping[str, Any]) -> None:
        number = self.saved_number(position, "record")
        key = position.get("key")
        if not isinstance(key, str):
            raise self.error("the saved data position has no key")
        self._go_to(number, key.encode("latin-1", "replace"))
        self._number = number
        self._peeked = None
        self.transformer.begin_at(number)

    def close(self) -> None:
        self._order.close()
        self.database.close()

    def read(self, record: Record) -> bytes:
        """A record's bytes."""
        try:
            return record.read()
        except (DatabaseError, OSError) as error:
            raise unreadable(self.database, error, self.layer_config.at("source")) from error

    def unreadable(self, record: Record, what: str, hint: str | None = None) -> RoasteryError:
        """The error for a record that is not what it should be."""
        return self.error(
            f"record {quoted(record.key)} of database '{self.database.path}' {what}",
            hint,
            field="source",
        )

    def uneven(self, first: Record, sizes: Shape, record: Record, other: Shape) -> RoasteryError:
        """The error for a batch of records of several sizes."""
        return self.error(
            f"{name_of(record)} is {shape_text(other)} (channels x height x width), but "
            f"{name_of(first)} of the same batch is {shape_text(sizes)}",
            self.evens_out,
        )

    def note_raw(self) -> None:
        """Tell what has no effect on records of pixels."""
        if self.color != "native":
            self.notes(ENCODED_ONLY())
        if self.transformer.config.noise_param is not None:
            self.notes(NO_NOISE())
        if self.transformer.config.cvt_bgr2rgb:
            self.notes(NOT_TURNED())
        if self.transformer.config.color_order is not None:
            self.notes(NOT_ORDERED())

    def _go_to(self, number: int, key: bytes | None) -> None:
        """Stand before the record with this number and ``key``, or before the first one."""
        found = self._order.go_to(number, key)
        if found is None and key is None:
            raise self.error(f"database '{self.database.path}' holds no records", field="source")
        if found is None:
            config = self.record_config
            drawn = config.shuffle or config.enable_random_selection
            raise self.error(
                f"database '{self.database.path}' has no record {quoted(key)}, with which "
                "the saved run was to continue: the database was changed since",
                "or random_seed is another: then another record comes next" if drawn else None,
            )
        self._upcoming = found

    def _pass_to(self, number: int) -> None:
        """Stand before the record with this number. Those before it are other ranks'."""
        while self._number < number:
            self.take()

    def _advance(self) -> None:
        following = self._order.following(self._number)
        if following is None:
            self.notes(self.restarting())
            self._go_to(self._number, None)
        else:
            self._upcoming = following


PENDING_VALUES = 1 << 16
"""Decoded values that wait to be transformed together: small pictures go in blocks."""


class PicturesOfBatch:
    """The top that a batch's pictures come to, one after the other; they are to have one size."""

    def __init__(self, source: RecordSource, work: RecordBatch, allocate: Allocate) -> None:
        self._source = source
        self._work = work
        self._allocate = allocate
        self._out: np.ndarray | None = None
        self._waiting: list[np.ndarray] = []
        self._done = 0

    def add(self, image: np.ndarray) -> tuple[int, int, int]:
        """The next record's (channels, height, width) picture; returns what it comes out as."""
        transformer, records = self._source.transformer, self._work.records
        index = self._done + len(self._waiting)
        sizes = transformer.output_shape(image.shape, name_of(records[index]))
        if self._out is None:
            self._out = self._allocate((len(records), *sizes))
        elif sizes != self._out.shape[1:]:
            raise self._source.uneven(records[0], self._out.shape[1:], records[index], sizes)
        self._waiting.append(image)
        end = index + 1
        if len(self._waiting) * image.size >= PENDING_VALUES or end == len(records):
            out = self._out[self._done : end]
            transformer.apply(self._waiting, self._work.choices, out, self._done)
            self._done = end
            self._waiting = []
        return sizes

    @property
    def top(self) -> np.ndarray:
        """(N, C, H, W), once every record's picture was added."""
        assert self._out is not None  # batch_size is at least 1
        return self._out


def quoted(key: bytes | None) -> str:
    """A key as errors show it."""
    return "'" + (key or b"").decode("utf-8", "backslashreplace") + "'"


def name_of(record: Record) -> str:
    """A record as errors name it."""
    return f"record {quoted(record.key)}"
