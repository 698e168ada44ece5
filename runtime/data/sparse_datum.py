"""SparseDatum, the record of a row that is mostly 0: bytes to numpy and back.

Fields (jolibrain/caffe: src/caffe/proto/caffe.proto): size 1, nnz 2, indices 3 (packed), label 4,
data 5 (packed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roastery.wire.encoding import (
    BYTES,
    FIXED32,
    VARINT,
    WireError,
    bytes_field,
    float_field,
    packed_array,
    packed_varints,
    signed32,
    varint,
    varint_field,
)
from roastery.wire.reader import WireReader


@dataclass(slots=True)
class SparseDatum:
    """A row of ``size`` elements, of which those at ``indices`` are ``data`` and all others 0.

    What stands at one index several times is added up.
    """

    size: int
    indices: np.ndarray
    data: np.ndarray
    label: float = 0.0

    def add_to(self, row: np.ndarray) -> None:
        """Add the elements to a row. Raises WireError where it has too few."""
        outside = self.indices[(self.indices < 0) | (self.indices >= len(row))]
        if outside.size:
            raise WireError(f"index {outside[0]} is not in a row of {len(row)}")
        np.add.at(row, self.indices, self.data)


def parse_sparse(record: bytes | memoryview) -> SparseDatum:
    """Read a record. Raises WireError, also where it has fewer elements than it says."""
    size = count = 0
    label = 0.0
    indices: list[int] = []
    data: list[np.ndarray] = []
    for field in WireReader(record).fields():
        value = field.value
        if isinstance(value, int):
            if field.wire_type != VARINT:
                continue
            if field.number == 1:
                size = signed32(value)
            elif field.number == 2:
                count = signed32(value)
            elif field.number == 3:
                indices.append(signed32(value))
        elif field.number == 3 and field.wire_type == BYTES:
            indices += map(signed32, packed_varints(value))
        elif field.number == 4 and field.wire_type == FIXED32:
            label = float(packed_array(value, "<f4")[-1])
        elif field.number == 5 and field.wire_type in (BYTES, FIXED32):
            data.append(packed_array(value, "<f4"))
    values = np.concatenate(data) if data else np.zeros(0, np.float32)
    if size < 1:
        raise WireError(f"it says that it has {size} elements")
    if not 0 <= count <= min(len(indices), values.size):
        raise WireError(
            f"it says that {count} elements are not 0, and has {values.size} of them at "
            f"{len(indices)} places"
        )
    return SparseDatum(size, np.array(indices[:count], np.int64), values[:count], label)


def serialize_sparse(record: SparseDatum) -> bytes:
    """The bytes that protobuf writes for a record of the fork."""
    return b"".join(
        (
            varint_field(1, record.size),
            varint_field(2, len(record.data)),
            bytes_field(3, b"".join(varint(int(i)) for i in record.indices)),
            float_field(4, record.label),
            bytes_field(5, np.asarray(record.data, "<f4").tobytes()),
        )
    )
