"""detect_objects: SSD, YOLO and Faster R-CNN nets on pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from roastery.cli.main import main
from roastery.tools.objects.labels import read_labels
from tests.support.golden import FORKS

cv2 = pytest.importorskip("cv2")

LABELS = """
item { name: "none_of_the_above" label: 0 display_name: "background" }
item { name: "n1" label: 1 display_name: "dog" }
item { name: "cat" label: 2 }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    cv2.imwrite("a.png", pixels)
    Path("labels.prototxt").write_text(LABELS)
    return tmp_path


def recorded(name: str, **changes: str) -> None:
    """net.prototxt and net.caffemodel, as a fork's net was recorded."""
    (path,) = [p for p in FORKS if p.stem == name]
    with np.load(path) as file:
        case = dict(file)
    text = case["prototxt"].tobytes().decode()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    Path("net.prototxt").write_text(text)
    net = caffe.Net("net.prototxt", caffe.TEST)
    for key, array in case.items():
        if key.startswith("param/"):
            layer, i = key.removeprefix("param/").rsplit("/", 1)
            net.params[layer][int(i)].data[...] = array
    net.save("net.caffemodel")


def run(*words: str) -> list[dict[str, object]]:
    words = ("detect_objects", "net.prototxt", "net.caffemodel", "a.png", *words)
    assert main([*words, "--json=found.json"]) == 0
    (found,) = json.loads(Path("found.json").read_text())
    assert found["image"] == "a.png"
    objects: list[dict[str, object]] = found["objects"]
    return objects


def test_ssd(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy")
    found = run("--label_map=labels.prototxt", "--output=drawn", "--mean_value=120",
                "--input_scale=0.01", "--threshold=0.3")  # fmt: skip
    said = capsys.readouterr().out
    net = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    net.blobs["data"].reshape(1, 3, 20, 24)
    picture = caffe.io.load_image("a.png")
    small = caffe.io.resize_image(picture, (20, 24))[:, :, ::-1].transpose(2, 0, 1)
    net.blobs["data"].data[0] = (small * 255 - 120) * 0.01
    rows = net.forward()["det"][0, 0]
    rows = rows[rows[:, 2] >= 0.3]
    rows = rows[np.argsort(-rows[:, 2], kind="stable")]
    assert len(found) == len(rows) > 3
    names = {1: "dog", 2: "cat", 3: "class 3"}
    for each, row in zip(found, rows, strict=True):
        assert each["label"] == row[1] and each["name"] == names[int(row[1])]
        np.testing.assert_allclose(each["score"], row[2], atol=1e-4)
        np.testing.assert_allclose(each["box"], row[3:] * [60, 40, 60, 40], rtol=1e-3, atol=0.02)
    assert f"a.png: {len(found)} objects" in said and "drawn in drawn" in said
    shown = cv2.imread("drawn/a.png")
    assert shown.shape == (40, 60, 3)
    assert (shown != cv2.imread("a.png")).any()


def test_yolo_at_another_size(here: Path) -> None:
    recorded("net_yolov3_deploy")
    found = run("--size=32,24", "--input_scale=0.02", "--threshold=0.51")
    net = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    net.blobs["data"].reshape(1, 3, 32, 24)
    small = caffe.io.resize_image(caffe.io.load_image("a.png"), (32, 24))
    net.blobs["data"].data[0] = small[:, :, ::-1].transpose(2, 0, 1) * 255 * 0.02
    rows = net.forward()["det"][0, 0]
    rows = rows[rows[:, 2] >= 0.51]
    assert len(found) == len(rows) > 1
    for each, row in zip(found, rows, strict=True):
        assert each["label"] == row[1] and each["name"] == f"class {int(row[1])}"
        np.testing.assert_allclose(each["box"], row[3:] * [60, 40, 60, 40], rtol=1e-3, atol=0.02)


def test_faster_rcnn(here: Path) -> None:
    recorded("net_faster_rcnn_deploy")
    flags = ("--shortest=24", "--longest=30", "--input_scale=0.01", "--threshold=0.2",
             "--overlap=0.5")  # fmt: skip
    found = run(*flags)
    net = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    scale = 30 / 60
    net.blobs["data"].reshape(1, 3, 20, 30)
    small = caffe.io.resize_image(caffe.io.load_image("a.png"), (20, 30))
    net.blobs["data"].data[0] = small[:, :, ::-1].transpose(2, 0, 1) * 255 * 0.01
    net.blobs["info"].data[...] = [20, 30, scale]
    out = net.forward()
    rois = net.blobs["rois"].data[:, 1:] / scale
    expected = []
    for label in range(1, 4):
        scores = out["prob"][:, label]
        kept: list[np.ndarray] = []
        for i in np.argsort(-scores, kind="stable"):
            if scores[i] < 0.2:
                break
            move, box = out["bbox"][i, 4 * label : 4 * label + 4], rois[i]
            size = box[2:] - box[:2] + 1
            center = box[:2] + size / 2 + move[:2] * size
            half = np.exp(move[2:]) * size / 2
            moved = np.clip(np.concatenate([center - half, center + half]), 0, [59, 39] * 2)
            if all(overlap(moved, other) <= 0.5 for other in kept):
                kept.append(moved)
                expected.append((scores[i], label, moved))
    expected.sort(key=lambda each: -each[0])
    assert len(found) == len(expected) > 2
    for each, (score, label, box) in zip(found, expected, strict=True):
        assert each["label"] == label
        np.testing.assert_allclose(each["score"], score, atol=1e-4)
        np.testing.assert_allclose(each["box"], box, atol=0.05)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    w, h = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]) + 1, 0)
    areas = [np.prod(c[2:] - c[:2] + 1) for c in (a, b)]
    return float(w * h / (sum(areas) - w * h))


