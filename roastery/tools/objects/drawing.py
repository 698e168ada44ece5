"""Boxes with names, drawn over a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.data.image_codec import import_cv2

from .found import PictureObject

_FAR = 1 << 20
"""No picture is so wide: boxes that end farther away end here."""


def with_boxes(picture: np.ndarray, objects: Iterable[tuple[PictureObject, str]]) -> np.ndarray:
    """A picture with boxes and what is said of them, the best on top.

    Args:
        picture: (height, width, 3), uint8, BGR; it stays as it is.
        objects: the best first.
    """
    cv2 = import_cv2()
    shown = np.ascontiguousarray(picture).copy()
    line = max(1, round(min(shown.shape[:2]) / 250))
    size = max(0.35, min(shown.shape[:2]) / 1000)
    for found, text in reversed(list(objects)):
        color = _color(found.label)
        x1, y1, x2, y2 = (_pixel(edge) for edge in found.box)
        cv2.rectangle(shown, (x1, y1), (x2, y2), color, line)
        _write(cv2, shown, text, (x1, y1), color, size)
    return shown


def _write(
    cv2: Any, shown: np.ndarray, text: str, at: tuple[int, int], color: Any, size: float
) -> None:
    """A text on its box's upper edge, inside the picture."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    plain = text.encode("ascii", "replace").decode("ascii")  # the font has no other letters
    (width, height), base = cv2.getTextSize(plain, font, size, 1)
    x = min(max(at[0], 0), max(shown.shape[1] - width, 0))
    y = min(max(at[1], height + base), max(shown.shape[0], height + base))
    cv2.rectangle(shown, (x, y - height - base), (x + width, y), color, cv2.FILLED)
    black = (0, 0, 0) if sum(color) > 380 else (255, 255, 255)
    cv2.putText(shown, plain, (x, y - base // 2), font, size, black, 1, cv2.LINE_AA)


def _color(label: int) -> tuple[int, int, int]:
    """Bright, and another one for each of the classes near it; BGR."""
    place = (label * 0.618033988749895) % 1.0 * 6.0
    rising = round(255 * (place % 1.0))
    ring = [
        (255, rising, 0), (255 - rising, 255, 0), (0, 255, rising),
        (0, 255 - rising, 255), (rising, 0, 255), (255, 0, 255 - rising),
    ]  # fmt: skip
    return ring[int(place) % 6]


def _pixel(edge: float) -> int:
    return round(min(max(edge, -_FAR), _FAR)) if edge == edge else 0
