"""Parameters into a net and out of it, by layer name. Caffe: src/caffe/net.cpp."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import numpy as np

from frontends.caffemodel import (
    LayerWeights,
    is_hdf5,
    read_weights,
    write_weights,
    write_weights_hdf5,
)
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.program import LayerInfo, NetProgram
from ir.types import shape_text
from runtime.buffers import Buffer
from runtime.logging import CaffeLog
from runtime.store import Store

WeightsFormat = Literal["BINARYPROTO", "HDF5"]


def load_weights(
    path: str | os.PathLike[str],
    program: NetProgram,
    store: Store,
    log: CaffeLog | None = None,
) -> None:
    """Copy the parameters of layers with equal names from a file.

    Layers of the file that the net lacks are logged and passed over; layers of the net that the
    file lacks keep what they have. Nothing is changed if anything is wrong.

    Raises:
        RoasteryError: the file cannot be read, or a layer's blobs differ in number or shape.
    """
    hdf5 = is_hdf5(path)
    copies: list[tuple[Buffer, np.ndarray]] = []
    targets = first_by_name(program)
    sources = read_weights(path)
    for source in sources:
        target = targets.get(source.name)
        if target is None:
            if log is not None:
                log.ignoring_source_layer(source.name, hdf5=hdf5)
            continue
        copies += _copies(path, source, target, program, store, hdf5=hdf5)
    if not copies and log is not None and any(target.cells for target in targets.values()):
        log.warning(
            f"no layer of '{os.fspath(path)}' has weights for a layer of this net: the names "
            "of all layers differ, and every parameter keeps its initial value"
        )
    for buffer, values in copies:
        buffer.array[...] = values


def first_by_name(program: NetProgram) -> dict[str, LayerInfo]:
    """Layers by name; of several with one name the first, which is Caffe's choice in copying."""
    found: dict[str, LayerInfo] = {}
    for layer in program.layers:
        found.setdefault(layer.name, layer)
    return found


def _copies(
    path: str | os.PathLike[str],
    source: LayerWeights,
    target: LayerInfo,
    program: NetProgram,
    store: Store,
    *,
    hdf5: bool,
) -> list[tuple[Buffer, np.ndarray]]:
    cells = target.cells
    if hdf5:  # HDF5 files hold a shared parameter once, with the layer that owns it
        owned = tuple(c for c in cells if program.cells[c].layer == target.name)
        if len(source.blobs) == len(owned):
            cells = owned
    if len(source.blobs) != len(cells):
        raise RoasteryError(
            f"layer '{source.name}' has {len(source.blobs)} blob(s) in '{os.fspath(path)}' and "
            f"{len(cells)} in the net",
            location=target.location,
            hint="is bias_term the same in both? To learn this layer from scratch, rename it",
        )
    copies = []
    for index, cell in enumerate(cells):
        buffer, values = store.data[cell], source.blobs[index]
        wanted = buffer.type.shape
        if not _fits(values.shape, wanted, legacy=source.legacy[index]):
            raise RoasteryError(
                f"cannot copy param {index} of layer '{source.name}' from '{os.fspath(path)}': "
                f"its shape is {shape_text(values.shape)} there and {shape_text(wanted)} in the "
                "net",
                location=target.location,
                hint="to learn this layer from scratch instead of copying it, rename the layer",
            )
        copies.append((buffer, values.reshape(wanted)))
    return copies


def _fits(have: tuple[int, ...], want: tuple[int, ...], *, legacy: bool) -> bool:
    """Caffe's Blob::ShapeEquals: old files pad every shape to four axes with leading ones."""
    if not legacy:
        return have == want
    return len(want) <= 4 and (1,) * (4 - len(want)) + want == (1,) * (4 - len(have)) + have


def save_weights(
    path: str | os.PathLike[str],
    net: Message,
    program: NetProgram,
    store: Store,
    format: WeightsFormat = "BINARYPROTO",
    *,
    diff: bool = False,
) -> None:
    """Write a net's parameters, in one step.

    Args:
        net: the net as ``program`` runs it; see :func:`roastery.nets.with_splits`.
        format: a binary file describes the net and holds all blobs of every layer; an HDF5 file
            holds each parameter once, with the layer that owns it.
        diff: write the diffs too.
    """
    if format == "HDF5":
        write_weights_hdf5(
            path,
            _owned_arrays(program, store.data),
            _owned_arrays(program, store.diff) if diff else None,
        )
    else:
        write_weights(
            path,
            net,
            _arrays(program, store.data),
            _arrays(program, store.diff) if diff else None,
        )


def _arrays(program: NetProgram, buffers: Mapping[str, Buffer]) -> dict[str, list[np.ndarray]]:
    return {
        name: [buffers[c].peek() for c in layer.cells]
        for name, layer in first_by_name(program).items()
        if layer.cells
    }


def _owned_arrays(
    program: NetProgram, buffers: Mapping[str, Buffer]
) -> dict[str, list[np.ndarray | None]]:
    return {
        name: [buffers[c].peek() if program.cells[c].layer == name else None for c in layer.cells]
        for name, layer in first_by_name(program).items()
    }
