"""Arrays as the bytes of .npy files."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import numpy as np

from roastery.files.npz_file import write_npz

from .problems import Problem

MAGIC = b"\x93NUMPY"
_MOST_HEADER = 4096


def array_from_npy(data: bytes) -> np.ndarray:
    """Raises Problem for what is no array of numbers, or has not the bytes that it claims."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream, _MOST_HEADER)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(stream, _MOST_HEADER)
        else:
            raise ValueError(f"version {version} is not read")
    except Exception as error:  # numpy raises what its parts raise
        raise _bad(f"the .npy bytes have no sound header: {error}"[:200]) from None
    shape, by_columns, dtype = header
    if dtype.kind not in "biuf" or dtype.hasobject:
        raise _bad(f"the array holds {dtype}, no numbers"[:200])
    most_axes, most = 32, np.iinfo(np.intp).max // 64
    if len(shape) > most_axes or any(type(n) is not int or not 0 <= n <= most for n in shape):
        raise _bad(f"the array has shape {shape}"[:200])
    there, wanted = len(data) - stream.tell(), math.prod(shape) * dtype.itemsize
    if there != wanted:
        raise _bad(f"the array has {there} bytes, its shape and type want {wanted}"[:200])
    array = np.frombuffer(data, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if by_columns else "C")


def npy_from_array(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def npz_from_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    write_npz(stream, arrays)
    return stream.getvalue()


def _bad(error: str) -> Problem:
    return Problem(422, "npy", error, "numpy.save(file, array) writes what is read here")
