"""Philox 4x32-10, the counter-based generator behind every random number.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). The same
function, bit for bit, is what Triton's ``tl.philox`` computes, so a seed gives the
same dropout mask on every executor, and backward recomputes the mask of forward.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_KEY_A = 0x9E3779B9
_KEY_B = 0xBB67AE85
_ROUND_A = 0xD2511F53
_ROUND_B = 0xCD9E8D57
_LOW = 0xFFFFFFFF


def philox(seed: Any, c0: Any, c1: Any, c2: Any, c3: Any = 0) -> np.ndarray:
    """First 32-bit word for every counter (c0, c1, c2, c3) under a 32-bit seed.

    Arguments broadcast; each is taken modulo 2**32. Returns uint32.
    """
    words = np.broadcast_arrays(
        *(np.asarray(c).astype(np.int64).astype(np.uint32) for c in (c0, c1, c2, c3))
    )
    x0, x1, x2, x3 = (w.copy() for w in words)
    k0 = np.asarray(seed).astype(np.int64).astype(np.uint32)
    k1 = np.zeros_like(k0)
    with np.errstate(over="ignore"):
        for _ in range(10):
            product_b = x2.astype(np.uint64) * np.uint64(_ROUND_B)
            product_a = x0.astype(np.uint64) * np.uint64(_ROUND_A)
            x0 = (product_b >> np.uint64(32)).astype(np.uint32) ^ x1 ^ k0
            x2 = (product_a >> np.uint64(32)).astype(np.uint32) ^ x3 ^ k1
            x1 = (product_b & np.uint64(_LOW)).astype(np.uint32)
            x3 = (product_a & np.uint64(_LOW)).astype(np.uint32)
            k0 = k0 + np.uint32(_KEY_A)
            k1 = k1 + np.uint32(_KEY_B)
    return x0


def philox_word(seed: int, c0: int, c1: int, c2: int, c3: int = 0) -> int:
    """`philox` of one counter, in Python's numbers: numpy takes ten times as long for one."""
    x0, x1, x2, x3 = (int(c) & _LOW for c in (c0, c1, c2, c3))
    k0, k1 = seed & _LOW, 0
    for _ in range(10):
        product_b, product_a = x2 * _ROUND_B, x0 * _ROUND_A
        x0, x1 = (product_b >> 32) ^ x1 ^ k0, product_b & _LOW
        x2, x3 = (product_a >> 32) ^ x3 ^ k1, product_a & _LOW
        k0, k1 = (k0 + _KEY_A) & _LOW, (k1 + _KEY_B) & _LOW
    return x0


def uniform(words: np.ndarray) -> np.ndarray:
    """uint32 words to float32 in [0, 1), as ``tl.uint_to_uniform_float`` maps them."""
    signed = words.astype(np.uint32).view(np.int32)
    folded = np.where(signed < 0, -signed - 1, signed)
    return folded.astype(np.float32) * np.float32(4.6566127342e-10)
