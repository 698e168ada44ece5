"""HDF5Output: what forward passes computed, into a file.

Caffe (src/caffe/layers/hdf5_output_layer.cpp) writes data sets "data" and "label" in
the first forward pass and dies in the second, which wants to create them again. Here
every forward pass appends its rows.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from types import TracebackType

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.h5py_later import h5py
from roastery.files.hdf5_writing import PatientFile
from roastery.files.regular_file import check_name
from roastery.files.special_output import is_special

_CHUNK_BYTES = 1 << 18


class HDF5Output:
    """Writes batches; the file can be read after every `append`, and after `close`.

    Args:
        path: file to write; what it held before is lost, as in Caffe.
        place: the layer, for errors.
    """

    def __init__(self, path: Path, place: Location | None = None) -> None:
        self.path = path
        self._place = place
        check_name(path, place)
        if is_special(path):
            raise RoasteryError(
                f"cannot write HDF5 file '{path}': it is a device or pipe, not a file",
                location=place,
                hint="HDF5 files are not written from front to back; name a file",
            )
        try:
            self._target = _created(path)
            self._file = h5py.File(self._target, "w")
            # HDF5 itself closes what is open only after Python has ended, and with it our file.
            self._ending = weakref.finalize(self, _end, self._file, self._target)
        except OSError as error:
            twice = isinstance(error, BlockingIOError)
            reason = "it is already open" if twice else error.strerror or error
            raise RoasteryError(
                f"cannot write HDF5 file '{path}': {reason}",
                location=place,
                hint="another layer or net writes it: give each a file of its own, or the layer "
                "an include rule for one phase"
                if twice
                else "make sure that its folder exists and is writable",
            ) from error

    def append(self, data: np.ndarray, label: np.ndarray) -> None:
        """Add the rows of one forward pass; arrays are stored 4-D, as Caffe stores them."""
        if not len(np.atleast_1d(data)) == len(np.atleast_1d(label)):
            raise self._error(f"the data blob has {len(data)} rows and the label blob {len(label)}")
        self._append("data", data)
        self._append("label", label)
        self._file.flush()
        self._check()

    def close(self) -> None:
        """Finish the file. May be called more than once."""
        if self._ending.alive:
            self._ending()
            self._check()

    def _check(self) -> None:
        """Raises RoasteryError if the file could not take what was written."""
        try:
            self._target.check()
        except OSError as error:
            raise self._error(f"cannot write HDF5 file '{self.path}': {error.strerror}") from None

    def __enter__(self) -> HDF5Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, name: str, values: np.ndarray) -> None:
        if values.ndim > 4:
            raise self._error(
                f"the {name} blob has {values.ndim} axes; at most 4 are stored",
                "put a Flatten or Reshape layer before it",
            )
        rows = np.asarray(values, np.float32).reshape(values.shape + (1,) * (4 - values.ndim))
        stored = self._file.get(name)
        if stored is None:
            row_bytes = max(1, rows[:1].nbytes)
            chunk = (max(1, min(len(rows), _CHUNK_BYTES // row_bytes)), *rows.shape[1:])
            self._file.create_dataset(
                name,
                data=rows,
                maxshape=(None, *rows.shape[1:]),
                chunks=chunk if rows.size else True,
            )
            return
        if stored.shape[1:] != rows.shape[1:]:
            raise self._error(
                f"the {name} blob is {rows.shape} now, and its rows were {stored.shape[1:]} before",
                "the shape of a row may not change",
            )
        before = len(stored)
        stored.resize(before + len(rows), axis=0)
        stored[before:] = rows

    def _error(self, message: str, hint: str | None = None) -> RoasteryError:
        return RoasteryError(message, location=self._place, hint=hint)


def _end(file: h5py.File, target: PatientFile) -> None:
    file.close()
    target.close()


def _created(path: Path) -> PatientFile:
    try:
        return PatientFile(path)
    except BlockingIOError:
        gc.collect()  # nets that nobody holds any more keep their files open until then
        return PatientFile(path)
