"""Weights as safetensors: a length, a header of JSON, and the tensors one after the other.

Facts: the format's README in huggingface/safetensors. Read here, as who runs an artifact need not
have the package, and without a copy: arrays are views of the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .container import json_value

ALIGNED = 64
"""Bytes: tensors of a multiple of it begin at one, where the member does."""

_MOST_HEADER = 16 << 20
_DTYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16, "I64": np.int64,
    "I32": np.int32, "I16": np.int16, "I8": np.int8, "U64": np.uint64, "U32": np.uint32,
    "U16": np.uint16, "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items() if name != "BF16"}


def weights_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Inverse of :func:`mapped_weights`. First come those that fill whole multiples of
    :data:`ALIGNED`, so that these all begin at one."""

    def place(name: str) -> tuple[bool, int, str]:
        return arrays[name].nbytes % ALIGNED != 0, -arrays[name].itemsize, name

    header: dict[str, Any] = {}
    end = 0
    order = sorted(arrays, key=place)
    for name in order:
        array = arrays[name]
        offsets = [end, end := end + array.nbytes]
        dtype = _NAMES[array.dtype]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNED)
    return b"".join([len(text).to_bytes(8, "little"), text, *(arrays[n].tobytes() for n in order)])


def mapped_weights(data: memoryview) -> dict[str, np.ndarray]:
    """Arrays over these bytes, by name. Raises ValueError for anything but safetensors."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, _MOST_HEADER):
        raise ValueError(f"a header of {length} bytes in {len(data)}")
    header = json_value(bytes(data[8 : 8 + length]))
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    header.pop("__metadata__", None)
    tensors = data[8 + length :]
    found = {name: _tensor(name, entry, tensors) for name, entry in header.items()}
    spans = sorted(tuple(entry["data_offsets"]) for entry in header.values())
    _check_whole(spans, len(tensors))
    return found


def _tensor(name: str, entry: Any, data: memoryview) -> np.ndarray:
    """One that lies where it says. Raises ValueError."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name!a:.60} is described by {entry!r:.80}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    dtype = np.dtype(_DTYPES[entry["dtype"]]) if entry["dtype"] in _DTYPES else None
    if dtype is None or not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise ValueError(f"{name!a:.60} is described by {entry!r:.80}")
    begin, end = offsets
    count = math.prod(shape)
    if len(shape) > 32 or not begin <= end <= len(data) or count * dtype.itemsize != end - begin:
        raise ValueError(
            f"{name!a:.60} of shape {shape!r:.60} does not fit its {end - begin} bytes"
        )
    return np.frombuffer(data[begin:end], dtype).reshape(shape)


def _naturals(data: Any) -> bool:
    return isinstance(data, list) and all(type(n) is int and 0 <= n < 1 << 62 for n in data)


def _check_whole(spans: Sequence[tuple[int, int]], nbytes: int) -> None:
    """Raise ValueError unless tensors lie one after the other, and nothing beside them."""
    at = 0
    for begin, end in spans:
        if begin != at:
            raise ValueError(f"byte {min(at, begin)} belongs to no tensor, or to two")
        at = end
    if at != nbytes:
        raise ValueError(f"{nbytes - at} bytes behind the tensors")
