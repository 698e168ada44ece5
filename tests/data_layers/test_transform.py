"""Transforms against a plain loop over pixels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from runtime.data.config import OpenOptions, Phase, TransformConfig
from runtime.data.draws import Draws
from runtime.data.mean_file import write_mean
from runtime.data.sources.data import DataConfig
from runtime.data.transform import Choices, Transformer

RANDOM = np.random.default_rng(3)


def by_pixel(
    image: np.ndarray,
    corner: tuple[int, int],
    mirror: bool,
    crop: int,
    mean: np.ndarray,
    scale: float,
) -> np.ndarray:
    """(pixel - mean) * scale in float32, one pixel at a time."""
    channels, height, width = image.shape
    high, wide = (crop, crop) if crop else (height, width)
    out = np.empty((channels, high, wide), np.float32)
    for c in range(channels):
        for y in range(high):
            for x in range(wide):
                at = (c, corner[0] + y, corner[1] + x)
                value = (np.float32(image[at]) - np.float32(mean[at])) * np.float32(scale)
                out[c, y, wide - 1 - x if mirror else x] = value
    return out


def make(config: TransformConfig, phase: Phase, root: Path, seed: int = 9) -> Transformer:
    layer = DataConfig(layer="in", transform=config)
    return Transformer(layer, OpenOptions(phase=phase, root=root), Draws(seed))


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("crop", [0, 4])
@pytest.mark.parametrize("mean_kind", ["none", "one", "each", "file"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_equals_a_loop_over_pixels(
    phase: Phase, crop: int, mean_kind: str, dtype: type, tmp_path: Path
) -> None:
    images = [RANDOM.integers(0, 256, (3, 6, 7)).astype(dtype) for _ in range(5)]
    mean = np.zeros((3, 6, 7), np.float32)
    config = TransformConfig(scale=0.017, mirror=True, crop_size=crop)
    if mean_kind == "file":
        mean = RANDOM.uniform(90, 130, (3, 6, 7)).astype(np.float32)
        write_mean(tmp_path / "m.binaryproto", mean)
        config = TransformConfig(
            scale=0.017, mirror=True, crop_size=crop, mean_file="m.binaryproto"
        )
    elif mean_kind != "none":
        values = (104.3, 117.2, 123.1)[: 1 if mean_kind == "one" else 3]
        mean += np.asarray(values, np.float32)[:, None, None]
        config = TransformConfig(scale=0.017, mirror=True, crop_size=crop, mean_value=values)
    transformer = make(config, phase, tmp_path)
    shape = transformer.output_shape((3, 6, 7), "image")
    assert shape == ((3, 4, 4) if crop else (3, 6, 7))
    choices = transformer.choose(range(100, 105))
    out = np.empty((5, *shape), np.float32)
    transformer.apply(images, choices, out)
    for i, image in enumerate(images):
        corner = (0, 0)
        if crop and phase == "TRAIN":
            assert choices.row is not None and choices.column is not None
            corner = int(choices.row[i]) % 3, int(choices.column[i]) % 4
        elif crop:
            corner = 1, 1
        assert choices.mirror is not None
        wanted = by_pixel(image, corner, bool(choices.mirror[i]), crop, mean, 0.017)
        np.testing.assert_array_equal(out[i], wanted)


def test_large_pictures_take_the_same_path(tmp_path: Path) -> None:
    images = [RANDOM.integers(0, 256, (3, 200, 150), dtype=np.uint8) for _ in range(4)]
    transformer = make(TransformConfig(mirror=True, mean_value=(9.5,)), "TRAIN", tmp_path)
    choices = Choices(np.array([False, True, True, False]), None, None)
    out = np.empty((4, 3, 200, 150), np.float32)
    transformer.apply(images, choices, out)
    for i in range(4):
        wanted = images[i].astype(np.float32) - np.float32(9.5)
        np.testing.assert_array_equal(out[i], wanted[..., ::-1] if i in (1, 2) else wanted)


def test_choices_belong_to_record_numbers(tmp_path: Path) -> None:
    transformer = make(TransformConfig(mirror=True, crop_size=2), "TRAIN", tmp_path)
    whole, part = transformer.choose(range(1000)), transformer.choose(range(990, 1000))
    for name in ("mirror", "row", "column"):
        np.testing.assert_array_equal(getattr(whole, name)[990:], getattr(part, name))
    assert whole.mirror is not None and 400 < whole.mirror.sum() < 600
    assert whole.row is not None and len(np.unique(whole.row)) > 990
    other = make(TransformConfig(mirror=True), "TEST", tmp_path, seed=10).choose(range(1000))
    assert other.mirror is not None and other.row is None
    assert (other.mirror != whole.mirror).sum() > 400


def test_every_crop_place_is_drawn(tmp_path: Path) -> None:
    transformer = make(TransformConfig(crop_size=2), "TRAIN", tmp_path)
    image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    out = np.empty((400, 1, 2, 2), np.float32)
    transformer.apply([image] * 400, transformer.choose(range(400)), out)
    corners, counts = np.unique(out[:, 0, 0, 0], return_counts=True)
    assert corners.tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10] and counts.min() > 20


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            TransformConfig(mean_value=(1.0,), mean_file="m.binaryproto"),
            "both mean_file and mean_va",
        ),
        (TransformConfig(force_color=True, force_gray=True), "both force_color and force_gray"),
        (
            TransformConfig(mean_file="gone.binaryproto"),
            "there is no mean file '.*gone.binaryproto'",
        ),
        (TransformConfig(mean_file="text.txt"), "is not a mean file"),
        (TransformConfig(mean_file="flat.binaryproto"), "a blob of shape"),
        (TransformConfig(crop_size=-1), "crop_size is -1"),
    ],
)
def test_refused_at_once(config: TransformConfig, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("not a blob")
    (tmp_path / "flat.binaryproto").write_bytes(b"\x08\x01\x10\x03\x18\x02\x20\x02*\x04\0\0\0\0")
    with pytest.raises(RoasteryError, match=message) as caught:
        make(config, "TEST", tmp_path)
    assert "layer 'in'" in str(caught.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TransformConfig(crop_size=7), "crop_size is 7, but image is 6 high and 9 wide"),
        (TransformConfig(mean_value=(1.0, 2.0)), "2 mean_value given, but image has 3 channels"),
        (TransformConfig(mean_file="m.binaryproto"), "is 3 x 5 x 5, but image is 3 x 6 x 9"),
    ],
)
def test_refused_for_a_picture(config: TransformConfig, message: str, tmp_path: Path) -> None:
    write_mean(tmp_path / "m.binaryproto", np.zeros((3, 5, 5), np.float32))
    transformer = make(config, "TEST", tmp_path)
    with pytest.raises(RoasteryError, match=message):
        transformer.output_shape((3, 6, 9), "image")


def test_mirroring_without_opencv_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [RANDOM.integers(0, 256, (3, 5, 6), dtype=np.uint8) for _ in range(8)]
    transformer = make(TransformConfig(mirror=True), "TEST", tmp_path)
    results = []
    for _ in range(2):
        out = np.empty((8, 3, 5, 6), np.float32)
        transformer.apply(images, transformer.choose(range(8)), out)
        results.append(out)
        monkeypatch.setitem(sys.modules, "cv2", None)
    np.testing.assert_array_equal(results[0], results[1])
