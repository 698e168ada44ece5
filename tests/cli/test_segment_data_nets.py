"""segment: nets that begin with a layer that reads pictures and their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from frontends.prototxt import Message
from roastery.cli.main import main
from roastery.reading.deployed import PictureLayer, picture_layer
from roastery.reading.nets import net_from_text

cv2 = pytest.importorskip("cv2")

INPUT = """layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: %d dim: %d dim: %d } } }
"""
SCORE = """
layer { name: "score" type: "Convolution" bottom: "data" top: "score" convolution_param {
  num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "gaussian" std: 0.1 } } }
layer { name: "prob" type: "Softmax" bottom: "score" top: "prob" }
"""
JUDGED = """
layer { name: "judge" type: "SegAccuracy" bottom: "prob" bottom: "label" top: "judged" }
layer { name: "file" type: "MatWrite" bottom: "prob" mat_write_param { prefix: "/x/" } }
"""
QUIET = 'layer { name: "quiet" type: "Silence" bottom: "data_dim" }'
SEGNET = """
layer { name: "data" type: "DenseImageData" top: "data" top: "label"
  dense_image_data_param { source: "/SegNet/CamVid/test.txt" batch_size: 1 } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param {
  num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "msra" } } }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "c1" }
layer { name: "p1" type: "Pooling" bottom: "c1" top: "p1" top: "m1" pooling_param {
  kernel_size: 2 stride: 2 } }
layer { name: "p2" type: "Pooling" bottom: "p1" top: "p2" top: "m2" pooling_param {
  kernel_size: 2 stride: 2 } }
layer { name: "u2" type: "Upsample" bottom: "p2" bottom: "m2" top: "u2" upsample_param {
  scale: 2 upsample_h: 9 upsample_w: 15 } }
layer { name: "u1" type: "Upsample" bottom: "u2" bottom: "m1" top: "u1" upsample_param {
  scale: 2 } }
layer { name: "prob" type: "Softmax" bottom: "u1" top: "prob" }
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    cv2.imwrite("a.png", pixels)
    cv2.imwrite("b.png", pixels[:10, :14])


def labels(net: str, *words: str) -> np.ndarray:
    Path("net.prototxt").write_text(net)
    if not Path("net.caffemodel").exists():
        caffe.set_random_seed(1)
        caffe.Net("net.prototxt", caffe.TEST).save("net.caffemodel")
    assert main(["segment", "net.prototxt", "net.caffemodel", "a.png", *words]) == 0
    found: np.ndarray = cv2.imread("segmented/a_labels.png", cv2.IMREAD_UNCHANGED)
    return found


