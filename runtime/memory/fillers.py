"""How variables start: Caffe's seven fillers, and arrays that a layer brings along.

Caffe: include/caffe/filler.hpp. The numbers come from numpy's generators, so they differ
from Caffe's for one seed; their distributions do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ir.errors import RoasteryError
from ir.program import FillerSpec

_Filler = Callable[[FillerSpec, tuple[int, ...], np.random.Generator], np.ndarray]


def fill(spec: FillerSpec, shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """A float32 array of ``shape``.

    Raises RoasteryError where the filler cannot fill that shape (bilinear needs four axes and
    square windows) or its numbers make no sense (a negative deviation).
    """
    shape = tuple(shape)
    filler = _FILLERS.get(spec.kind)
    if filler is None:
        raise RoasteryError(f"unknown filler {spec.kind!r}", location=spec.location)
    if spec.sparse != -1 and spec.kind != "gaussian":
        raise RoasteryError(
            f"`sparse` is for gaussian fillers, this one is {spec.kind!r}", location=spec.location
        )
    if math.prod(shape) == 0:
        return np.zeros(shape, np.float32)
    return filler(spec, shape, rng).astype(np.float32, copy=False)


def _constant(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return np.full(shape, spec.value, np.float32)


def _array(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if spec.array is None or spec.array.size != math.prod(shape):
        have = None if spec.array is None else list(spec.array.shape)
        raise RoasteryError(f"{have} does not fill {list(shape)}", location=spec.location)
    return np.array(spec.array, np.float32).reshape(shape)


def _uniform(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if spec.min > spec.max:
        raise RoasteryError(
            f"a uniform filler from {spec.min:g} to {spec.max:g}",
            location=spec.location,
            hint="`min` must not be above `max`",
        )
    return _between(rng, spec.min, spec.max, shape)


def _gaussian(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if spec.std < 0.0:
        raise RoasteryError(f"a gaussian filler with std {spec.std:g}", location=spec.location)
    values = _normal(rng, spec.mean, spec.std, shape)
    if spec.sparse == -1:
        return values
    outputs = shape[0] if shape else 1
    if not 0 <= spec.sparse <= outputs:
        raise RoasteryError(
            f"sparse: {spec.sparse} inputs per output, and shape {list(shape)} has {outputs} "
            "outputs",
            location=spec.location,
            hint=f"give a number from 0 to {outputs}",
        )
    # Each weight stays with probability sparse / outputs.
    return values * (rng.random(shape) < spec.sparse / outputs)


def _positive_unitball(
    spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    values = rng.random(shape, np.float32)
    inner = tuple(range(1, len(shape)))
    return values / values.sum(axis=inner, keepdims=True) if shape else np.ones((), np.float32)


def _xavier(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    scale = math.sqrt(3.0 / _fan(spec, shape))
    return _between(rng, -scale, scale, shape)


def _msra(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return _normal(rng, 0.0, math.sqrt(2.0 / _fan(spec, shape)), shape)


def _bilinear(spec: FillerSpec, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if len(shape) != 4 or shape[2] != shape[3]:
        raise RoasteryError(
            f"a bilinear filler fills blobs with four axes and square windows, not {list(shape)}",
            location=spec.location,
            hint="it is meant for the kernels of a Deconvolution that enlarges images",
        )
    extent = shape[3]
    factor = math.ceil(extent / 2.0)
    center = (extent - 1) / (2.0 * factor)
    tent = 1.0 - np.abs(np.arange(extent) / factor - center)
    return np.ascontiguousarray(np.broadcast_to(np.outer(tent, tent), shape))


def _fan(spec: FillerSpec, shape: tuple[int, ...]) -> float:
    """What the variance is normalized by: count / shape[0], count / shape[1] or their mean."""
    count = math.prod(shape)
    fan_in = count // shape[0] if shape else count
    fan_out = count // shape[1] if len(shape) > 1 else count
    if spec.variance_norm == "FAN_OUT":
        return fan_out
    return (fan_in + fan_out) / 2.0 if spec.variance_norm == "AVERAGE" else fan_in


def _between(
    rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]
) -> np.ndarray:
    return rng.random(shape, np.float32) * np.float32(high - low) + np.float32(low)


def _normal(
    rng: np.random.Generator, mean: float, std: float, shape: tuple[int, ...]
) -> np.ndarray:
    return rng.standard_normal(shape, np.float32) * np.float32(std) + np.float32(mean)


_FILLERS: dict[str, _Filler] = {
    "array": _array,
    "bilinear": _bilinear,
    "constant": _constant,
    "gaussian": _gaussian,
    "msra": _msra,
    "positive_unitball": _positive_unitball,
    "uniform": _uniform,
    "xavier": _xavier,
}
