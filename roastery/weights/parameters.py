"""Parameters into a net and out of it, by layer name. Caffe: src/caffe/net.cpp."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from frontends.caffemodel import (
    LayerWeights,
    is_hdf5,
    normal_path,
    read_lent_weights,
    write_weights,
    write_weights_hdf5,
)
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.program import LayerInfo, NetProgram
from ir.types import shape_text
from roastery.files.lent_bytes import LentBytes
from runtime.logging import CaffeLog
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store

from .same_names import matched

WeightsFormat = Literal["BINARYPROTO", "HDF5"]


def load_weights(
    path: str | os.PathLike[str],
    program: NetProgram,
    store: Store,
    log: CaffeLog | None = None,
    *,
    again: bool = False,
) -> list[str]:
    """Copy the parameters of layers with equal names from a file; see :meth:`WeightsFile.load`.

    Raises:
        RoasteryError: the file cannot be read, or a layer's blobs differ in number or shape.
    """
    return WeightsFile(path).load(program, store, log, again=again)


class WeightsFile:
    """A file of weights, read when it is first asked for something. It can be loaded once: its
    bytes go as they are used.

    Methods raise RoasteryError for a file that cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    @functools.cached_property
    def _hdf5(self) -> bool:
        return is_hdf5(self.path)

    @functools.cached_property
    def _content(self) -> tuple[list[LayerWeights], LentBytes | None]:
        return read_lent_weights(self.path)

    def layer_names(self) -> list[str]:
        """Of layers that have weights."""
        return [source.name for source in self._content[0] if source.blobs]

    def gives(self, program: NetProgram) -> set[str]:
        """The variables of a net that :meth:`load` writes."""
        found = ((source, target) for source, target in self._matched(program) if target)
        return {v for source, target in found for v in self._variables(source, target, program)}

    def load(
        self,
        program: NetProgram,
        store: Store,
        log: CaffeLog | None = None,
        *,
        again: bool = False,
    ) -> list[str]:
        """Copy the parameters of layers with equal names.

        The k-th layer of a name gets what the file holds of the k-th. Layers of the file that the
        net lacks are logged and passed over; layers of the net that the file lacks keep what they
        have. Nothing is changed if anything is wrong.

        Args:
            again: parameters may be read again, from the file, which stays open as long as the
                store is there: their memory can be given back where nobody reads it for long.

        Returns: layers that were passed over although they have weights.

        Raises RoasteryError where a layer's blobs differ in number or shape.
        """
        path, hdf5 = self.path, self._hdf5
        copies: list[tuple[Buffer, np.ndarray]] = []
        left: list[LayerWeights] = []
        given = set()
        for source, target in self._matched(program):
            if target is None:
                left.append(source)
                if log is not None:
                    log.ignoring_source_layer(source.name, hdf5=hdf5)
                continue
            given.add(target.key)
            copies += _copies(path, source, target, self._variables(source, target, program), store)
        if log is not None:
            _tell(path, program, log, given, copied=bool(copies))
        _, lent = self._content
        for buffer, values in copies:
            if lent is None:
                buffer.array[...] = values
            else:
                lent.move(values, buffer.array)
        if again and lent is not None:
            for buffer, values in copies:
                if (part := lent.part(values)) is not None:
                    buffer.know(part)
        del self._content
        return [source.name for source in left if source.blobs]

    def _matched(self, program: NetProgram) -> list[tuple[LayerWeights, LayerInfo | None]]:
        (sources, _), hdf5 = self._content, self._hdf5
        if hdf5:
            targets = _stored(program.layers)
            return matched(_renamed(sources, program.layers), targets, lambda layer: True)
        return matched(sources, program.layers, lambda layer: bool(layer.blobs))

    def _variables(
        self, source: LayerWeights, target: LayerInfo, program: NetProgram
    ) -> Sequence[str]:
        """Those that a layer's blobs are for."""
        if self._hdf5:  # HDF5 files hold a shared parameter once, with the layer that owns it
            owned = tuple(c for c in target.variables if program.owns(target, c))
            if len(source.blobs) == len(owned):
                return owned
        return target.variables


