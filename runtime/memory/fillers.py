"""How variables start: Caffe's fillers, Gabor filters, and arrays that a layer brings along.

Caffe: include/caffe/filler.hpp. The numbers come from numpy's generators, so they differ
from Caffe's for one seed; their distributions do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ir.errors import RoasteryError
from ir.program import FillerSpec

from .gabor import gabor_filters, known_banks

_Filler = Callable[[FillerSpec, np.ndarray, np.random.Generator], None]


def fill(spec: FillerSpec, shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """A float32 array of ``shape``; see :func:`fill_array`."""
    array = np.empty(tuple(shape), np.float32)
    fill_array(spec, array, rng)
    return array


def fill_array(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    """Fill a float32 array whose elements lie one after the other, without another of its size
    for those fillers that large arrays have.

    Raises RoasteryError where the filler cannot fill that shape (bilinear needs four axes and
    square windows) or its numbers make no sense (a negative deviation).
    """
    filler = _FILLERS.get(spec.kind)
    if filler is None:
        raise RoasteryError(f"unknown filler {spec.kind!r}", location=spec.location)
    if spec.sparse != -1 and spec.kind != "gaussian":
        raise RoasteryError(
            f"`sparse` is for gaussian fillers, this one is {spec.kind!r}", location=spec.location
        )
    if array.size:
        filler(spec, array, rng)


def _constant(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    array[...] = spec.value


def _array(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    if spec.array is None or spec.array.size != array.size:
        have = None if spec.array is None else list(spec.array.shape)
        raise RoasteryError(f"{have} does not fill {list(array.shape)}", location=spec.location)
    array[...] = spec.array.reshape(array.shape)


def _parts(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    counts = [math.prod(shape) for shape, _ in spec.parts]
    if sum(counts) != array.size:
        raise RoasteryError(
            f"parts of {sum(counts)} elements do not fill {list(array.shape)}",
            location=spec.location,
        )
    pieces = np.split(array.reshape(-1), np.cumsum(counts)[:-1])
    for piece, (shape, part) in zip(pieces, spec.parts, strict=True):
        fill_array(part, piece.reshape(shape), rng)


def _uniform(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    if spec.min > spec.max:
        raise RoasteryError(
            f"a uniform filler from {spec.min:g} to {spec.max:g}",
            location=spec.location,
            hint="`min` must not be above `max`",
        )
    _between(rng, spec.min, spec.max, array)


def _gaussian(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    if spec.std < 0.0:
        raise RoasteryError(f"a gaussian filler with std {spec.std:g}", location=spec.location)
    outputs = len(array) if array.ndim else 1
    if spec.sparse != -1 and not 0 <= spec.sparse <= outputs:
        raise RoasteryError(
            f"sparse: {spec.sparse} inputs per output, and shape {list(array.shape)} has {outputs} "
            "outputs",
            location=spec.location,
            hint=f"give a number from 0 to {outputs}",
        )
    _normal(rng, spec.mean, spec.std, array)
    if spec.sparse != -1:  # each weight stays with probability sparse / outputs
        array *= rng.random(array.shape) < spec.sparse / outputs


def _positive_unitball(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    if not array.ndim:
        array[...] = 1.0
        return
    rng.random(dtype=np.float32, out=array)
    array /= array.sum(axis=tuple(range(1, array.ndim)), keepdims=True)


def _xavier(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    scale = math.sqrt(3.0 / _fan(spec, array.shape))
    _between(rng, -scale, scale, array)


def _msra(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    _normal(rng, 0.0, math.sqrt(2.0 / _fan(spec, array.shape)), array)


def _bilinear(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    shape = array.shape
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
    array[...] = np.outer(tent, tent)


def _gabor(spec: FillerSpec, array: np.ndarray, rng: np.random.Generator) -> None:
    shape = array.shape
    whole = len(shape) == 4 and shape[1] == 3 and shape[2] == shape[3]
    filters = gabor_filters(shape[0], shape[3]) if whole else None
    if filters is None:
        known = ", ".join(f"{n} x 3 x {size} x {size}" for n, size in known_banks())
        raise RoasteryError(
            f"there are no Gabor filters of {list(shape)}",
            location=spec.location,
            hint=f"there are filters of {known}",
        )
    array[...] = filters


def _fan(spec: FillerSpec, shape: tuple[int, ...]) -> float:
    """What the variance is normalized by: count / shape[0], count / shape[1] or their mean."""
    count = math.prod(shape)
    fan_in = count // shape[0] if shape else count
    fan_out = count // shape[1] if len(shape) > 1 else count
    if spec.variance_norm == "FAN_OUT":
        return fan_out
    return (fan_in + fan_out) / 2.0 if spec.variance_norm == "AVERAGE" else fan_in


def _between(rng: np.random.Generator, low: float, high: float, array: np.ndarray) -> None:
    rng.random(dtype=np.float32, out=array)
    array *= np.float32(high - low)
    array += np.float32(low)


def _normal(rng: np.random.Generator, mean: float, std: float, array: np.ndarray) -> None:
    rng.standard_normal(dtype=np.float32, out=array)
    array *= np.float32(std)
    array += np.float32(mean)


def surely_fills(spec: FillerSpec) -> bool:
    """Whether a filler refuses no shape and none of its numbers: it needs not run where what it
    makes is replaced before anybody sees it."""
    if spec.kind == "parts":
        return all(surely_fills(part) for _, part in spec.parts)
    if spec.kind == "gaussian":
        return spec.std >= 0.0 and spec.sparse == -1
    return spec.sparse == -1 and spec.kind in ("constant", "msra", "xavier")


_FILLERS: dict[str, _Filler] = {
    "array": _array,
    "bilinear": _bilinear,
    "constant": _constant,
    "gabor": _gabor,
    "gaussian": _gaussian,
    "msra": _msra,
    "parts": _parts,
    "positive_unitball": _positive_unitball,
    "uniform": _uniform,
    "xavier": _xavier,
}