@pytest.mark.parametrize(
    ("data", "size", "channels", "flags"),
    [
        ('type: "DenseImageData" dense_image_data_param { new_height: 8 new_width: 10 }',
         (8, 10), 3, ()),
        ('type: "DenseImageData" dense_image_data_param { is_color: false }', (16, 24), 1, ()),
        ('type: "ImageSegData" top: "data_dim" image_data_param { label_type: NONE } '
         "transform_param { crop_size: 9 mean_value: 104.0 mean_value: 117.25 mean_value: 123 }",
         (9, 9), 3, ("--mean_value=104,117.25,123",)),
        ('type: "DenseImageData" dense_image_data_param { new_height: 20 new_width: 8 '
         'crop_height: 6 '
         "crop_width: 7 } transform_param { mean_value: 99 scale: 0.5 }",
         (6, 7), 3, ("--mean_value=99", "--input_scale=0.5")),
    ],
)  # fmt: skip
def test_pictures_take_the_place_of_data(
    data: str,
    size: tuple[int, int],
    channels: int,
    flags: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As the same net with an Input, and what the layer says as flags."""
    expected = labels(INPUT % (channels, *size) + SCORE, *flags)
    assert capsys.readouterr().err == ""
    layer = f'layer {{ name: "data" top: "data" top: "label" {data} }}\n'
    more = QUIET if "data_dim" in data else ""
    np.testing.assert_array_equal(labels(layer + SCORE + JUDGED + more), expected)
    note = capsys.readouterr().err
    assert note.startswith("note: layer 'data' (") and "writes files is left out: 'judge'" in note
    assert f"here 'data' is the picture, 1 x {channels} x {size[0]} x {size[1]}" in note


def test_pictures_of_their_own_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    data = 'layer { name: "data" type: "DenseImageData" top: "data" top: "label" }'
    expected = labels(INPUT % (3, 5, 5) + SCORE, "b.png", "--size=picture", "--write=labels")
    other = cv2.imread("segmented/b_labels.png", cv2.IMREAD_UNCHANGED)
    found = labels(data + SCORE, "b.png", "--write=labels")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(cv2.imread("segmented/b_labels.png", cv2.IMREAD_UNCHANGED), other)
    note = capsys.readouterr().err
    assert "1 x 3 x 16 x 24; that is the size of 'a.png', --size=HEIGHT,WIDTH gives" in note
    labels(data + SCORE, "--size=7,5")
    note = capsys.readouterr().err
    assert "1 x 3 x 7 x 5" in note and "that is the size" not in note


def test_a_net_that_pools_and_says_what_it_pooled(capsys: pytest.CaptureFixture[str]) -> None:
    """SegNet's: upsample_h and upsample_w of the second pooling tell the size of pictures."""
    given = SEGNET.replace("DenseImageData", "Input").replace(
        'dense_image_data_param { source: "/SegNet/CamVid/test.txt" batch_size: 1 }',
        "input_param { shape { dim: 1 dim: 3 dim: 18 dim: 30 } }",
    )
    expected = labels(given.replace('top: "label"', ""))
    np.testing.assert_array_equal(labels(SEGNET), expected)
    assert "'data' is the picture, 1 x 3 x 18 x 30" in capsys.readouterr().err


def found(text: str) -> PictureLayer | None:
    net: Message = net_from_text(text)
    return picture_layer(net)


def test_which_nets_have_such_a_layer() -> None:
    both = """
      layer { name: "a" type: "ImageSegData" top: "data" top: "label" include { phase: TRAIN }
        transform_param { crop_size: 5 } }
      layer { name: "b" type: "ImageSegData" top: "data" top: "label" include { phase: TEST }
        transform_param { crop_size: 7 } }
    """
    layer = found(both + SCORE)
    assert layer is not None and layer.size == (7, 7) and layer.layer.name == "b"
    assert found(both.replace("TRAIN", "TEST") + SCORE) is None
    assert found(INPUT % (1, 2, 2) + SCORE) is None
    hdf5 = 'layer { name: "h" type: "HDF5Data" top: "data" hdf5_data_param { source: "x" } }'
    assert found(hdf5 + SCORE) is None


def test_circles_of_poolings() -> None:
    text = SEGNET.replace('bottom: "data"', 'bottom: "m2"')
    layer = found(text)
    assert layer is not None and layer.size is None


def test_what_else_labels_are_used_for() -> None:
    """What is made of labels goes with them, and what writes into a blob that stays does not."""
    layer = found(
        'layer { name: "data" type: "DenseImageData" top: "data" top: "label" }'
        + SCORE
        + """
        layer { name: "half" type: "Power" bottom: "label" top: "half" }
        layer { name: "loss" type: "EuclideanLoss" bottom: "half" bottom: "score" top: "loss" }
        layer { name: "last" type: "ReLU" bottom: "prob" top: "out" }
        """
    )
    assert layer is not None
    net, note = layer.replaced((4, 5))
    assert [each.name for each in net.layer] == ["data", "score", "prob", "last"]
    assert net.layer[0].input_param.shape[0].dim == [1, 3, 4, 5]
    assert note.endswith("is left out: 'half', 'loss'")
