"""segment: pictures in, class numbers and overlays out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from roastery.cli.main import main
from roastery.tools.class_colors import ClassColor, common_color, overlay, read_classes

cv2 = pytest.importorskip("cv2")

# The class is the brightest channel: 0 blue, 1 green, 2 red.
NET = """
layer {{ name: "in" type: "Input" top: "data"
  input_param {{ shape {{ dim: 2 dim: {channels} dim: 8 dim: 12 }} }} }}
layer {{ name: "score" type: "Convolution" bottom: "data" top: "score"
  convolution_param {{ num_output: {classes} kernel_size: 1 }} }}
"""
ARGMAX = """
layer { name: "max" type: "ArgMax" bottom: "score" top: "max" argmax_param { axis: 1 } }
"""
MODEL = ["net.prototxt", "net.caffemodel"]
QUARTERS = np.array([[0, 1], [2, 1]])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A net, and a picture of 16 x 24 whose quarters are of the classes 0, 1, 2 and 1."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    make_model()
    write_picture("a.png")
    return tmp_path


def make_model(channels: int = 3, classes: int = 3, more: str = "", scale: float = 1) -> None:
    Path("net.prototxt").write_text(NET.format(channels=channels, classes=classes) + more)
    net = caffe.Net("net.prototxt", caffe.TEST)
    net.params["score"][0].data[...] = 0
    for number in range(classes):
        net.params["score"][0].data[number, min(number, channels - 1)] = scale
    net.save("net.caffemodel")


def write_picture(name: str, height: int = 16, width: int = 24) -> np.ndarray:
    """A picture, dark but for the channel of each quarter's class; the classes."""
    classes = np.repeat(np.repeat(QUARTERS, height // 2, 0), width // 2, 1)
    pixels = np.full((height, width, 3), 20, np.uint8)
    np.put_along_axis(pixels, classes[..., np.newaxis], 200, axis=2)
    cv2.imwrite(name, pixels)
    return classes


def labels_of(path: str) -> np.ndarray:
    return cv2.imread(path, cv2.IMREAD_UNCHANGED)


def test_labels_and_overlay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", *MODEL, "a.png"]) == 0
    said = capsys.readouterr().out
    assert "a.png: class 1 50.0%, class 0 25.0%, class 2 25.0%" in said
    assert "Segmented 1 picture in" in said and said.endswith("results are in segmented\n")
    labels = labels_of("segmented/a_labels.png")
    assert labels.dtype == np.uint8 and labels.shape == (16, 24)
    np.testing.assert_array_equal(labels, write_picture("same.png"))
    shown, picture = labels_of("segmented/a_overlay.png"), labels_of("a.png")
    assert shown.shape == (16, 24, 3)
    np.testing.assert_array_equal(shown[:8, :12], picture[:8, :12])  # the background
    red, green, blue = common_color(1)
    expected = np.rint(picture[0, 23] * 0.4 + np.array([blue, green, red]) * 0.6)
    np.testing.assert_array_equal(shown[0, 23], expected)


def test_sizes(here: Path) -> None:
    """A net without fixed sizes takes each picture as it is, or at a size that is named."""
    classes = write_picture("b.png", 10, 14)
    write_picture("a.png", 16, 24)
    for size in ("picture", "20,28"):
        flags = ["--size", size, f"--output=out/{size}", "--write=labels"]
        assert main(["segment", *MODEL, "a.png", "b.png", *flags]) == 0
        np.testing.assert_array_equal(labels_of(f"out/{size}/b_labels.png"), classes)
        assert labels_of(f"out/{size}/a_labels.png").shape == (16, 24)
        assert not list(Path("out", size).glob("*_overlay.png"))


def test_a_folder_and_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos").mkdir()
    for name in ("x.jpeg", "z.png", "y.png"):
        write_picture(f"photos/{name}")
    Path("classes.txt").write_text("sky\nan old tree 1 2 3\n\nlast\n\n")
    flags = ["--ext=png", "--classes=classes.txt", "--opacity=1", "--background=-1"]
    assert main(["segment", *MODEL, "photos", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "photos/y.png: an old tree 50.0%, sky 25.0%, class 2 25.0%"
    assert lines[1].startswith("photos/z.png") and len(lines) == 3
    shown = labels_of("segmented/y_overlay.png")
    assert shown[0, 23].tolist() == [3, 2, 1] and shown[0, 0].tolist() == [0, 0, 0]


def test_the_mean_comes_off(here: Path) -> None:
    """With 180 taken from red, blue is brighter than it in the whole picture."""
    for flag in ("--mean_value=0,0,181", "--mean_file=mean.npy"):
        np.save("mean.npy", np.array([0.0, 0, 181]))
        assert main(["segment", *MODEL, "a.png", flag]) == 0
        assert np.unique(labels_of("segmented/a_labels.png")).tolist() == [0, 1]
    np.save("mean.npy", np.full((3, 5, 5), 7.0))
    for size in ("picture", "8,12"):
        assert main(["segment", *MODEL, "a.png", "--mean_file=mean.npy", "--size", size]) == 0


def test_class_numbers_and_many_classes(here: Path) -> None:
    make_model(more=ARGMAX)
    assert main(["segment", *MODEL, "a.png"]) == 0
    np.testing.assert_array_equal(labels_of("segmented/a_labels.png"), write_picture("a.png"))
    assert main(["segment", *MODEL, "a.png", "--output_blob=score", "--output=2"]) == 0
    np.testing.assert_array_equal(labels_of("2/a_labels.png"), write_picture("a.png"))
    make_model(classes=300)
    net = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    net.params["score"][1].data[299] = 1000
    net.save("net.caffemodel")
    assert main(["segment", *MODEL, "a.png"]) == 0
    labels = labels_of("segmented/a_labels.png")
    assert labels.dtype == np.uint16 and (labels == 299).all()


def test_gray_nets(here: Path) -> None:
    make_model(channels=1, classes=2, scale=-1)
    assert main(["segment", *MODEL, "a.png"]) == 0
    assert labels_of("segmented/a_overlay.png").shape == (16, 24, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lost.png"], "there is no picture 'lost.png'"),
        (["net.prototxt"], "is not a picture that OpenCV can decode"),
        (["a.png", "a.png", "sub/a.png"], "would both become segmented/a_labels.png"),
        (["sub"], "folder 'sub' holds no .jpg files"),
        (["a.png", "--size=8"], "must be HEIGHT,WIDTH in pixels"),
        (["a.png", "--size=0,4"], "must be HEIGHT,WIDTH in pixels"),
        (["a.png", "--size=100000,100000"], "10000000000"),
        (["a.png", "--mean_value=1,2"], "2 values; the net's input has 3 channels"),
        (["a.png", "--mean_value=1,x,2"], "must be numbers separated by commas"),
        (["a.png", "--mean_value=nan"], "must be numbers separated by commas"),
        (["a.png", "--mean_value=1", "--mean_file=m.npy"], "give one of the two"),
        (["a.png", "--output_blob=prob"], "the net has no blob 'prob'"),
        (["a.png", "--output=a.png/x"], "cannot make the folder a.png/x"),
        (["a.png", "--classes=lost"], "'lost'"),
        (["a.png", "--opacity=2"], "opacity"),
        (["a.png", "--write=all"], "write"),
    ],
)
def test_mistakes(
    words: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sub").mkdir()
    write_picture("sub/a.png")
    assert main(["segment", *MODEL, *words]) != 0
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_nets_that_say_nothing_of_pixels(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ip = 'layer { name: "ip" type: "InnerProduct" bottom: "%s" top: "ip" '
    ip += "inner_product_param { num_output: 3 } }"
    for more, message in (
        (ip % "score", "'ip' is 1 x 3; scores of (1, classes, height, width) were expected"),
        (ip % "data", "the net has 2 outputs: ip, score"),
    ):
        make_model(more=more)
        assert main(["segment", *MODEL, "a.png"]) == 1
        error = capsys.readouterr().err
        assert message in error and "--output_blob names" in error
    make_model(classes=1, scale=0.01)
    assert main(["segment", *MODEL, "a.png"]) == 1
    assert "one channel, whose values are not class numbers" in capsys.readouterr().err
    assert not list(Path("segmented").iterdir())


def test_colors() -> None:
    assert [common_color(n) for n in (0, 1, 2, 3, 8, 15, 255)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (128, 128, 0),
        (64, 0, 0),
        (192, 128, 128),
        (224, 224, 192),
    ]
    assert len({common_color(n) for n in range(256)}) == 256
    picture = np.full((1, 2, 3), 100, np.float32)
    classes = [ClassColor("a", (0, 0, 0)), ClassColor("b", (200, 0, 100))]
    mixed = overlay(picture, np.array([[0, 1]]), classes, 0.5, plain=-1)
    assert mixed.tolist() == [[[50, 50, 50], [150, 50, 100]]]


def test_class_files(tmp_path: Path) -> None:
    from ir.errors import RoasteryError

    path = tmp_path / "classes"
    path.write_text("1 2 3\nroad 256 0 0\n")
    with pytest.raises(RoasteryError, match="classes:2:1: 256 is no part of a colour"):
        read_classes(path)
    path.write_text("1 2 3\nroad -1 0 0")
    notes: list[str] = []
    assert [c.name for c in read_classes(path, notes.append)] == ["1 2 3", "road -1 0 0"]
    assert notes == [
        f"'{path}', line 1: all of '1 2 3' is taken as a class's name; a colour is three whole "
        "numbers from 0 to 255 behind the name (1 more like it)"
    ]
    path.write_text("\n\n")
    with pytest.raises(RoasteryError, match="names 0 classes"):
        read_classes(path)
    path.write_text("road 0 0 " + "9" * 5000)
    with pytest.raises(RoasteryError, match="999999999 is no part of a colour"):
        read_classes(path)
    path.write_bytes(b"\x89PNG\r\n\0\0\0")
    with pytest.raises(RoasteryError, match="it is no text file"):
        read_classes(path)


@pytest.mark.parametrize(
    ("line", "doubtful"),
    [
        ("b 1 2", True),
        ("road 128, 64, 128", True),
        ("road 128,64,128", True),
        ("road (128,64,128)", True),
        ("road #8040ff", True),
        ("road 0.5 0.25 0.5", True),
        ("road 1 2 3", False),
        ("lane 2", False),
        ("7", False),
        ("3 wheeled bicycle", False),
        ("", False),
    ],
)
def test_lines_that_are_half_a_color(tmp_path: Path, line: str, doubtful: bool) -> None:
    path = tmp_path / "classes"
    path.write_text(f"a\n{line}\nc\n")
    notes: list[str] = []
    assert len(read_classes(path, notes.append)) == 3
    assert len(notes) == doubtful and all("line 2" in note for note in notes)


def test_a_doubtful_line_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("classes.txt").write_text("a\nb 1 2\nc\n")
    assert main(["segment", *MODEL, "a.png", "--classes=classes.txt"]) == 0
    error = capsys.readouterr().err
    assert error.startswith("note: 'classes.txt', line 2: all of 'b 1 2' is taken as a class's")


def test_a_picture_that_is_named_twice(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a file, with its folder and by another way to it; a link is a picture of its own."""
    Path("photos").mkdir()
    write_picture("photos/a.png")
    Path("photos/b.png").symlink_to("a.png")
    words = ["photos/a.png", "photos", "./photos/../photos/a.png", "--ext=png"]
    assert main(["segment", *MODEL, *words]) == 0
    said = capsys.readouterr().out
    assert [line.partition(":")[0] for line in said.splitlines()[:-1]] == [
        "photos/a.png",
        "photos/b.png",
    ]
