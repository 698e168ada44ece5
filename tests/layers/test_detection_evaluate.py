"""DetectionEvaluate with the sizes of images, batch after batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.reading.image_sizes import read_image_sizes

NET = """
layer {{ name: "d" type: "Input" top: "d"
  input_param {{ shape {{ dim: 1 dim: 1 dim: 2 dim: 7 }} }} }}
layer {{ name: "t" type: "Input" top: "t"
  input_param {{ shape {{ dim: 1 dim: 1 dim: 1 dim: 8 }} }} }}
layer {{ name: "l" type: "DetectionEvaluate" bottom: "d" bottom: "t" top: "y"
  detection_evaluate_param {{ num_classes: 3 name_size_file: "{file}" {more} }} }}
"""


@pytest.fixture
def sizes(tmp_path: Path) -> Path:
    file = tmp_path / "sizes.txt"
    file.write_text("a 10 40\nb 100 400\nc 10 40\n")
    return file


def evaluator(folder: Path, file: Path, device: str, more: str = "") -> caffe.Net:
    (folder / "net.prototxt").write_text(NET.format(file=file, more=more))
    return caffe.Net(str(folder / "net.prototxt"), caffe.TEST, device=device)


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_boxes_count_pixels_of_their_image(tmp_path: Path, sizes: Path, device: str) -> None:
    """A tenth of a small image is few pixels, of which one more is counted at each end: there the
    boxes overlap enough."""
    net = evaluator(tmp_path, sizes, device)
    net.blobs["t"].data[...] = [0, 1, 0, 0.0, 0.0, 0.1, 0.1, 0]
    net.blobs["d"].data[...] = [
        [0, 1, 0.9, 0.0, 0.0, 0.1, 0.21],
        [-1, -1, -1, -1, -1, -1, -1],
    ]
    rights = []
    for _ in range(4):
        rows = net.forward()["y"][0, 0]
        assert rows.shape == (3, 5)
        assert rows[:2].tolist() == [[-1, 1, 1, -1, -1], [-1, 2, 0, -1, -1]]
        assert rows[2, :2].tolist() == [0, 1]
        rights.append(int(rows[2, 3]))
    # 5 x 2 of 5 x 3.1 pixels are 0.65, 41 x 11 of 41 x 22 are 0.5; without sizes it were 0.48.
    assert rights == [1, 1, 1, 1]
    net.blobs["d"].data[0, 0, 0, 6] = 0.22
    # The second of three images is next.
    assert [int(net.forward()["y"][0, 0, 2, 3]) for _ in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_rows_follow_the_detections(tmp_path: Path, sizes: Path, device: str) -> None:
    net = evaluator(tmp_path, sizes, device)
    net.blobs["t"].data[...] = -1
    net.blobs["d"].data[...] = -1
    assert net.forward()["y"].shape == (1, 1, 2, 5)
    net.blobs["d"].data[...] = [1, 2, 0.5, 0, 0, 1, 1]
    rows = net.forward()["y"]
    assert rows[0, 0, 2:].tolist() == [[1, 2, 0.5, 0, 1]] * 2


def test_a_background_label_is_refused(tmp_path: Path, sizes: Path) -> None:
    net = evaluator(tmp_path, sizes, "reference")
    net.blobs["t"].data[...] = 0
    net.blobs["d"].data[...] = -1
    with pytest.raises(RoasteryError, match="ground truth with label 0, the background"):
        net.forward()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds 0 words"),
        ("a 10", "holds 2 words"),
        ("a 10 20 b", "holds 4 words"),
        ("a 10 20\nb 0 5", "gives image 2, 'b', the height '0'"),
        ("a 10 2x", "gives image 1, 'a', the width '2x'"),
        ("a 10 ²", "gives image 1, 'a', the width"),
        ("a 10 99999999", "the width '99999999'"),
    ],
)
def test_damaged_sizes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(RoasteryError, match=message):
        read_image_sizes(tmp_path / "s.txt")


def test_sizes_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="there is no list of images"):
        read_image_sizes(tmp_path / "s.txt")


def test_sizes(sizes: Path) -> None:
    assert np.array_equal(read_image_sizes(sizes), [[10, 40], [100, 400], [10, 40]])
