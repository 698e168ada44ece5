"""MobileNet-YOLO's data: rows of 300 boxes, windows, several sizes, and labels of pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from boxed_records import boxes, opened, white_box

import roastery
from ir.errors import RoasteryError
from runtime.data.annotated.masks import PixelMasks
from runtime.data.annotated_datum import AnnotatedDatum, parse_annotated, serialize_annotated
from runtime.data.augment.settings import ExpandConfig, ResizeConfig
from runtime.data.augment.size_choice import drawn_size
from runtime.data.boxes.jitter import jittered_window
from runtime.data.boxes.tops import YoloRows
from runtime.data.config import SolverSpan, TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.draws import Draws
from runtime.data.image_codec import encode_image
from runtime.data.opening import open_source

DRAWS = Draws(11)
YOLO: dict[str, Any] = {"yolo_data_type": 1, "yolo_data_jitter": 0.0}
MASKED: dict[str, Any] = {**YOLO, "tops": ("data", "label", "masks"), "seg_scales": 1}


def sized(height: int, width: int, **more: Any) -> ResizeConfig:
    return ResizeConfig(height=height, width=width, interp_mode=("NEAREST",), **more)


def masked(
    height: int, width: int, box: tuple[int, int, int, int], mask: np.ndarray
) -> AnnotatedDatum:
    record = white_box(height, width, box, True)
    datum = replace(record.datum, seg_label=encode_image(mask, "png"))
    return replace(record, datum=datum, type=1)


# --- boxes --------------------------------------------------------------------------------------


def test_rows_are_centres_and_sizes(tmp_path: Path) -> None:
    records = [white_box(20, 40, (10, 4, 30, 8), True), white_box(20, 40, (0, 0, 4, 20), True)]
    source = opened(tmp_path, records, batch_size=2, **YOLO)
    assert source.shapes() == [(2, 3, 20, 40), (2, 1, 300, 5)]
    label = source.next().arrays[1]
    source.close()
    np.testing.assert_allclose(label[0, 0, 0], [0, 0.5, 0.3, 0.5, 0.2], atol=1e-6)
    np.testing.assert_allclose(label[1, 0, 0], [0, 0.05, 0.5, 0.1, 1], atol=1e-6)
    assert not label[:, :, 1:].any()


def test_more_boxes_than_there_is_room_for() -> None:
    many = boxes(*[(0.1, 0.1, 0.2, 0.3)] * 302)
    top = np.full((2, 1, 300, 5), 7, np.float32)
    YoloRows().write([many, boxes()], [top])
    np.testing.assert_array_equal(top[0, 0, :, 0], np.arange(300))
    assert not top[1].any()


def test_difficult_boxes_are_left_out_where_they_are_not_to_be_learned(tmp_path: Path) -> None:
    record = white_box(9, 9, (1, 1, 4, 4), False)
    hard = replace(record, boxes=replace(record.boxes, difficult=np.array([True])))
    for train, count in ((True, 1), (False, 0)):
        (folder := tmp_path / str(train)).mkdir()
        source = opened(folder, [hard], train_diffcult=train, **YOLO)
        assert np.count_nonzero(source.next().arrays[1][0, 0, :, 3]) == count
        source.close()


def test_difficult_boxes_are_learned_later(tmp_path: Path) -> None:
    """A warm-up of a twentieth of the solver's iterations, of two batches each."""
    record = white_box(9, 9, (1, 1, 4, 4), False)
    hard = replace(record, boxes=replace(record.boxes, difficult=np.array([True])))
    (tmp_path / "first").mkdir()
    source = opened(tmp_path / "first", [hard], difficult_label_warmup=True, **YOLO)
    config = source.config
    source.close()
    for schedule, left_out in ((SolverSpan(60, 2), 8), (SolverSpan(19, 1), 1), (SolverSpan(), 0)):
        again = open_source(config, "TRAIN", 1, tmp_path / "first", schedule=schedule)
        found = [again.next().arrays[1][0, 0, 0, 3] > 0 for _ in range(12)]
        again.close()
        assert found == [False] * left_out + [True] * (12 - left_out)


