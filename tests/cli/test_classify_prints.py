"""`roastery classify MODEL WEIGHTS IMAGE...`: the best classes, as Caffe's C++ example tells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from roastery.cli.main import main
from roastery.tools.shims import lay_out_shims
from tests.support.terminal import run_on_terminal

cv2 = pytest.importorskip("cv2")

#: Blue, green and red of a picture's mean, as probabilities.
COLORS = """
layer {{ name: "data" {source} }}
layer {{ name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param {{ pool: AVE global_pooling: true }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param {{ num_output: 3 }} }}
{last}
"""
INPUT = 'type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } }'
PROB = 'layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_net(tmp_path)
    Path("words.txt").write_text("n01 blue, sea\nn02 green\nn03 red\n")
    paint("red.png", (0, 0, 200))
    paint("blue.jpg", (200, 0, 0))
    return tmp_path


def make_net(folder: Path, source: str = INPUT, last: str = PROB) -> None:
    (folder / "net.prototxt").write_text(COLORS.format(source=source, last=last))
    (folder / "plain.prototxt").write_text(COLORS.format(source=INPUT, last=PROB))
    net = caffe.Net(str(folder / "plain.prototxt"), caffe.TEST)
    net.params["ip"][0].data[...] = np.eye(3) / 100
    net.save(str(folder / "w.caffemodel"))


def paint(name: str, color: tuple[int, int, int], size: tuple[int, int] = (12, 16)) -> None:
    cv2.imwrite(name, np.full((*size, 3), color, np.uint8))


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(["classify", *words]) == code
    shown = capsys.readouterr()
    return shown.out, shown.err


def softmax(*values: float) -> np.ndarray:
    powers = np.exp(np.array(values))
    return powers / powers.sum()


def test_the_words_of_the_example(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "--labels=words.txt")
    best, low, _ = softmax(2, 0, 0)
    assert out == (
        "---------- Prediction for red.png ----------\n"
        f'{best:.4f} - "n03 red"\n{low:.4f} - "n01 blue, sea"\n{low:.4f} - "n02 green"\n'
    )
    assert err == ""


def test_several_pictures_and_folders(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("more").mkdir()
    paint("more/b.JPG", (0, 200, 0))
    paint("more/a.png", (200, 0, 0))
    Path("more/notes.txt").write_text("no picture")
    out, err = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "more", "--top=1")
    lines = out.splitlines()
    assert lines[::2] == [
        f"---------- Prediction for {name} ----------"
        for name in ("red.png", "more/a.png", "more/b.JPG")
    ]
    assert [line.split(" - ")[1] for line in lines[1::2]] == ['"class 2"', '"class 0"', '"class 1"']
    assert err == "", "nothing is drawn where standard error is no terminal"


def test_arguments_of_the_example(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """deploy.prototxt net.caffemodel mean.binaryproto labels.txt img.jpg; the mean by channel."""
    mean = np.zeros((1, 3, 5, 7))
    mean[0, 2, :, ::2], mean[0, 0] = 350, 100
    blob = caffe.io.array_to_blobproto(mean)
    Path("mean.binaryproto").write_bytes(blob.SerializeToString())
    words = ["net.prototxt", "w.caffemodel", "mean.binaryproto", "words.txt", "red.png"]
    out, _ = said(capsys, *words)
    expected = softmax(-1, 0, 2 - 3.5 * 4 / 7)
    assert [float(line.split()[0]) for line in out.splitlines()[1:]] == pytest.approx(
        sorted(expected, reverse=True), abs=1e-4
    )
    _, err = said(capsys, *words, "--labels=words.txt", code=1)
    assert "--labels and 'words.txt': give one of the two" in err


def test_the_examples_program(here: Path) -> None:
    """Its readme's command line, on a folder of `roastery shims`."""
    lay_out_shims(here)
    mean = caffe.io.array_to_blobproto(np.zeros((1, 3, 8, 8)))
    Path("mean.binaryproto").write_bytes(mean.SerializeToString())
    done = subprocess.run(
        ["./build/examples/cpp_classification/classification.bin", "net.prototxt",
         "w.caffemodel", "mean.binaryproto", "words.txt", "red.png"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "ROASTERY_DEVICE": "reference"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "---------- Prediction for red.png ----------"
    assert lines[1] == f'{softmax(2, 0, 0)[0]:.4f} - "n03 red"'


def test_the_whole_picture_or_its_middle(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[4:12, 4:12] = (0, 0, 200)
    cv2.imwrite("framed.png", picture)
    model = ["net.prototxt", "w.caffemodel", "framed.png", "--top=1"]
    ten = 1 / 4  # what corners have of it, and the middle has all
    for flags, red in (
        ([], 0.5),
        (["--images_dim=16,16"], 2.0),
        (["--images_dim=16,16", "--nocenter_only"], None),
    ):
        out, _ = said(capsys, *model, *flags)
        found = float(out.splitlines()[1].split()[0])
        wanted = (
            softmax(red, 0, 0)[0]
            if red is not None
            else 0.2 * softmax(2, 0, 0)[0] + 0.8 * softmax(2 * ten, 0, 0)[0]
        )
        assert found == pytest.approx(wanted, abs=2e-3), flags


def test_scores_that_are_no_probabilities(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_net(here, last="")
    out, err = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "--top=1")
    assert out.splitlines()[1] == '2.0000 - "class 2"'
    assert err.count("note: the numbers are no probabilities") == 1


def test_a_net_with_a_data_layer(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = (
        'type: "ImageData" top: "data" top: "label" transform_param { crop_size: 8 '
        "mean_value: 0 mean_value: 0 mean_value: 100 } "
        'image_data_param { source: "gone.txt" new_height: 12 new_width: 12 batch_size: 4 }'
    )
    loss = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "l" }'
    make_net(here, source, PROB + loss)
    out, err = said(
        capsys, "net.prototxt", "w.caffemodel", "red.png", "--top=1", "--images_dim=12,12"
    )
    assert out.splitlines()[1] == f'{softmax(1, 0, 0)[0]:.4f} - "class 2"'
    assert "its mean 0, 0, 100 is subtracted" in err


def test_a_database_does_not_say_how_many_channels(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The weights do: these are of gray pictures."""
    Path("net.prototxt").write_text("""
        layer { name: "d" type: "Data" top: "data" top: "label"
          transform_param { crop_size: 4 } data_param { source: "gone" batch_size: 3 } }
        layer { name: "c" type: "Convolution" bottom: "data" top: "c"
          convolution_param { num_output: 2 kernel_size: 4 weight_filler { type: "xavier" } } }
        layer { name: "prob" type: "Softmax" bottom: "c" top: "prob" }
        layer { name: "l" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" top: "l" }
    """)
    Path("gray.prototxt").write_text("""
        layer { name: "d" type: "Input" top: "data" input_param {
          shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
        layer { name: "c" type: "Convolution" bottom: "data" top: "c"
          convolution_param { num_output: 2 kernel_size: 4 weight_filler { type: "xavier" } } }
    """)
    caffe.Net("gray.prototxt", caffe.TEST).save("gray.caffemodel")
    out, err = said(capsys, "net.prototxt", "gray.caffemodel", "red.png")
    assert "1 x 1 x 4 x 4" in err and '"class 1"' in out


def test_several_outputs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = 'layer { name: "m" type: "Reduction" bottom: "pool" top: "m" }'
    make_net(here, last=PROB + more)
    out, _ = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "--top=1")
    assert out.splitlines()[1].endswith('"class 2"')
    _, err = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "--output_blob=pool", code=1)
    assert "the net has no output 'pool'; it has" in err
    _, err = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "--output_blob=m", code=1)
    assert "a score for each class was expected" in err


def test_labels_of_another_net(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("two.txt").write_text("a\nb\n")
    out, err = said(capsys, "net.prototxt", "w.caffemodel", "red.png", "--labels=two.txt")
    assert out.splitlines()[1].endswith('"class 2"') and '"a"' in out
    assert err == "note: 'two.txt' names 2 classes; the net has 3\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["net.prototxt", "w.caffemodel"], "classify needs pictures; write `roastery classify"),
        (["net.prototxt", "w.caffemodel", "gone.png"], "there is no picture 'gone.png'"),
        (["net.prototxt", "gone.caffemodel", "red.png"], "gone.caffemodel"),
        (["gone.prototxt", "w.caffemodel", "red.png"], "gone.prototxt"),
        (["net.prototxt", "w.caffemodel", "empty"], "folder 'empty' holds no pictures (jpg,"),
        (["net.prototxt", "w.caffemodel", "red.png", "--labels=no.txt"], "no.txt"),
        (["net.prototxt", "w.caffemodel", "red.png", "--top=0"], "--top=0: must be 1 or more"),
        (["net.prototxt", "w.caffemodel", "red.png", "--images_dim=4,4"], "smaller than the net"),
        (["words.txt", "w.caffemodel", "red.png"], "words.txt"),
    ],
)  # fmt: skip
def test_mistakes(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    Path("empty").mkdir()
    out, err = said(capsys, *words, code=1)
    assert message in err and err.startswith("error: ") and out == ""


def test_a_damaged_picture_in_a_folder_is_left_out(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("many").mkdir()
    for name in ("many/a.png", "many/c.png"):
        paint(name, (200, 0, 0))
    Path("many/b.png").write_bytes(Path("red.png").read_bytes()[:50])
    out, err = said(capsys, "net.prototxt", "w.caffemodel", "many", "--top=1", code=1)
    assert "many/a.png" in out and "many/c.png" in out and "many/b.png" not in out
    assert err.startswith("note: left out: cannot read the picture 'many/b.png'")
    assert err.endswith("error: 1 of 3 pictures could not be read\n")


def test_a_folder_shows_how_far_it_is_on_a_terminal(here: Path) -> None:
    Path("many").mkdir()
    for number in range(4):
        paint(f"many/{number}.png", (0, 0, 50 * number))
    words = ["classify", "net.prototxt", "w.caffemodel", "many", "--device=reference"]
    code, out, drawn = run_on_terminal(words)
    assert code == 0, drawn
    assert "pictures" in drawn and "4/4" in drawn and "picture/s" in drawn
    assert out.count("Prediction for") == 4 and "4/4" not in out
    assert run_on_terminal(words, columns=0)[2].count("4/4") >= 1
    assert run_on_terminal(words, TERM="dumb")[2] == ""
