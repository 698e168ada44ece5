"""Opening databases to read: LMDB or LevelDB, whichever the directory really holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.missing import missing

from .database_error import DatabaseError
from .leveldb.reader import LevelReader
from .leveldb.writer import locking_process
from .mdb.file import LmdbFile
from .mdb.locks import EnvironmentLocks, LockError
from .mdb.snapshot import Snapshot, take_snapshot
from .mdb.tree import records
from .notes import NoteKind, Notes, to_logger

DatabaseBackend: TypeAlias = Literal["LMDB", "LEVELDB"]


class Record(Protocol):
    """A key, and its value once it is asked for."""

    @property
    def key(self) -> bytes:
        """The record's key."""

    def read(self) -> bytes:
        """The record's value. May be called on any thread."""


class Database(Protocol):
    """Records in the order of their keys."""

    path: Path
    backend: DatabaseBackend

    def records(self, start: bytes | None = None) -> Iterator[Record]:
        """Records from the first key that is not below ``start``."""

    def kept_records(self) -> Sequence[Record]:
        """All records of one state, to be read in any order and as often as wanted; no values are
        kept with them."""

    def close(self) -> None:
        """Give back files and locks."""


OPENED = {
    "LMDB": NoteKind("db_lmdb.cpp", "Opened lmdb {path}", line=35, from_constructor=True),
    "LEVELDB": NoteKind("db_leveldb.cpp", "Opened leveldb {path}", line=18, from_constructor=True),
}
OTHER_KIND = {
    held: replace(
        opened,
        text="{path} holds {held}, not {asked} (backend: {backend}): reading what is there.",
        line=0,
    )
    for held, opened in OPENED.items()
}
UNLOCKED = NoteKind(
    "db_lmdb.cpp",
    "{path} is read without a lock ({reason}): if it is written to meanwhile, that is an error.",
    from_constructor=True,
)


def open_database(
    path: Path,
    backend: str,
    place: Location | None,
    lock: bool = True,
    notes: Notes = to_logger,
) -> Database:
    """Open ``path`` for reading; ``backend`` is what was asked for, "LMDB" or "LEVELDB".

    Without ``lock`` an LMDB's table of readers is left alone: for a look at the first record.

    Raises RoasteryError for what is missing, damaged or no database.
    """
    held = _recognise(path, place)
    if held != backend.upper():
        asked = _NAMES.get(backend.upper(), backend)
        notes(OTHER_KIND[held](path=path, held=_NAMES[held], asked=asked, backend=backend))
    database: Database
    if held == "LMDB":
        database = LmdbDatabase(path, place, lock, notes)
    else:
        database = LevelDatabase(path, place)
    notes(OPENED[held](path=path))
    return database


_NAMES = {"LMDB": "an LMDB", "LEVELDB": "a LevelDB"}
_PLAIN_NAMES = {"LMDB": "LMDB", "LEVELDB": "LevelDB"}


def _recognise(path: Path, place: Location | None) -> DatabaseBackend:
    if path.is_file():
        return "LMDB"
    if (path / "data.mdb").is_file():
        return "LMDB"
    if (path / "CURRENT").is_file():
        return "LEVELDB"
    if not path.exists():
        raise missing(
            "database",
            path,
            place,
            "relative paths start from the working directory; databases are made by "
            "convert_imageset, create_annoset or convert_mnist",
        )
    raise RoasteryError(
        f"'{path}' holds no database: neither data.mdb (LMDB) nor CURRENT (LevelDB) is in it",
        location=place,
    )


class LmdbDatabase:
    """An LMDB directory, or a single LMDB file.

    Every pass sees one state of it. With ``lock`` it is entered in LMDB's table of readers,
    beside the database, so that writers leave it alone; where that is not possible, what a
    writer changes is noticed and an error.
    """

    backend: DatabaseBackend = "LMDB"

    def __init__(
        self,
        path: Path,
        place: Location | None,
        lock: bool = True,
        notes: Notes = to_logger,
    ) -> None:
        self.path = path
        self._place = place
        self._notes = notes
        self._locks: EnvironmentLocks | None = None
        with self._told():
            self._file = LmdbFile(path if path.is_file() else path / "data.mdb")
            if lock:
                self._lock()

    def records(self, start: bytes | None = None) -> Iterator[Record]:
        with self._told():
            yield from records(self._snapshot(), start)

    def kept_records(self) -> list[Record]:
        return list(self.records())  # which know where their values lie, and no more

    def close(self) -> None:
        self._file.close()
        if self._locks is not None:
            self._locks.close()

    def _snapshot(self) -> Snapshot:
        try:
            return take_snapshot(self._file, self._locks)
        except LockError as error:
            self._go_on_unlocked(error)
            return take_snapshot(self._file, None)

    def _lock(self) -> None:
        map_bytes = max(meta.map_bytes for meta in self._file.metas())
        try:
            self._locks = EnvironmentLocks(self.path, map_bytes)
        except LockError as error:
            self._go_on_unlocked(error)

    def _go_on_unlocked(self, error: LockError) -> None:
        self._locks = None
        self._notes(UNLOCKED(path=self.path, reason=error))

    def _told(self) -> AbstractContextManager[None]:
        return _told(self, self._place)


class LevelDatabase:
    """A LevelDB directory. Nothing in it is written or locked: see `leveldb`."""

    backend: DatabaseBackend = "LEVELDB"

    def __init__(self, path: Path, place: Location | None) -> None:
        self.path = path
        self._place = place
        with self._told():
            self._reader = LevelReader(path)

    def records(self, start: bytes | None = None) -> Iterator[Record]:
        with self._told():
            yield from self._reader.records(start)

    def kept_records(self) -> Sequence[Record]:
        with self._told():
            return self._reader.kept_records()

    def close(self) -> None:
        self._reader.close()

    def _told(self) -> AbstractContextManager[None]:
        return _told(self, self._place)


@contextmanager
def _told(database: Database, place: Location | None) -> Iterator[None]:
    """Errors of a database's files become errors that name the database."""
    try:
        yield
    except (DatabaseError, OSError) as error:
        raise unreadable(database, error, place) from error


def unreadable(database: Database, error: Exception, place: Location | None) -> RoasteryError:
    """The error for a database whose files cannot be read, or not be trusted."""
    reason = str(error)
    if isinstance(error, OSError):
        name = os.path.basename(os.fsdecode(error.filename)) if error.filename else ""
        reason = f"{name}: {error.strerror}" if name else str(error.strerror)
    hint = "copy it again, or make it again from its images"
    if database.backend == "LEVELDB" and (writer := locking_process(database.path)):
        hint = f"process {writer} has it open and may be writing to it: wait until that has ended"
    return RoasteryError(
        f"cannot read the {_PLAIN_NAMES[database.backend]} '{database.path}': {reason}",
        location=place,
        hint=hint,
    )
