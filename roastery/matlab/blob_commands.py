"""Commands of blobs. Caffe: matlab/+caffe/Blob.m, private/caffe_.cpp."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from ..wire.blob_proto import MAX_AXES
from .arguments import MOST, MexArguments
from .objects import OBJECTS
from .results import NOTHING, Result, mx_row, mx_single, sizes


def _held_blob(given: MexArguments, place: int = 0) -> Any:
    return OBJECTS.find("Blob", given.handle(place)).thing


def _blob_get_shape(given: MexArguments) -> Result:
    return mx_row(_held_blob(given).shape[::-1])


def _blob_reshape(given: MexArguments) -> Result:
    blob, shape = _held_blob(given), given.wholes(1)[::-1]
    count = math.prod(size for size in shape if size)
    if count > MOST or len(shape) > MAX_AXES:
        raise RoasteryError(
            f"a blob of {len(shape)} axes and {count} values is wanted",
            hint=f"{MAX_AXES} axes and {MOST} values are the most, as in Caffe",
        )
    blob.reshape(*shape)
    return NOTHING


def _blob_get_data(given: MexArguments) -> Result:
    return mx_single(_held_blob(given).data)


def _blob_get_diff(given: MexArguments) -> Result:
    return mx_single(_held_blob(given).diff)


def _blob_set_data(given: MexArguments) -> Result:
    _fill(_held_blob(given).data, given.single(1))
    return NOTHING


def _blob_set_diff(given: MexArguments) -> Result:
    _fill(_held_blob(given).diff, given.single(1))
    return NOTHING


def _blob_copy_data(given: MexArguments) -> Result:
    """ShaoqingRen/caffe (faster-R-CNN): matlab/+caffe/Blob.m."""
    target, source = _held_blob(given), _held_blob(given, 1)
    if target.shape != source.shape:
        raise RoasteryError(
            f"a blob of {_told(source.shape)} was given for one of {_told(target.shape)}",
            hint="reshape one of them",
        )
    target.data[...] = source.data
    return NOTHING


def _fill(target: np.ndarray, values: np.ndarray) -> None:
    """MATLAB has trailing ones for some shapes, and lacks them for others."""
    if _plain(sizes(values.shape)) != _plain(sizes(target.shape)):
        raise RoasteryError(
            f"data of {_told(values.shape)} were given for a blob of {_told(target.shape)}",
            hint="width comes first here; blob.reshape(...) takes another shape",
        )
    target[...] = values.reshape(target.shape)


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """MATLAB's shape without ones at its end."""
    while shape[-1:] == (1,):
        shape = shape[:-1]
    return shape


def _told(shape: tuple[int, ...]) -> str:
    return f"[{' '.join(map(str, sizes(shape)))}]"


COMMANDS = {
    "blob_get_shape": _blob_get_shape,
    "blob_reshape": _blob_reshape,
    "blob_get_data": _blob_get_data,
    "blob_get_diff": _blob_get_diff,
    "blob_set_data": _blob_set_data,
    "blob_set_diff": _blob_set_diff,
    "blob_copy_data": _blob_copy_data,
}
