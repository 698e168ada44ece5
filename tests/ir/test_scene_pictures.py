"""Pictures in numpy against OpenCV's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ir.ops.scene import Augmentation, SceneChanges, drawn_changes, turned_size, turning
from ir.pictures import recolored, resize_cubic, rotated


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((3, height, width), np.float32)


def rows(of: np.ndarray) -> np.ndarray:
    """As OpenCV has it."""
    return np.ascontiguousarray(of.transpose(1, 2, 0))


@pytest.mark.parametrize("size", [(13, 17), (9, 30), (40, 5), (1, 1), (26, 34)])
def test_cubic_resizing(size: tuple[int, int]) -> None:
    x = picture(13, 17)
    wanted = cv2.resize(rows(x), size[::-1], interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(rows(resize_cubic(x, *size)), wanted, atol=2e-6)


@pytest.mark.parametrize(
    ("turn", "saturation"), [(0.0, 0.3), (30.0, 1.0), (-170.0, 0.8), (180.0, 0.0)]
)
def test_hues(turn: float, saturation: float) -> None:
    x = picture(20, 20)
    x[:, :4] = 0.5  # grey
    x[0, 4:8] = x[1, 4:8]
    x[2, 8:12] = x[1, 8:12]
    hsv = cv2.cvtColor(rows(x), cv2.COLOR_BGR2HSV)
    hsv[..., 0] = np.mod(hsv[..., 0] + np.float32(turn), 360)  # OpenCV's vectors take no others
    hsv[..., 1] *= np.float32(saturation)
    wanted = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    np.testing.assert_allclose(rows(recolored(x, turn, saturation)), wanted, atol=2e-5)


@pytest.mark.parametrize("degrees", [5.0, -30.0, 90.0, 133.0])
def test_turning(degrees: float) -> None:
    """Where a smooth picture is turned to, and how large that is."""
    y, x = np.mgrid[:41, :60].astype(np.float32)
    smooth = np.stack([x / 60, y / 41, (x + y) / 101])
    size = turned_size((41, 60), degrees)
    bounds = cv2.RotatedRect((30, 20), (60, 41), degrees).boundingRect()
    assert size == (bounds[3], bounds[2])
    matrix = turning((41, 60), degrees)
    wanted = cv2.warpAffine(
        rows(smooth), matrix, size[::-1], flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0)
    )
    found = rows(rotated(smooth, matrix, *size))
    there = found.any(axis=2)
    # OpenCV takes places in steps of 1/32 of a pixel.
    assert there.sum() > 0.9 * 41 * 60
    np.testing.assert_allclose(found[there], wanted[there], atol=2e-3)
    corners = np.array([[0, 0, 1], [60, 0, 1], [0, 41, 1], [60, 41, 1]]) @ matrix.T
    assert corners.min() >= -1e-4 and corners.min() < 1
    assert (corners.max(axis=0) <= [size[1], size[0]]).all()


ALL = Augmentation(1, 6, 4, 1, 0.5, 1.5, 1, 1, 20, 1, 30, 1, 0.5)
NONE = Augmentation(0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0)


def test_without_any_chance_the_middle_is_cropped() -> None:
    changes = drawn_changes(NONE, np.zeros(12, np.float32), (41, 60), (21, 30))
    assert changes == SceneChanges((41, 60), corner=(10, 15))
    x = picture(41, 60) * 255
    np.testing.assert_allclose(changes.picture(x, None, (21, 30)), x[:, 10:31, 15:45], rtol=1e-6)


def test_small_pictures_lie_in_the_middle_of_nothing() -> None:
    changes = drawn_changes(NONE, np.zeros(12, np.float32), (4, 6), (8, 8))
    assert changes.corner == (-2, -1)
    found = changes.picture(np.full((3, 4, 6), 100, np.float32), np.array([[[0.1]]]), (8, 8))
    inside = np.zeros((8, 8), bool)
    inside[2:6, 1:7] = True
    np.testing.assert_allclose(found, np.where(inside, 100 - 25.5, 0)[np.newaxis].repeat(3, 0))


def test_draws_reach_their_bounds() -> None:
    low = drawn_changes(ALL, np.zeros(12), (40, 60), (20, 30))
    assert (low.size, low.flip, low.corner[1] < 0) == ((20, 30), True, True)
    assert (low.hue, low.saturation, low.turn) == (-30, 1, -20)
    high = drawn_changes(ALL, np.full(12, 1 - 1e-9), (40, 60), (20, 30))
    assert (high.size, high.flip) == ((60, 90), True)
    assert high.hue == pytest.approx(30) and high.turn == pytest.approx(20)
    assert high.saturation == pytest.approx(0.5)
    whole = turned_size((60, 90), high.turn)
    assert high.corner == (whole[0] - 20 + 4 - 2, whole[1] - 30 + 6 - 3)


def test_boxes_go_with_what_is_in_them() -> None:
    """A bright spot stays in the middle of its box, whatever is done to the picture."""
    rng = np.random.default_rng(2)
    for _ in range(40):
        draws = rng.random(12)
        changes = drawn_changes(ALL, draws, (80, 120), (60, 90))
        y, x = rng.integers(10, 70), rng.integers(10, 110)
        spot = np.zeros((3, 80, 120), np.float32)
        spot[:, y - 2 : y + 3, x - 2 : x + 3] = 200
        box = np.array([[x - 2, y - 2, 5, 5]], np.float32)
        found = changes.picture(spot, None, (60, 90))[0]
        ((left, top, wide, high),) = changes.boxes(box, 80, 120)
        center = left + wide / 2, top + high / 2
        if not (6 < center[0] < 84 and 6 < center[1] < 54):
            continue
        light = np.maximum(found, 0)
        rows_at, columns_at = np.mgrid[:60, :90] + 0.5
        assert (light * columns_at).sum() / light.sum() == pytest.approx(center[0], abs=1.6)
        assert (light * rows_at).sum() / light.sum() == pytest.approx(center[1], abs=0.8)
