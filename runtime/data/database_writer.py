"""Writing new databases: LMDB or LevelDB, complete or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ir.errors import RoasteryError
from roastery.files.atomic_file import atomic_path
from roastery.files.missing import missing

from .backends import known_backend
from .database import OPENED
from .level_writer import LevelWriter, import_plyvel
from .lmdb_writer import LmdbWriter
from .notes import Notes, to_logger
from .write_error import DatabaseWriteError


class DatabaseWriter(Protocol):
    """Takes records in any order of keys."""

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record; one that has the key already is replaced."""


@contextmanager
def new_database(
    path: Path, backend: str, notes: Notes = to_logger, *, replace: bool = False
) -> Iterator[DatabaseWriter]:
    """A database that gets the name ``path`` when the block ends without an error.

    Until then it has a temporary name, so that an error or a kill leaves nothing that
    looks like a database. ``backend`` is "lmdb" or "leveldb". Raises RoasteryError when
    the backend is unknown, ``path`` exists, its folder does not, or the system refuses to
    write (a full disk). With ``replace`` it takes the place of a database that exists.
    """
    kind = check_backend(backend)
    check_target(path, replace=replace)
    with atomic_path(path, replaces_folder=replace) as temporary:
        os.mkdir(temporary)
        try:
            writer = LmdbWriter(temporary) if kind == "lmdb" else LevelWriter(temporary)
            notes(OPENED[kind.upper()](path=path))
            try:
                yield writer
                writer.finish()
            finally:
                writer.close()
        except DatabaseWriteError as error:
            raise RoasteryError(
                f"cannot write '{path}': {error}",
                hint="nothing was left behind; is there room, and may you write there?",
            ) from error


def check_backend(backend: str) -> str:
    """The backend's name in lower case; RoasteryError when it is unknown or cannot be written."""
    kind = known_backend(backend)
    if kind == "leveldb":
        import_plyvel()
    return kind


def check_target(path: Path, *, replace: bool = False) -> None:
    """Refuse to write where something is already, or where there is no folder.

    With ``replace`` a database may be there, and nothing else.
    """
    if replace and path.is_dir():
        if not any((path / name).is_file() for name in ("data.mdb", "CURRENT")):
            raise RoasteryError(
                f"'{path}' is no database, and is not replaced", hint="give another name"
            )
    elif path.exists() or path.is_symlink():
        raise RoasteryError(
            f"'{path}' exists already", hint="remove it first, or give another name"
        )
    if not path.absolute().parent.is_dir():
        hint = "make it first: databases are folders made inside it"
        raise missing("folder", path.absolute().parent, hint=hint)