# --- windows ------------------------------------------------------------------------------------


def test_windows_leave_out_at_most_the_jitter() -> None:
    found = np.array([jittered_window(0.6, False, DRAWS, n) for n in range(3000)])
    wide, high = (found[:, 2:] - found[:, :2]).T
    whole = (found == [0, 0, 1, 1]).all(axis=1)
    assert 0.17 < whole.mean() < 0.23
    assert found.min() >= 0 and found.max() <= 1 + 1e-6
    assert min(wide.min(), high.min()) >= 0.4 - 1e-6
    assert 0.12 < ((wide < 0.7) & (high < 0.7)).mean() < 0.18  # a quarter of 0.6
    kept = np.array([jittered_window(0.6, True, DRAWS, n) for n in range(200)])
    sides = kept[:, 2:] - kept[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], atol=1e-6)


@pytest.mark.parametrize("encoded", [True, False])
def test_boxes_stay_on_what_is_cropped(encoded: bool, tmp_path: Path) -> None:
    record = white_box(200, 240, (60, 50, 180, 150), encoded)
    transform = TransformConfig(mirror=True, resize_param=sized(96, 120))
    source = opened(tmp_path, [record], transform, yolo_data_type=1, yolo_data_jitter=0.5)
    seen = set()
    for _ in range(30):
        data, label = source.next().arrays
        rows, columns = np.nonzero(data[0].min(axis=0) > 128)
        x, y, wide, high = label[0, 0, 0, 1:]
        seen.add(float(wide))
        corners = np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(corners * [120, 96, 120, 96], found, atol=2.5)
    source.close()
    assert len(seen) > 15


def test_ssds_layer_crops_nothing_of_its_own(tmp_path: Path) -> None:
    """The default of 0.3 is MobileNet-YOLO's."""
    record = white_box(60, 60, (10, 10, 50, 50), False)
    transform = TransformConfig(resize_param=sized(60, 60))
    for folder, settings, cropped in (("ssd", {}, False), ("yolo", {"yolo_data_type": 1}, True)):
        (tmp_path / folder).mkdir()
        source = opened(tmp_path / folder, [record], transform, **settings)
        pictures = {source.next().arrays[0].tobytes() for _ in range(20)}
        assert (len(pictures) > 1) == cropped
        source.close()


# --- sizes --------------------------------------------------------------------------------------


def test_sizes_are_drawn_by_their_probabilities() -> None:
    sizes = [sized(n, n, prob=prob) for n, prob in ((1, 0.2), (2, 0.0), (3, 0.8))]
    found = [drawn_size(sizes, DRAWS, 10 * n).height for n in range(2000)]
    assert 0.17 < found.count(1) / 2000 < 0.23
    assert found.count(2) == 0
    for n in range(50):
        assert len({drawn_size(sizes, DRAWS, 10 * n + i).height for i in range(10)}) == 1


def test_tops_change_after_ten_batches(tmp_path: Path) -> None:
    transform = TransformConfig(
        resize_param=sized(8, 8, prob=0.5), further_resize_param=(sized(16, 12, prob=0.5),)
    )
    records = [white_box(30, 30, (3, 3, 20 + n, 20), True) for n in range(3)]
    source = opened(tmp_path, records, transform, batch_size=2, **YOLO)
    shapes = []
    for _ in range(100):
        told = source.shapes()
        arrays = source.next().arrays
        assert told == [array.shape for array in arrays]
        shapes.append(arrays[0].shape)
    source.close()
    assert set(shapes) == {(2, 3, 8, 8), (2, 3, 16, 12)}
    for first in range(0, 100, 10):
        assert len(set(shapes[first : first + 10])) == 1


