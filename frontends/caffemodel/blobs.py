"""Files that hold one BlobProto, such as mean images."""

from __future__ import annotations

import os

import numpy as np

from ir.errors import RoasteryError
from roastery.wire.blob_proto import parse_blob
from roastery.wire.reader import DamagedMessage

from .content import is_hdf5, read_binary


def read_blob(path: str | os.PathLike[str]) -> np.ndarray:
    """The array of a file that holds one BlobProto, such as a mean image.

    Returns:
        float32; of a mean file (1, channels, height, width).

    Raises:
        RoasteryError: the file is missing, damaged or of another kind.
    """
    name = os.fspath(path)
    if is_hdf5(path):
        raise RoasteryError(f"{name} is an HDF5 file, not a mean file (binaryproto)")
    data = read_binary(path, "a mean file (binaryproto)")
    try:
        blob = parse_blob(data.data)
    except DamagedMessage as error:
        state = "is truncated" if error.truncated else "is not a mean file (binaryproto)"
        raise RoasteryError(f"{name} {state}: at byte {error.position}, {error}") from None
    if not blob.data.size:
        raise RoasteryError(f"{name} is not a mean file (binaryproto): it holds no values")
    return blob.data
