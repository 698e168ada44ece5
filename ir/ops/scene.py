"""What DetectNet changes at random in pictures of scenes, and in the boxes in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import RoasteryError
from ..pictures import recolored, resize_cubic, rotated

DRAWS = 12
"""Random numbers that a picture takes."""

SETTINGS = 13
_MOST_PIXELS = 1 << 28
_HUE, _HUE_BY, _DESATURATE, _DESATURATE_BY, _FLIP, _SCALE, _SCALE_BY = range(7)
_TURN, _TURN_BY, _CROP, _CROP_X, _CROP_Y = range(7, 12)


@dataclass(frozen=True)
class Augmentation:
    """How likely what is, and how far it goes. NVIDIA/caffe: DetectNetAugmentationParameter."""

    crop_prob: float
    shift_x: float
    shift_y: float
    scale_prob: float
    scale_min: float
    scale_max: float
    flip_prob: float
    rotation_prob: float
    max_rotate_degree: float
    hue_rotation_prob: float
    hue_rotation: float
    desaturation_prob: float
    desaturation_max: float


@dataclass(frozen=True)
class SceneChanges:
    """What is done to one picture: hue, saturation, mirror, size, rotation, crop, in this order.

    Attributes:
        hue: degrees. saturation: a factor. size: height and width. turn: degrees, clockwise.
        corner: row and column where the crop begins; it may reach beyond the picture.
    """

    size: tuple[int, int]
    hue: float = 0.0
    saturation: float = 1.0
    flip: bool = False
    turn: float = 0.0
    corner: tuple[int, int] = (0, 0)

    def picture(
        self, picture: np.ndarray, mean: np.ndarray | None, size: tuple[int, int]
    ) -> np.ndarray:
        """A (3, height, width) picture with values from 0 to 255, changed, less its mean.

        Args:
            mean: of the picture or of its channels, from 0 to 1.
            size: of the crop.
        """
        epsilon = np.finfo(np.float32).eps
        changed = picture / picture.dtype.type(255)
        if abs(self.hue) > epsilon or self.saturation < 1.0 - 1.0 / 255:
            changed = recolored(changed, self.hue, self.saturation)
        if mean is not None:
            changed = changed - mean.astype(picture.dtype)
        if self.flip:
            changed = changed[:, :, ::-1]
        if changed.shape[1:] != self.size:
            changed = resize_cubic(changed, *self.size)
        if abs(self.turn) > epsilon:
            changed = rotated(
                changed, turning(self.size, self.turn), *turned_size(self.size, self.turn)
            )
        result = np.zeros((3, *size), picture.dtype)
        (y, x), (height, width) = self.corner, changed.shape[1:]
        top, left = max(y, 0), max(x, 0)
        bottom, right = min(y + size[0], height), min(x + size[1], width)
        if top < bottom and left < right:
            result[:, top - y : bottom - y, left - x : right - x] = changed[
                :, top:bottom, left:right
            ] * picture.dtype.type(255)
        return result

    def boxes(self, boxes: np.ndarray, height: int, width: int) -> np.ndarray:
        """Rows x, y, width, height in a (height, width) picture, as they lie in the changed one."""
        real = boxes.dtype.type
        moved = boxes.copy()
        if self.flip:
            moved[:, 0] = width - moved[:, 0] - moved[:, 2] - 1
        if self.size != (height, width):
            down, right = real(self.size[0]) / real(height), real(self.size[1]) / real(width)
            moved *= np.array([right, down, right, down], boxes.dtype)
        if abs(self.turn) > np.finfo(np.float32).eps:
            matrix = turning(self.size, self.turn).astype(boxes.dtype)
            half = moved[:, 2:] * real(0.5)
            center = moved[:, :2] + half
            moved[:, :2] = center @ matrix[:, :2].T + matrix[:, 2] - half
        moved[:, :2] -= np.array([self.corner[1], self.corner[0]], boxes.dtype)
        return moved


def drawn_changes(
    settings: Augmentation, draws: np.ndarray, have: tuple[int, int], want: tuple[int, int]
) -> SceneChanges:
    """SceneChanges of a picture that is (height, width) ``have``, to be cropped to ``want``.

    Args:
        draws: random numbers, at least 0 and less than 1.
    """
    draw = [float(number) for number in draws]
    s, hue, saturation, size, turn = settings, 0.0, 1.0, have, 0.0
    if draw[_HUE] < s.hue_rotation_prob:
        hue = max(-180.0, min(180.0, (draw[_HUE_BY] - 0.5) * 2 * s.hue_rotation))
    if draw[_DESATURATE] < s.desaturation_prob:
        saturation = 1.0 - draw[_DESATURATE_BY] * s.desaturation_max
    if draw[_SCALE] < s.scale_prob:
        scale = s.scale_min + (s.scale_max - s.scale_min) * draw[_SCALE_BY]
        size = (_rounded(have[0] * scale), _rounded(have[1] * scale))
    if draw[_TURN] < s.rotation_prob:
        turn = (draw[_TURN_BY] - 0.5) * 2 * s.max_rotate_degree
    if min(size) < 1 or size[0] * size[1] > _MOST_PIXELS:
        raise RoasteryError(
            f"a picture of {have[0]} x {have[1]} pixels would be scaled to {size[0]} x {size[1]}",
            hint=f"scale_min and scale_max give 1 to {_MOST_PIXELS} pixels",
        )
    before = turned_size(size, turn) if abs(turn) > np.finfo(np.float32).eps else size
    places, shifts = [0.5, 0.5], [0, 0]
    if draw[_CROP] < s.crop_prob:
        places, shifts = [draw[_CROP_Y], draw[_CROP_X]], [int(s.shift_y), int(s.shift_x)]
    y, x = (
        _rounded(place * (extent - wanted + shift) - shift // 2)
        for place, extent, wanted, shift in zip(places, before, want, shifts, strict=True)
    )
    flip = draw[_FLIP] < s.flip_prob
    return SceneChanges(size, hue, saturation, flip, turn, (y, x))


def turned_size(size: tuple[int, int], degrees: float) -> tuple[int, int]:
    """Height and width of the pixels that a (height, width) picture covers when it is turned."""
    low, high = _bounds((size[0] // 2, size[1] // 2), size, degrees)
    return high[0] - low[0] + 1, high[1] - low[1] + 1


def turning(size: tuple[int, int], degrees: float) -> np.ndarray:
    """(2, 3): where (x, y, 1) of a picture comes to lie when it is turned about its middle, and
    moved until no pixel has a negative place."""
    height, width = size
    center = np.array([width / 2, height / 2])
    low, _ = _bounds((height / 2, width / 2), size, degrees)
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    move = center - [low[1], low[0]] - turn @ center
    return np.concatenate([turn, move[:, np.newaxis]], axis=1)


def _bounds(
    center: Sequence[float], size: tuple[int, int], degrees: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first and last row and column of a rectangle that is turned about its centre."""
    angle = math.radians(degrees)
    half_cos = np.float32(math.cos(angle)) * np.float32(0.5)
    half_sin = np.float32(math.sin(angle)) * np.float32(0.5)
    height, width = np.float32(size[0]), np.float32(size[1])
    y = np.float32(center[0]), half_cos * height, half_sin * width
    x = np.float32(center[1]), half_sin * height, half_cos * width
    rows, columns = (
        [c + one + two, c + one - two, c - one + two, c - one - two] for c, one, two in (y, x)
    )
    low = math.floor(min(rows)), math.floor(min(columns))
    return low, (math.ceil(max(rows)), math.ceil(max(columns)))


def _rounded(value: float) -> int:
    """To the nearest whole number, halves away from 0."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