def test_a_net_follows_the_sizes(tmp_path: Path) -> None:
    """As prototxt says it; a layer after the data sees each size."""
    with new_database(tmp_path / "db", "lmdb") as writer:
        writer.put(b"0", serialize_annotated(white_box(30, 30, (3, 3, 20, 20), True)))
    text = f"""layer {{ name: "data" type: "AnnotatedData" top: "data" top: "label"
      include {{ phase: TRAIN }}
      transform_param {{ cvt_bgr2rgb: true
        resize_param {{ prob: 0.5 height: 8 width: 8 }}
        resize_param {{ prob: 0.5 height: 12 width: 10 }} }}
      data_param {{ source: "{tmp_path}/db" batch_size: 2 backend: LMDB }}
      annotated_data_param {{ yolo_data_type: 1 yolo_data_jitter: 0.1 train_diffcult: true }} }}
    layer {{ name: "p" type: "Power" bottom: "data" top: "p" power_param {{ scale: 2 }} }}"""
    (tmp_path / "net.prototxt").write_text(text)
    net = roastery.compile(tmp_path / "net.prototxt", phase="TRAIN", device="reference")
    seen = set()
    for _ in range(50):
        found = net()
        assert found["label"].shape == (2, 1, 300, 5)
        seen.add(found["p"].shape)
    assert seen == {(2, 3, 8, 8), (2, 3, 12, 10)}


def test_red_and_blue_change_places(tmp_path: Path) -> None:
    record = white_box(4, 4, (0, 0, 4, 4), True)
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[..., 0] = 9
    record = replace(record, datum=replace(record.datum, data=encode_image(pixels, "png")))
    source = opened(tmp_path, [record], TransformConfig(cvt_bgr2rgb=True), **YOLO)
    data = source.next().arrays[0]
    source.close()
    assert not data[0, :2].any() and (data[0, 2] == 9).all()


# --- labels of pixels ---------------------------------------------------------------------------


def test_masks_stay_on_their_objects(tmp_path: Path) -> None:
    """The mask is white where the picture is, cropped and mirrored."""
    mask = np.zeros((100, 120), np.uint8)
    mask[25:75, 30:90] = 255
    record = masked(200, 240, (60, 50, 180, 150), mask)
    transform = TransformConfig(mirror=True, resize_param=sized(80, 96))
    source = opened(tmp_path, [record], transform, **{**MASKED, "yolo_data_jitter": 0.5})
    assert source.shapes() == [(1, 3, 80, 96), (1, 1, 300, 5), (1, 1, 80, 96)]
    seen = set()
    for _ in range(30):
        data, label, masks = source.next().arrays
        assert set(np.unique(masks)) == {0, 1}
        assert label[0, 0, 0, 3] > 0
        white = data[0].min(axis=0) > 128
        assert (white != (masks[0, 0] > 0.5)).mean() < 0.07  # at the edges alone
        seen.add(masks.tobytes())
    source.close()
    assert len(seen) > 15


def test_masks_of_classes() -> None:
    labels = np.array([[0, 1, 2, 3], [1, 1, 2, 200]], np.uint8)
    masks = PixelMasks((0, 2, 1, 2))
    assert masks.count == 2
    found = masks.of(labels, (2, 4))
    np.testing.assert_array_equal(found[0], labels == 2)
    np.testing.assert_array_equal(found[1], (labels == 1) | (labels == 3))
    halves = masks.of(np.repeat([[1, 1, 0, 0, 1, 0]], 2, axis=0).astype(np.uint8), (1, 3))
    np.testing.assert_allclose(halves[1, 0], [1, 0, 0.5], atol=0.003)


def test_masks_of_one_class_are_of_what_is_grey_enough() -> None:
    found = PixelMasks().of(np.array([[0, 100, 101, 255]], np.uint8), (1, 4))
    np.testing.assert_array_equal(found, [[[0, 0, 1, 1]]])


