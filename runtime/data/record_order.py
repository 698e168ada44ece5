"""The order in which the records of a database are read, round and round."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from .database import Database, Record
from .draws import SELECT, Draws
from .epochs import Epochs


class RecordOrder(ABC):
    """Stands before a record of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records: Iterator[Record] = iter(())

    @abstractmethod
    def go_to(self, number: int, key: bytes | None) -> Record | None:
        """Stand before the record with this number, counted over all epochs, and return it; None
        where there is none. ``key``: its key, if that is known."""

    @abstractmethod
    def following(self, number: int) -> Record | None:
        """The record behind the one that was returned last; ``number`` is its own. None: begin
        anew with `go_to`."""

    def close(self) -> None:
        """Leave the database. Another thread may be reading: its walk ends with its last step."""
        self._records = iter(())

    def _found(self, key: bytes | None) -> Record | None:
        """The record with this key, or the first one."""
        close = getattr(self._records, "close", None)
        if close is not None:
            close()
        self._records = iter(self._database.records(key))
        found = next(self._records, None)
        return found if found is None or key is None or found.key == key else None


class InOrder(RecordOrder):
    """In the order of their keys, as in Caffe."""

    def go_to(self, number: int, key: bytes | None) -> Record | None:
        return self._found(key)

    def following(self, number: int) -> Record | None:
        return next(self._records, None)


class Shuffled(RecordOrder):
    """In a new order every epoch: ``shuffle`` of forks' data_param.

    NVIDIA/caffe: src/caffe/data_reader.cpp; intel/caffe: src/caffe/data_reader.cpp (DBShuffle);
    yjxiong/caffe: src/caffe/layers/data_layer.cpp. Some of them read the first epoch in order.
    The keys of all records are kept, and no values.
    """

    def __init__(self, database: Database, draws: Draws) -> None:
        super().__init__(database)
        self._keys = Epochs([record.key for record in database.records()], draws, shuffle=True)

    def go_to(self, number: int, key: bytes | None) -> Record | None:
        if not len(self._keys):
            return None
        drawn = self._keys[number]
        return self._found(drawn) if key is None or key == drawn else None

    def following(self, number: int) -> Record | None:
        return self._found(self._keys[number])


class Drawn(RecordOrder):
    """Each record drawn from all of them, whatever was read before: ``enable_random_selection``.

    MyCaffe/MyCaffe: MyCaffe/layers/DataLayer.cs (DB_ITEM_SELECTION_METHOD.RANDOM). The keys of all
    records are kept, and no values.
    """

    def __init__(self, database: Database, draws: Draws) -> None:
        super().__init__(database)
        self._keys = [record.key for record in database.records()]
        self._draws = draws

    def go_to(self, number: int, key: bytes | None) -> Record | None:
        if not self._keys:
            return None
        drawn = self._keys[self._draws.word(SELECT, number) % len(self._keys)]
        return self._found(drawn) if key is None or key == drawn else None

    def following(self, number: int) -> Record | None:
        return self.go_to(number, None)
