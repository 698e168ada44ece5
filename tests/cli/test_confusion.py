"""`roastery test --confusion`: which classes are taken for which."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from roastery.cli.main import main
from roastery.tools.confusion import Confusion
from roastery.tools.scored_classes import ScoredClasses


def inputs(**blobs: tuple[int, ...]) -> str:
    """Layers that make blobs of these shapes out of weights."""
    text = ""
    for name, shape in blobs.items():
        dims = " ".join(f"dim: {d}" for d in shape)
        text += (
            f'layer {{ name: "{name}" type: "DummyData" top: "{name}0" '
            f"dummy_data_param {{ shape {{ {dims} }} }} }}\n"
            f'layer {{ name: "{name}b" type: "Bias" bottom: "{name}0" top: "{name}" '
            "bias_param { axis: 0 num_axes: -1 } }\n"
        )
    return text


def judge(kind: str, body: str = "", name: str = "", bottoms: str = "scores label") -> str:
    read = " ".join(f'bottom: "{b}"' for b in bottoms.split())
    name = name or kind.lower()
    return f'layer {{ name: "{name}" type: "{kind}" {read} top: "{name}" {body} }}\n'


class Given:
    """A folder with a net that gives fixed scores and labels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def net(self, last: str, **arrays: np.ndarray) -> None:
        text = inputs(**{name: array.shape for name, array in arrays.items()})
        (self.folder / "net.prototxt").write_text(text + last)
        (self.folder / "plain.prototxt").write_text(text)
        net = caffe.Net(str(self.folder / "plain.prototxt"), caffe.TEST)
        for name, array in arrays.items():
            net.params[f"{name}b"][0].data[...] = array
        net.save(str(self.folder / "w.caffemodel"))

    def test(self, *words: str) -> int:
        model = ["--model=net.prototxt", "--weights=w.caffemodel", "--iterations=2"]
        return main(["test", *model, "--device=reference", *words])


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    monkeypatch.chdir(tmp_path)
    return Given(tmp_path)


