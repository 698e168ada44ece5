"""Random choices of data sources: a function of the seed and the record's number.

Nothing is drawn from a running generator, so the choices do not depend on how many
threads decode, and a resumed run makes the same ones from the record number alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from ir.philox import philox, philox_word

MIRROR, CROP_ROW, CROP_COLUMN, SHUFFLE, SKIP, WINDOW, FILL, SHUFFLE_FILES, RESCALE = range(1, 10)
DISTORT, EXPAND, SAMPLE, SAMPLE_PICK, INTERPOLATION, SALT_PEPPER = range(10, 16)
SHORT_SIDE, CROP_SCALE, SEGMENT, SIZE, JITTER, PLACE, SELECT = range(16, 23)
"""Streams: each kind of choice has its own, so that adding one leaves the others alone."""


class Draws:
    """Random 32-bit words of one source.

    Args:
        seed: the net's; sources of one net share it.
        name: the layer's key, so that two layers of a net choose differently.
    """

    def __init__(self, seed: int, name: str = "") -> None:
        self.seed = (seed ^ zlib.crc32(name.encode("utf-8", "surrogateescape"))) & 0xFFFFFFFF

    def words(self, stream: int, numbers: Sequence[int]) -> np.ndarray:
        """uint32 words for the records with these numbers."""
        index = np.fromiter(numbers, np.int64, len(numbers))
        return philox(self.seed, index, index >> 32, stream)

    def word(self, stream: int, index: int, lane: int = 0) -> int:
        """One word; ``lane`` tells apart several words of the same index."""
        return philox_word(self.seed, index, index >> 32, stream, lane)

    def lanes(self, stream: int, index: int, count: int, first: int = 0) -> np.ndarray:
        """``count`` uint32 words of one index, from lane ``first`` on."""
        lanes = np.arange(first, first + count, dtype=np.int64)
        return philox(self.seed, index, index >> 32, stream, lanes)

    def permutation(self, stream: int, epoch: int, size: int, lane: int = 0) -> np.ndarray:
        """An order of ``size`` things for an epoch: int64 indices."""
        index = np.arange(size, dtype=np.int64)
        keys = philox(self.seed, index, epoch, stream, lane)
        return np.argsort(keys, kind="stable")
