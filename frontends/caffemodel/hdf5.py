"""HDF5 weights and solver states. Caffe: src/caffe/util/hdf5.cpp, Net::ToHDF5."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from ir.atomic_file import atomic_path
from ir.errors import RoasteryError

from .weights import LayerWeights

#: A dataset may claim any size; Caffe never compresses, so none exceeds its file by much.
_MAX_INFLATION = 64


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """An HDF5 file, open for reading.

    Raises:
        RoasteryError: it is damaged.
    """
    name = os.fspath(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        reason = "is truncated" if "truncated" in str(error) else "is a damaged HDF5 file"
        raise RoasteryError(f"{name} {reason}: {error}") from None
    with file:
        try:
            yield file
        except (OSError, RuntimeError, KeyError, UnicodeError) as error:
            raise RoasteryError(f"{name} is a damaged HDF5 file: {error}") from None


def read_dataset(dataset: h5py.Dataset, path: str | os.PathLike[str]) -> np.ndarray:
    """A numeric dataset as float32.

    Raises:
        RoasteryError: it is not numeric, lies in other files, or is larger than the file.
    """
    name = f"{os.fspath(path)}: dataset {dataset.name}"
    if dataset.dtype.kind not in "fiu" or dataset.shape is None:
        raise RoasteryError(f"{name} holds no numbers")
    if dataset.external or dataset.is_virtual:
        raise RoasteryError(f"{name} refers to other files")
    limit = _MAX_INFLATION * os.path.getsize(path)
    if dataset.size * dataset.dtype.itemsize > limit:
        raise RoasteryError(f"{name} claims {dataset.shape} values, more than the file can hold")
    return np.ascontiguousarray(dataset[()], np.float32).reshape(dataset.shape)


def read_weights_hdf5(path: str | os.PathLike[str]) -> list[LayerWeights]:
    """The layers of an HDF5 weights file; see ``read_weights``."""
    name = os.fspath(path)
    with open_hdf5(path) as file:
        if not isinstance(file.get("data"), h5py.Group):
            if "history" in file and "iter" in file:
                raise RoasteryError(
                    f"{name} is a solver state, not weights",
                    hint="resume from it with --snapshot",
                )
            raise RoasteryError(f"{name} is not a weights file: it has no group /data")
        stored = dict(_layers(file["data"]))
        diffs = dict(_layers(file["diff"])) if isinstance(file.get("diff"), h5py.Group) else {}
        result = []
        for layer, datasets in stored.items():
            weights = LayerWeights(layer)
            layer_diffs = diffs.get(layer, {})
            # Parameters that another layer owns are not stored: their numbers are missing.
            for index in sorted(datasets):
                diff = layer_diffs.get(index)
                weights.blobs.append(read_dataset(datasets[index], path))
                weights.legacy.append(False)
                weights.diffs.append(None if diff is None else read_dataset(diff, path))
            result.append(weights)
    if not result:
        raise RoasteryError(f"{name} is not a weights file: it holds no layers")
    return result


def _layers(group: h5py.Group, prefix: str = "") -> Iterator[tuple[str, dict[int, h5py.Dataset]]]:
    """Layer names (slashes make groups in groups) with their numbered datasets."""
    datasets: dict[int, h5py.Dataset] = {}
    inner: list[tuple[str, h5py.Group]] = []
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            continue  # links may lead to other files or in circles
        item = group[key]
        if isinstance(item, h5py.Dataset) and key.isdecimal():
            datasets[int(key)] = item
        elif isinstance(item, h5py.Group):
            inner.append((key, item))
    if prefix and (datasets or not inner):
        yield prefix, datasets
    if prefix.count("/") < 32:
        for key, item in inner:
            yield from _layers(item, f"{prefix}/{key}" if prefix else key)


def write_weights_hdf5(
    path: str | os.PathLike[str],
    blobs: Mapping[str, Sequence[np.ndarray | None]],
    diffs: Mapping[str, Sequence[np.ndarray | None]] | None = None,
) -> None:
    """Write HDF5 weights, in one step.

    Args:
        path: the file.
        blobs: the arrays of every layer of the net (also of those without any), by name;
            None where another layer owns the parameter.
        diffs: likewise, to be stored under /diff.
    """
    with atomic_path(path) as temporary, _create(temporary) as file:
        _write_group(file, "data", blobs)
        if diffs is not None:
            _write_group(file, "diff", diffs)


def write_state_hdf5(
    path: str | os.PathLike[str],
    scalars: Mapping[str, Any],
    history: Sequence[np.ndarray],
    extra: Mapping[int, bytes],
) -> None:
    """Write an HDF5 solver state: integers, one string, /history/<i> and /extra/<number>."""
    with atomic_path(path) as temporary, _create(temporary) as file:
        for name, value in scalars.items():
            if isinstance(value, bytes):
                # As H5LTmake_dataset_string does: a scalar of fixed length, with its zero.
                dtype = h5py.string_dtype("ascii", len(value) + 1)
                file.create_dataset(name, data=np.array(value + b"\0", dtype))
            else:
                file.create_dataset(name, data=np.array([value], np.int32))
        group = file.create_group("history")
        for index, values in enumerate(history):
            group.create_dataset(str(index), data=np.asarray(values, np.float32))
        for number, content in extra.items():
            file.create_dataset(f"extra/{number}", data=np.frombuffer(content, np.uint8))


def _create(path: os.PathLike[str]) -> h5py.File:
    # The oldest layout, which every HDF5 library since 1.8 reads.
    return h5py.File(path, "w", libver=("earliest", "v108"))


def _write_group(
    file: h5py.File, name: str, arrays: Mapping[str, Sequence[np.ndarray | None]]
) -> None:
    group = file.create_group(name)
    for layer, values in arrays.items():
        # A name with slashes makes the groups between; one net may hold `a` and `a/b`.
        inner = group.require_group(layer) if layer else group
        for index, value in enumerate(values):
            if value is not None:
                inner.create_dataset(str(index), data=np.asarray(value, np.float32))
