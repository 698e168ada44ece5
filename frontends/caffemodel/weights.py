"""Weights of a net: `.caffemodel` files, protobuf or HDF5, read and written.

A binary file is read through names, types and blobs of its layers alone; whatever else a
layer says is skipped. Caffe: Net::ToProto and CopyTrainedLayersFrom in src/caffe/net.cpp.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from frontends.dialect import asked_dialect, dialect_pb2, dialects, recognised
from frontends.prototxt.message import Message
from frontends.prototxt.note import Note
from frontends.prototxt.protobuf import from_protobuf, to_protobuf
from frontends.schema.caffe_legacy import V1_LAYER_TYPES
from frontends.schema.registry import message_type
from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.atomic_file import atomic_write
from roastery.files.lent_bytes import LentBytes
from roastery.wire.blob_proto import decode_blob, encode_blob
from roastery.wire.encoding import BYTES, VARINT
from roastery.wire.reader import DamagedMessage, Field, WireReader, prefixed

from .content import is_hdf5, read_binary
from .hdf5 import read_weights_hdf5
from .layer_weights import ByLayer, LayerWeights, T, pairs

_NET_LAYER, _NET_LAYERS_V1 = 100, 2
#: Field numbers of name, type and blobs in the three layer messages.
_V2 = {1: "name", 2: "type", 7: "blobs"}
_V1 = {4: "name", 5: "type", 6: "blobs", 1: "v0"}
_V0 = {1: "name", 2: "type", 50: "blobs"}
_LAYER_BLOBS = 7


def read_weights(path: str | os.PathLike[str]) -> list[LayerWeights]:
    """The layers of a weights file, in file order (HDF5: in order of their names).

    Raises:
        RoasteryError: the file is missing, empty, truncated, damaged or of another kind.
    """
    if is_hdf5(path):
        return read_weights_hdf5(path)
    return _read_binary(path, lambda layer_field, reader: None)


def read_lent_weights(
    path: str | os.PathLike[str],
) -> tuple[list[LayerWeights], LentBytes | None]:
    """As :func:`read_weights`, with arrays that may be views, read-only and not aligned, of the
    file's bytes; None where they are none."""
    if is_hdf5(path):
        return read_weights_hdf5(path), None
    lent = read_binary(path, "weights")
    return _layers(path, lent, lambda layer_field, reader: None, lent=True), lent


def read_net_and_weights(path: str | os.PathLike[str]) -> tuple[Message, list[LayerWeights]]:
    """The net that a binary weights file describes, without blobs, and the weights.

    Old layers stay as they are (``upgrade_net`` upgrades them). The fields are those of the
    dialect that was asked for, else of the fork that the file shows; what it does not know is
    left out. A note says which fork that is.

    Raises:
        RoasteryError: as ``read_weights``; HDF5 files describe no net.
    """
    name = os.fspath(path)
    if is_hdf5(path):
        raise RoasteryError(f"{name} is an HDF5 file; it holds weights but no net")
    pieces: list[bytes] = []

    def keep(net_field: Field, reader: WireReader) -> None:
        pieces.append(_without_blobs(net_field, reader))

    weights = _read_binary(path, keep)
    asked = asked_dialect()
    dialect = asked or recognised(pieces)
    net = dialect_pb2(dialect).NetParameter()
    try:
        net.MergeFromString(b"".join(pieces))
    except Exception as error:  # DecodeError; its base differs between implementations
        raise RoasteryError(
            f"{name}: {dialect.title}'s schema cannot read its net: {error}",
            hint=f"--dialect takes {', '.join(dialects())}",
        ) from None
    message = from_protobuf(net, Location(name))
    if asked is None and dialect.name != "bvlc":
        text = f"the numbers of its fields are those of {dialect.title}; --dialect says otherwise"
        message.notes.append(Note(text, Location(name)))
    return message, weights


def _read_binary(
    path: str | os.PathLike[str], each: Callable[[Field, WireReader], None]
) -> list[LayerWeights]:
    return _layers(path, read_binary(path, "weights"), each, lent=False)


def _layers(
    path: str | os.PathLike[str],
    content: LentBytes,
    each: Callable[[Field, WireReader], None],
    *,
    lent: bool,
) -> list[LayerWeights]:
    name = os.fspath(path)
    reader = WireReader(content.data)
    layers: list[LayerWeights] = []
    plausible = False
    starts_with_integer = False
    try:
        for net_field in reader.fields():
            if starts_with_integer:
                raise _other_kind(name, net_field)
            if net_field.number == 1 and net_field.wire_type == VARINT:
                starts_with_integer = True
                continue
            if net_field.wire_type == BYTES:
                if net_field.number == _NET_LAYER:
                    layers.append(_read_layer(reader, net_field, _V2, lent))
                elif net_field.number == _NET_LAYERS_V1:
                    layers.append(_read_layer(reader, net_field, _V1, lent))
            plausible = True
            each(net_field, reader)
    except DamagedMessage as error:
        if error.truncated and (plausible or layers):
            raise RoasteryError(
                f"{name} is truncated: near byte {error.position}, {error}",
                hint="the copy or download was cut short; fetch it again",
            ) from None
        raise RoasteryError(
            f"{name} is not a weights file: near byte {error.position}, {error}"
        ) from None
    if not layers:
        raise RoasteryError(f"{name} is not a weights file: it holds no layers")
    return layers


