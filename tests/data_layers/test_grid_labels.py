"""Synopsys' caffe_yolo: pictures on grey squares, and what is in each cell of grids."""

from __future__ import annotations

import colorsys
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boxed_records import boxes, opened, white_box
from every_source import EXPOSURE

import roastery
from ir.errors import RoasteryError
from roastery.wire.encoding import FIXED32, bytes_field, varint, varint_field
from runtime.data.annotated_datum import parse_annotated, serialize_annotated
from runtime.data.augment.exposure import Colouring, coloured, drawn_colouring
from runtime.data.augment.placing import SquarePlace, drawn_placement, placed_picture
from runtime.data.augment.settings import DistortConfig, NoiseConfig, ResizeConfig
from runtime.data.boxes.placed import placed
from runtime.data.boxes.tops import GridCells
from runtime.data.config import TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.draws import Draws
from runtime.data.image_codec import encode_image

DRAWS = Draws(5)
RANDOM = np.random.default_rng(3)


def placement(**changes: Any) -> SquarePlace:
    numbers: dict[str, Any] = {"top": 0, "left": 0, "high": 8, "wide": 8, **changes}
    mirrored = numbers.pop("mirrored", False)
    return SquarePlace(8, **{n: np.float32(v) for n, v in numbers.items()}, mirrored=mirrored)


def squared(side: int = 64, **transform: Any) -> TransformConfig:
    resize = ResizeConfig(height=side, width=side, jitter=transform.pop("jitter", 0.3))
    return TransformConfig(
        **{"caffe_yolo": True, "scale": 1 / 255, "resize_param": resize, **transform}
    )


# --- places -------------------------------------------------------------------------------------


def test_pictures_keep_their_form_without_jitter() -> None:
    for size, high, wide in (((20, 40), 32, 64), ((40, 20), 64, 32), ((7, 7), 64, 64)):
        found = [drawn_placement(0, size, 64, DRAWS, n) for n in range(200)]
        assert {(p.high, p.wide) for p in found} == {(high, wide)}
        tops, lefts = [p.top for p in found], [p.left for p in found]
        assert min(tops) >= 0 and max(tops) <= 64 - high
        assert min(lefts) >= 0 and max(lefts) <= 64 - wide
        assert (len(set(tops)) > 100) == (high < 64) and (len(set(lefts)) > 100) == (wide < 64)
        assert 70 < sum(p.mirrored for p in found) < 130


def test_forms_change_within_the_jitter() -> None:
    found = [drawn_placement(0.3, (50, 50), 64, DRAWS, n) for n in range(1000)]
    forms = np.array([p.wide / p.high for p in found])
    assert 0.7 / 1.3 <= forms.min() < 0.65 and 1.5 < forms.max() <= 1.3 / 0.7
    assert all(max(p.wide, p.high) == 64 for p in found)


def test_a_picture_of_the_same_size_stays() -> None:
    values = RANDOM.integers(0, 256, (3, 8, 8), dtype=np.uint8)
    np.testing.assert_array_equal(placed_picture(values, placement(), 1), values)


def test_pictures_are_interpolated_on_grey() -> None:
    values = np.array([[[0, 2], [4, 8]]], np.uint8)
    found = placed_picture(values, placement(top=1.9, left=3.2, high=4.7, wide=4), 0.5)
    assert (found[:, :1] == 0.5).all() and (found[:, 5:] == 0.5).all()
    assert (found[:, :, :3] == 0.5).all() and (found[:, :, 7:] == 0.5).all()
    rows = np.array([[0, 1, 2, 1], [2, 3.5, 5, 2.5], [4, 6, 8, 4], [2, 3, 4, 2]])
    np.testing.assert_array_equal(found[0, 1:5, 3:7], rows / 2)


def test_boxes_move_with_pictures() -> None:
    things = boxes((0, 0, 1, 1), (0.5, 0, 0.75, 0.5), (0.2, 0.2, 0.201, 0.9))
    moved = placed(things, placement(top=2, left=0, high=4, wide=8))
    np.testing.assert_allclose(moved.corners, [[0, 0.25, 1, 0.75], [0.5, 0.25, 0.75, 0.5],
        [0.2, 0.35, 0.201, 0.7]], atol=1e-6)  # fmt: skip
    small = placed(things, placement(top=0, left=4, high=8, wide=4, mirrored=True))
    assert small.labels.tolist() == [1, 2]
    np.testing.assert_allclose(small.corners, [[0, 0, 0.5, 1], [0.125, 0, 0.25, 0.5]], atol=1e-6)


