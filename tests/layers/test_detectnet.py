"""DetectNet's pictures and maps of what boxes cover, and its loss."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import roastery
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from tests.support.lowering import program_of

NET = """layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {pictures} }} }} }}
layer {{ name: "t" type: "Input" top: "t" input_param {{ shape {{ {labels} }} }} }}
layer {{ name: "l" type: "DetectNetTransformation" bottom: "x" bottom: "t" top: "y" top: "maps"
  detectnet_groundtruth_param {{ image_size_x: 64 image_size_y: 32 stride: 16 {truth} }} {more} }}
"""


def net_text(truth: str, more: str = "", size: tuple[int, int] = (32, 64), boxes: int = 3) -> str:
    pictures = f"dim: 1 dim: 3 dim: {size[0]} dim: {size[1]}"
    labels = f"dim: 1 dim: 1 dim: {boxes + 1} dim: 16"
    return NET.format(pictures=pictures, labels=labels, truth=truth, more=more)


def label(*boxes: tuple[float, float, float, float, int]) -> np.ndarray:
    """x, y, width, height and class of each."""
    rows = np.zeros((1, 1, 4, 16), np.float32)
    rows[0, 0, 0, :2] = len(boxes), 16
    for row, box in zip(rows[0, 0, 1:], boxes, strict=False):
        row[:4], row[5] = box[:4], box[4]
    return rows


def run(
    truth: str,
    boxes: np.ndarray,
    picture: np.ndarray | None = None,
    more: str = "",
    phase: str = "TEST",
) -> dict[str, np.ndarray]:
    picture = np.zeros((1, 3, 32, 64), np.float32) if picture is None else picture
    net = roastery.compile(
        parse_text(net_text(truth, more, picture.shape[2:]), "NetParameter"),
        phase=phase,
        device="reference",
    )
    return net(x=picture, t=boxes)


def maps(truth: str, *boxes: tuple[float, float, float, float, int]) -> np.ndarray:
    return run(truth, label(*boxes))["maps"][0]


MIDDLE = "gridbox_type: GRIDBOX_MIN min_cvg_len: 4 scale_cvg: 0.5 obj_norm: true"


def test_a_box_marks_the_cells_that_its_middle_covers() -> None:
    found = maps(MIDDLE, (4, 2, 40, 20, 1))
    assert found.shape == (9, 2, 4)
    # Its middle is 20 wide and 10 high, from (14, 7) to (34, 17): it meets all cells but the last.
    there = np.array([[1, 1, 1, 0], [1, 1, 1, 0]], bool)
    np.testing.assert_array_equal(found[0], there)
    np.testing.assert_array_equal(found[8], there)
    assert not found[:, ~there].any()
    np.testing.assert_array_equal(found[1, 0, :3], [4, -12, -28])
    np.testing.assert_array_equal(found[2, :, 0], [2, -14])
    np.testing.assert_array_equal(found[3, 1, :3], [44, 28, 12])
    np.testing.assert_array_equal(found[4, :, 2], [22, 6])
    np.testing.assert_allclose(found[5][there], 1 / 40)
    np.testing.assert_allclose(found[6][there], 1 / 20)
    np.testing.assert_allclose(found[7][there], 256 / 200)


def test_limits_of_what_is_covered() -> None:
    def columns(truth: str, box: tuple[float, float, float, float, int]) -> list[int]:
        return np.flatnonzero(maps(truth, box)[0].any(axis=0)).tolist()

    wide = (1.0, 1.0, 62.0, 30.0, 1)
    assert columns("scale_cvg: 0.5 max_cvg_len: 50", wide) == [1, 2]
    assert columns("scale_cvg: 0.9 max_cvg_len: 50", wide) == [0, 1, 2, 3]
    assert columns("scale_cvg: 0.9 max_cvg_len: 20", wide) == [1, 2]
    narrow = (15.0, 3.0, 3.0, 12.0, 1)
    assert columns("scale_cvg: 0.1 gridbox_type: GRIDBOX_MIN min_cvg_len: 50", narrow) == [0, 1]
    assert columns("scale_cvg: 0.1 gridbox_type: GRIDBOX_MIN min_cvg_len: 0", narrow) == [1]


def test_objects_count_alike_or_by_their_size() -> None:
    box = (0.0, 0.0, 64.0, 32.0, 1)
    assert maps("scale_cvg: 0.5", box)[7].max() == 1
    assert maps("scale_cvg: 0.5 obj_norm: true", box)[7].max() == pytest.approx(256 / 512)
    assert maps("scale_cvg: 0.5", (8, 8, 8, 8, 1))[7].max() == 16


def test_boxes_are_cut_off_at_the_edges() -> None:
    box = (-10.0, -4.0, 30.0, 16.0, 1)
    cut = maps(MIDDLE, box)
    np.testing.assert_array_equal(cut[1:5, 0, 0], [0, 0, 20, 12])
    whole = maps(MIDDLE + " crop_bboxes: false", box)
    np.testing.assert_array_equal(whole[1:5, 0, 0], [-10, -4, 20, 12])
    assert not maps(MIDDLE, (70, 0, 10, 10, 1)).any()
    assert not maps(MIDDLE + " crop_bboxes: false", (70, 0, 10, 10, 1)).any()


def test_classes_have_maps() -> None:
    boxes = [(0, 0, 16, 16, 1), (20, 0, 8, 16, 3), (40, 0, 8, 16, 2)]
    found = maps(MIDDLE + " object_class { src: 1 dst: 2 } object_class { src: 3 dst: 0 }", *boxes)
    assert found.shape[0] == 8 + 3
    assert found[8:, 0].tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert maps(MIDDLE, *boxes)[8, 0].tolist() == [1, 0, 0, 0]  # class 1 alone


def test_the_last_box_of_a_cell_counts() -> None:
    both = " object_class { src: 1 dst: 0 } object_class { src: 2 dst: 1 }"
    found = maps(MIDDLE + both, (0, 0, 16, 16, 1), (2, 2, 12, 12, 2))
    assert found[8:, 0, 0].tolist() == [0, 1]
    assert found[1, 0, 0] == 2


def test_testing_resizes_pictures_and_boxes() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 16, 128)).astype(np.float32)
    more = "transform_param { mean_value: 10 mean_value: 20 mean_value: 30 }"
    found = run(MIDDLE, label((8, 1, 80, 10, 1)), picture, more)
    less = picture[0].transpose(1, 2, 0) / 255 - np.float32([10, 20, 30]) / 255
    wanted = cv2.resize(less, (64, 32), interpolation=cv2.INTER_CUBIC) * 255
    np.testing.assert_allclose(found["y"][0].transpose(1, 2, 0), wanted, atol=2e-3)
    same = run(MIDDLE, label((4, 2, 40, 20, 1)))
    np.testing.assert_array_equal(found["maps"], same["maps"])


def test_a_mean_picture_is_resized(tmp_path: Path) -> None:
    from roastery.caffe import io

    mean = np.full((1, 3, 5, 7), 40, np.float32)
    mean[:, 1] = 80
    file = tmp_path / "mean.binaryproto"
    file.write_bytes(io.array_to_blobproto(mean).SerializeToString())
    picture = np.full((1, 3, 32, 64), 100, np.float32)
    found = run(MIDDLE, label(), picture, f'transform_param {{ mean_file: "{file}" }}')["y"]
    np.testing.assert_allclose(found[0, :, 3, 4], [60, 20, 60], rtol=1e-5)


def test_training_changes_pictures_at_random() -> None:
    plain = "crop_prob: 0 scale_prob: 0 flip_prob: 0 rotation_prob: 0 hue_rotation_prob: 0"
    block = "detectnet_augmentation_param {{ {} desaturation_prob: 0 }}"
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 32, 64)).astype(np.float32)
    still = run(MIDDLE, label((4, 2, 40, 20, 1)), picture, block.format(plain), "TRAIN")
    np.testing.assert_allclose(still["y"], picture, rtol=1e-5)
    flipped = block.format(plain.replace("flip_prob: 0", "flip_prob: 1"))
    found = run(MIDDLE, label((4, 2, 40, 20, 1)), picture, flipped, "TRAIN")
    np.testing.assert_allclose(found["y"], picture[..., ::-1], rtol=1e-5)
    assert found["maps"][0, 1, 0, 2] == 64 - 4 - 40 - 1 - 32
    net = roastery.compile(
        parse_text(net_text(MIDDLE), "NetParameter"), phase="TRAIN", device="reference"
    )
    first, second = (net(x=picture, t=label((4, 2, 40, 20, 1)))["y"] for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("count", "width"), [(4, 16), (-1, 16), (1, 15), (np.nan, 16)])
def test_labels_that_do_not_say_what_they_hold(count: float, width: float) -> None:
    rows = label()
    rows[0, 0, 0, :2] = count, width
    with pytest.raises(RoasteryError, match="label 0 of the batch begins with"):
        run(MIDDLE, rows)


def test_boxes_that_are_no_boxes_mark_nothing() -> None:
    for box in ((np.nan, 0, 10, 10, 1), (0, 0, np.inf, 10, 1), (0, 0, 0, 9, 1), (9, 9, -4, -4, 1)):
        for cropped in ("", " crop_bboxes: false"):
            assert not maps(MIDDLE + cropped, box)[:8, 0].any(), box  # type: ignore[arg-type]
    assert not maps(MIDDLE, (0, 0, 9, 9, -1)).any()


@pytest.mark.parametrize(
    ("truth", "more", "message"),
    [
        ("stride: 100", "", "stride is 100, and the picture 32 high"),
        ("object_class { src: 1 dst: 70000 }", "", "an object_class has dst: 70000"),
        ("", "transform_param { mean_value: 1 mean_value: 2 }", "2 mean_value given"),
        ("", 'transform_param { mean_value: 1 mean_file: "m" }', "both mean_file and mean_value"),
        ("", "detectnet_augmentation_param { flip_prob: 2 }", "flip_prob is 2"),
        ("", "detectnet_augmentation_param { scale_min: 2 }", "scale_min is 2 and scale_max 1"),
    ],
)
def test_refused(truth: str, more: str, message: str) -> None:
    text = net_text(truth, more).replace("stride: 16 stride", "stride")
    with pytest.raises(RoasteryError, match=message):
        program_of(parse_text(text, "NetParameter"), "TRAIN")


def test_refused_shapes() -> None:
    text = net_text("").replace("dim: 4 dim: 16", "dim: 4 dim: 15")
    with pytest.raises(RoasteryError, match=r"\(N, 1, boxes \+ 1, 16\) is expected"):
        program_of(parse_text(text, "NetParameter"), "TEST")


def test_l1_loss() -> None:
    text = """layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "b" type: "Input" top: "b" input_param { shape { dim: 2 dim: 3 dim: 1 } } }
layer { name: "l" type: "L1Loss" bottom: "a" bottom: "b" top: "l" loss_weight: 2 %s }
"""
    net = roastery.compile(parse_text(text % "", "NetParameter"), device="reference")
    a = np.array([[1, -2, 3], [0, 0, 5]], np.float32)
    assert net(a=a, b=np.ones((2, 3, 1), np.float32))["l"] == (0 + 3 + 2 + 1 + 1 + 4) / 2
    with pytest.raises(RoasteryError, match="of another fork"):
        program_of(
            parse_text(text % "l1_loss_param { l2_per_location: true }", "NetParameter"), "TEST"
        )
