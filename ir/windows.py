"""Sliding windows over numpy arrays, without a Python loop over batch or positions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np


def pad_to(
    x: np.ndarray, low: Sequence[int], high: Sequence[int], value: float = 0.0
) -> np.ndarray:
    """Extend every axis by ``low`` and ``high`` (not negative); no copy when nothing is added."""
    if not any(low) and not any(high):
        return x
    shape = tuple(d + a + c for d, a, c in zip(x.shape, low, high, strict=True))
    out = np.full(shape, value, x.dtype)
    out[tuple(slice(a, a + d) for a, d in zip(low, x.shape, strict=True))] = x
    return out


def windows(
    x: np.ndarray,
    out: Sequence[int],
    window: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """View of shape (lead..., window..., out...) over the last ``len(window)`` axes of ``x``.

    ``x`` must already be padded so that every window lies inside.
    """
    lead = x.ndim - len(window)
    steps = x.strides[lead:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:lead], *window, *out),
        (
            *x.strides[:lead],
            *(s * d for s, d in zip(steps, dilation, strict=True)),
            *(s * t for s, t in zip(steps, stride, strict=True)),
        ),
        writeable=False,
    )


def im2col(
    x: np.ndarray,
    window: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """(N, C, spatial...) -> (N, C, window..., out...), a copy; windows by Caffe's floor rule."""
    low = (0, 0, *pad)
    padded = pad_to(x, low, low)
    out = [
        (d - (t * (k - 1) + 1)) // s + 1
        for d, k, s, t in zip(padded.shape[2:], window, stride, dilation, strict=True)
    ]
    return np.ascontiguousarray(windows(padded, out, window, stride, dilation))


def col2im(
    cols: np.ndarray,
    spatial: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """Adjoint of :func:`im2col`: (N, C, window..., out...) -> (N, C, spatial...), added up."""
    rank = len(spatial)
    window, out = cols.shape[2 : 2 + rank], cols.shape[2 + rank :]
    full = [d + 2 * p for d, p in zip(spatial, pad, strict=True)]
    total = np.zeros((*cols.shape[:2], *full), cols.dtype)
    # One pass per tap of the window; each is a strided add over batch, channels and positions.
    for tap in itertools.product(*map(range, window)):
        target: tuple[Any, ...] = tuple(
            slice(t * d, t * d + (o - 1) * s + 1, s)
            for t, d, o, s in zip(tap, dilation, out, stride, strict=True)
        )
        part: tuple[Any, ...] = (slice(None), slice(None), *tap)
        total[(..., *target)] += cols[part]
    inside: tuple[Any, ...] = tuple(slice(p, p + d) for p, d in zip(pad, spatial, strict=True))
    return np.ascontiguousarray(total[(..., *inside)])
