"""Where features of pictures go: databases of Datum records, numpy's arrays, HDF5 data sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from ir.errors import RoasteryError
from runtime.data.database_writer import DatabaseWriter, new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.notes import Notes

from ..files.atomic_file import atomic_path
from ..files.hdf5_writing import new_hdf5

DATABASES = ("lmdb", "leveldb")
ARRAYS = ("npy", "h5")

_HEADER = 256  # bytes of a .npy file before its values; a multiple of 64


class FeatureSink(Protocol):
    """Takes rows of a blob, batch by batch."""

    def write(self, rows: np.ndarray) -> None:
        """Add rows, which all have the same shape."""


def new_feature_sink(
    path: Path, kind: str, blob: str, notes: Notes
) -> AbstractContextManager[FeatureSink]:
    """A new file or database for a blob's rows, whole or not at all.

    Args:
        kind: one of DATABASES, ARRAYS.
        blob: its name, which the data set of an HDF5 file gets.
    """
    if kind == "npy":
        return _new_npy(path, blob)
    if kind == "h5":
        return _new_h5(path, blob)
    if kind not in DATABASES:
        raise RoasteryError(
            f"unknown kind of database '{kind}'", hint=", ".join((*DATABASES, *ARRAYS))
        )
    return _new_records(path, kind, notes)


class _Records:
    """Keys are row numbers of ten digits."""

    def __init__(self, writer: DatabaseWriter) -> None:
        self._writer, self._number = writer, 0

    def write(self, rows: np.ndarray) -> None:
        channels, height, width = (*rows.shape[1:], 1, 1, 1)[:3]
        for row in rows:
            record = Datum(channels, height, width, float_data=np.ravel(row))
            self._writer.put(b"%010d" % self._number, serialize_datum(record))
            self._number += 1


@contextmanager
def _new_records(path: Path, kind: str, notes: Notes) -> Iterator[FeatureSink]:
    with new_database(path, kind, notes) as writer:
        yield _Records(writer)


class _OneShape:
    """Rows of an array have one shape."""

    def __init__(self, blob: str) -> None:
        self._blob = blob
        self.shape: tuple[int, ...] | None = None

    def check(self, rows: np.ndarray) -> None:
        if self.shape is None:
            self.shape = rows.shape[1:]
        elif rows.shape[1:] != self.shape:
            raise RoasteryError(
                f"rows of blob '{self._blob}' were {list(self.shape)}, and are now "
                f"{list(rows.shape[1:])}: an array has one shape",
                hint="a database takes them",
            )


class _Npy(_OneShape):
    def __init__(self, blob: str, file: object) -> None:
        super().__init__(blob)
        self._file, self.count = file, 0

    def write(self, rows: np.ndarray) -> None:
        self.check(rows)
        self._file.write(np.ascontiguousarray(rows, "<f4").tobytes())  # type: ignore[attr-defined]
        self.count += len(rows)

    def header(self) -> bytes:
        """numpy's format, version 1.0."""
        shape = (self.count, *(self.shape or ()))
        text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape!r}, }}"
        size = _HEADER - 10
        whole = text.ljust(size - 1) + "\n"
        return b"\x93NUMPY\x01\x00" + size.to_bytes(2, "little") + whole.encode("ascii")


@contextmanager
def _new_npy(path: Path, blob: str) -> Iterator[FeatureSink]:
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        sink = _Npy(blob, file)
        file.write(bytes(_HEADER))
        yield sink
        file.seek(0)
        file.write(sink.header())


class _H5(_OneShape):
    def __init__(self, blob: str, file: object) -> None:
        super().__init__(blob)
        self._file = file
        self._rows: object = None

    def write(self, rows: np.ndarray) -> None:
        self.check(rows)
        count = len(rows)
        if self._rows is None:
            self._rows = self._file.create_dataset(  # type: ignore[attr-defined]
                self._blob, data=rows, dtype="<f4", maxshape=(None, *rows.shape[1:])
            )
            return
        before = self._rows.shape[0]  # type: ignore[attr-defined]
        self._rows.resize(before + count, axis=0)  # type: ignore[attr-defined]
        self._rows[before:] = rows  # type: ignore[index]


@contextmanager
def _new_h5(path: Path, blob: str) -> Iterator[FeatureSink]:
    with atomic_path(path) as temporary, new_hdf5(temporary) as file:
        yield _H5(blob, file)


def check_feature_target(path: str | os.PathLike[str]) -> None:
    """Raises RoasteryError where a folder is, or none to write in."""
    if Path(path).is_dir():
        raise RoasteryError(f"'{os.fspath(path)}' is a folder", hint="give another name")
    if not Path(path).absolute().parent.is_dir():
        raise RoasteryError(f"folder '{Path(path).absolute().parent}' does not exist")
