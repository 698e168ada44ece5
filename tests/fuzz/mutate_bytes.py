"""Changes that know nothing of a format."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

Mutator = Callable[[bytes, Random], bytes]

_NUMBERS = (
    0, 1, 2, 7, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 10**9, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1,
)  # fmt: skip


def _place(data: bytes, rng: Random) -> int:
    """Anywhere, but half the time near the beginning or the end, where headers are."""
    size = len(data)
    if size < 2:
        return 0
    near = min(size, 64)
    return rng.choice((rng.randrange(size), rng.randrange(near), size - 1 - rng.randrange(near)))


def _span(data: bytes, rng: Random) -> tuple[int, int]:
    begin = _place(data, rng)
    return begin, min(len(data), begin + rng.choice((1, 2, 4, 8, 16, 64, 512, 4096)))


def flip(data: bytes, rng: Random) -> bytes:
    """One bit."""
    at = _place(data, rng)
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :] if data else b"\1"


def cut(data: bytes, rng: Random) -> bytes:
    """The end is missing."""
    return data[: _place(data, rng)]


def byte(data: bytes, rng: Random) -> bytes:
    """Another byte."""
    at = _place(data, rng)
    return data[:at] + bytes([rng.choice((0, 255, 127, 128, rng.randrange(256)))]) + data[at + 1 :]


def number(data: bytes, rng: Random) -> bytes:
    """A number that readers stumble over, of any width and order."""
    at = _place(data, rng)
    width = rng.choice("BHIQ")
    value = rng.choice(_NUMBERS) & (1 << 8 * struct.calcsize("=" + width)) - 1
    packed = struct.pack(rng.choice("<>") + width, value)
    return data[:at] + packed + data[at + len(packed) :]


def remove(data: bytes, rng: Random) -> bytes:
    """A piece is missing."""
    begin, end = _span(data, rng)
    return data[:begin] + data[end:]


def double(data: bytes, rng: Random) -> bytes:
    """A piece is there twice, or very often."""
    begin, end = _span(data, rng)
    return data[:end] + data[begin:end] * rng.choice((1, 1, 3, 100, 3000)) + data[end:]


def insert(data: bytes, rng: Random) -> bytes:
    """Something new in between."""
    at = _place(data, rng)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 16, 100))) + data[at:]


def blank(data: bytes, rng: Random) -> bytes:
    """A piece of zeros, or of ones: what a disk leaves of a page it lost."""
    begin, end = _span(data, rng)
    return data[:begin] + rng.choice((b"\0", b"\xff")) * (end - begin) + data[end:]


def swap(data: bytes, rng: Random) -> bytes:
    """Two pieces change places."""
    (a, b), (c, d) = sorted((_span(data, rng), _span(data, rng)))
    if b > c:
        return flip(data, rng)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


#: One damage each, as disks and networks do them: no reader of a sealed format may miss it.
DAMAGES: tuple[Mutator, ...] = (flip, cut, blank)
MUTATORS: tuple[Mutator, ...] = (flip, cut, byte, number, remove, double, insert, blank, swap)