def test_nothing_is_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy", **{"confidence_threshold: 0.2": "confidence_threshold: 2"})
    assert run("--threshold=0") == []
    assert "a.png: 0 objects" in capsys.readouterr().out


def test_boxes_without_ends_are_null(here: Path) -> None:
    recorded("net_yolov3_deploy")
    found = run("--input_scale=1e6")
    assert "Infinity" not in Path("found.json").read_text()
    assert any(None in each["box"] for each in found)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threshold=50"], "--threshold=50: scores go from 0 to 1"),
        (["--size=3"], "--size=3: must be HEIGHT,WIDTH"),
        (["--box_scales=1,2"], "--box_scales=1,2: must be four numbers"),
        (["--shortest=9", "--longest=8"], "--longest=8 is less than --shortest=9"),
        (["--output=."], "'a.png' would be drawn over"),
        (["sub/a.png", "--output=x"], "would both become x/a.png"),
        (["--label_map=missing.prototxt"], "there is no label map"),
    ],
)
def test_what_is_refused(
    here: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded("net_ssd_deploy")
    Path("sub").mkdir()
    given = ["detect_objects", "net.prototxt", "net.caffemodel", "a.png", *words]
    assert main(given) != 0
    assert message in capsys.readouterr().err
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", "the outputs of 'net.prototxt' are 'y' 1 x 3 x 8 x 8; one of rows of 7 numbers"),
        ('top: "info" input_param { shape { dim: 1 dim: 3 } }', "scores (regions, classes) and"),
        ('top: "z" input_param { shape { dim: 4 } }', "the inputs of 'net.prototxt' are"),
    ],
)
def test_other_nets_are_refused(
    here: Path, inputs: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = f'layer {{ name: "more" type: "Input" {inputs} }}' if inputs else ""
    Path("net.prototxt").write_text(
        'layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 '
        'dim: 8 } } } layer { name: "r" type: "ReLU" bottom: "x" top: "y" } ' + more
    )
    caffe.Net("net.prototxt", caffe.TEST).save("net.caffemodel")
    assert main(["detect_objects", "net.prototxt", "net.caffemodel", "a.png"]) != 0
    assert message in capsys.readouterr().err


def test_links_in_circles(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy")
    Path("b.png").symlink_to("b.png")
    assert main(["detect_objects", "net.prototxt", "net.caffemodel", "b.png", "--output=x"]) == 1
    assert "cannot read the picture 'b.png': Too many" in capsys.readouterr().err


def test_labels(here: Path) -> None:
    assert read_labels(Path("labels.prototxt")) == {0: "background", 1: "dog", 2: "cat"}
    Path("names.txt").write_text("background\ndog\nblue cat\n")
    assert read_labels(Path("names.txt")) == {0: "background", 1: "dog", 2: "blue cat"}


def test_a_list_of_pictures_is_no_label_map(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy")
    Path("test.txt").write_text("VOC2007/JPEGImages/000001.jpg VOC2007/Annotations/000001.xml\n")
    words = ["detect_objects", "net.prototxt", "net.caffemodel", "a.png", "--label_map=test.txt"]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "test.txt:1:1: 'VOC2007/JPEGImages/000001.jpg' is a picture's name" in error


def test_a_picture_that_is_named_twice(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy")
    run(".", "--ext=png", "--output=drawn")
    assert capsys.readouterr().out.count("a.png: ") == 1


def test_a_label_map_with_too_few_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy")
    Path("short.txt").write_text("background\n")
    found = {int(str(each["label"])) for each in run("--label_map=short.txt", "--threshold=0")}
    told = ", ".join(map(str, sorted(found)))
    assert found and f"'short.txt' has no name for class {told}:" in capsys.readouterr().err


ANNOTATED = """layer { name: "pictures" type: "AnnotatedData" top: "data" top: "label"
  transform_param { mean_value: 100 mean_value: 110 mean_value: 120 scale: 0.01 %s }
  data_param { source: "VOC_lmdb" batch_size: 8 } }
"""
EVALUATION = """
layer { name: "judge" type: "DetectionEvaluate" bottom: "det" bottom: "label" top: "eval"
  detection_evaluate_param { num_classes: 4 } }
"""


def as_tested(transform: str) -> None:
    """The net as it is tested: a data layer for its input, and one that judges boxes."""
    text = Path("net.prototxt").read_text()
    layers = text.split("layer {")
    (own,) = [part for part in layers if '"Input"' in part]
    text = text.replace("layer {" + own, ANNOTATED % transform) + EVALUATION
    Path("net.prototxt").write_text(text)


def test_a_net_as_it_is_tested(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """AnnotatedData says size, mean and scale; flags give others."""
    recorded("net_ssd_deploy")
    flags = ("--size=20,24", "--threshold=0.1", "--mean_value=100,110,120", "--input_scale=0.01")
    expected = run(*flags)
    assert capsys.readouterr().err == ""
    as_tested("resize_param { height: 20 width: 24 }")
    assert run("--threshold=0.1") == expected
    assert capsys.readouterr().err == (
        "note: layer 'pictures' (AnnotatedData) reads files; here 'data' is the picture, 1 x 3 x "
        "20 x 24, and what reads labels or writes files is left out: 'judge'; its mean 100, 110, "
        "120 is subtracted, and values are multiplied by its scale 0.01\n"
    )
    assert run("--threshold=0.1", "--mean_value=1") != expected
    resized = run("--threshold=0.1", "--size=32,24")
    assert "1 x 3 x 32 x 24" in capsys.readouterr().err and resized != expected


def test_a_data_layer_that_says_no_size(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded("net_ssd_deploy")
    as_tested("")
    assert main(["detect_objects", "net.prototxt", "net.caffemodel", "a.png"]) == 1
    error = capsys.readouterr().err
    assert "layer 'pictures' does not say how large pictures become" in error
    assert "--size=HEIGHT,WIDTH does" in error


def test_a_net_with_other_data_layers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_text(
        'layer { name: "numbers" type: "HDF5Data" top: "x" top: "y" '
        'hdf5_data_param { source: "l.txt" batch_size: 1 } }'
    )
    assert main(["detect_objects", "net.prototxt", "net.caffemodel", "a.png"]) != 0
    error = capsys.readouterr().err
    assert 'in the place of layer \'numbers\': layer { name: "numbers" type: "Input"' in error
