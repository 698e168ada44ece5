"""Writing a new LevelDB, by LevelDB itself (the package plyvel)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ir.errors import RoasteryError

from .database_error import DatabaseError
from .leveldb.reader import LevelReader
from .write_error import DatabaseWriteError, writing

_COMMIT_RECORDS = 1000
_COMMIT_BYTES = 1 << 24


class LevelWriter:
    """A new LevelDB directory, with the block and buffer sizes that Caffe uses.

    When it is finished every record lies in a table, whose size the manifest knows, and the
    log is empty. A log that holds records and is cut off between two of them looks whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plyvel = import_plyvel()
        self._open(create_if_missing=True, error_if_exists=True)
        self._batch = self._db.write_batch()
        self._records = 0
        self._bytes = 0

    def put(self, key: bytes, value: bytes) -> None:
        """Add or replace a record."""
        self._batch.put(key, value)
        self._records += 1
        self._bytes += len(value)
        if self._records >= _COMMIT_RECORDS or self._bytes >= _COMMIT_BYTES:
            self._commit()

    def finish(self) -> None:
        """Write what is left, and move all of it into tables."""
        self._commit()
        with self._writing():
            self._db.compact_range()
        self._db.close()
        # Opening begins a manifest that says in one piece what the database is made of.
        self._open(create_if_missing=False, paranoid_checks=True)
        self._db.close()
        for name in ("LOG", "LOG.old"):  # LevelDB's diary; it names the temporary folder
            (self._folder / name).unlink(missing_ok=True)
        self._check()

    def close(self) -> None:
        """Close the files; what `finish` has not written is lost."""
        self._db.close()

    def _check(self) -> None:
        """LevelDB keeps errors of its background thread to itself."""
        try:
            reader = LevelReader(self._folder)
        except DatabaseError as error:
            raise DatabaseWriteError(str(error)) from error
        reader.close()
        if reader.logged_bytes:
            raise DatabaseWriteError("LevelDB did not move all records into tables")

    def _commit(self) -> None:
        with self._writing():
            self._batch.write()
        self._batch = self._db.write_batch()
        self._records = self._bytes = 0

    def _open(self, **options: bool) -> None:
        with self._writing():
            self._db = self._plyvel.DB(
                os.fsencode(self._folder),
                block_size=65536,
                write_buffer_size=1 << 28,
                max_open_files=100,
                **options,
            )

    def _writing(self) -> Any:
        return writing(self._folder, self._plyvel.Error)


def import_plyvel() -> Any:
    """The plyvel module, or an error that says what to install."""
    try:
        import plyvel
    except ImportError as error:
        raise RoasteryError(
            "writing LevelDB needs the package plyvel, which is not installed",
            hint="pip install roastery[leveldb] (Python 3.12 at most), or write an LMDB",
        ) from error
    return plyvel
