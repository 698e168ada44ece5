"""A data layer in Python: one annotated picture a pass, as Faster R-CNN trains on them.

Tops: the picture (1, 3, H, W), less the mean; its height, width and scale (1, 3); a row
(x1, y1, x2, y2, class) for each box. ``param_str`` is a Python literal:
{'folder': ..., 'list': 'train.txt'}; the folder is one that examples/ssd/make_set.py wrote.
"""

from __future__ import annotations

import ast
from pathlib import Path

import caffe
import numpy as np
from voc import read_boxes, read_picture


class ShapesLayer(caffe.Layer):
    """Goes through the pictures of a list in an order that is drawn anew for each time through."""

    def setup(self, bottom, top):
        """Read the list and all annotations."""
        given = ast.literal_eval(self.param_str)
        folder = Path(given["folder"])
        lines = (folder / given["list"]).read_text().splitlines()
        self.pictures = [folder / line.split()[0] for line in lines]
        self.boxes = [read_boxes(folder / line.split()[1]) for line in lines]
        self.random = np.random.default_rng(int(given.get("seed", 1)))
        self.order = []
        self.reshape_tops(top, 0)

    def reshape(self, bottom, top):
        """Every picture has a size and boxes of its own: forward gives the tops their shapes."""

    def forward(self, bottom, top):
        """The next picture, mirrored every second time."""
        if not self.order:
            self.order = list(self.random.permutation(len(self.pictures)))
        number = self.order.pop()
        pixels, boxes = read_picture(self.pictures[number]), self.boxes[number]
        if self.random.integers(2):
            pixels, boxes = mirrored(pixels, boxes)
        top[0].reshape(1, *pixels.shape)
        top[2].reshape(*boxes.shape)
        top[0].data[0] = pixels
        top[1].data[0] = (*pixels.shape[1:], 1.0)
        top[2].data[...] = boxes

    def backward(self, top, propagate_down, bottom):
        """Pictures get no diff."""

    def reshape_tops(self, top, number):
        """The shapes that a picture gives."""
        top[0].reshape(1, *read_picture(self.pictures[number]).shape)
        top[1].reshape(1, 3)
        top[2].reshape(*self.boxes[number].shape)


def mirrored(pixels: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both seen in a mirror."""
    width = pixels.shape[2]
    left, right = width - 1 - boxes[:, 2], width - 1 - boxes[:, 0]
    turned = np.stack([left, boxes[:, 1], right, boxes[:, 3], boxes[:, 4]], axis=1)
    return np.ascontiguousarray(pixels[:, :, ::-1]), turned
