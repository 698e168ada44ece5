"""The file of weights: a header of 64 bytes, then memory as kernels read it, mapped as it is.

The header is ``roastery``, then three numbers of 64 bits, lowest byte first: the identity of the
source that reads it, the bytes that follow, their checksum.
"""

from __future__ import annotations

import struct

import numpy as np

from .places import CPlaces

HEADER = 64
_PIECE = 1 << 17  # words


def weights_file(places: CPlaces, identity: int) -> bytes:
    """Of a net."""
    memory = np.zeros(places.nbytes, np.uint8)
    for start, array in places.weights:
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        memory[start : start + flat.size] = flat
    numbers = struct.pack("<8s3Q", b"roastery", identity, memory.size, checksum(memory))
    return numbers.ljust(HEADER, b"\0") + memory.tobytes()


def checksum(memory: np.ndarray) -> int:
    """Of whole words of 8 bytes: the sum of all, each multiplied by an odd number of its place."""
    words = memory.view("<u8").astype(np.uint64, copy=False)
    total = 0
    for start in range(0, words.size, _PIECE):
        piece = words[start : start + _PIECE]
        odd = np.arange(start, start + piece.size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        total += int(((piece ^ (piece >> np.uint64(29))) * odd).sum(dtype=np.uint64))
    return total % (1 << 64)
