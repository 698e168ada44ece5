"""HDF5 weights and solver states. Caffe: src/caffe/util/hdf5.cpp, Net::ToHDF5."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ir.errors import RoasteryError
from roastery.files.atomic_file import atomic_path
from roastery.files.h5py_later import h5py
from roastery.files.hdf5_file import Hdf5File, open_hdf5
from roastery.files.hdf5_writing import new_hdf5

from .hdf5_names import DEEPEST, LAYER, group_paths, layer_of
from .layer_weights import ByLayer, LayerWeights, pairs

_INDEX = re.compile(r"[0-9]{1,9}")


def read_weights_hdf5(path: str | os.PathLike[str]) -> list[LayerWeights]:
    """The layers of an HDF5 weights file; see ``read_weights``."""
    name = os.fspath(path)
    with open_hdf5(path) as stored_file:
        data, diff_group = stored_file.find("data"), stored_file.find("diff")
        if not isinstance(data, h5py.Group):
            if stored_file.find("history") is not None and stored_file.find("iter") is not None:
                raise RoasteryError(
                    f"{name} is a solver state, not weights",
                    hint="resume from it with --snapshot",
                )
            raise RoasteryError(f"{name} is not a weights file: it has no group /data")
        stored = _each_once(stored_file, [*_layers(stored_file, data), *_outside(stored_file)])
        has_diffs = isinstance(diff_group, h5py.Group)
        if diff_group is not None and not has_diffs:
            raise RoasteryError(f"{name}: /diff is no group")
        diffs = dict(_layers(stored_file, diff_group)) if has_diffs else {}
        result = []
        # The k-th layer of a name comes k-th.
        for layer, datasets in sorted(stored.items(), key=lambda item: item[0][1]):
            weights = LayerWeights(layer[0])
            layer_diffs = diffs.get(layer, {})
            # Parameters that another layer owns are not stored: their numbers are missing.
            for index in sorted(datasets):
                diff = layer_diffs.get(index)
                weights.blobs.append(stored_file.floats(datasets[index]))
                weights.legacy.append(False)
                weights.diffs.append(None if diff is None else stored_file.floats(diff))
            result.append(weights)
    if not result:
        raise RoasteryError(f"{name} is not a weights file: it holds no layers")
    return result


_Layer = tuple[tuple[str, int], "dict[int, h5py.Dataset]"]


def _layers(file: Hdf5File, group: h5py.Group, prefix: str = "") -> Iterator[_Layer]:
    """Layers by name and number (slashes make groups in groups) with their numbered datasets."""
    datasets: dict[int, h5py.Dataset] = {}
    inner: list[tuple[str, h5py.Group]] = []
    for key, item in file.members(group):
        if isinstance(item, h5py.Dataset) and _INDEX.fullmatch(key):
            datasets[int(key)] = item
        elif isinstance(item, h5py.Group):
            inner.append((key, item))
        elif not prefix or not isinstance(item, h5py.Dataset):
            kind = "a data set" if isinstance(item, h5py.Dataset) else "neither"
            raise RoasteryError(
                f"{file.name}: '{item.name}' is {kind}; a layer's group of data sets was expected"
            )
    if datasets or (prefix and not inner):
        yield layer_of(group, prefix, file.name), datasets
    if prefix.count("/") < DEEPEST:
        for key, item in inner:
            yield from _layers(file, item, f"{prefix}/{key}" if prefix else key)


def _outside(file: Hdf5File) -> Iterator[_Layer]:
    """Layers whose names begin with a slash, which Caffe puts beside /data."""
    for key, item in file.members(file.file):
        if key not in ("data", "diff") and isinstance(item, h5py.Group):
            yield from (found for found in _layers(file, item, f"/{key}") if found[1])


def _each_once(
    file: Hdf5File, layers: Sequence[_Layer]
) -> dict[tuple[str, int], dict[int, h5py.Dataset]]:
    found: dict[tuple[str, int], dict[int, h5py.Dataset]] = {}
    for key, datasets in layers:
        if key in found:
            raise RoasteryError(
                f"{file.name} holds layer '{key[0]}' twice, each as number {key[1]} of the name"
            )
        found[key] = datasets
    return found


def write_weights_hdf5(
    path: str | os.PathLike[str],
    blobs: ByLayer[Sequence[np.ndarray | None]],
    diffs: ByLayer[Sequence[np.ndarray | None]] | None = None,
) -> None:
    """Write HDF5 weights, in one step.

    Args:
        path: the file.
        blobs: the arrays of every layer of the net (also of those without any), by name or as
            pairs in order; None where another layer owns the parameter.
        diffs: likewise, to be stored under /diff.
    """
    with atomic_path(path) as temporary, _create(temporary) as file:
        _write_group(file, "data", pairs(blobs))
        if diffs is not None:
            _write_group(file, "diff", pairs(diffs))


def write_state_hdf5(
    path: str | os.PathLike[str],
    scalars: Mapping[str, Any],
    history: Sequence[np.ndarray],
    extra: Mapping[int, bytes],
) -> None:
    """Write an HDF5 solver state: numbers, one string, /history/<i> and /extra/<number>."""
    with atomic_path(path) as temporary, _create(temporary) as file:
        for name, value in scalars.items():
            if isinstance(value, bytes):
                # As H5LTmake_dataset_string does: a scalar of fixed length, with its zero.
                dtype = h5py.string_dtype("ascii", len(value) + 1)
                file.create_dataset(name, data=np.array(value + b"\0", dtype))
            else:
                dtype = np.float32 if isinstance(value, float) else np.int32
                file.create_dataset(name, data=np.array([value], dtype))
        group = file.create_group("history")
        for index, values in enumerate(history):
            group.create_dataset(str(index), data=np.asarray(values, np.float32))
        for number, content in extra.items():
            file.create_dataset(f"extra/{number}", data=np.frombuffer(content, np.uint8))


def _create(path: os.PathLike[str]) -> contextlib.AbstractContextManager[h5py.File]:
    # The oldest layout, which every HDF5 library since 1.8 reads.
    return new_hdf5(path, libver=("earliest", "v108"))


def _write_group(
    file: h5py.File, name: str, layers: Sequence[tuple[str, Sequence[np.ndarray | None]]]
) -> None:
    group = file.create_group(name)
    bears = [bool(values) for _, values in layers]
    paths = group_paths([layer for layer, _ in layers], stores=bears)
    for (path, attribute), (_, values) in zip(paths, layers, strict=True):
        if not path:
            continue
        # A name with slashes makes the groups between; one net may hold `a` and `a/b`.
        inner = group.require_group(path)
        if attribute is not None:
            inner.attrs[LAYER] = attribute
        for index, value in enumerate(values):
            if value is not None:
                inner.create_dataset(str(index), data=np.asarray(value, np.float32))
