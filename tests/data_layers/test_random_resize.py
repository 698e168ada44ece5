"""Pictures of random sizes, as Intel's and NVIDIA's Caffe make them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from runtime.data.augment.aspect_ratio import RandomAspectRatioConfig, drawn_part
from runtime.data.augment.random_resize import drawn_resizing
from runtime.data.augment.settings import ResizeConfig
from runtime.data.augment.short_side import RandomResizeConfig
from runtime.data.config import TransformConfig
from runtime.data.draws import Draws
from runtime.data.picture_part import PicturePart

DRAWS = Draws(7, "data")


def sizes(config: TransformConfig, height: int, width: int) -> set[tuple[int, int]]:
    found = [drawn_resizing(config, height, width, DRAWS, n).resize for n in range(200)]
    return {(height, width) if r is None else (r.height, r.width) for r in found}


def intel(**settings: int) -> TransformConfig:
    return TransformConfig(random_resize_param=RandomResizeConfig(**settings))


def test_intels_shorter_side() -> None:
    assert sizes(intel(min_size=30, max_size=30), 60, 100) == {(30, 50)}
    assert sizes(intel(min_size=30, max_size=30), 100, 60) == {(50, 30)}
    assert sizes(intel(min_size=30, max_size=32), 50, 50) == {(n, n) for n in (30, 31, 32)}
    assert min(sizes(intel(), 3, 6)) == (3, 6)
    assert max(sizes(intel(), 3, 6)) == (6, 12)


def test_intels_own_resize_param() -> None:
    config = TransformConfig(
        random_resize_param=RandomResizeConfig(
            min_size=9, max_size=9, resize_param=ResizeConfig(interp_mode=("AREA",))
        )
    )
    found = drawn_resizing(config, 18, 20, DRAWS, 0).resize
    assert found is not None
    assert (found.height, found.width, found.interp_mode) == (9, 10, ("AREA",))


def nvidia(**settings: float | bool) -> TransformConfig:
    return TransformConfig(**settings)  # type: ignore[arg-type]


def test_nvcaffes_shorter_side() -> None:
    thirty = nvidia(img_rand_resize_lower=30, img_rand_resize_upper=30)
    assert sizes(thirty, 60, 101) == {(30, 51)}  # rounded
    assert sizes(thirty, 20, 40) == {(20, 40)}  # nothing grows
    grown = nvidia(img_rand_resize_lower=30, img_rand_resize_upper=31, allow_upscale=True)
    assert sizes(grown, 20, 40) == {(30, 60), (31, 62)}
    cropped = nvidia(img_rand_resize_lower=10, img_rand_resize_upper=10, crop_size=16)
    assert sizes(cropped, 40, 80) == {(16, 20)}
    small = drawn_resizing(thirty, 60, 101, DRAWS, 0).resize
    large = drawn_resizing(grown, 20, 40, DRAWS, 0).resize
    assert small is not None
    assert large is not None
    assert (small.interp_mode, large.interp_mode) == (("NEAREST",), ("CUBIC",))


def test_nvcaffes_ratio_of_the_sides() -> None:
    squares = nvidia(rand_resize_ratio_lower=1, rand_resize_ratio_upper=1.0001)
    assert sizes(squares, 20, 40) == {(20, 20)}
    assert sizes(squares, 40, 20) == {(20, 20)}
    found = sizes(nvidia(rand_resize_ratio_lower=1.25, rand_resize_ratio_upper=1.75), 20, 40)
    assert {high for high, _ in found} == {20}
    assert {wide for _, wide in found} == set(range(25, 36))
    grown = nvidia(rand_resize_ratio_lower=2, rand_resize_ratio_upper=2, allow_upscale=True)
    assert sizes(grown, 20, 20) == {(20, 40), (40, 20)}  # either side of a square
    assert sizes(nvidia(rand_resize_ratio_lower=0.5, rand_resize_ratio_upper=3), 9, 30) == {(9, 30)}


def test_nvcaffes_stretches() -> None:
    higher = nvidia(vertical_stretch_lower=1.5, vertical_stretch_upper=1.5, allow_upscale=True)
    assert sizes(higher, 20, 40) == {(30, 40)}
    assert sizes(nvidia(vertical_stretch_lower=1.5, vertical_stretch_upper=1.5), 20, 40) == {
        (20, 40)
    }
    narrower = nvidia(horizontal_stretch_lower=0.5, horizontal_stretch_upper=0.75)
    found = sizes(narrower, 20, 40)
    assert {high for high, _ in found} == {20}
    assert {wide for _, wide in found} == set(range(20, 31))
    assert sizes(nvidia(horizontal_stretch_lower=0, horizontal_stretch_upper=3), 20, 40) == {
        (20, 40)
    }
    both = nvidia(
        img_rand_resize_lower=10,
        img_rand_resize_upper=10,
        vertical_stretch_lower=0.8,
        vertical_stretch_upper=0.8,
        horizontal_stretch_lower=1.5,
        horizontal_stretch_upper=1.5,
    )
    assert sizes(both, 20, 40) == {(8, 30)}


def test_intels_parts() -> None:
    half = RandomAspectRatioConfig(min_area_ratio=0.25, max_area_ratio=0.25)
    parts = {drawn_part(half, 20, 40, [0, 0, 0, row, row + 1]) for row in range(100)}
    assert {(part.height, part.width) for part in parts if part} == {(14, 14)}  # of 14.14 squared
    assert {part.top for part in parts if part} == set(range(7))
    assert {part.left for part in parts if part} == set(range(27))


def test_intels_form_of_a_part() -> None:
    config = RandomAspectRatioConfig(
        min_area_ratio=0.25, max_area_ratio=0.25, aspect_ratio_change=0.5, max_attempt=1
    )
    low, high = 0, 999  # of the coin that turns a part round
    assert drawn_part(config, 20, 40, [0, 0, high, 0, 0]) == PicturePart(0, 0, 7, 28)
    assert drawn_part(config, 20, 40, [0, 0, low, 0, 0]) is None  # 28 rows of 20
    assert drawn_part(config, 40, 40, [0, 1500, high, 3, 2]) == PicturePart(0, 2, 40, 10)
    again = RandomAspectRatioConfig(
        min_area_ratio=0.25, max_area_ratio=0.25, aspect_ratio_change=0.5, max_attempt=2
    )
    words = [0, 0, low, 0, 0, 0, 0, high, 14, 3]
    assert drawn_part(again, 20, 40, words) == PicturePart(0, 3, 7, 28)


def test_intels_parts_become_the_crop() -> None:
    config = TransformConfig(
        crop_size=8,
        random_aspect_ratio_param=RandomAspectRatioConfig(
            resize_param=ResizeConfig(interp_mode=("CUBIC",))
        ),
    )
    found = drawn_resizing(config, 30, 20, DRAWS, 3)
    assert found.part is not None
    assert found.resize == ResizeConfig(height=8, width=8, interp_mode=("CUBIC",))
    none = TransformConfig(
        crop_size=8, random_aspect_ratio_param=RandomAspectRatioConfig(max_attempt=0)
    )
    found = drawn_resizing(none, 30, 20, DRAWS, 3)
    assert found.part is None
    assert found.resize == ResizeConfig(height=12, width=8)


NET = """layer {{ name: "data" type: "ImageData" top: "data" top: "label"
  image_data_param {{ source: "{list}" batch_size: 2 {image} }}
  transform_param {{ {transform} }} }}
