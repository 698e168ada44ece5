"""Writing new databases: LMDB or LevelDB, complete or not there at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import lmdb

from ir.atomic_file import atomic_path
from ir.errors import RoasteryError

from .database import import_plyvel
from .notes import note

_COMMIT_RECORDS = 1000
_COMMIT_BYTES = 1 << 24
_FIRST_MAP_BYTES = 1 << 26


class DatabaseWriter(Protocol):
    """Takes records in any order of keys."""

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record; one that has the key already is replaced."""

    def close(self) -> None:
        """Write what is left and close the files."""


@contextmanager
def new_database(path: Path, backend: str) -> Iterator[DatabaseWriter]:
    """A database that gets the name ``path`` when the block ends without an error.

    Until then it has a temporary name, so that an error or a kill leaves nothing that
    looks like a database. ``backend`` is "lmdb" or "leveldb". Raises RoasteryError when
    the backend is unknown, ``path`` exists, or its folder does not.
    """
    kind = check_backend(backend)
    check_target(path)
    with atomic_path(path) as temporary:
        writer: DatabaseWriter = LmdbWriter(temporary) if kind == "lmdb" else LevelWriter(temporary)
        note(f"Opened {kind} {path}", f"db_{kind}.cpp")
        try:
            yield writer
        finally:
            writer.close()


def check_backend(backend: str) -> str:
    """The backend's name in lower case; RoasteryError when there is no such backend."""
    kind = backend.lower()
    if kind not in ("lmdb", "leveldb"):
        raise RoasteryError(
            f"unknown database backend '{backend}'", hint="the backends are lmdb and leveldb"
        )
    if kind == "leveldb":
        import_plyvel()
    return kind


def check_target(path: Path) -> None:
    """Refuse to write where something is already, or where there is no folder."""
    if path.exists() or path.is_symlink():
        raise RoasteryError(
            f"'{path}' exists already", hint="remove it first, or give another name"
        )
    if not path.absolute().parent.is_dir():
        raise RoasteryError(
            f"folder '{path.absolute().parent}' does not exist",
            hint="make it first: databases are folders made inside it",
        )


class LmdbWriter:
    """A new LMDB directory; its map doubles when it is full."""

    def __init__(self, path: Path) -> None:
        self._map_bytes = _FIRST_MAP_BYTES
        # The whole directory is flushed before it gets its name, so commits need not be.
        self._environment = lmdb.open(
            str(path), map_size=self._map_bytes, sync=False, metasync=False
        )
        self._pending: list[tuple[bytes, bytes]] = []
        self._pending_bytes = 0

    def put(self, key: bytes, value: bytes) -> None:
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

    def close(self) -> None:
        if self._pending:
            self._commit()
        self._environment.close()

    def _commit(self) -> None:
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in self._pending:
                        transaction.put(key, value)
                break
            except lmdb.MapFullError:
                self._map_bytes *= 2
                self._environment.set_mapsize(self._map_bytes)
        self._pending = []
        self._pending_bytes = 0


class LevelWriter:
    """A new LevelDB directory, with the block and buffer sizes that Caffe uses."""

    def __init__(self, path: Path) -> None:
        self._db = import_plyvel().DB(
            str(path),
            create_if_missing=True,
            error_if_exists=True,
            block_size=65536,
            write_buffer_size=1 << 28,
            max_open_files=100,
        )
        self._batch = self._db.write_batch()
        self._records = 0
        self._bytes = 0

    def put(self, key: bytes, value: bytes) -> None:
        self._batch.put(key, value)
        self._records += 1
        self._bytes += len(value)
        if self._records >= _COMMIT_RECORDS or self._bytes >= _COMMIT_BYTES:
            self._commit()

    def close(self) -> None:
        self._commit()
        self._db.close()

    def _commit(self) -> None:
        self._batch.write()
        self._batch = self._db.write_batch()
        self._records = self._bytes = 0