def _other_kind(name: str, second: Field) -> RoasteryError:
    """The error for a file whose first field is an integer, by its second field."""
    if second.number == 2 and second.wire_type == VARINT:
        return RoasteryError(f"{name} is a mean file (binaryproto), not weights")
    return RoasteryError(
        f"{name} is a solver state, not weights",
        hint="resume from it with --snapshot; its weights are in the .caffemodel file",
    )


def _read_layer(
    reader: WireReader, net_field: Field, names: dict[int, str], lent: bool
) -> LayerWeights:
    result = LayerWeights("")
    for item in reader.inside(net_field):
        meaning = names.get(item.number)
        if meaning == "blobs" and item.wire_type == BYTES:
            result.append(decode_blob(reader, item, lent=lent))
        elif meaning == "v0" and item.wire_type == BYTES:
            old = _read_layer(reader, item, _V0, lent)
            result.name, result.type = old.name or result.name, old.type or result.type
            result.blobs += old.blobs
            result.legacy += old.legacy
            result.diffs += old.diffs
        elif meaning == "name" and not isinstance(item.value, int):
            result.name = bytes(item.value).decode("utf-8", "surrogateescape")
        elif meaning == "type":
            result.type = _type_name(item.value)
    return result


def _type_name(value: int | memoryview) -> str:
    if not isinstance(value, int):
        return bytes(value).decode("utf-8", "surrogateescape")
    v1_types = message_type("V1LayerParameter").enums["LayerType"]
    return V1_LAYER_TYPES.get(v1_types.name_of(value) or "", "")


def _without_blobs(net_field: Field, reader: WireReader) -> bytes:
    """The bytes of a field of a net; of a layer without its blobs."""
    if net_field.number not in (_NET_LAYER, _NET_LAYERS_V1) or net_field.wire_type != BYTES:
        return bytes(net_field.raw)
    inner = b"".join(_layer_without_blobs(reader, net_field))
    return prefixed(net_field.number, len(inner)) + inner


def _layer_without_blobs(reader: WireReader, layer: Field) -> Iterator[bytes]:
    names = _V2 if layer.number == _NET_LAYER else _V1
    for item in reader.inside(layer):
        meaning = names.get(item.number)
        if meaning == "v0" and item.wire_type == BYTES:
            old = b"".join(
                bytes(inner.raw)
                for inner in reader.inside(item)
                if _V0.get(inner.number) != "blobs"
            )
            yield prefixed(item.number, len(old)) + old
        elif meaning != "blobs":
            yield bytes(item.raw)


def write_weights(
    path: str | os.PathLike[str],
    net: Message,
    blobs: ByLayer[Sequence[np.ndarray]],
    diffs: ByLayer[Sequence[np.ndarray]] | None = None,
    *,
    legacy: ByLayer[Sequence[bool]] | None = None,
) -> None:
    """Write a binary `.caffemodel`, in one step: a kill leaves the old file or the new.

    Args:
        path: the file.
        net: the net in the current format. Its name and its layers are written in full.
        blobs: the arrays of each layer, by its name; of several pairs with one name the k-th is
            for the k-th layer of the name.
        diffs: arrays to store as diffs, in the same way.
        legacy: blobs to write with num, channels, height and width, as old files have them.

    Raises:
        RoasteryError: the file cannot be written.
    """
    head = Message("NetParameter")
    head.copy_field(net, "name")
    arrays, stored, old = _numbered(blobs), _numbered(diffs or {}), _numbered(legacy or {})
    with atomic_write(path) as file:
        file.write(to_protobuf(head).SerializeToString())
        for layer, key in zip(net.layer, _numbers(m.name for m in net.layer), strict=True):
            pieces = _layer_pieces(
                layer, arrays.get(key, ()), stored.get(key, ()), old.get(key, ())
            )
            file.write(prefixed(_NET_LAYER, sum(map(len, pieces))))
            for piece in pieces:
                file.write(piece)


def _numbered(items: ByLayer[T]) -> dict[tuple[str, int], T]:
    """By name and number among the layers of this name."""
    found = pairs(items)
    keys = _numbers(name for name, _ in found)
    return {key: value for key, (_, value) in zip(keys, found, strict=True)}


def _numbers(names: Iterable[str]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _layer_pieces(
    layer: Message,
    blobs: Sequence[np.ndarray],
    diffs: Sequence[np.ndarray],
    legacy: Sequence[bool],
) -> list[bytes | memoryview]:
    """A LayerParameter's bytes, its fields in the order of their numbers."""
    before = to_protobuf(layer)
    before.ClearField("blobs")
    after = type(before)()
    after.CopyFrom(before)
    for descriptor, _ in before.ListFields():
        (before if descriptor.number > _LAYER_BLOBS else after).ClearField(descriptor.name)
    pieces: list[bytes | memoryview] = [before.SerializePartialToString()]
    for index, data in enumerate(blobs):
        blob = encode_blob(
            data,
            diffs[index] if index < len(diffs) else None,
            legacy=index < len(legacy) and legacy[index],
        )
        pieces.append(prefixed(_LAYER_BLOBS, sum(map(len, blob))))
        pieces += blob
    pieces.append(after.SerializePartialToString())
    return pieces
