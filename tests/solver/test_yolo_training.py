"""A YOLO net that learns from pictures made by create_annoset."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from roastery import caffe
from runtime.data.tools.annoset import create_annoset

NET = """
layer { name: "data" type: "AnnotatedData" top: "data" top: "label"
  transform_param { scale: 0.0078 mirror: true mean_value: 127.5
    resize_param { height: 32 width: 40 interp_mode: LINEAR interp_mode: AREA }
    emit_constraint { emit_type: CENTER } }
  data_param { source: "db" batch_size: 4 backend: LMDB }
  annotated_data_param { yolo_data_type: 1 yolo_data_jitter: 0.2 } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param {
  num_output: 12 kernel_size: 4 stride: 4 weight_filler { type: "msra" } } }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "c1" }
layer { name: "c2" type: "Convolution" bottom: "c1" top: "c2" convolution_param {
  num_output: 14 kernel_size: 4 stride: 2 pad: 1 weight_filler { type: "msra" } } }
layer { name: "loss" type: "Yolov3" bottom: "c2" bottom: "label" top: "loss"
  yolov3_param { num: 2 num_class: 2 anchors_scale: 8 mask: 0 mask: 1 use_logic_gradient: true
    label_smooth_eps: 0 biases: 10 biases: 10 biases: 18 biases: 14 } }
"""
SOLVER = """net: "net.prototxt" base_lr: 0.003 lr_policy: "fixed" type: "Adam" momentum: 0.9
momentum2: 0.99 max_iter: 200 random_seed: 3 solver_mode: CPU"""


def _make_pictures(count: int) -> None:
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
        Path(f"{i}.txt").write_text(f"{kind + 1} {left} {top} {left + wide} {top + high}\n")
        lines.append(f"{i}.png {i}.txt\n")
    Path("list.txt").write_text("".join(lines))


def test_the_loss_falls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _make_pictures(8)
    create_annoset(
        "",
        "list.txt",
        "db",
        anno_type="detection",
        label_type="txt",
        labels={"1": 1, "2": 2},
        encoded=True,
        encode_type="png",
    )
    Path("net.prototxt").write_text(NET)
    Path("s.prototxt").write_text(SOLVER)
    solver = caffe.get_solver("s.prototxt")
    losses = []
    for _ in range(100):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    assert solver.net.blobs["data"].data.shape == (4, 3, 32, 40)
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])