"""


def batch(folder: Path, transform: str, image: str = "") -> np.ndarray:
    picture = np.random.default_rng(1).integers(0, 255, (20, 40, 3), np.uint8)
    cv2.imwrite(str(folder / "a.png"), picture)
    (folder / "list.txt").write_text(f"{folder}/a.png 0\n")
    net = folder / "net.prototxt"
    net.write_text(NET.format(list=folder / "list.txt", transform=transform, image=image))
    return roastery.compile(net, device="reference")()["data"]


def test_a_data_layer_does_it(tmp_path: Path) -> None:
    found = batch(tmp_path, "random_resize_param { min_size: 10 max_size: 10 } crop_size: 10")
    assert found.shape == (2, 3, 10, 10)
    picture = cv2.imread(str(tmp_path / "a.png"))
    resized = cv2.resize(picture, (20, 10), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(found[0], resized[:, 5:15].transpose(2, 0, 1))
    found = batch(tmp_path, "img_rand_resize_lower: 10 img_rand_resize_upper: 10 crop_size: 10")
    nearest = cv2.resize(picture, (20, 10), interpolation=cv2.INTER_NEAREST)
    np.testing.assert_array_equal(found[0], nearest[:, 5:15].transpose(2, 0, 1))


def test_a_data_layer_takes_parts(tmp_path: Path) -> None:
    transform = (
        "random_aspect_ratio_param { min_area_ratio: 1 max_attempt: 1 "
        "resize_param { interp_mode: NEAREST } } crop_size: 10"
    )
    found = batch(tmp_path, transform)  # the square of all the area fits into no picture of 20 x 40
    picture = cv2.imread(str(tmp_path / "a.png"))
    resized = cv2.resize(picture, (20, 10), interpolation=cv2.INTER_NEAREST)
    np.testing.assert_array_equal(found[0], resized[:, 5:15].transpose(2, 0, 1))
    small = batch(tmp_path, transform.replace("ratio: 1 ", "ratio: 0.125 max_area_ratio: 0.125 "))
    windows = [
        picture[row : row + 10, column : column + 10].transpose(2, 0, 1)
        for row in range(11)
        for column in range(31)
    ]
    for item in small:
        assert any(np.array_equal(item, window) for window in windows)


def test_a_shorter_side_for_all_pictures(tmp_path: Path) -> None:
    found = batch(tmp_path, "bgr2rgb: true", "short_side: 10 new_height: 7 new_width: 7")
    picture = cv2.imread(str(tmp_path / "a.png"))
    resized = cv2.resize(picture, (20, 10), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(found[1], resized[:, :, ::-1].transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("random_resize_param { min_size: 9 max_size: 8 }", "max_size 8 is below min_size 9"),
        ("img_rand_resize_lower: 9 img_rand_resize_upper: 8", "8 is below"),
        (
            "random_resize_param { min_size: 9 } resize_param { height: 5 width: 5 }",
            "resized in two ways",
        ),
        (
            "random_resize_param { } img_rand_resize_lower: 8 img_rand_resize_upper: 8",
            "random_resize_param is Intel's",
        ),
        ("rand_resize_ratio_lower: 1.5 rand_resize_ratio_upper: nan", "upper is nan"),
        ("vertical_stretch_upper: 1e30", "at most 1000"),
        ("random_aspect_ratio_param { min_area_ratio: 2 }", "min_area_ratio is 2"),
        ("random_aspect_ratio_param { aspect_ratio_change: 2 }", "above 0 and at most 1"),
        ("random_aspect_ratio_param { max_attempt: 100000 }", "at most 1000 parts"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, transform: str, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        batch(tmp_path, transform + " crop_size: 4")