@pytest.mark.parametrize("encoded", [False, True])
def test_labels_stay_on_their_objects(encoded: bool, tmp_path: Path) -> None:
    record = white_box(90, 120, (30, 30, 90, 60), encoded)
    source = opened(tmp_path, [record], squared(), side=(2, 4), tops=("data", "a", "b"))
    assert source.shapes() == [(1, 3, 64, 64), (1, 28), (1, 112)]
    for _ in range(40):
        data, coarse, fine = source.next().arrays
        rows, columns = np.nonzero(data[0].min(axis=0) > 0.75)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        for side, label in ((2, coarse), (4, fine)):
            hard, there, kinds = label[0, : 3 * side * side].reshape(3, -1)
            assert not hard.any() and there.sum() == 1
            cell = int(there.argmax())
            assert kinds[cell] == 1 and (np.delete(kinds, cell) == -1).all()
            x, y, wide, high = label[0, 3 * side * side :].reshape(-1, 4)[cell]
            assert cell == side * int(y * side) + int(x * side)
            corners = np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])
            np.testing.assert_allclose(corners * 64, seen, atol=2.5)
    source.close()


# --- grids --------------------------------------------------------------------------------------


def test_cells_of_a_grid() -> None:
    things = boxes((0, 0, 0.5, 0.5), (0.1, 0.2, 0.3, 0.2), (0.6, 0.7, 1.0, 1.0), (1, 1, 1, 1))
    top = np.full((2, 7 * 4), 9, np.float32)
    GridCells(1).write([things, boxes()], [top])
    flags = [0, 0, 0, 0, 1, 0, 0, 1, 2, -1, -1, 4]
    np.testing.assert_array_equal(top[0, :12], flags)
    wanted = [0.2, 0.2, 0.2, 0, *[0] * 8, 1, 1, 0, 0]
    np.testing.assert_allclose(top[0, 12:], wanted, atol=1e-6)
    np.testing.assert_array_equal(top[1], [0] * 8 + [-1] * 4 + [0] * 16)


def test_difficult_objects_are_left_out(tmp_path: Path) -> None:
    record = white_box(40, 40, (10, 10, 30, 30), False)
    hard = replace(record, boxes=replace(record.boxes, difficult=np.array([True])))
    source = opened(tmp_path, [hard], squared(), side=(2,))
    assert not source.next().arrays[1][0, 4:8].any()
    source.close()


