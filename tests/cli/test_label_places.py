"""Texts of boxes make way for each other."""

from __future__ import annotations

import numpy as np
import pytest

from roastery.tools.objects.places import LabelPlaces


def test_above_the_box_while_nothing_is_there() -> None:
    places = LabelPlaces(100, 100)
    assert places.take((20, 50, 80, 90), 10, 30) == (20, 40)
    assert places.take((20, 80, 80, 90), 10, 30) == (20, 70)


def test_texts_make_way() -> None:
    """For the same box many times: above, inside, at its lower edge, below; then elsewhere."""
    places = LabelPlaces(128, 128)
    found = [places.take((20, 50, 90, 90), 10, 60) for _ in range(10)]
    assert [y for _, y in found[:4]] == [40, 51, 80, 91]
    for i, (x, y) in enumerate(found):
        assert 0 <= x <= 68 and 0 <= y <= 118
        for other_x, other_y in found[:i]:
            assert abs(y - other_y) >= 10 or abs(x - other_x) >= 60


@pytest.mark.parametrize("box", [(-500, -500, 500, 500), (90, 0, 99, 1), (150, 150, 160, 160)])
def test_inside_the_picture(box: tuple[int, int, int, int]) -> None:
    places = LabelPlaces(100, 100)
    for _ in range(30):
        x, y = places.take(box, 12, 40)
        assert 0 <= x <= 60 and 0 <= y <= 88


def test_a_picture_that_is_smaller_than_a_text() -> None:
    assert LabelPlaces(5, 8).take((0, 0, 4, 4), 10, 30) == (0, 0)


def test_labels_of_a_small_picture_can_all_be_seen() -> None:
    """Eight boxes near each other, in 128 pixels: of each label its ground is seen whole."""
    pytest.importorskip("cv2")
    from roastery.tools.objects.drawing import with_boxes
    from roastery.tools.objects.found import PictureObject

    picture = np.zeros((128, 128, 3), np.uint8)
    many = [
        (PictureObject(n, 1 - n / 10, (30.0 + n, 40.0 + n, 60.0 + n, 70.0 + n)), f"person 0.{n}")
        for n in range(8)
    ]
    together = with_boxes(picture, many)
    for each in many:
        alone = with_boxes(picture, [each])
        color = alone[int(each[0].box[3]), int(each[0].box[0])]
        grounds = [(image == color).all(2).sum() for image in (alone, together)]
        assert grounds[1] > 0.7 * grounds[0]
