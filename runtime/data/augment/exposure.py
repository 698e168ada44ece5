"""Random hue, saturation and exposure of pictures from 0 to 1: caffe_yolo.

foss-for-synopsys-dwc-arc-processors/synopsys-caffe: src/caffe/util/yolo_preprocess.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ir.philox import uniform

from ..draws import PLACE, Draws
from .settings import DistortConfig

_FIRST_LANE = 8
_RED, _GREEN, _BLUE = range(3)
_ROWS = 32


@dataclass(frozen=True, slots=True)
class Colouring:
    """How colours change: ``turn`` of the hue in parts of the circle, and two factors."""

    turn: np.float32
    saturation: np.float32
    exposure: np.float32


def exposure_mistake(distort: DistortConfig) -> str | None:
    """Bounds that nothing can be drawn between."""
    if not 0 <= distort.hue_prob <= 1:
        return f"hue_prob is {distort.hue_prob:g}; caffe_yolo turns hues by 0 to 1 of the circle"
    for name in ("saturation", "exposure"):
        low, high = getattr(distort, f"{name}_lower"), getattr(distort, f"{name}_upper")
        if not (0 < low < np.inf and 0 < high < np.inf):
            return (
                f"{name}_lower is {low:g} and {name}_upper {high:g}; caffe_yolo multiplies and "
                "divides by what is between them: both above 0"
            )
    return None


def drawn_colouring(distort: DistortConfig, draws: Draws, number: int) -> Colouring:
    """The change for the picture with this number; ``hue_prob`` is the most that hues turn."""
    drawn = uniform(draws.lanes(PLACE, number, 5, first=_FIRST_LANE))
    return Colouring(
        _within(-distort.hue_prob, distort.hue_prob, drawn[0]),
        _factor(distort.saturation_lower, distort.saturation_upper, drawn[1], drawn[2]),
        _factor(distort.exposure_lower, distort.exposure_upper, drawn[3], drawn[4]),
    )


def _within(low: float, high: float, drawn: np.float32) -> np.float32:
    low, high = sorted((low, high))
    return np.float32(np.float32(low) + drawn * (np.float32(high) - np.float32(low)))


def _factor(low: float, high: float, drawn: np.float32, coin: np.float32) -> np.float32:
    factor = _within(low, high, drawn)
    return factor if coin < 0.5 else np.float32(1) / factor


def coloured(picture: np.ndarray, colouring: Colouring) -> np.ndarray:
    """A (3, height, width) picture of red, green and blue in other colours, from 0 to 1."""
    out = np.empty(picture.shape, np.float32)
    for begin in range(0, picture.shape[1], _ROWS):  # so much stays in the cache
        rows = slice(begin, begin + _ROWS)
        out[:, rows] = _coloured_rows(picture[:, rows], colouring)
    return out


def _coloured_rows(picture: np.ndarray, colouring: Colouring) -> np.ndarray:
    hue, saturation, value = _to_hsv(picture)
    hue = hue + colouring.turn
    hue = np.where(hue > 1, hue - np.float32(1), hue)
    hue = np.where(hue < 0, hue + np.float32(1), hue)
    found = _to_rgb(hue, saturation * colouring.saturation, value * colouring.exposure)
    return np.clip(found, np.float32(0), np.float32(1))


def _to_hsv(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    red, green, blue = picture[_RED], picture[_GREEN], picture[_BLUE]
    most, least = picture.max(axis=0), picture.min(axis=0)
    delta = most - least
    safe = np.where(delta > 0, delta, np.float32(1))
    hue = np.where(
        red == most,
        (green - blue) / safe,
        np.where(
            green == most,
            np.float32(2) + (blue - red) / safe,
            np.float32(4) + (red - green) / safe,
        ),
    )
    hue = np.where(hue < 0, hue + np.float32(6), hue) / np.float32(6)
    grey = delta == 0
    saturation = np.where(grey, np.float32(0), delta / np.where(most > 0, most, np.float32(1)))
    return np.where(grey, np.float32(0), hue), saturation, most


def _to_rgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    sixth = np.float32(6) * hue
    index = np.floor(sixth).astype(np.int64)
    part = sixth - index.astype(np.float32)
    one = np.float32(1)
    p = value * (one - saturation)
    q = value * (one - saturation * part)
    t = value * (one - saturation * (one - part))
    index = np.where((index < 0) | (index > 4), 5, index)
    red = np.choose(index, [value, q, p, p, t, value])
    green = np.choose(index, [t, value, value, q, p, p])
    blue = np.choose(index, [p, p, t, value, value, q])
    colours = np.stack([red, green, blue])
    return np.where(saturation == 0, value, colours).astype(np.float32)
