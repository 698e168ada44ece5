"""New HDF5 files on disks that may fill up.

The HDF5 library cannot close a file that it could not write: it fails again and again, also while
the interpreter ends, and then crashes. So it writes through an object of ours that takes
everything, and the first error is raised when the library is done.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Iterator
from typing import Any

from .h5py_later import h5py


@contextlib.contextmanager
def new_hdf5(path: str | os.PathLike[str], **options: Any) -> Iterator[h5py.File]:
    """A new, empty HDF5 file, open for writing in the block.

    Raises:
        OSError: the file could not be written. What it holds then is worthless.
    """
    with PatientFile(path) as target:
        with h5py.File(target, "w", **options) as file:
            yield file
        target.check()


class PatientFile(io.RawIOBase):
    """A new file whose writes never fail; :meth:`check` raises the first error that they met.

    Others may read it meanwhile, as HDF5 locks files. Raises BlockingIOError if another has it
    open already, OSError if it cannot be made. It must be closed after the HDF5 file, and both
    before the interpreter ends.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self._handle = -1  # until it is ours: what was never opened is closed when it is deleted
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _lock(handle)
            os.ftruncate(handle, 0)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        self._at = 0
        self._end = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raises OSError if something could not be written."""
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """What was written; zeros where that failed."""
        view = memoryview(buffer).cast("B")
        data = os.pread(self._handle, len(view), self._at)
        count = min(len(view), max(0, self._end - self._at))
        view[: len(data)] = data
        view[len(data) : count] = bytes(count - len(data))
        self._at += count
        return count

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view) and self._error is None:
                done += os.pwrite(self._handle, view[done:], self._at + done)
        except OSError as error:
            self._error = error
        self._at += len(view)
        self._end = max(self._end, self._at)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self._end = self._at if size is None else size
        try:
            if self._error is None:
                os.ftruncate(self._handle, self._end)
        except OSError as error:
            self._error = error
        return self._end

    def close(self) -> None:
        super().close()
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _lock(handle: int) -> None:
    """Make sure that nobody else writes or reads; then let others read."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass  # not every file system knows locks
