"""Exported nets that know how pictures become their input, and what their classes are called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from roastery.cli.main import main
from runtime.artifact import load
from runtime.artifact.pictures import MEAN, PICTURES, Pictures, picture_members, read_pictures
from runtime.pictures import Preprocessing, scale_picture
from tests.support.roast_servers import NET, write_weights
from tests.support.small_detector import SSD

cv2 = pytest.importorskip("cv2")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    caffe.Net("net.prototxt", caffe.TEST, device="reference").save("net.caffemodel")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    cv2.imwrite("a.png", pixels)
    Path("labels.txt").write_text("zero\none of them\n\nthree\n")
    return tmp_path


def export(*flags: str) -> None:
    words = ["export", "net.prototxt", "--weights=net.caffemodel", "--output=net.roast"]
    assert main([*words, "--cpu-baseline=none", *flags]) == 0


@pytest.mark.parametrize("mean", ["values", "image"])
def test_it_says_what_classify_says(
    here: Path, capsys: pytest.CaptureFixture[str], mean: str
) -> None:
    flags = ["--images-dim=12,10", "--input-scale=0.5", "--raw-scale=200"]
    if mean == "values":
        flags += ["--mean-value=104,117,123"]
        array = np.array([104, 117, 123], np.float32)
    else:
        array = np.random.default_rng(1).uniform(90, 130, (3, 12, 16)).astype(np.float32)
        np.save("mean.npy", array)
        flags += ["--mean-file=mean.npy"]
    export(*flags, "--labels=labels.txt")
    capsys.readouterr()
    assert main(["run", "net.roast", "a.png", "--device=reference", "--top=3"]) == 0
    said = capsys.readouterr().out.splitlines()
    classifier = caffe.Classifier(
        "net.prototxt",
        "net.caffemodel",
        image_dims=(12, 10),
        mean=array,
        input_scale=0.5,
        raw_scale=200,
        channel_swap=(2, 1, 0),
        device="reference",
    )
    (scores,) = classifier.predict([caffe.io.load_image("a.png")], oversample=False)
    names = ["zero", "one of them", "class 2", "three"]
    best = np.argsort(-scores, kind="stable")[:3]
    assert said == ["a.png", *(f"  {scores[i]:.4f}  {names[i]}" for i in best)]


def test_a_file_that_does_not_say_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export()
    capsys.readouterr()
    assert main(["run", "net.roast", "a.png"]) == 0
    found = capsys.readouterr()
    assert len(found.out.splitlines()) == 5  # a net of four classes has no five best
    assert "does not say how pictures become its input" in found.err


def test_folders_and_arrays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export("--mean-value=104")
    Path("folder").mkdir()
    for name in ("2.png", "1.JPG", "notes.txt", "3.bmp"):
        Path("folder", name).write_bytes(Path("a.png").read_bytes())
    capsys.readouterr()
    assert main(["run", "net.roast", "folder", "--top=1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[::2] == ["folder/1.JPG", "folder/2.png", "folder/3.bmp"]
    assert main(["run", "net.roast", "folder", "--top=1", "--ext=txt"]) == 0
    assert capsys.readouterr().out.splitlines()[::2] == ["folder/notes.txt"]
    np.save("x.npy", np.zeros((1, 3, 6, 8), np.float32))
    assert main(["run", "net.roast", "data=x.npy", "--output=y.npy"]) == 0
    assert main(["run", "net.roast", "x.npy", "--output=y.npz"]) == 0
    assert main(["run", "net.roast", "a.png", "--output=picture.npy"]) == 0
    prob = np.load("y.npz")["prob"]
    np.testing.assert_array_equal(np.load("y.npy"), prob)
    assert np.load("picture.npy").shape == prob.shape


def test_a_bad_picture_among_others(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export("--mean-value=104")
    Path("bad.png").write_bytes(b"no picture")
    capsys.readouterr()
    assert main(["run", "net.roast", "bad.png", "a.png", "none.png", "--top=1"]) == 1
    found = capsys.readouterr()
    assert found.out.splitlines()[::2] == ["a.png"]
    first, second = found.err.splitlines()
    assert first.startswith("error: cannot read the picture 'bad.png': ") and "'none.png'" in second


def test_what_to_run_it_on_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export()
    Path("empty").mkdir()
    for words, told in (
        ([], "--input=data=FILE.npy"),
        (["empty"], "holds no pictures"),
        (["a.png", "x.npy"], "a.png, x.npy: pictures are one way to run it"),
        (["a.png", "a.png", "net.prototxt", "--output=y.npz"], "one picture, and there are 2"),
    ):
        assert main(["run", "net.roast", *words]) == 1
        assert told in capsys.readouterr().err


def test_several_outputs_are_told_apart(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_text(
        NET + 'layer { name: "other" type: "Sigmoid" bottom: "ip" top: "other" }'
    )
    export("--mean-value=104")
    capsys.readouterr()
    assert main(["run", "net.roast", "a.png", "--top=1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert sorted(said[1::2]) == ["  other:", "  prob:"] and len(said) == 5
    assert main(["run", "net.roast", "a.png", "--output=y.npy"]) == 1
    assert "2 outputs" in capsys.readouterr().err and not Path("y.npy").exists()


def test_pictures_need_numpy_and_opencv_alone(here: Path) -> None:
    export("--mean-value=104")
    code = (
        "import sys\n"
        "for name in ('google', 'lark', 'h5py', 'triton', 'frontends.prototxt'):\n"
        "    sys.modules[name] = None\n"
        "from roastery.cli.main import main\n"
        "sys.exit(main(['run', 'net.roast', 'a.png', '--top=1']))\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": root}
    )
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 2


def test_what_is_done_with_pictures_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export("--images-dim=12,10", "--mean-value=1,2.5,3", "--input-scale=0.5", "--labels=labels.txt")
    told = [
        "pictures become 'data': scaled to 12 x 10 (height, width), of which the middle; "
        "blue, green, red; from 0 to 255; less 1, 2.5, 3; times 0.5",
        "names of 4 classes: zero, one of them, class 2, three",
    ]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("wrote net.roast: ")
    assert said[1:] == [*told, "next: roastery run net.roast PICTURE"]
    assert main(["inspect", "net.roast"]) == 0
    assert set(told) <= set(capsys.readouterr().out.splitlines())
    export("--channel-swap=", "--raw-scale=1")
    assert "channels as they are; from 0 to 1; no mean\n" in capsys.readouterr().out
    export()
    said = capsys.readouterr().out.splitlines()
    assert [line.startswith("note: nothing says how pictures become its") for line in said[1:]] == [
        True,
        False,
    ]


def test_names_of_other_classes_are_told(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    export("--labels=labels.txt")
    assert "classes" not in caplog.text
    Path("labels.txt").write_text("one\ntwo\n")
    export("--labels=labels.txt")
    assert "there are names of 2 classes, and 'prob' has 4" in caplog.text


def test_a_data_layer_says_it(here: Path) -> None:
    Path("net.prototxt").write_text(
        NET.replace('type: "Input"', 'type: "Data"').replace(
            "input_param { shape { dim: 1 dim: 3 dim: 6 dim: 8 } }",
            'data_param { source: "none" batch_size: 1 } '
            "transform_param { mean_value: 7 scale: 2 }",
        )
    )
    export("--shape=data=1,3,6,8")
    rules = load("net.roast").pictures.preprocessing
    assert rules == Preprocessing("data", mean=(7.0, 7.0, 7.0), input_scale=2.0)


def test_objects_are_those_of_detect_objects(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("net.prototxt").write_text(SSD)
    write_weights(Path("net.prototxt"), Path("net.caffemodel"), 0.02)
    export("--labels=labels.txt", "--mean-value=7")
    words = ["detect_objects", "net.prototxt", "net.caffemodel", "a.png", "--mean_value=7"]
    assert main([*words, "--threshold=0.4", "--json=found.json", "--device=reference"]) == 0
    ((found,),) = [[each["objects"] for each in json.loads(Path("found.json").read_text())]]
    assert found
    capsys.readouterr()
    assert main(["run", "net.roast", "a.png", "--threshold=0.4", "--device=reference"]) == 0
    name, *said = capsys.readouterr().out.splitlines()
    names = ["zero", "one of them", "class 2"]
    assert name == "a.png"
    assert [line.rsplit("  ", 1)[0] for line in said] == [
        f"  {each['score']:.4f}  {names[each['label']]}" for each in found
    ]
    for line, each in zip(said, found, strict=True):
        edges = [float(word) for word in line.rsplit("  ", 1)[1].split()]
        assert edges == pytest.approx(each["box"], abs=0.06)
    assert main(["run", "net.roast", "a.png", "--threshold=1.5"]) == 0
    assert "nothing with a score of 1.5 or more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--images-dim=5,9", "smaller than 'data', 6 x 8"),
        ("--channel-swap=0,1", "no order of 3"),
        ("--mean-value=1,2", "2 values for 3 channel"),
        ("--raw-scale=inf", "finite"),
        ("--images-dim=5", "HEIGHT,WIDTH"),
        ("--labels=none.txt", "none.txt"),
    ],
)
def test_what_fits_no_input_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], flag: str, told: str
) -> None:
    words = ["export", "net.prototxt", "--output=net.roast", "--cpu-baseline=none", flag]
    assert main(words) == 1
    assert told in capsys.readouterr().err
    assert not Path("net.roast").exists()


RULES = Preprocessing("data", (12, 16), (0, 1, 2), 1.0, (1.0, 2.0, 3.0), 0.25)
SHAPES = {"data": (1, 3, 6, 8)}


@pytest.mark.parametrize(
    "pictures", [Pictures(), Pictures(RULES), Pictures(None, ("a", "")), Pictures(RULES, ("b",))]
)
def test_members_are_read_as_written(pictures: Pictures) -> None:
    members = picture_members(pictures)
    if pictures == Pictures():
        assert members == {}
        return
    assert read_pictures(members.__getitem__, SHAPES) == pictures


def test_a_mean_image_is_read_as_written() -> None:
    image = np.random.default_rng(0).normal(size=(3, 6, 8)).astype(np.float32)
    members = picture_members(Pictures(Preprocessing("data", mean_image=image)))
    found = read_pictures(members.__getitem__, SHAPES).preprocessing
    assert found is not None
    assert found.mean_image is not None
    np.testing.assert_array_equal(found.mean_image, image)
    with pytest.raises(ValueError, match="bytes"):
        read_pictures({**members, MEAN: b"1234"}.__getitem__, SHAPES)


@pytest.mark.parametrize(
    "change",
    [
        {"input": "other"},
        {"image_size": [5, 5]},
        {"image_size": [6]},
        {"mean": [1.0]},
        {"mean": "other.npy"},
        {"raw_scale": "x"},
        {"channel_swap": [0, 0, 0]},
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, object]) -> None:
    said = json.loads(picture_members(Pictures(RULES))[PICTURES])
    said["preprocessing"] |= change
    with pytest.raises(ValueError):
        read_pictures(lambda _: json.dumps(said).encode(), SHAPES)


def test_several_inputs_want_arrays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_text(
        NET.replace('top: "data"\n', 'top: "data" top: "info"\n')
        + 'layer { name: "s" type: "Split" bottom: "info" top: "more" }'
    )
    Path("net.caffemodel").unlink()
    words = ["export", "net.prototxt", "--output=net.roast", "--cpu-baseline=none"]
    assert main(words) == 0
    assert main(["run", "net.roast", "a.png"]) == 1
    assert "2 inputs (data, info)" in capsys.readouterr().err


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize(("height", "width"), [(40, 50), (13, 50), (40, 9), (13, 9), (5, 3)])
def test_parts_of_scaled_pictures(height: int, width: int, nearest: bool) -> None:
    """They are the same numbers, and nothing else is made."""
    picture = np.random.default_rng(0).random((13, 9, 3), np.float32)
    whole = scale_picture(picture, height, width, nearest=nearest)
    rows, columns = range(2, 5), range(1, 3)
    part = scale_picture(picture, height, width, nearest=nearest, rows=rows, columns=columns)
    assert np.array_equal(part, whole[2:5, 1:3])


def test_of_what_pictures_are_scaled_to_the_middle_alone_is_made() -> None:
    """All of it would be 43 GB."""
    rules = Preprocessing("data", (60_000, 60_000))
    rules.check((1, 3, 8, 8))
    assert rules.apply(np.ones((4, 4, 3), np.float32), (8, 8)).shape == (3, 8, 8)


def test_pictures_of_more_than_there_are_sizes_for() -> None:
    with pytest.raises(ValueError, match="65536 pixels a side are the limit"):
        Preprocessing("data", (8, 9_999_999)).check((1, 3, 8, 8))
