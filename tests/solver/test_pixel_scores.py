"""`roastery test` on nets with SegAccuracy: measures of all batches, by class."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from tests.solver.conftest import Run

NET = """
layer { name: "d" type: "HDF5Data" top: "score" top: "label"
  hdf5_data_param { source: "files.txt" batch_size: 1 } }
layer { name: "judge" type: "SegAccuracy" bottom: "score" bottom: "label" top: "judged"
  seg_accuracy_param { ignore_label: 255 %s } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss"
  loss_param { ignore_label: 255 } }
"""
# Pixels of two pictures: what they are, and what is said of them. Class 3 is in neither.
TRUTH = [[0, 0, 1, 1, 255, 0], [2, 2, 2, 2, 2, 0]]
SAID = [[0, 1, 1, 1, 2, 0], [2, 2, 0, 1, 2, 0]]


@pytest.mark.parametrize("reset", ["", "reset: false"])
def test_pixels_of_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roastery: Run, reset: str
) -> None:
    """0: 3 of 5; 1: 2 of 4; 2: 3 of 5. The layer itself would count class 3 as covered."""
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET % reset)
    with h5py.File("data.h5", "w") as file:
        scores = np.eye(4, dtype=np.float32)[np.array(SAID)]  # (pictures, pixels, classes)
        file["score"] = scores.transpose(0, 2, 1)[:, :, np.newaxis]
        file["label"] = np.array(TRUTH, np.float32)[:, np.newaxis, np.newaxis]
    Path("files.txt").write_text("data.h5\n")
    caffe.Net("net.prototxt", caffe.TEST).save("none.caffemodel")
    log = roastery(
        "test", "--model=net.prototxt", "--weights=none.caffemodel", "--iterations=2",
        "--log_json=log.json",
    )  # fmt: skip
    said = [line.partition("] ")[2] for line in log.splitlines()]
    assert said[-6:] == [
        "Seg Classes 0 IOU : 0.6",
        "Seg Classes 1 IOU : 0.5",
        "Seg Classes 2 IOU : 0.6",
        "judged/pixel_accuracy = 0.727273",
        "judged/class_accuracy = 0.783333",
        "judged/mean_iou = 0.566667",
    ]
    assert not any(line.startswith("Batch 0, judged") for line in said)
    assert any(line.startswith("Batch 0, loss = ") for line in said)
    events = [json.loads(line) for line in Path("log.json").read_text().splitlines()]
    means = {e["name"]: e["value"] for e in events if e["event"] == "mean_output"}
    assert means["judged/mean_iou"] == pytest.approx(17 / 30)
