"""Writing a new LMDB, by liblmdb."""

from __future__ import annotations

import os
from pathlib import Path

import lmdb

from ir.errors import RoasteryError

from .write_error import DatabaseWriteError, writing

_COMMIT_RECORDS = 1000
_COMMIT_BYTES = 1 << 24
_FIRST_MAP_BYTES = 1 << 26


class LmdbWriter:
    """A new LMDB directory; its map doubles when it is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._map_bytes = _FIRST_MAP_BYTES
        with writing(folder, lmdb.Error):
            # The whole directory is flushed before it gets its name, so commits need not be.
            self._environment = lmdb.open(
                os.fsencode(folder), map_size=self._map_bytes, sync=False, metasync=False
            )
        self._pending: list[tuple[bytes, bytes]] = []
        self._pending_bytes = 0

    def put(self, key: bytes, value: bytes) -> None:
        """Add or replace a record. Raises RoasteryError for a key that is too long."""
        if not 0 < len(key) <= self._environment.max_key_size():
            raise RoasteryError(
                f"key '{key.decode('utf-8', 'backslashreplace')}' has {len(key)} bytes; LMDB "
                f"takes 1 to {self._environment.max_key_size()}",
                hint="shorten the image's path, or use backend leveldb",
            )
        self._pending.append((key, value))
        self._pending_bytes += len(value)
        if len(self._pending) >= _COMMIT_RECORDS or self._pending_bytes >= _COMMIT_BYTES:
            self._commit()

    def finish(self) -> None:
        """Write what is left."""
        if self._pending:
            self._commit()

    def close(self) -> None:
        """Close the files; what `finish` has not written is lost."""
        self._environment.close()

    def _commit(self) -> None:
        with writing(self._folder, lmdb.Error):
            while True:
                try:
                    with self._environment.begin(write=True) as transaction:
                        for key, value in self._pending:
                            transaction.put(key, value)
                    break
                except lmdb.MapFullError:
                    self._map_bytes *= 2
                    self._environment.set_mapsize(self._map_bytes)
                except lmdb.DiskError as error:
                    # liblmdb says EIO, whatever the reason, where not all was written.
                    raise DatabaseWriteError(f"no room left on the disk? ({error})") from error
        self._pending = []
        self._pending_bytes = 0
