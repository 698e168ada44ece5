"""How the coordinates of one top of a NetSpec lie in another's.

A map (axis, scale, shift) says: what is at coordinate i of the input is at ``scale * i + shift``
of the output, on the axes after ``axis``. Caffe: python/caffe/coord_map.py, whose conventions
are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from frontends.lowering.known_layers import layer_types
from frontends.lowering.layer_type import Coordinates
from ir.errors import RoasteryError

from .net_spec import Function, Top, layers

_LEGACY = ("pad_h", "pad_w", "kernel_h", "kernel_w", "stride_h", "stride_w")

CoordMap = tuple[int | None, Any, Any]
IDENTITY: CoordMap = (None, 1, 0)


class UndefinedMapException(RoasteryError):
    """A layer's coordinates have no such map."""


class AxisMismatchException(RoasteryError):
    """Two maps are about different axes."""


class UnconnectedError(RoasteryError, RuntimeError):
    """No map leads from one top to the other; pycaffe raises a RuntimeError."""


class CropError(RoasteryError, AssertionError):
    """A top cannot be cropped to another; pycaffe raises an AssertionError."""


def conv_params(fn: Function) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """(axis, stride, kernel size with its dilation, pad) of a convolution or pooling."""
    given = {**fn.params, **fn.params.get("convolution_param", {})}
    given.update(fn.params.get("pooling_param", {}))
    legacy = [name for name in _LEGACY if name in given]
    if legacy:
        raise RoasteryError(
            f"a crop cannot be computed through a {fn.type_name} layer with {legacy[0]}",
            hint="give kernel_size, stride and pad instead",
        )
    if "kernel_size" not in given:
        raise UndefinedMapException(f"a {fn.type_name} layer without kernel_size")
    kernel = np.array(given["kernel_size"], ndmin=1)
    dilation = np.array(given.get("dilation", 1), ndmin=1)
    stride = np.array(given.get("stride", 1), ndmin=1)
    pad = np.array(given.get("pad", 0), ndmin=1)
    return given.get("axis", 1), stride, (kernel - 1) * dilation + 1, pad


def crop_params(fn: Function) -> tuple[int, np.ndarray]:
    """(axis, offset) of a Crop layer."""
    given = {**fn.params, **fn.params.get("crop_param", {})}
    return given.get("axis", 2), np.array(given.get("offset", 0), ndmin=1)


def _coordinates(fn: Function) -> Coordinates:
    kind = layer_types().get(fn.type_name)
    return kind.coordinates if kind is not None else ""


def coord_map(fn: Function) -> CoordMap:
    """The map of one layer. Raises UndefinedMapException for one that has none."""
    match _coordinates(fn):
        case "windows":
            axis, stride, kernel, pad = conv_params(fn)
            return axis, 1 / stride, (pad - (kernel - 1) / 2) / stride
        case "spread":
            axis, stride, kernel, pad = conv_params(fn)
            return axis, stride, (kernel - 1) / 2 - pad
        case "kept":
            return IDENTITY
        case "cut":
            axis, offset = crop_params(fn)
            return axis - 1, 1, -offset  # the axis before the first cropped one
    raise UndefinedMapException(f"a {fn.type_name} layer does not map coordinates")


def compose(base: CoordMap, following: CoordMap) -> CoordMap:
    """First ``base``, then ``following``."""
    axis, scale, shift = base
    other, other_scale, other_shift = following
    if axis is None:
        axis = other
    elif other is not None and other != axis:
        raise AxisMismatchException(f"maps of axis {axis} and of axis {other}")
    return axis, scale * other_scale, scale * other_shift + shift


def inverse(given: CoordMap) -> CoordMap:
    """The map in the other direction."""
    axis, scale, shift = given
    return axis, 1 / scale, -shift / scale


def _walked(top: Top) -> tuple[Top, ...]:
    """The bottoms whose coordinates a top follows; a Crop's second one only gives a size."""
    return top.fn.inputs[:1] if _coordinates(top.fn) == "cut" else top.fn.inputs


def _maps_back(start: Top) -> dict[Top, CoordMap]:
    """Every top that can be reached against the flow, nearest first, with the map to it."""
    maps: dict[Top, CoordMap] = {start: IDENTITY}
    frontier = [start]
    while frontier:
        top = frontier.pop(0)
        try:
            step = coord_map(top.fn)
        except UndefinedMapException:
            continue
        for bottom in _walked(top):
            if bottom not in maps:
                maps[bottom] = compose(maps[top], step)
                frontier.append(bottom)
    return maps


def coord_map_from_to(top_from: Top, top_to: Top) -> CoordMap:
    """The map from one top to another, through a top that both come from.

    Raises UnconnectedError where no layers with coordinates connect them.
    """
    sources = _maps_back(top_from)
    for top, found in _maps_back(top_to).items():
        if top in sources:
            return compose(found, inverse(sources[top]))
    raise UnconnectedError(
        f"the {top_from.fn.type_name} and the {top_to.fn.type_name} top are not connected by "
        "layers that map coordinates",
        hint="both must come from one top, through convolutions, poolings and the like",
    )


def crop(top_from: Top, top_to: Top) -> Any:
    """A Crop layer that cuts ``top_from`` to where ``top_to`` lies in it.

    Raises CropError where scales differ or the offset is negative or not whole.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    if not np.all(np.asarray(scale) == 1):
        raise CropError(f"cannot crop: the tops have different scales (a = {scale})")
    if not np.all(np.asarray(shift) <= 0):
        raise CropError(f"cannot crop by a negative offset (b = {shift})")
    if not np.all(np.round(shift) == shift):
        raise CropError(f"cannot crop by part of a pixel (b = {shift})")
    offset = [-int(b) for b in np.atleast_1d(np.round(shift))]
    # An identity has no axis; the spatial ones begin after the channels.
    first = (1 if axis is None else axis) + 1
    return layers.Crop(top_from, top_to, crop_param={"axis": first, "offset": offset})
