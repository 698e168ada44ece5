"""LaneData: points and masks of lanes, in windows of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lane_records import lane_record

from ir.errors import RoasteryError
from runtime.data.annotated.lanes import recorded_lanes
from runtime.data.augment.settings import ResizeConfig
from runtime.data.config import TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum
from runtime.data.opening import open_source
from runtime.data.source import DataSource
from runtime.data.sources.lane_data import LaneDataConfig

Lanes = Sequence[Sequence[tuple[float, float]]]

PIXELS = np.zeros((3, 8, 16), np.uint8)
PIXELS[:] = np.arange(16, dtype=np.uint8)  # tells columns


def opened(
    folder: Path,
    records: Sequence[Lanes],
    transform: TransformConfig | None = None,
    **settings: Any,
) -> DataSource:
    folder.mkdir(exist_ok=True)
    with new_database(folder / "db", "lmdb") as writer:
        for i, lanes in enumerate(records):
            datum = Datum(*PIXELS.shape, PIXELS.tobytes(), -1)
            writer.put(b"%08d" % i, lane_record(datum, lanes))
    given: dict[str, Any] = {
        "source": "db",
        "batch_size": len(records),
        "backend": "LMDB",
        "tops": ("data", "points", "mask"),
        "seg_scales": 1,
        "transform": transform or TransformConfig(),
        **settings,
    }
    return open_source(LaneDataConfig(**given), "TRAIN", 7, folder)


def arrays(source: DataSource) -> list[np.ndarray]:
    made = [array.copy() for array in source.next().arrays]
    source.close()
    return made


BENT = [(0.25, 0.9), (0.5, 0.5), (0.5, 0.1)]
"""From below, as it is stored; points are told from above."""


def test_points_and_masks(tmp_path: Path) -> None:
    source = opened(tmp_path, [[BENT, [(0.1, 0.2)]], []])
    assert source.shapes() == [(2, 3, 8, 16), (2, 5, 64, 3), (2, 1, 8, 16)]
    _, points, mask = arrays(source)
    expected = np.zeros((2, 5, 64, 3), np.float32)
    expected[0, 0, :3] = [(0.5, 0.1, 0), (0.5, 0.5, 0), (0.25, 0.9, 0)]
    expected[0, 1, 0] = 0.1, 0.2, 1
    np.testing.assert_array_equal(points, expected)
    assert (mask[0, 0, :5, 8] == 1).all() and mask[0, 0, 7, 4] == 1
    assert mask[0, 0].sum() == 9  # a column of five, and four more along the slope
    assert not mask[1].any()


def test_points_beyond_the_window_are_marked_and_not_drawn(tmp_path: Path) -> None:
    _, points, mask = arrays(opened(tmp_path, [[[(0.5, 0.9), (1.5, 0.5), (0.5, 0.1)]]]))
    assert points[0, 0, :4, 2].tolist() == [0, -1, 0, 0]
    np.testing.assert_array_equal(np.flatnonzero(mask[0, 0].any(0)), [8])  # past the one between


def test_masks_are_mirrored_and_points_are_not(tmp_path: Path) -> None:
    source = opened(tmp_path, [[BENT]] * 12, TransformConfig(mirror=True))
    data, points, mask = arrays(source)
    flipped = data[:, 0, 0, 0] == 15
    assert flipped.any() and not flipped.all()
    plain = mask[np.flatnonzero(~flipped)[0]]
    for each, turned in zip(mask, flipped, strict=True):
        np.testing.assert_array_equal(each, plain[..., ::-1] if turned else plain)
    assert (points == points[0]).all()


def test_lanes_follow_jittered_windows(tmp_path: Path) -> None:
    transform = TransformConfig(resize_param=ResizeConfig(height=80, width=160))
    upright = [(0.5, 0.95), (0.5, 0.05)]
    source = opened(
        tmp_path, [[upright]] * 20, transform, yolo_data_type=1, yolo_data_jitter=0.6, seg_scales=2
    )
    data, points, mask = arrays(source)
    assert mask.shape == (20, 1, 40, 80)
    x = points[:, 0, :2, 0]
    assert len(np.unique(x[:, 0])) > 5 and (x[:, 0] == x[:, 1]).all()
    for image, where, each in zip(data, x[:, 0], mask, strict=True):
        if 0.05 < where < 0.95:  # what was column 8 of 16 is there
            assert abs(image[0, 40, int(where * 160)] - 7.5) < 2.5
        if each.any():
            assert np.flatnonzero(each[0].any(0)).tolist() == [int(where * np.float32(80))]


def test_what_does_not_fit_is_left_out(tmp_path: Path) -> None:
    long = [(0.5, i / 100) for i in range(99, -1, -1)]
    _, points, _ = arrays(opened(tmp_path, [[long] * 7]))
    np.testing.assert_allclose(points[0, 4, :, 1], np.arange(64) / 100, rtol=1e-6)


def test_only_pictures_and_points(tmp_path: Path) -> None:
    made = arrays(opened(tmp_path, [[BENT]], tops=("data", "points")))
    assert [array.shape for array in made] == [(1, 3, 8, 16), (1, 5, 64, 3)]
    (data,) = arrays(opened(tmp_path / "more", [[BENT]], tops=("data",)))
    np.testing.assert_array_equal(data[0], PIXELS)


def test_masks_of_no_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="no labels of pixels are left"):
        opened(tmp_path, [[BENT]], seg_scales=9)


def test_records_in_parts() -> None:
    record = lane_record(Datum(1, 1, 1, b"\0", 0), [BENT, []])
    first, second = recorded_lanes(record)
    np.testing.assert_array_equal(first, np.array(BENT[::-1], np.float32))
    assert second.shape == (0, 2)
