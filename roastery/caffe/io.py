"""``caffe.io``: arrays to Caffe's messages and back, pictures, and the Transformer.

Caffe: python/caffe/io.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from ir.errors import RoasteryError
from runtime.data.image_codec import ImageError, channel_major, decode_image

from .images import load_image, oversample, resize_image
from .proto import caffe_pb2
from .transformer import Transformer

__all__ = [
    "Transformer",
    "array_to_blobproto",
    "array_to_datum",
    "arraylist_to_blobprotovector_str",
    "blobproto_to_array",
    "blobprotovector_str_to_arraylist",
    "caffe_pb2",
    "datum_to_array",
    "load_image",
    "oversample",
    "resize_image",
]

_LEGACY = ("num", "channels", "height", "width")


class WireMessageError(RoasteryError, DecodeError):
    """Bytes that are no message of the kind that was asked for."""


class ShapeError(RoasteryError, ValueError):
    """Values that do not fill their shape; pycaffe raises a ValueError."""


def blobproto_to_array(blob: Any, return_diff: bool = False) -> np.ndarray:
    """The data (or the diff) of a BlobProto, float64.

    Raises ShapeError if its shape does not fit.
    """
    single, double = ("diff", "double_diff") if return_diff else ("data", "double_data")
    values = np.array(getattr(blob, single) or getattr(blob, double), np.float64)
    if any(blob.HasField(name) for name in _LEGACY):
        shape = tuple(getattr(blob, name) for name in _LEGACY)
    else:
        shape = tuple(blob.shape.dim)
    try:
        return values.reshape(shape)
    except ValueError:
        raise ShapeError(f"a BlobProto of shape {list(shape)} holds {values.size} values") from None


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> Any:
    """A BlobProto with the array's shape and values."""
    blob = caffe_pb2.BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(np.asarray(arr, np.float32).ravel().tolist())
    if diff is not None:
        if np.shape(diff) != np.shape(arr):
            raise ShapeError(f"the diff has shape {np.shape(diff)}, the data {np.shape(arr)}")
        blob.diff.extend(np.asarray(diff, np.float32).ravel().tolist())
    return blob


def arraylist_to_blobprotovector_str(arraylist: Iterable[np.ndarray]) -> bytes:
    """The bytes of a BlobProtoVector of the arrays."""
    vector = caffe_pb2.BlobProtoVector()
    vector.blobs.extend([array_to_blobproto(array) for array in arraylist])
    return bytes(vector.SerializeToString())


def blobprotovector_str_to_arraylist(data: bytes) -> list[np.ndarray]:
    """The arrays in the bytes of a BlobProtoVector. Raises WireMessageError for other bytes."""
    vector = caffe_pb2.BlobProtoVector()
    try:
        vector.ParseFromString(data)
    except DecodeError as error:
        raise WireMessageError(
            f"these {len(data)} bytes are no BlobProtoVector: {error}"
        ) from error
    return [blobproto_to_array(blob) for blob in vector.blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> Any:
    """A Datum of a (channels, height, width) array: bytes for uint8, else floats."""
    arr = np.asarray(arr)
    if arr.ndim != 3:
        raise ShapeError(
            f"a Datum holds (channels, height, width); the array has shape {list(arr.shape)}"
        )
    datum = caffe_pb2.Datum()
    datum.channels, datum.height, datum.width = arr.shape
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(np.float32).ravel().tolist())
    if label is not None:
        datum.label = int(label)
    return datum


def datum_to_array(datum: Any) -> np.ndarray:
    """The (channels, height, width) array of a Datum: uint8 pixels, or float64.

    An encoded Datum is decoded (BGR). The label is ``datum.label``.
    """
    if datum.encoded:
        try:
            return channel_major(decode_image(datum.data, "native"))
        except ImageError as error:
            raise RoasteryError(f"the encoded Datum cannot be decoded: {error}") from error
    values = (
        np.frombuffer(datum.data, np.uint8)
        if len(datum.data)
        else np.array(datum.float_data, np.float64)
    )
    shape = (datum.channels, datum.height, datum.width)
    if values.size != shape[0] * shape[1] * shape[2]:
        raise ShapeError(f"a Datum of shape {list(shape)} holds {values.size} values")
    return values.reshape(shape).copy()