def test_a_label_map_says_the_classes(tmp_path: Path) -> None:
    mask = np.repeat(np.arange(4, dtype=np.uint8), 4).reshape(4, 4)
    with new_database(tmp_path / "db", "lmdb") as writer:
        writer.put(b"0", serialize_annotated(masked(8, 8, (1, 1, 7, 7), mask)))
    (tmp_path / "map.prototxt").write_text(
        "".join(
            f'item {{ name: "{n}" label: {9 - n} label_id: {kind} r: 5 }}\n'
            for n, kind in enumerate((0, 3, 0, 1))
        )
    )
    text = f"""layer {{ name: "data" type: "AnnotatedData" top: "data" top: "label" top: "mask"
      transform_param {{ resize_param {{ height: 12 width: 8 }} }}
      data_param {{ source: "{tmp_path}/db" batch_size: 1 backend: LMDB }}
      annotated_data_param {{ single_class: false seg_resize_height: 4 seg_resize_width: 4
        batch_sampler {{ }} label_map_file: "{tmp_path}/map.prototxt" }} }}"""
    (tmp_path / "net.prototxt").write_text(text)
    found = roastery.compile(tmp_path / "net.prototxt", device="reference")()
    assert found["label"].shape == (1, 1, 1, 8)
    assert found["mask"].shape == (1, 3, 4, 4)
    for kind, row in ((0, 3), (2, 1)):
        wanted = np.zeros((4, 4))
        wanted[row] = 1
        np.testing.assert_array_equal(found["mask"][0, kind], wanted)
    assert not found["mask"][0, 1].any()
    (tmp_path / "map.prototxt").write_text('item { name: "none" }')
    with pytest.raises(RoasteryError, match="no label_id above 0"):
        roastery.compile(tmp_path / "net.prototxt", device="reference")
    (tmp_path / "map.prototxt").write_text('item { name: "far" label_id: 1000000 }')
    with pytest.raises(RoasteryError, match="has label_id 1000000; pixels have 256 grey levels"):
        roastery.compile(tmp_path / "net.prototxt", device="reference")


def test_records_keep_their_labels_of_pixels() -> None:
    record = masked(8, 8, (1, 1, 7, 7), np.eye(5, dtype=np.uint8))
    data = serialize_annotated(record)
    found = parse_annotated(data)
    assert found.type == 1
    seg = np.frombuffer(found.datum.seg_label, np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(seg, cv2.IMREAD_GRAYSCALE), np.eye(5))


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transform", "settings", "message"),
    [
        ({}, {"yolo_data_jitter": 1.5}, "yolo_data_jitter is 1.5"),
        ({}, {"yolo_data_jitter": float("nan")}, "yolo_data_jitter is nan"),
        ({}, {"side": (13,)}, "which only caffe_yolo fills"),
        (
            {"resize_param": sized(3, 3, prob=0.5), "further_resize_param": (sized(4, 4),)},
            {},
            "the prob of 2 resize_param are 1.5 together",
        ),
        (
            {"resize_param": sized(3, 3, prob=1), "further_resize_param": (sized(0, 4, prob=0),)},
            {},
            "height is 0 and width is 4",
        ),
        ({"expand_param": ExpandConfig(max_expand_ratio=2)}, MASKED, "expand_param would move"),
        ({"crop_size": 4}, MASKED, "crop_size would move"),
        (
            {"resize_param": sized(9, 9, resize_mode="FIT_LARGE_SIZE_AND_PAD")},
            MASKED,
            "resize_param would move",
        ),
        ({}, {**MASKED, "seg_scales": 0}, "seg_scales is 0"),
        ({}, {**MASKED, "seg_scales": 99}, "no labels of pixels are left"),
        ({}, {**MASKED, "single_class": False}, "no label_map_file is given"),
        ({}, MASKED, "record '00000000' of database '.*db' holds no labels of pixels"),
        ({"cvt_bgr2rgb": True}, {}, "it has 1 channels, and cvt_bgr2rgb needs 3"),
    ],
)
def test_refused_at_once(
    transform: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    record = white_box(60, 60, (0, 20, 30, 40), True)
    if "cvt_bgr2rgb" in transform:
        grey = encode_image(np.zeros((60, 60), np.uint8), "png")
        record = replace(record, datum=replace(record.datum, data=grey))
    with pytest.raises(RoasteryError, match=message):
        opened(tmp_path, [record], TransformConfig(**transform), **settings)


def test_damaged_labels_of_pixels(tmp_path: Path) -> None:
    record = masked(8, 8, (1, 1, 7, 7), np.eye(5, dtype=np.uint8))
    record = replace(record, datum=replace(record.datum, seg_label=b"no picture"))
    with pytest.raises(RoasteryError, match="holds labels of pixels, but"):
        opened(tmp_path, [record], **MASKED)
