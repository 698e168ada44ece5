"""Opening databases to read: LMDB or LevelDB, whichever the directory really holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from ir.errors import RoasteryError
from ir.location import Location

from .lmdb_file import LmdbError, LmdbFile
from .notes import note

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

    def close(self) -> None:
        """Give back files and locks."""


def open_database(path: Path, backend: str, place: Location | None) -> Database:
    """Open ``path`` for reading; ``backend`` is what was asked for, "LMDB" or "LEVELDB".

    Raises RoasteryError for what is missing, damaged, locked or no database.
    """
    held = _recognise(path, place)
    if held != backend.upper():
        note(
            f"{path} holds {_NAMES[held]}, not {_NAMES.get(backend.upper(), backend)} "
            f"(backend: {backend}): reading what is there.",
            f"db_{held.lower()}.cpp",
        )
    database: Database
    database = LmdbDatabase(path, place) if held == "LMDB" else LevelDatabase(path, place)
    note(f"Opened {held.lower()} {path}", f"db_{held.lower()}.cpp")
    return database


_NAMES = {"LMDB": "an LMDB", "LEVELDB": "a LevelDB"}


def _recognise(path: Path, place: Location | None) -> DatabaseBackend:
    if path.is_file():
        return "LMDB"
    if (path / "data.mdb").is_file():
        return "LMDB"
    if (path / "CURRENT").is_file():
        return "LEVELDB"
    if not path.exists():
        raise RoasteryError(
            f"database '{path}' does not exist",
            location=place,
            hint="relative paths start from the working directory; databases are made by "
            "convert-imageset or convert-mnist",
        )
    raise RoasteryError(
        f"'{path}' holds no database: neither data.mdb (LMDB) nor CURRENT (LevelDB) is in it",
        location=place,
    )


class LmdbDatabase:
    """An LMDB directory, or a single LMDB file."""

    backend: DatabaseBackend = "LMDB"

    def __init__(self, path: Path, place: Location | None) -> None:
        self.path = path
        self._place = place
        try:
            self._file = LmdbFile(path if path.is_file() else path / "data.mdb")
        except (LmdbError, OSError) as error:
            raise self._failed(error) from error

    def records(self, start: bytes | None = None) -> Iterator[Record]:
        try:
            yield from self._file.records(start)
        except (LmdbError, OSError) as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._file.close()

    def _failed(self, error: Exception) -> RoasteryError:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return RoasteryError(
            f"cannot read the LMDB '{self.path}': {reason}",
            location=self._place,
            hint="copy it again, or make it again from its images",
        )


class LevelRecord:
    """A LevelDB record; the value came with the key."""

    __slots__ = ("_value", "key")

    def __init__(self, key: bytes, value: bytes) -> None:
        self.key = key
        self._value = value

    def read(self) -> bytes:
        return self._value


class LevelDatabase:
    """A LevelDB directory, locked while it is open, as LevelDB wants it."""

    backend: DatabaseBackend = "LEVELDB"

    def __init__(self, path: Path, place: Location | None) -> None:
        self.path = path
        self._place = place
        self._plyvel = import_plyvel(place)
        try:
            self._db = self._plyvel.DB(
                str(path), create_if_missing=False, block_size=65536, max_open_files=100
            )
        except self._plyvel.Error as error:
            raise self._failed(error) from error

    def records(self, start: bytes | None = None) -> Iterator[Record]:
        try:
            with self._db.iterator(start=start, verify_checksums=True) as iterator:
                for key, value in iterator:
                    yield LevelRecord(key, value)
        except self._plyvel.Error as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._db.close()

    def _failed(self, error: Exception) -> RoasteryError:
        text = str(error)
        hint = None
        if "lock" in text.lower():
            hint = (
                "LevelDB lets one process open a database, once: close the other user, "
                "give train and test nets copies of their own, or convert to LMDB"
            )
        elif "ermission" in text or "ead-only" in text:
            hint = "LevelDB writes to a database even to read it: copy it to a place you may write"
        return RoasteryError(
            f"cannot read the LevelDB '{self.path}': {text}", location=self._place, hint=hint
        )


def import_plyvel(place: Location | None = None) -> Any:
    """The plyvel module, or an error that says what to install."""
    try:
        import plyvel
    except ImportError as error:
        raise RoasteryError(
            "LevelDB needs the package plyvel, which is not installed",
            location=place,
            hint="pip install roastery[leveldb], or convert to LMDB",
        ) from error
    return plyvel
