"""WindowData: parsing, sampling, and where windows land in their crops."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ir.errors import RoasteryError
from runtime.data.config import TransformConfig
from runtime.data.mean_file import write_mean
from runtime.data.opening import open_source
from runtime.data.sources.window_data import PlacedRegion, Sample, WindowDataConfig, place_window
from runtime.data.window_file import Window

SIDE = 8
IMAGE = np.random.default_rng(2).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def write(folder: Path, windows: list[str], image: str = "a.png", channels: int = 3) -> None:
    cv2.imwrite(str(folder / "a.png"), IMAGE)
    (folder / "w.txt").write_text(
        f"# 0\n{image}\n{channels}\n30\n40\n{len(windows)}\n" + "".join(f"{w}\n" for w in windows)
    )


def config(
    mirror: bool = False, mean: dict[str, object] | None = None, **more: object
) -> WindowDataConfig:
    transform = TransformConfig(crop_size=SIDE, mirror=mirror, **(mean or {}))  # type: ignore
    options = {"source": "w.txt", "batch_size": 4, "fg_fraction": 0.5, **more}
    return WindowDataConfig(transform=transform, **options)  # type: ignore[arg-type]


FORE, BACK = "2 0.7 4 5 19 24", "3 0.2 10 1 30 12"


def warped(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    part = cv2.resize(IMAGE[y1 : y2 + 1, x1 : x2 + 1], (SIDE, SIDE))
    return part.transpose(2, 0, 1).astype(np.float32)


def test_background_first_then_foreground(tmp_path: Path) -> None:
    write(tmp_path, [FORE, BACK, "1 0.5 0 0 1 1"])
    source = open_source(config(fg_threshold=0.6, bg_threshold=0.4), "TRAIN", 1, tmp_path)
    assert source.shapes() == [(4, 3, SIDE, SIDE), (4,)]
    data, labels = source.next().arrays
    assert labels.tolist() == [0, 0, 2, 2]
    np.testing.assert_array_equal(data[0], warped(10, 1, 30, 12))
    np.testing.assert_array_equal(data[3], warped(4, 5, 19, 24))


@pytest.mark.parametrize("cache", [False, True])
def test_mirror_mean_and_scale(cache: bool, tmp_path: Path) -> None:
    write(tmp_path, [FORE, BACK])
    options = config(
        mirror=True,
        mean={"mean_value": (10.0, 20.0, 30.0)},
        scale=0.25,
        cache_images=cache,
        batch_size=40,
    )
    data = open_source(options, "TEST", 1, tmp_path).next().arrays[0]
    plain = (warped(10, 1, 30, 12) - np.float32([10, 20, 30])[:, None, None]) * np.float32(0.25)
    flipped = (
        warped(10, 1, 30, 12)[..., ::-1] - np.float32([10, 20, 30])[:, None, None]
    ) * np.float32(0.25)
    kinds = [
        (
            "plain"
            if np.array_equal(crop, plain)
            else "flipped"
            if np.array_equal(crop, flipped)
            else "neither"
        )
        for crop in data[:20]
    ]
    assert set(kinds) == {"plain", "flipped"}


def test_mean_image_is_cut_at_its_centre(tmp_path: Path) -> None:
    write(tmp_path, [FORE, BACK])
    mean = np.random.default_rng(1).uniform(0, 200, (3, 12, 12)).astype(np.float32)
    write_mean(tmp_path / "m.binaryproto", mean)
    options = config(mean={"mean_file": "m.binaryproto"})
    data = open_source(options, "TEST", 1, tmp_path).next().arrays[0]
    np.testing.assert_array_equal(data[3], warped(4, 5, 19, 24) - mean[:, 2:10, 2:10])


def region(
    x1: int, y1: int, x2: int, y2: int, pad: int, square: bool = False, mirror: bool = False
) -> PlacedRegion:
    window = Window(0, 1, 1.0, x1, y1, x2, y2)
    return place_window(Sample(window, mirror), 30, 40, SIDE, pad, square)


def test_without_context_the_window_fills_the_crop() -> None:
    assert region(4, 5, 19, 24, 0) == PlacedRegion(4, 5, 19, 24, SIDE, SIDE, 0, 0)


def test_context_grows_the_window() -> None:
    # Crop 8 with 2 pixels of context: the window is shown at half its share, so the
    # region is twice as wide: centre 16, 14 and half sizes 4, 3 times 2, both ends in.
    assert region(12, 11, 19, 16, 2) == PlacedRegion(8, 8, 24, 20, SIDE, SIDE, 0, 0)


def test_context_outside_the_picture_stays_empty() -> None:
    # Half sizes 4 and 4 doubled around (4, 4): from -4 to 12, 17 pixels, 4 of them outside.
    assert region(0, 0, 7, 7, 2) == PlacedRegion(0, 0, 12, 12, 6, 6, 2, 2)
    # At the right edge, mirrored: the empty side comes first.
    right = region(32, 10, 39, 17, 2)
    assert (right.x1, right.x2, right.left, right.width) == (28, 39, 0, 6)
    flipped = region(32, 10, 39, 17, 2, mirror=True)
    assert (flipped.x1, flipped.x2, flipped.left, flipped.width) == (28, 39, 2, 6)


def test_square_takes_the_longer_side() -> None:
    found = region(10, 10, 13, 21, 0, square=True)
    assert (found.x1, found.x2, found.y1, found.y2) == (6, 18, 10, 22)


def test_padding_is_zero_even_with_a_mean(tmp_path: Path) -> None:
    write(tmp_path, ["1 0.9 0 0 7 7", "0 0.0 0 0 7 7"])
    options = config(mean={"mean_value": (50.0,)}, context_pad=2)
    data = open_source(options, "TEST", 1, tmp_path).next().arrays[0]
    assert not data[:, :, :2].any() and not data[:, :, :, :2].any()
    assert data[:, :, 2:, 2:].all()


# What Caffe's own arithmetic, compiled from C++, gave for random windows: width and height
# of the picture, crop, context, square, mirrored, window, and the region where it lands.
PLACED = [
    (65, 38, 12, 5, 0, 0, 27, 13, 31, 27, (15, 0, 45, 37, 5, 12, 0, 3)),
    (76, 25, 8, 1, 0, 0, 55, 5, 60, 13, (54, 4, 62, 16, 8, 8, 0, 0)),
    (30, 47, 23, 1, 1, 0, 16, 15, 29, 31, (14, 14, 29, 33, 23, 19, 0, 0)),
    (24, 30, 37, 7, 1, 0, 16, 21, 23, 29, (13, 18, 23, 29, 28, 27, 0, 0)),
    (49, 49, 9, 3, 1, 1, 31, 11, 36, 27, (9, 0, 48, 45, 8, 7, 2, 1)),
    (55, 31, 32, 6, 0, 0, 14, 29, 29, 30, (9, 28, 35, 30, 19, 32, 0, 0)),
    (59, 36, 34, 15, 0, 1, 49, 20, 56, 20, (19, 16, 58, 25, 34, 20, 14, 0)),
    (34, 37, 14, 1, 1, 1, 23, 32, 26, 33, (23, 31, 27, 35, 14, 14, 0, 0)),
    (56, 57, 33, 12, 1, 1, 13, 33, 34, 33, (0, 0, 55, 56, 23, 23, 4, 3)),
    (58, 44, 22, 8, 0, 1, 26, 7, 56, 9, (0, 3, 57, 14, 22, 11, 8, 0)),
    (38, 57, 25, 10, 1, 0, 32, 41, 33, 45, (21, 31, 37, 56, 25, 16, 0, 0)),
    (56, 60, 15, 5, 0, 0, 55, 4, 55, 52, (54, 0, 55, 59, 6, 8, 0, 5)),
    (26, 76, 20, 4, 0, 0, 3, 1, 24, 67, (0, 0, 25, 75, 14, 14, 2, 4)),
    (77, 24, 33, 15, 0, 1, 8, 16, 46, 17, (0, 6, 76, 23, 26, 6, 13, 0)),
    (51, 67, 27, 2, 0, 1, 30, 59, 37, 63, (29, 59, 39, 64, 27, 27, 0, 0)),
    (37, 66, 9, 2, 0, 1, 17, 64, 36, 65, (9, 63, 36, 65, 5, 7, 2, 0)),
    (76, 70, 37, 5, 1, 1, 37, 57, 51, 66, (34, 52, 55, 69, 32, 37, 0, 0)),
    (57, 76, 28, 0, 1, 1, 25, 64, 43, 75, (25, 61, 44, 75, 21, 28, 0, 0)),
    (40, 40, 36, 5, 1, 1, 25, 13, 25, 28, (14, 10, 37, 32, 36, 36, 0, 0)),
    (72, 74, 11, 1, 1, 1, 23, 17, 51, 37, (20, 10, 55, 45, 11, 11, 0, 0)),
    (58, 62, 21, 3, 0, 1, 44, 36, 46, 56, (43, 32, 48, 61, 21, 21, 0, 0)),
    (56, 46, 34, 6, 0, 0, 0, 42, 38, 43, (0, 41, 50, 45, 34, 28, 6, 0)),
    (61, 54, 33, 3, 0, 1, 60, 28, 60, 32, (60, 27, 60, 34, 33, 16, 17, 0)),
    (27, 69, 11, 0, 0, 0, 14, 40, 15, 42, (14, 40, 15, 42, 11, 11, 0, 0)),
]


@pytest.mark.parametrize(
    ("width", "height", "crop", "pad", "square", "mirror", "x1", "y1", "x2", "y2", "wanted"), PLACED
)
def test_regions_are_caffes(
    width: int,
    height: int,
    crop: int,
    pad: int,
    square: int,
    mirror: int,
    x1: int,
    y1: int,
    x2: int,
    y2: int,
    wanted: tuple[int, ...],
) -> None:
    sample = Sample(Window(0, 1, 1.0, x1, y1, x2, y2), bool(mirror))
    assert place_window(sample, height, width, crop, pad, bool(square)) == PlacedRegion(*wanted)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([FORE], "has no background window"),
        ([BACK], "has no foreground window"),
        ([FORE, BACK, "0 0.9 1 1 2 2"], "foreground window of 'a.png' has class 0"),
        ([FORE, BACK, "1 0.9 1 1"], "w.txt:9: the file ends where a corner was expected"),
        ([FORE, BACK, "1 high 1 1 2 2"], "w.txt:9: 'high' found where an overlap"),
    ],
)
def test_window_files(windows: list[str], message: str, tmp_path: Path) -> None:
    write(tmp_path, windows)
    with pytest.raises(RoasteryError, match=message):
        open_source(config(), "TEST", 1, tmp_path)


def test_other_refusals(tmp_path: Path) -> None:
    def fails(options: WindowDataConfig, message: str, read: bool = False) -> None:
        with pytest.raises(RoasteryError, match=message):
            source = open_source(options, "TEST", 1, tmp_path)
            if read:
                source.next()

    fails(config(), "there is no window file '.*w.txt'")
    (tmp_path / "w.txt").write_text("")
    fails(config(), "is empty")
    (tmp_path / "w.txt").write_text("a.png 3 4\n")
    fails(config(), "w.txt:1: 'a.png' found where '# INDEX'")
    write(tmp_path, [FORE, BACK], channels=1)
    fails(config(), "has 1 channels")
    write(tmp_path, [FORE, BACK], image="gone.png")
    fails(config(), "there is no image 'gone.png'", read=True)
    write(tmp_path, [FORE, "0 0.0 30 20 45 29"])
    fails(config(), r"window \(30, 20, 45, 29\) does not lie in image 'a.png'", read=True)
    for corners in ("3 13 13 11", "13 3 11 13", "30 20 1 1"):
        x1, y1, x2, y2 = corners.split()
        write(tmp_path, [FORE, f"0 0.0 {corners}"])
        for options in (config(), config(context_pad=1), config(context_pad=2)):
            told = rf"window \({x1}, {y1}, {x2}, {y2}\) does not lie in image"
            fails(options, told, read=True)
    write(tmp_path, [FORE, BACK])
    fails(WindowDataConfig(source="w.txt", batch_size=1), "crop_size is 0")
    fails(config(crop_mode="round"), "crop_mode is 'round'")
    fails(config(context_pad=4), "context_pad is 4 and crop_size 8")
    fails(config(batch_size=0), "batch_size is 0")
    fails(config(mean={"mean_value": (1.0, 2.0)}), "2 mean_value given")
    write_mean(tmp_path / "m.binaryproto", np.zeros((3, 7, 7), np.float32))
    fails(config(mean={"mean_file": "m.binaryproto"}), "3 channels of at least 8 x 8")


def test_scale_in_the_wrong_place_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, [FORE, BACK])
    open_source(config(mean={"scale": 2.0}), "TEST", 1, tmp_path)
    assert any("set window_data_param { scale }" in text for text in caplog.messages)
