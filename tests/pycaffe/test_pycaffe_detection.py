"""A detector in the shape of Faster R-CNN, small: Python layers give pictures, boxes and labels
whose number and size only their forward knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe

MODULE = '''
import ast
import caffe
import numpy as np

STRIDE, SIDE = 4, 8
SETTINGS = {"TRAIN": 6, "TEST": 3}  # proposals kept, by phase


def overlap(boxes, truth):
    low = np.maximum(boxes[:, None, :2], truth[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], truth[None, :, 2:4])
    met = np.clip(high - low, 0, None).prod(axis=2)
    return met / (2.0 * SIDE * SIDE - met)


def anchors(height, width):
    y, x = np.mgrid[:height, :width] * STRIDE
    corner = np.stack([x.ravel(), y.ravel()], axis=1) - STRIDE // 2
    return np.hstack([corner, corner + SIDE]).astype(np.float32)


class Quiet(caffe.Layer):
    """Reshapes in forward."""

    def reshape(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        pass

    def give(self, top, *arrays):
        for blob, array in zip(top, arrays):
            blob.reshape(*array.shape)
            blob.data[...] = array


class Pictures(Quiet):
    """data, im_info, gt_boxes: bright squares on pictures of several sizes."""

    def setup(self, bottom, top):
        self.n = 0
        top[0].reshape(1, 1, 32, 32)
        top[1].reshape(1, 3)
        top[2].reshape(1, 5)

    def forward(self, bottom, top):
        rng = np.random.RandomState(self.n)
        self.n += 1
        height, width = ((32, 24), (24, 40), (28, 28))[self.n % 3]
        picture = 0.2 * rng.rand(1, 1, height, width)
        boxes = []
        for _ in range(1 + self.n % 2):
            x, y = STRIDE * rng.randint(1, 5), STRIDE * rng.randint(1, 4)
            picture[0, 0, y : y + SIDE, x : x + SIDE] = 1
            boxes.append((x, y, x + SIDE, y + SIDE, 1))
        self.give(top, picture, np.array([[height, width, 1]]), np.array(boxes))


class Anchors(Quiet):
    """(score, boxes) -> labels, targets, inside and outside weights of every anchor."""

    def setup(self, bottom, top):
        height, width = bottom[0].data.shape[2:]
        top[0].reshape(1, 1, height, width)
        for blob in top[1:]:
            blob.reshape(1, 4, height, width)

    def forward(self, bottom, top):
        height, width = bottom[0].data.shape[2:]
        truth = bottom[1].data
        boxes = anchors(height, width)
        found = overlap(boxes, truth)
        near = found.argmax(axis=1)
        label = np.where(found.max(axis=1) > 0.3, 1.0, 0.0)
        target = (truth[near, :4] - boxes) / SIDE
        weight = np.repeat(label[:, None], 4, axis=1)
        share = weight / max(1, label.sum())

        def map(a):
            return a.reshape(1, height, width, -1).transpose(0, 3, 1, 2)

        self.give(top, map(label), map(target), map(weight), map(share))


class Proposals(Quiet):
    """(probabilities, deltas, im_info) -> rois, as many as are probable."""

    def setup(self, bottom, top):
        self.kept = SETTINGS[str(self.phase)]
        top[0].reshape(1, 5)

    def forward(self, bottom, top):
        score = bottom[0].data[0, 1].ravel()
        height, width = bottom[0].data.shape[2:]
        moved = anchors(height, width) + SIDE * bottom[1].data[0].reshape(4, -1).T
        best = [i for i in score.argsort()[::-1][: self.kept] if score[i] > 0.5]
        self.give(top, np.insert(np.clip(moved[best], 0, None), 0, 0, axis=1))


class Targets(Quiet):
    """(rois, boxes) -> rois and the true boxes, labels."""

    def setup(self, bottom, top):
        assert ast.literal_eval("{" + self.param_str_ + "}")["num_classes"] == 2
        top[0].reshape(1, 5)
        top[1].reshape(1, 1)

    def forward(self, bottom, top):
        truth = bottom[1].data
        rois = np.vstack([bottom[0].data, np.insert(truth[:, :4], 0, 0, axis=1)])
        label = overlap(rois[:, 1:], truth).max(axis=1) > 0.5
        self.give(top, rois, label[:, None].astype(np.float32))
'''

NET = """
layer {{ name: "input" type: "Python" top: "data" top: "im_info" top: "gt_boxes"
  python_param {{ module: "{module}" layer: "Pictures" }} }}
layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {{
  num_output: 6 kernel_size: 9 pad: 4 stride: 4 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "conv" top: "conv" }}
layer {{ name: "score" type: "Convolution" bottom: "conv" top: "score" convolution_param {{
  num_output: 2 kernel_size: 3 pad: 1 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "delta" type: "Convolution" bottom: "conv" top: "delta" convolution_param {{
  num_output: 4 kernel_size: 1 weight_filler {{ type: "gaussian" std: 0.01 }} }} }}
layer {{ name: "anchors" type: "Python" bottom: "score" bottom: "gt_boxes"
  top: "labels" top: "targets" top: "inside" top: "outside"
  python_param {{ module: "{module}" layer: "Anchors" }} }}
layer {{ name: "rpn_loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "labels"
  propagate_down: 1 propagate_down: 0 top: "rpn_loss" loss_param {{ ignore_label: -1 }} }}
layer {{ name: "box_loss" type: "SmoothL1Loss" bottom: "delta" bottom: "targets" bottom: "inside"
  bottom: "outside" top: "box_loss" loss_weight: 1 smooth_l1_loss_param {{ sigma: 3 }} }}
layer {{ name: "prob" type: "Softmax" bottom: "score" top: "prob" }}
layer {{ name: "proposals" type: "Python" bottom: "prob" bottom: "delta" bottom: "im_info"
  top: "proposed" python_param {{ module: "{module}" layer: "Proposals" }} }}
layer {{ name: "roi_data" type: "Python" bottom: "proposed" bottom: "gt_boxes"
  top: "rois" top: "roi_labels" python_param {{
  module: "{module}" layer: "Targets" param_str: "'num_classes': 2" }} }}
layer {{ name: "pool" type: "ROIPooling" bottom: "conv" bottom: "rois" top: "pool"
  roi_pooling_param {{ pooled_w: 2 pooled_h: 2 spatial_scale: 0.25 }} }}
layer {{ name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param {{
  num_output: 2 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "cls_loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "roi_labels"
  propagate_down: 1 propagate_down: 0 top: "cls_loss" }}
"""

SOLVER = """
train_net: "net.prototxt" base_lr: 0.02 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.0005
iter_size: 2 random_seed: 2
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"detector_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "net.prototxt").write_text(NET.format(module=name))
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


def test_a_detector_trains_with_layers_that_reshape_in_forward(module: str) -> None:
    solver = caffe.SGDSolver("solver.prototxt")
    net = solver.net
    losses, sizes, counts = [], set(), set()
    for _ in range(24):
        solver.step(1)
        height, width = net.blobs["data"].shape[2:]
        assert net.blobs["im_info"].data.tolist() == [[height, width, 1]]
        assert net.blobs["targets"].shape == (1, 4, *net.blobs["score"].shape[2:])
        boxes, proposed = net.blobs["gt_boxes"].shape[0], net.blobs["proposed"].shape[0]
        assert net.blobs["rois"].shape == (proposed + boxes, 5)
        assert net.blobs["pool"].shape == (proposed + boxes, 6, 2, 2)
        sizes.add((height, width))
        counts.add(proposed)
        losses.append([float(net.blobs[n].data) for n in ("rpn_loss", "box_loss", "cls_loss")])
    assert sizes == {(32, 24), (24, 40), (28, 28)} and len(counts) > 2
    first, last = np.mean(losses[:6], axis=0), np.mean(losses[-6:], axis=0)
    assert last[0] < 0.7 * first[0] and last.sum() < first.sum(), (first, last)
    assert net.layers[0].n == 48, "two pictures an iteration, each read once"


def test_phases_are_numbers_and_names(module: str) -> None:
    for phase, kept in ((caffe.TRAIN, 6), (caffe.TEST, 3)):
        layer = caffe.Net("net.prototxt", phase).layer_dict["proposals"]
        assert layer.phase == phase and layer.kept == kept
