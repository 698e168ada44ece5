"""Random changes of colours: distort_param. weiliu89/caffe: im_transforms.cpp, ApplyDistort."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir.philox import uniform

from ..draws import DISTORT, Draws
from ..image_codec import ImageError, channel_count, import_cv2
from .settings import DistortConfig

_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE, _ORDER = range(0, 10, 2)
"""Lanes of the draws: whether, and how much. The order of the steps is on lane 10."""

_LEVELS = np.arange(256, dtype=np.float32)


def distort_mistake(distort: DistortConfig) -> tuple[str, str] | None:
    """Bounds that nothing can be drawn between, and what would be right."""
    for name in ("brightness", "hue"):
        delta = getattr(distort, f"{name}_delta")
        if getattr(distort, f"{name}_prob") > 0 and not delta >= 0:
            return f"{name}_delta is {delta:g}", "0 or more"
    for name in ("contrast", "saturation"):
        low, high = getattr(distort, f"{name}_lower"), getattr(distort, f"{name}_upper")
        if getattr(distort, f"{name}_prob") > 0 and not 0 <= low <= high:
            return (
                f"{name}_lower is {low:g} and {name}_upper {high:g}",
                f"0 <= {name}_lower <= {name}_upper",
            )
    return None


def distort_colours(
    pixels: np.ndarray, distort: DistortConfig, draws: Draws, number: int
) -> np.ndarray:
    """The 8-bit picture with this number in other colours.

    Raises ImageError for a picture that is not in colour, unless only brightness and contrast
    are to change.
    """
    cv2 = import_cv2()
    drawn = uniform(draws.lanes(DISTORT, number, 16))
    channels = channel_count(pixels)
    if channels != 3:
        for name in ("saturation_prob", "hue_prob", "random_order_prob"):
            if getattr(distort, name) > 0:
                raise ImageError(f"it has {channels} channels, and {name} needs 3")
    d = distort
    pixels = _brighter(cv2, pixels, drawn, d.brightness_prob, d.brightness_delta)
    late = drawn[10] <= 0.5
    if not late:
        pixels = _contrasted(cv2, pixels, drawn, d)
    pixels = _saturated(cv2, pixels, drawn, d)
    pixels = _turned(cv2, pixels, drawn, d.hue_prob, d.hue_delta)
    if late:
        pixels = _contrasted(cv2, pixels, drawn, d)
    if drawn[_ORDER] < d.random_order_prob:
        pixels = np.ascontiguousarray(pixels[..., np.argsort(drawn[11:14], kind="stable")])
    return pixels


def _amount(drawn: np.ndarray, lane: int, low: float, high: float) -> np.float32:
    wide = np.float32(high) - np.float32(low)
    return np.float32(np.float32(low) + drawn[lane + 1] * wide)


def _table(factor: np.float32, added: np.float32) -> np.ndarray:
    """factor * value + added for the 256 values, rounded to 8 bits."""
    with np.errstate(all="ignore"):
        table = np.clip(np.rint(_LEVELS * factor + added), 0, 255)
    return np.nan_to_num(table).astype(np.uint8)


def _brighter(
    cv2: Any, pixels: np.ndarray, drawn: np.ndarray, prob: float, delta: float
) -> np.ndarray:
    if not drawn[_BRIGHTNESS] < prob:
        return pixels
    table = _table(np.float32(1), _amount(drawn, _BRIGHTNESS, -delta, delta))
    return _looked_up(cv2, pixels, table)


def _contrasted(cv2: Any, pixels: np.ndarray, drawn: np.ndarray, d: DistortConfig) -> np.ndarray:
    if not drawn[_CONTRAST] < d.contrast_prob:
        return pixels
    factor = _amount(drawn, _CONTRAST, d.contrast_lower, d.contrast_upper)
    if not abs(factor - 1) > 1e-3:
        return pixels
    return _looked_up(cv2, pixels, _table(factor, np.float32(0)))


def _saturated(cv2: Any, pixels: np.ndarray, drawn: np.ndarray, d: DistortConfig) -> np.ndarray:
    if not drawn[_SATURATION] < d.saturation_prob:
        return pixels
    factor = _amount(drawn, _SATURATION, d.saturation_lower, d.saturation_upper)
    return _in_hsv(cv2, pixels, 1, factor, np.float32(0))


def _turned(
    cv2: Any, pixels: np.ndarray, drawn: np.ndarray, prob: float, delta: float
) -> np.ndarray:
    if not drawn[_HUE] < prob:
        return pixels
    turn = _amount(drawn, _HUE, -delta, delta)
    return _in_hsv(cv2, pixels, 0, np.float32(1), turn) if turn else pixels


def _in_hsv(
    cv2: Any, pixels: np.ndarray, channel: int, factor: np.float32, added: np.float32
) -> np.ndarray:
    tables = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 3, axis=1)
    tables[:, channel] = _table(factor, added)
    hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    changed: np.ndarray = cv2.cvtColor(_looked_up(cv2, hsv, tables), cv2.COLOR_HSV2BGR)
    return changed


def _looked_up(cv2: Any, pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """What a table has for every value; it has a column for each channel, or one for all."""
    found: np.ndarray = cv2.LUT(pixels, table[np.newaxis])
    return found