def one_hot(said: list[int], classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[said]


SAID, LABELS = [0, 1, 1, 2, 2, 0], np.array([0, 1, 2, 2, 2, 1], np.float32)
MATRIX = [[2, 0, 0], [2, 2, 0], [0, 2, 4]]  # of two batches


@pytest.mark.parametrize(
    "last",
    [
        judge("Accuracy"),
        judge("SoftmaxWithLoss"),
        judge("HingeLoss"),
        judge("Accuracy", "accuracy_param { top_k: 2 }") + judge("SoftmaxWithLoss"),
        # In place, before what is judged.
        'layer { name: "r" type: "ReLU" bottom: "scores" top: "scores" }\n' + judge("Accuracy"),
    ],
    ids=["accuracy", "loss", "hinge", "top 2", "in place"],
)
def test_the_matrix(given: Given, last: str, capsys: pytest.CaptureFixture[str]) -> None:
    given.net(last, scores=one_hot(SAID, 3), label=LABELS)
    assert given.test("--confusion=all.json", "--confusion_layer=") == 0
    shown = capsys.readouterr()
    assert "label \\ said  0  1  2" in shown.out and shown.out.endswith("wrote all.json\n")
    assert "confusion/" not in shown.err.partition("Running for")[2]
    found = json.loads(Path("all.json").read_text())
    assert found["matrix"] == MATRIX and found["count"] == 12
    assert found["accuracy"] == pytest.approx(8 / 12)
    assert [row["accuracy"] for row in found["classes"]] == pytest.approx([1, 0.5, 2 / 3])
    assert [row["precision"] for row in found["classes"]] == pytest.approx([0.5, 0.5, 1])


def test_as_the_accuracy_layer_says(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given.net(judge("Accuracy"), scores=one_hot(SAID, 3), label=LABELS)
    assert given.test("--confusion") == 0
    shown = capsys.readouterr()
    assert "accuracy = 0.666667" in shown.err
    assert shown.out.splitlines()[5].split() == ["all", "12", "8", "0.6667"]
    assert not list(given.folder.glob("*.csv"))


def test_names_and_csv(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given.net(judge("Accuracy"), scores=one_hot(SAID, 3), label=LABELS)
    Path("names.txt").write_text("plane, jet\nbird\ncat\n")
    assert given.test("--confusion=m.csv", "--labels=names.txt") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[4].split()[:2] == ["2", "cat"] and "bird (2)" in out.splitlines()[4]
    rows = list(csv.reader(Path("m.csv").read_text().splitlines()))
    assert rows[0] == ["label", "plane, jet", "bird", "cat", "accuracy"]
    assert [[int(v) for v in row[1:4]] for row in rows[1:]] == MATRIX
    assert [row[4] for row in rows[1:]] == ["1", "0.5", "0.666667"]


@pytest.mark.parametrize("axis", [1, 2])
def test_classes_of_pixels(given: Given, axis: int) -> None:
    """Labels of positions in their order, wherever the scores have their classes."""
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((2, 3, 3)).astype(np.float32)
    labels = rng.integers(0, 3, (2, 1, 3) if axis == 1 else (2, 3, 1)).astype(np.float32)
    labels.flat[1] = 7
    body = f"loss_param {{ ignore_label: 7 }} softmax_param {{ axis: {axis} }}"
    given.net(judge("SoftmaxWithLoss", body), scores=scores, label=labels)
    assert given.test("--confusion=m.json") == 0
    expected = np.zeros((3, 3), int)
    for label, said in zip(labels.ravel(), scores.argmax(axis).ravel(), strict=True):
        if label != 7:
            expected[int(label), said] += 2
    assert json.loads(Path("m.json").read_text())["matrix"] == expected.tolist()


def test_a_layer_can_be_named(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    other = one_hot([0, 0, 0, 0, 0, 0], 3)
    last = judge("Accuracy", name="first") + judge("Accuracy", name="last", bottoms="other label")
    given.net(last, scores=one_hot(SAID, 3), other=other, label=LABELS)
    assert given.test("--confusion=a.json", "--confusion_layer=first") == 0
    assert json.loads(Path("a.json").read_text())["matrix"] == MATRIX
    assert given.test("--confusion=b.json") == 0
    assert json.loads(Path("b.json").read_text())["matrix"] == [[2, 0, 0], [4, 0, 0], [6, 0, 0]]
    assert given.test("--confusion", "--confusion_layer=labelb") == 1
    assert "these do: 'first', 'last'" in capsys.readouterr().err


def test_a_net_without_labels(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given.net('layer { name: "prob" type: "Softmax" bottom: "scores" top: "prob" }',
              scores=one_hot(SAID, 3))  # fmt: skip
    assert given.test("--confusion=m.csv") == 1
    err = capsys.readouterr().err
    assert "no layer of the net compares scores of classes with labels" in err
    assert "net.prototxt:" in err and "Accuracy" in err
    assert not Path("m.csv").exists()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--confusion=m.txt", "its name must end in .csv or .json"),
        ("--confusion=gone/m.csv", "there is no folder"),
        ("--labels=no.txt", "no.txt"),
    ],
)
def test_confusion_mistakes(
    given: Given, flag: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given.net(judge("Accuracy"), scores=one_hot(SAID, 3), label=LABELS)
    assert given.test("--confusion=m.csv", flag) == 1
    assert message in capsys.readouterr().err


def test_too_many_classes(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given.net(judge("Accuracy"), scores=np.zeros((1, 9000), np.float32), label=np.zeros(1))
    assert given.test("--confusion") == 1
    err = capsys.readouterr().err
    assert "net.prototxt:" in err and "layer 'accuracy'" in err
    assert "tells 9000 classes; a confusion matrix has at most 8192" in err
    assert "without --confusion" in err


# --- counting -----------------------------------------------------------------------------


def counted(classes: int, axis: int = 1, ignored: int | None = None) -> Confusion:
    return Confusion(ScoredClasses("a", classes, axis, ignored, "s", "l"))


def test_what_has_no_answer() -> None:
    found = counted(2)
    scores = np.array([[1, 0], [np.nan, 0], [0, 1], [0, np.inf]], np.float32)
    found.add_scores(scores, np.array([0, 1, -1, 1]))
    assert found.counts.tolist() == [[1, 0], [0, 1]] and found.unanswered.tolist() == [0, 1]
    assert found.nameless == 1 and found.accuracy == pytest.approx(2 / 3)
    assert "1 of them with scores that are NaN" in found.text()
    assert "1 labels name no class" in found.text()


def test_nothing_counted() -> None:
    found = counted(3, ignored=0)
    found.add_scores(np.zeros((2, 3), np.float32), np.zeros((2, 1, 1, 1)))
    assert found.accuracy is None and json.loads(found.as_json())["count"] == 0
    assert found.as_csv().splitlines()[1] == "0,0,0,0,"
    assert "all" in found.text()


def test_equal_scores_mean_the_first_class_and_rows_may_have_any_shape() -> None:
    found = counted(6)
    found.add_scores(np.zeros((2, 2, 3, 1), np.float32), np.array([[5], [0]]))
    assert found.counts[5, 0] == 1 and found.counts[0, 0] == 1


def test_many_classes_print_no_matrix() -> None:
    found = counted(1000)
    found.add_scores(one_hot([7, 7], 1000), np.array([7, 8]))
    text = found.text()
    assert "label \\ said" not in text and len(text.splitlines()) == 5
    assert len(found.as_csv().splitlines()) == 1001