def _tell(
    path: str | os.PathLike[str],
    program: NetProgram,
    log: CaffeLog,
    given: Collection[str],
    *,
    copied: bool,
) -> None:
    """Warn where a file that looks like the net's own left parameters as they were."""
    learning = [layer for layer in program.layers if layer.variables]
    if learning and not copied:
        log.warning(
            f"no layer of '{os.fspath(path)}' has weights for a layer of this net: the names "
            "of all layers differ, and every parameter keeps its initial value"
        )
    names = {layer.name for layer in learning if layer.key in given}
    for name in names:
        twins = [layer for layer in learning if layer.name == name]
        count = sum(layer.key in given for layer in twins)
        if count < len(twins):
            log.warning(
                f"{len(twins)} layers of the net are called '{name}', and '{os.fspath(path)}' has "
                f"weights for {count}: the others keep what they have"
            )


def _renamed(sources: list[LayerWeights], layers: Sequence[LayerInfo]) -> list[LayerWeights]:
    """Layers of Caffe's HDF5 files under the names that they have in the net.

    Caffe writes a layer called ``b/`` into the group ``b``, and does not find it again.
    """
    known = {layer.name for layer in layers}
    stored = {source.name for source in sources}
    odd = {normal_path(name): name for name in known - stored if name != normal_path(name)}
    odd.pop(
        "", None
    )  # where `.` leads to, which Caffe cannot write; ours without a name are no `.`
    return [
        replace(source, name=odd[source.name])
        if source.name in odd and source.name not in known
        else source
        for source in sources
    ]


def _stored(layers: Sequence[LayerInfo]) -> list[LayerInfo]:
    """The layers that HDF5 files tell apart: of one name those with blobs, if one has any."""
    learning = {layer.name for layer in layers if layer.variables}
    return [layer for layer in layers if layer.variables or layer.name not in learning]


def _copies(
    path: str | os.PathLike[str],
    source: LayerWeights,
    target: LayerInfo,
    variables: Sequence[str],
    store: Store,
) -> list[tuple[Buffer, np.ndarray]]:
    if len(source.blobs) != len(variables):
        raise RoasteryError(
            f"layer '{source.name}' has {len(source.blobs)} blob(s) in '{os.fspath(path)}' and "
            f"{len(variables)} in the net",
            location=target.location,
            hint="is bias_term the same in both, and is it the layer of the same fork? To learn "
            "this layer from scratch, rename it",
        )
    copies = []
    for index, variable in enumerate(variables):
        buffer, values = store.data[variable], source.blobs[index]
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
    """Caffe's Blob::ShapeEquals: old files pad every shape to four axes with leading ones. Forks
    write 1 x C and 1 x C x 1 x 1 for the same parameters (BN), so that these fit each other."""
    if not legacy:
        rows = have[:1] == want[:1] == (1,)
        return have == want or (rows and _trimmed(have) == _trimmed(want))
    return len(want) <= 4 and (1,) * (4 - len(want)) + want == (1,) * (4 - len(have)) + have


def _trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without the ones that it ends with."""
    return _trimmed(shape[:-1]) if shape[-1:] == (1,) else shape


def save_weights(
    path: str | os.PathLike[str],
    net: Message,
    program: NetProgram,
    store: Store,
    format: WeightsFormat = "BINARYPROTO",
    *,
    diff: bool = False,
    reshaped: Mapping[str, Buffer] | None = None,
) -> None:
    """Write a net's parameters, in one step.

    Args:
        net: the net as ``program`` runs it; `BuiltNet.message`.
        format: a binary file describes the net and holds all blobs of every layer; an HDF5 file
            holds each parameter once, with the layer that owns it.
        diff: write the diffs too.
        reshaped: data to write in place of the store's, by variable, in whatever shape.
    """
    data = {**store.data, **(reshaped or {})}
    if format == "HDF5":
        write_weights_hdf5(
            path,
            _owned_arrays(program, data),
            _owned_arrays(program, store.diff) if diff else None,
        )
    else:
        write_weights(
            path,
            net,
            _arrays(program, data),
            _arrays(program, store.diff) if diff else None,
        )


def _arrays(
    program: NetProgram, buffers: Mapping[str, Buffer]
) -> list[tuple[str, list[np.ndarray]]]:
    return [(layer.name, [buffers[c].peek() for c in layer.variables]) for layer in program.layers]


def _owned_arrays(
    program: NetProgram, buffers: Mapping[str, Buffer]
) -> list[tuple[str, list[np.ndarray | None]]]:
    return [
        (
            layer.name,
            [buffers[c].peek() if program.owns(layer, c) else None for c in layer.variables],
        )
        for layer in program.layers
    ]
