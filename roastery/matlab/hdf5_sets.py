"""Data and labels in HDF5 files that grow. Caffe: matlab/hdf5creation/store2hdf5.m."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from ..files.atomic_file import atomic_path
from ..files.h5py_later import h5py
from ..files.hdf5_file import open_hdf5
from ..files.hdf5_writing import new_hdf5


@dataclass(frozen=True)
class GrowingSet:
    """Samples for one data set of a file; the first axis counts them, the last is the fastest.

    Attributes:
        start: where the first value goes, counted from 1; empty: after what is there.
    """

    name: str
    values: np.ndarray
    start: tuple[int, ...]


def create_hdf5(path: str, sets: Sequence[GrowingSet], chunk: int) -> list[tuple[int, ...]]:
    """A new file with these data sets, which can grow; it appears whole or not at all.

    Args:
        chunk: so many samples are stored together.

    Returns the data sets' shapes.
    """
    if chunk < 1:
        raise RoasteryError(f"a chunk of {chunk} samples", hint="1 at least")
    with atomic_path(path) as temporary, new_hdf5(temporary) as file:
        for one in sets:
            sample = one.values.shape[1:]
            if 0 in sample:
                raise RoasteryError(f"samples of '{one.name}' have no values: {_told(one.values)}")
            file.create_dataset(
                one.name,
                (0, *sample),
                np.float32,
                maxshape=(None, *sample),
                chunks=(chunk, *sample),
            )
        return [_put(file[one.name], one, path) for one in sets]


def append_hdf5(path: str, sets: Sequence[GrowingSet]) -> list[tuple[int, ...]]:
    """Add samples to a file that :func:`create_hdf5` made. Returns the data sets' shapes.

    All is checked before anything is written; a full disk leaves what it leaves.
    """
    with open_hdf5(path) as read:
        for one in sets:
            found = read.find(one.name)
            if not isinstance(found, h5py.Dataset):
                raise RoasteryError(f"{path} has no data set '{one.name}'", hint="create it first")
            _place(found, one, path)
    try:
        with h5py.File(path, "r+") as file:
            return [_put(file[one.name], one, path) for one in sets]
    except OSError as error:
        raise RoasteryError(f"cannot write {os.fspath(path)}: {error}") from error


def _place(target: Any, one: GrowingSet, path: str) -> tuple[int, ...]:
    """Where the first value goes, counted from 0. Raises RoasteryError if it does not fit."""
    have, came = target.shape, one.values.shape
    start = tuple(i - 1 for i in one.start) or (have[0],) + (0,) * (len(have) - 1)
    if len(have) != len(came) or len(start) != len(came):
        raise RoasteryError(
            f"'{one.name}' has {len(have)} axes in {path}; the data have {len(came)}"
            + (f", the start {len(start)}" if one.start else "")
        )
    if min(start) < 0:
        raise RoasteryError(f"the start of '{one.name}' has a number below 1")
    beyond = any(at + n > most for at, n, most in zip(start[1:], came[1:], have[1:], strict=True))
    if beyond or (not one.start and came[1:] != have[1:]):
        raise RoasteryError(
            f"samples of '{one.name}' are {list(have[:0:-1])} in {path}, the data "
            f"{list(came[:0:-1])}",
            hint="one file holds samples of one size",
        )
    if target.maxshape[0] is not None and start[0] + came[0] > target.maxshape[0]:
        raise RoasteryError(f"'{one.name}' of {path} cannot grow beyond {target.maxshape[0]}")
    return start


def _put(target: Any, one: GrowingSet, path: str) -> tuple[int, ...]:
    start, came = _place(target, one, path), one.values.shape
    if one.values.size:
        if start[0] + came[0] > target.shape[0]:
            target.resize(start[0] + came[0], 0)
        target[tuple(slice(at, at + n) for at, n in zip(start, came, strict=True))] = one.values
    return tuple(target.shape)


def _told(values: np.ndarray) -> str:
    return f"[{' '.join(map(str, values.shape[::-1]))}]"
