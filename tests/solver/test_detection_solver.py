"""Solvers of detection nets: tests that end with average precisions, rates that fall with the loss.

Precisions and log lines are those that SSD's solver.cpp and bbox_util.cpp give; see each test.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from frontends.caffemodel import read_state
from ir.errors import RoasteryError
from roastery.reading.solver_settings import read_solver_file, solver_config
from runtime.solver.average_precision import VERSIONS, DetectionScores, average_precision
from runtime.solver.plateau import Plateau
from tests.solver.conftest import Run

NET = """
layer { name: "x" type: "DummyData" top: "x" top: "t" include { phase: TRAIN }
  dummy_data_param { shape { dim: 2 dim: 3 } data_filler { value: 1 } shape { dim: 2 dim: 1 }
    data_filler { value: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" include { phase: TRAIN }
  inner_product_param { num_output: 1 weight_filler { type: "constant" value: 0.1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss"
  include { phase: TRAIN } }
layer { name: "d" type: "HDF5Data" top: "d" top: "gt" include { phase: TEST }
  hdf5_data_param { source: "files.txt" batch_size: 1 } }
layer { name: "e" type: "DetectionEvaluate" bottom: "d" bottom: "gt" top: "detection_eval"
  include { phase: TEST } detection_evaluate_param { num_classes: 4 } }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 1 test_iter: 2 test_interval: 1
snapshot_after_train: false eval_type: "detection"
"""

# Two images: (image, label, score, box) and (image, label, 0, box, difficult).
BOX, OTHER = (0.1, 0.1, 0.5, 0.5), (0.6, 0.6, 0.9, 0.9)
FOUND = [
    [(0, 1, 0.9, *BOX), (0, 1, 0.8, *OTHER), (0, 2, 0.7, *BOX)],
    [(0, 1, 0.85, *BOX), (0, 1, 0.6, *OTHER), (0, 2, 0.3, *OTHER)],
]
TRUTH = [
    [(0, 1, 0, *BOX, 0), (0, 3, 0, *BOX, 0)],
    [(0, 1, 0, *OTHER, 0), (0, 2, 0, *OTHER, 0)],
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    with h5py.File("data.h5", "w") as file:
        file["d"] = np.array(FOUND, np.float32)[:, np.newaxis]
        file["gt"] = np.array(TRUTH, np.float32)[:, np.newaxis]
    Path("files.txt").write_text("data.h5\n")
    return tmp_path


def test_a_test_tells_mean_average_precision(folder: Path, roastery: Run) -> None:
    """Label 1: right, wrong, wrong, right of two objects; label 2: wrong, right of one; label 3 is
    not found. Integral: 1 * 0.5 + 0.5 * 0.5; 0.5; nothing."""
    Path("s.prototxt").write_text(SOLVER + "show_per_class_result: true")
    log = roastery("train", "--solver=s.prototxt", "--log_json=log.json")
    said = [line.partition("] ")[2] for line in log.splitlines()]
    assert said.count("class1: 0.75") == 2 and said.count("class2: 0.5") == 2
    assert said.count("Missing true_pos for label: 3") == 2
    assert said.count("    Test net output #0: detection_eval = 0.416667") == 2
    events = [json.loads(line) for line in Path("log.json").read_text().splitlines()]
    tests = [e for e in events if e["event"] == "test"]
    assert tests[0]["classes"] == pytest.approx({"1": 0.75, "2": 0.5})
    assert tests[0]["outputs"] == pytest.approx({"detection_eval": 0.416667}, abs=1e-6)


@pytest.mark.parametrize(("version", "value"), [("11point", 0.424242), ("MaxIntegral", 0.416667)])
def test_versions(folder: Path, roastery: Run, version: str, value: float) -> None:
    """11point: label 1 has 1 for the recalls 0 to 0.5, 0.5 for the others; label 2 has 0.5."""
    Path("s.prototxt").write_text(SOLVER + f'ap_version: "{version}"')
    log = roastery("train", "--solver=s.prototxt")
    (first, *_) = re.findall(r"detection_eval = (\S+)", log)
    assert float(first) == pytest.approx(value, abs=1e-6)
    assert "class1" not in log


MASKS = """
layer { name: "s" type: "SegmentationEvaluate" bottom: "mask" bottom: "label" top: "seg_eval"
  include { phase: TEST } segmentation_evaluate_param { num_classes: 3 } }
"""


def test_masks_are_told_beside_boxes(folder: Path, roastery: Run) -> None:
    """Class 0: 1/2 and 1; class 1: in neither picture; class 2: 0, and not in the second one."""
    h5py = pytest.importorskip("h5py")
    masks = np.zeros((2, 3, 1, 4), np.float32)
    labels = np.zeros((2, 3, 1, 8), np.float32)  # of another size, where -1 is told
    masks[:, 0, 0, :2] = 1
    labels[0, 0, 0, :8], labels[1, 0, 0, :4] = 1, 1
    labels[0, 2, 0, 0] = 1
    with h5py.File("data.h5", "a") as file:
        file["mask"], file["label"] = masks, labels
    net = NET.replace('top: "d" top: "gt"', 'top: "d" top: "gt" top: "mask" top: "label"')
    Path("net.prototxt").write_text(net + MASKS)
    Path("s.prototxt").write_text(SOLVER.replace('"detection"', '"detection_segmentation"'))
    log = roastery("train", "--solver=s.prototxt", "--log_json=log.json")
    said = [line.partition("] ")[2] for line in log.splitlines()]
    assert said.count("Seg Classes 0 IOU : 0.75") == 2
    assert said.count("Seg Classes 1 IOU : 0") == said.count("Seg Classes 2 IOU : 0") == 2
    assert said.count("Seg mIOU : 0.25") == 2
    assert said.count("    Test net output #0: detection_eval = 0.416667") == 2
    assert said.count("    Test net output #1: seg_eval = 0.25") == 2
    events = [json.loads(line) for line in Path("log.json").read_text().splitlines()]
    test = next(e for e in events if e["event"] == "test")
    assert test["outputs"] == pytest.approx(
        {"detection_eval": 0.416667, "seg_eval": 0.25}, abs=1e-6
    )


def test_masks_that_are_missing(folder: Path, roastery: Run) -> None:
    Path("s.prototxt").write_text(SOLVER.replace('"detection"', '"detection_segmentation"'))
    log = roastery("train", "--solver=s.prototxt", code=1)
    assert "eval_type is 'detection_segmentation', and the test net has 1 output(s)" in log
    assert "SegmentationEvaluate" in log


def test_the_command_that_scores_a_net(folder: Path, roastery: Run) -> None:
    """Rows of DetectionEvaluate have no mean: `roastery test` tells what a solver's test does."""
    caffe.Net("net.prototxt", caffe.TEST).save("none.caffemodel")
    words = ("--model=net.prototxt", "--weights=none.caffemodel", "--iterations=2")
    said = [line.partition("] ")[2] for line in roastery("test", *words).splitlines()]
    assert said[-4:] == [
        "class1: 0.75",
        "class2: 0.5",
        "Missing true_pos for label: 3",
        "detection_eval = 0.416667",
    ]
    assert not any(line.startswith("Batch 0, detection_eval") for line in said)
    log = roastery("test", *words, "--ap_version=11point")
    assert log.splitlines()[-1].endswith("] detection_eval = 0.424242")


def test_the_command_that_scores_masks(folder: Path, roastery: Run) -> None:
    """Class 1 is in no picture: nothing is told of it, and the mean is over the others."""
    h5py = pytest.importorskip("h5py")
    masks = np.zeros((2, 3, 1, 4), np.float32)
    labels = np.zeros((2, 3, 1, 8), np.float32)
    masks[:, 0, 0, :2] = 1
    labels[0, 0, 0, :8], labels[1, 0, 0, :4] = 1, 1
    labels[0, 2, 0, 0] = 1
    with h5py.File("data.h5", "a") as file:
        file["mask"], file["label"] = masks, labels
    net = NET.replace('top: "d" top: "gt"', 'top: "d" top: "gt" top: "mask" top: "label"')
    Path("net.prototxt").write_text(net + MASKS)
    caffe.Net("net.prototxt", caffe.TEST).save("none.caffemodel")
    words = ("--model=net.prototxt", "--weights=none.caffemodel", "--iterations=2")
    said = [line.partition("] ")[2] for line in roastery("test", *words).splitlines()]
    assert said[-4:] == [
        "detection_eval = 0.416667",
        "Seg Classes 0 IOU : 0.75",
        "Seg Classes 2 IOU : 0",
        "seg_eval = 0.375",
    ]
    assert not any(line.startswith("Batch 0, seg_eval") for line in said)


def test_outputs_that_are_no_detections(folder: Path, roastery: Run) -> None:
    more = 'layer { name: "p" type: "Power" bottom: "d" top: "p" include { phase: TEST } }'
    Path("net.prototxt").write_text(NET + more)
    Path("s.prototxt").write_text(SOLVER)
    log = roastery("train", "--solver=s.prototxt", code=1)
    assert "the output 'p' of the test net has shape [1, 1, 3, 7]" in log
    assert "Silence" in log


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('eval_type: "detections"', "unknown eval_type 'detections'"),
        ('ap_version: "12point"', "unknown ap_version '12point'"),
    ],
)
def test_mistakes(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "s.prototxt"
    text = SOLVER.replace('eval_type: "detection"', "") + line
    file.write_text(text)
    with pytest.raises(RoasteryError, match=message) as caught:
        solver_config(read_solver_file(file).message)
    assert caught.value.location is not None
    assert caught.value.location.line == text.count("\n") + 1


# --- average precision -----------------------------------------------------------------------


def plain(right: list[int], number: int, version: str) -> float:
    """By the definitions."""
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    recall = found / number
    if version == "11point":
        reached = recall.astype(np.float32).astype(float)  # 0.7 is less than 0.7 there, as in Caffe
        best = [max(precision[reached >= j / 10], default=0.0) for j in range(11)]
        return float(np.mean(best))
    if version == "MaxIntegral":
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


@pytest.mark.parametrize("version", VERSIONS)
def test_average_precision(version: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        right = rng.integers(0, 2, rng.integers(1, 30))
        number = int(right.sum() + rng.integers(0, 4)) or 1
        scores = rng.permutation(len(right)).astype(np.float32)
        order = np.argsort(-scores)
        expected = plain(right[order].tolist(), number, version)
        assert average_precision(scores, right, number, version) == pytest.approx(
            expected, abs=2e-6
        )


def test_nothing_to_find_and_nothing_found() -> None:
    nothing = np.zeros(0, np.float32)
    assert average_precision(nothing, nothing, 3, "Integral") == 0.0
    assert average_precision(np.ones(2), np.zeros(2, int), 0, "11point") == 0.0


def test_what_is_neither_right_nor_wrong_does_not_count() -> None:
    scores = DetectionScores()
    scores.add(np.array([[-1, 1, 1, -1, -1], [0, 1, 0.9, 0, 0], [0, 1, 0.8, 1, 0]], np.float32))
    assert scores.precisions("Integral") == {1: 1.0}


# --- the rate --------------------------------------------------------------------------------


def test_a_plateau_ends_with_a_step() -> None:
    """No smaller loss for two iterations, then for three; a step counts as an event, too."""
    plateau, steps = Plateau((2, 3)), [0]
    for iteration, loss in enumerate([5.0, 4.0, 4.5, 4.0, 4.0, 3.0, 3.5, 3.5, 3.5, 3.5]):
        steps.append(plateau.step(iteration, steps[-1], loss))
    assert steps[1:] == [0, 0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert (plateau.minimum_loss, plateau.last_event) == (3.0, 8)


PLATEAU = """
net: "net.prototxt" base_lr: 1e-9 gamma: 0.1 lr_policy: "plateau" plateau_winsize: 3
plateau_winsize: 2 display: 1 max_iter: 8 snapshot_prefix: "s" snapshot: 4 average_loss: 2
"""


@pytest.mark.parametrize("form", ["BINARYPROTO", "HDF5"])
def test_training_on_a_plateau(folder: Path, roastery: Run, form: str) -> None:
    """The loss stays as it is, so that the first one is the smallest. A run that goes on from a
    snapshot goes on with what was the smallest there."""
    Path("s.prototxt").write_text(PLATEAU + f"snapshot_format: {form}")
    log = roastery("train", "--solver=s.prototxt")
    said = [line.partition("] ")[2] for line in log.splitlines()]
    rates = [re.sub(".*, lr = ", "", line) for line in said if ", lr = " in line]
    assert rates == ["1e-09"] * 3 + ["1e-10"] * 2 + ["1e-11"] * 3
    assert [line for line in said if "step =" in line] == [
        "Plateau Status: Iteration 3, step = 1",
        "Plateau Status: Iteration 5, step = 2",
    ]
    shown = [line for line in said if "minimum_loss" in line]
    assert [line.split(",")[0] for line in shown] == [
        f"Plateau Status: Iteration {i}" for i in (0, 3, 5)
    ]
    ending = ".h5" if form == "HDF5" else ""
    state = read_state(f"s_iter_4.solverstate{ending}")
    assert state.minimum_loss == pytest.approx(float(shown[0].rsplit(" ", 1)[1]), rel=1e-5)
    assert (state.current_step, state.iter_last_event) == (1, 3)
    again = roastery("train", "--solver=s.prototxt", f"--snapshot=s_iter_4.solverstate{ending}")
    assert re.findall(r", lr = (\S+)", again) == rates[4:]


RESTLESS = """
layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 } data_filler { type: "gaussian" } data_filler {
  type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
"""


def test_a_resumed_plateau_is_the_unbroken_one(folder: Path, roastery: Run) -> None:
    """The loss that decides is a mean over iterations before the snapshot, too."""
    Path("net.prototxt").write_text(RESTLESS)
    plateau = "gamma: 0.5 plateau_winsize: 3 plateau_winsize: 3 plateau_winsize: 3"
    Path("s.prototxt").write_text(
        f'net: "net.prototxt" base_lr: 0.1 lr_policy: "plateau" {plateau} max_iter: 24 display: 1 '
        'average_loss: 6 random_seed: 3 snapshot: 5 snapshot_prefix: "s"'
    )

    def told(log: str) -> list[str]:
        found = re.findall(r"Iteration (\d+) .*(loss = \S+)|(lr = \S+)", log)
        return [" ".join(words) for words in found]

    unbroken = told(roastery("train", "--solver=s.prototxt"))
    for at in (5, 10):
        log = roastery("train", "--solver=s.prototxt", f"--snapshot=s_iter_{at}.solverstate")
        assert told(log) == unbroken[2 * at :]


def test_the_rate_of_a_loop_by_hand(folder: Path) -> None:
    Path("s.prototxt").write_text(PLATEAU)
    solver = caffe.get_solver("s.prototxt")
    seen = []
    for _ in range(6):
        solver.step(1)
        seen.append(solver.lr)
    assert seen == pytest.approx([1e-9] * 3 + [1e-10] * 2 + [1e-11], rel=1e-6)
