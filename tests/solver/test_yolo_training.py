"""YOLO nets of two forks that learn from pictures made by create_annoset."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from roastery import caffe
from runtime.data.tools.annoset import create_annoset

DATA = """layer { name: "data" type: "AnnotatedData" top: "data" top: "label"
  data_param { source: "db" batch_size: 4 backend: LMDB %s } %s }
"""
MOBILENET_YOLO = DATA % (
    "",
    """annotated_data_param { yolo_data_type: 1 yolo_data_jitter: 0.2 }
  transform_param { scale: 0.0078 mirror: true mean_value: 127.5
    resize_param { height: 32 width: 40 interp_mode: LINEAR interp_mode: AREA }
    emit_constraint { emit_type: CENTER } }""",
)
YOLOV3 = """layer { name: "loss" type: "Yolov3" bottom: "c2" bottom: "label" top: "loss"
  yolov3_param { num: 2 num_class: 2 anchors_scale: 8 mask: 0 mask: 1 use_logic_gradient: true
    label_smooth_eps: 0 biases: 10 biases: 10 biases: 18 biases: 14 } }
"""
SYNOPSYS = DATA % (
    "side: 2",
    """transform_param { scale: 0.003921569 caffe_yolo: true force_color: true
    resize_param { width: 64 height: 64 jitter: 0.2 }
    distort_param { hue_prob: 0.05 saturation_lower: 1 saturation_upper: 1.2
      exposure_lower: 1 exposure_upper: 1.2 } }""",
)
YOLOV2 = """layer { name: "loss" type: "YoloV2Loss" bottom: "c2" bottom: "label" top: "loss"
  yolo_v2_loss_param { num_object: 2 num_classes: 2 anchors: 0.7 anchors: 0.7 anchors: 1
    anchors: 0.6 } }
"""
NET = """layer {{ name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param {{
  num_output: 12 kernel_size: 4 stride: {stride} weight_filler {{ type: "msra" }} }} }}
layer {{ name: "r1" type: "ReLU" bottom: "c1" top: "c1" }}
layer {{ name: "c2" type: "Convolution" bottom: "c1" top: "c2" convolution_param {{
  num_output: 14 kernel_size: 4 stride: {last} pad: 1 weight_filler {{ type: "msra" }} }} }}
"""
SOLVER = """net: "net.prototxt" base_lr: 0.003 lr_policy: "fixed" type: "Adam" momentum: 0.9
momentum2: 0.99 max_iter: 200 random_seed: 3 solver_mode: CPU"""


def _make_database(count: int, first_label: int) -> None:
    """Bright things, wide or square, on dark noise; and what is where as lines of text."""
    random = np.random.default_rng(2)
    lines = []
    for i in range(count):
        picture = random.integers(0, 60, (48, 48, 3), dtype=np.uint8)
        kind = i % 2
        high, wide = (14, 24) if kind else (16, 16)
        top, left = random.integers(0, 48 - high), random.integers(0, 48 - wide)
        picture[top : top + high, left : left + wide] = (60, 220, 120) if kind else (230, 200, 240)
        cv2.imwrite(f"{i}.png", picture)
        Path(f"{i}.txt").write_text(
            f"{kind + first_label} {left} {top} {left + wide} {top + high}\n"
        )
        lines.append(f"{i}.png {i}.txt\n")
    Path("list.txt").write_text("".join(lines))
    create_annoset(
        "",
        "list.txt",
        "db",
        anno_type="detection",
        label_type="txt",
        encoded=True,
        encode_type="png",
    )


@pytest.mark.parametrize("fork", ["mobilenet_yolo", "synopsys"])
def test_the_loss_falls(fork: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if fork == "synopsys":
        _make_database(8, 0)
        net, shape = SYNOPSYS + NET.format(stride=8, last=4) + YOLOV2, (4, 3, 64, 64)
    else:
        _make_database(8, 1)
        net, shape = MOBILENET_YOLO + NET.format(stride=4, last=2) + YOLOV3, (4, 3, 32, 40)
    Path("net.prototxt").write_text(net)
    Path("s.prototxt").write_text(SOLVER)
    solver = caffe.get_solver("s.prototxt")
    losses = []
    for _ in range(100):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    assert solver.net.blobs["data"].data.shape == shape
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])
