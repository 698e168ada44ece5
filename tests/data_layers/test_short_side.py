"""Pictures whose shorter side gets a random length, as Intel's and NVIDIA's Caffe make them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from runtime.data.augment.settings import ResizeConfig
from runtime.data.augment.short_side import RandomResizeConfig, short_side_resize
from runtime.data.config import TransformConfig
from runtime.data.draws import Draws

DRAWS = Draws(7, "data")


def sizes(config: TransformConfig, height: int, width: int) -> set[tuple[int, int]]:
    found = (short_side_resize(config, height, width, DRAWS, n) for n in range(200))
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
    found = short_side_resize(config, 18, 20, DRAWS, 0)
    assert found is not None
    assert (found.height, found.width, found.interp_mode) == (9, 10, ("AREA",))


def nvidia(**settings: int | bool) -> TransformConfig:
    return TransformConfig(**settings)  # type: ignore[arg-type]


def test_nvcaffes_shorter_side() -> None:
    thirty = nvidia(img_rand_resize_lower=30, img_rand_resize_upper=30)
    assert sizes(thirty, 60, 101) == {(30, 51)}  # rounded
    assert sizes(thirty, 20, 40) == {(20, 40)}  # nothing grows
    grown = nvidia(img_rand_resize_lower=30, img_rand_resize_upper=31, allow_upscale=True)
    assert sizes(grown, 20, 40) == {(30, 60), (31, 62)}
    cropped = nvidia(img_rand_resize_lower=10, img_rand_resize_upper=10, crop_size=16)
    assert sizes(cropped, 40, 80) == {(16, 20)}
    small = short_side_resize(thirty, 60, 101, DRAWS, 0)
    large = short_side_resize(grown, 20, 40, DRAWS, 0)
    assert small is not None
    assert large is not None
    assert (small.interp_mode, large.interp_mode) == (("NEAREST",), ("CUBIC",))


NET = """layer {{ name: "data" type: "ImageData" top: "data" top: "label"
  image_data_param {{ source: "{list}" batch_size: 2 }}
  transform_param {{ {transform} }} }}
"""


def batch(folder: Path, transform: str) -> np.ndarray:
    picture = np.random.default_rng(1).integers(0, 255, (20, 40, 3), np.uint8)
    cv2.imwrite(str(folder / "a.png"), picture)
    (folder / "list.txt").write_text(f"{folder}/a.png 0\n")
    net = folder / "net.prototxt"
    net.write_text(NET.format(list=folder / "list.txt", transform=transform))
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
            "both random_resize_param",
        ),
        ("rand_resize_ratio_lower: 1.5", "another fork's"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, transform: str, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        batch(tmp_path, transform + " crop_size: 4")
