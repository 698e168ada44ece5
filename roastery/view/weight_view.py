"""Weights in a page: histograms of all of them, and the filters of the first layers as pictures."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ir.program import LayerInfo, NetProgram
from runtime.memory.store import Store

from ..weights.parameters import WeightsFile

_BINS = 64
_MOST_FILTERS = 256
_MOST_SIDE = 32
_COLOURS = 3


def weight_view(
    path: str | os.PathLike[str], program: NetProgram, layers: Sequence[LayerInfo]
) -> tuple[list[list[dict[str, Any]]], list[str]]:
    """Of each layer, what its blobs hold; and the layers of the file that the net has not.

    Raises RoasteryError for a file that cannot be read, or does not fit.
    """
    stored = WeightsFile(path)
    gives = stored.gives(program)
    store = Store(program.variables, 0, given=gives)
    left = stored.load(program, store)
    firsts = _first_layers(program, layers)
    found = []
    for layer in layers:
        blobs = []
        for name in layer.variables:
            if program.variables[name].index < 0:
                continue
            if name not in gives:
                blobs.append({"shape": list(program.variables[name].type.shape), "missing": True})
                continue
            array = store.data[name].array
            blob = _told(array)
            if layer.key in firsts and not blobs and (filters := _filters(array)) is not None:
                blob["filters"] = filters
            blobs.append(blob)
        found.append(blobs)
    return found, left


def _told(array: np.ndarray) -> dict[str, Any]:
    """A histogram, and a few numbers. What is not finite is counted by itself."""
    values = np.asarray(array, np.float32).ravel()
    finite = values[np.isfinite(values)]
    told: dict[str, Any] = {
        "shape": list(array.shape),
        "count": int(values.size),
        "odd": int(values.size - finite.size),
        "zeros": int(np.count_nonzero(values == 0)),
    }
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        told |= {
            "min": low,
            "max": high,
            "mean": float(finite.mean(dtype=np.float64)),
            "std": float(finite.std(dtype=np.float64)),
            "bins": _counts(finite, low, high),
        }
    return told


def _counts(values: np.ndarray, low: float, high: float) -> list[int]:
    if not high > low:
        return [int(values.size)]
    scale = _BINS / (high - low)
    if not np.isfinite(scale):  # numbers so small that their bins have no width
        return [int(values.size)]
    places = ((values.astype(np.float64) - low) * scale).astype(np.int64)
    return np.bincount(places.clip(0, _BINS - 1), minlength=_BINS).tolist()


def _first_layers(program: NetProgram, layers: Sequence[LayerInfo]) -> set[str]:
    """The layers with filters that no other such layer comes before."""
    behind: set[str] = set()
    firsts = set()
    for layer in layers:
        windows = [
            program.variables[name].type.rank == 4 and program.variables[name].type.shape[-1] > 1
            for name in layer.variables[:1]
        ]
        after = any(bottom in behind for bottom in layer.bottoms)
        if any(windows) and not after and layer.bottoms:
            firsts.add(layer.key)
        if after or any(windows):
            behind |= set(layer.tops)
    return firsts


def _filters(array: np.ndarray) -> dict[str, Any] | None:
    """Weights (outputs, channels, height, width) as bytes of pixels, each filter by itself from
    its smallest to its largest number: coloured where there are three channels, which Caffe's nets
    have as blue, green, red; else the first channel."""
    if array.ndim != 4 or not array.size or max(array.shape[2:]) > _MOST_SIDE:
        return None
    filters = np.asarray(array[:_MOST_FILTERS], np.float32)
    filters = filters[:, ::-1] if filters.shape[1] == _COLOURS else filters[:, :1]
    filters = np.where(np.isfinite(filters), filters, 0)
    low = filters.min(axis=(1, 2, 3), keepdims=True)
    span = filters.max(axis=(1, 2, 3), keepdims=True).astype(np.float64) - low
    shown = ((filters - low) / np.where(span > 0, span, 1) * 255).astype(np.uint8)
    pixels = shown.transpose(0, 2, 3, 1)  # a filter's pixels, row by row
    return {
        "count": pixels.shape[0],
        "of": int(array.shape[0]),
        "height": pixels.shape[1],
        "width": pixels.shape[2],
        "channels": pixels.shape[3],
        "pixels": base64.b64encode(pixels.tobytes()).decode(),
    }
