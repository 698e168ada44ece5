"""The order in which the records of a database are read, round and round."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from .database import Database, Record
from .draws import SELECT, Draws
from .epochs import Epochs


class RecordOrder(ABC):
    """Stands before a record of a database."""

    @abstractmethod
    def go_to(self, number: int, key: bytes | None) -> Record | None:
        """Stand before the record with this number, counted over all epochs, and return it; None
        where there is none. ``key``: its key, if that is known."""

    @abstractmethod
    def following(self, number: int) -> Record | None:
        """The record behind the one that was returned last; ``number`` is its own. None: begin
        anew with `go_to`."""

    @abstractmethod
    def close(self) -> None:
        """Leave the database. Another thread may be reading: its walk ends with its last step."""


class InOrder(RecordOrder):
    """In the order of their keys, as in Caffe. Every epoch is of the state of its beginning."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records: Iterator[Record] = iter(())

    def go_to(self, number: int, key: bytes | None) -> Record | None:
        close = getattr(self._records, "close", None)
        if close is not None:
            close()
        self._records = iter(self._database.records(key))
        found = next(self._records, None)
        return found if found is None or key is None or found.key == key else None

    def following(self, number: int) -> Record | None:
        return next(self._records, None)

    def close(self) -> None:
        self._records = iter(())


class Kept(RecordOrder):
    """Any of all records of the state at the beginning. Their keys and places are kept, and no
    values."""

    def __init__(self, database: Database, draws: Draws) -> None:
        self._records: Sequence[Record] = database.kept_records()
        self._draws = draws

    @abstractmethod
    def index(self, number: int) -> int:
        """Which one it is that has this number, counted over all epochs."""

    def go_to(self, number: int, key: bytes | None) -> Record | None:
        if not self._records:
            return None
        found = self._records[self.index(number)]
        return found if key is None or found.key == key else None

    def following(self, number: int) -> Record | None:
        return self.go_to(number, None)

    def close(self) -> None:
        self._records = ()


class Shuffled(Kept):
    """In a new order every epoch: ``shuffle`` of forks' data_param.

    NVIDIA/caffe: src/caffe/data_reader.cpp; intel/caffe: src/caffe/data_reader.cpp (DBShuffle);
    yjxiong/caffe: src/caffe/layers/data_layer.cpp. Some of them read the first epoch in order.
    """

    def __init__(self, database: Database, draws: Draws) -> None:
        super().__init__(database, draws)
        self._epochs = Epochs(range(len(self._records)), draws, shuffle=True)

    def index(self, number: int) -> int:
        return self._epochs[number]


class Drawn(Kept):
    """Each record drawn from all of them, whatever was read before: ``enable_random_selection``.

    MyCaffe/MyCaffe: MyCaffe/layers/DataLayer.cs (DB_ITEM_SELECTION_METHOD.RANDOM).
    """

    def index(self, number: int) -> int:
        return self._draws.word(SELECT, number) % len(self._records)