def test_squares_of_random_sizes(tmp_path: Path) -> None:
    record = white_box(40, 40, (10, 10, 30, 30), False)
    source = opened(tmp_path, [record], squared(), side=(2,), random=True)
    sides = []
    for _ in range(30):
        told = source.shapes()
        arrays = source.next().arrays
        assert told == [array.shape for array in arrays]
        side = arrays[0].shape[2]
        assert arrays[1].shape == (1, 7 * (side // 32) ** 2)
        sides.append(side)
    source.close()
    assert set(sides) <= set(range(320, 609, 32)) and len(set(sides)) > 1
    assert all(len(set(sides[n : n + 10])) == 1 for n in range(0, 30, 10))


def test_boxes_as_synopsys_tool_writes_them() -> None:
    fields = b"".join(
        varint(number << 3 | FIXED32) + struct.pack("<f", value)
        for number, value in zip(range(9, 13), (0.5, 0.25, 0.5, 0.125), strict=True)
    )
    empty = bytes_field(2, bytes_field(2, b""))  # of an object that was difficult
    group = varint_field(1, 3) + bytes_field(2, bytes_field(2, fields)) + empty
    plain = serialize_annotated(replace(white_box(4, 4, (0, 0, 1, 1), False), boxes=boxes()))
    found = parse_annotated(plain + bytes_field(3, group)).boxes
    np.testing.assert_array_equal(found.corners[0], [0.25, 0.1875, 0.75, 0.3125])
    assert found.labels.tolist() == [3, 3]
    assert len(placed(found, placement())) == 1


# --- colours ------------------------------------------------------------------------------------


def test_colours_are_those_of_hsv() -> None:
    picture = RANDOM.random((3, 5, 7), np.float32)
    picture[:, 0, 0] = 0
    picture[:, 0, 1] = 0.5
    same = coloured(picture, Colouring(np.float32(0), np.float32(1), np.float32(1)))
    np.testing.assert_allclose(same, picture, atol=1e-6)
    for turn, saturation, exposure in ((0.3, 1.2, 0.7), (-0.4, 0.6, 1.4)):
        change = Colouring(np.float32(turn), np.float32(saturation), np.float32(exposure))
        found = coloured(picture, change)
        for row in range(5):
            for column in range(7):
                h, s, v = colorsys.rgb_to_hsv(*map(float, picture[:, row, column]))
                p, q, t = v * exposure, s * saturation, ((h + turn) % 1)
                wanted = np.clip(_unclipped_rgb(t, q, p), 0, 1)
                np.testing.assert_allclose(found[:, row, column], wanted, atol=2e-5)


def _unclipped_rgb(h: float, s: float, v: float) -> tuple[float, ...]:
    """colorsys does not mind values above 1."""
    return colorsys.hsv_to_rgb(h, s, v)


def test_changes_of_colours_are_within_bounds() -> None:
    found = [drawn_colouring(EXPOSURE, DRAWS, n) for n in range(1000)]
    turns = np.array([change.turn for change in found])
    assert -0.1 <= turns.min() < -0.09 and 0.09 < turns.max() <= 0.1
    for name in ("saturation", "exposure"):
        factors = np.array([getattr(change, name) for change in found])
        assert 1 / 1.5 <= factors.min() < 0.7 and 1.45 < factors.max() <= 1.5
        assert 0.4 < (factors < 1).mean() < 0.6


# --- nets and mistakes --------------------------------------------------------------------------


def test_a_net_says_it(tmp_path: Path) -> None:
    with new_database(tmp_path / "db", "lmdb") as writer:
        writer.put(b"0", serialize_annotated(white_box(40, 40, (0, 0, 40, 40), True)))
    text = f"""layer {{ name: "data" type: "AnnotatedData" top: "data" top: "label1" top: "label2"
      transform_param {{ scale: 0.003921569 caffe_yolo: true force_color: true
        resize_param {{ width: 64 height: 64 jitter: 0 }}
        distort_param {{ hue_prob: 0.1 saturation_lower: 1.0 saturation_upper: 1.5
          exposure_lower: 1.0 exposure_upper: 1.5 }} }}
      data_param {{ source: "{tmp_path}/db" batch_size: 2 random: false backend: LMDB
        side: 2 side: 4 }} }}"""
    (tmp_path / "net.prototxt").write_text(text)
    found = roastery.compile(tmp_path / "net.prototxt", device="reference")()
    assert {name: value.shape for name, value in found.items()} == {
        "data": (2, 3, 64, 64),
        "label1": (2, 28),
        "label2": (2, 112),
    }
    assert found["data"].max() <= 1 and found["data"][:, :, :-1, :-1].min() > 0.6
    np.testing.assert_allclose(found["label1"][:, -4:], [[0.5, 0.5, 1, 1]] * 2)


def test_what_changes_nothing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = white_box(40, 40, (10, 10, 30, 30), True)
    plain = opened(tmp_path, [record], squared(), side=(2,))
    (tmp_path / "b").mkdir()
    with caplog.at_level("WARNING"):
        other = opened(tmp_path / "b", [record], squared(mirror=True, crop_size=9,
            mean_value=(5.0,), noise_param=NoiseConfig(inverse=True)), side=(2,))  # fmt: skip
    for _ in range(3):
        for one, two in zip(plain.next().arrays, other.next().arrays, strict=True):
            np.testing.assert_array_equal(one, two)
    for name in ("mirror", "crop_size", "mean_value", "noise_param"):
        assert f"{name} changes nothing where caffe_yolo is true" in caplog.text


@pytest.mark.parametrize(
    ("transform", "settings", "message"),
    [
        ({"resize_param": None}, {}, "caffe_yolo is given without resize_param"),
        ({"resize_param": ResizeConfig(height=64, width=96)}, {}, "height is 64 and width 96"),
        ({"resize_param": ResizeConfig(height=16, width=16)}, {}, "squares of at least 32"),
        ({"jitter": 1.0}, {}, "jitter is 1"),
        ({"further_resize_param": (ResizeConfig(),)}, {}, "several resize_param"),
        ({"distort_param": DistortConfig()}, {}, "saturation_lower is 0 and saturation_upper 0"),
        ({}, {"side": (2, 4)}, "AnnotatedData has 2 tops, 1 or 3 expected"),
        ({}, {"side": (1,) * 7, "tops": tuple("abcdefgh")}, "side is given 7 times"),
        ({"force_gray": True}, {}, "holds a picture of 1 channel; caffe_yolo needs 3"),
    ],
)
def test_refused_at_once(
    transform: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    record = white_box(60, 60, (0, 20, 30, 40), True)
    with pytest.raises(RoasteryError, match=message):
        opened(tmp_path, [record], squared(**transform), **{"side": (2,), **settings})


def test_records_without_boxes_are_refused(tmp_path: Path) -> None:
    picture = encode_image(np.zeros((40, 40, 3), np.uint8), "png")
    record = white_box(60, 60, (0, 20, 30, 40), True)
    plain = replace(record, type=None, datum=replace(record.datum, data=picture))
    with pytest.raises(RoasteryError, match="has no boxes, which caffe_yolo"):
        opened(tmp_path, [plain], squared(), side=(2,))
