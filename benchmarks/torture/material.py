"""Small data and nets, made from a seed: what the commands are run on."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.data.image_codec import encode_image

from .processes import run

SIDE, CLASSES, RECORDS = 16, 4, 400

NET = """
name: "small"
layer { name: "in" type: "Data" top: "data" top: "label"
  data_param { source: "%s/mnist_lmdb" batch_size: 8 backend: LMDB }
  transform_param { scale: 0.00390625 crop_size: 12 mirror: %s } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy"
  include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""

DEPLOY = """
name: "small"
layer { name: "in" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: 12 dim: 12 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""

SOLVER = """
net: "{net}" base_lr: 0.01 momentum: 0.9 lr_policy: "fixed" max_iter: {max_iter}
display: {display} snapshot: {snapshot} snapshot_prefix: "small" snapshot_format: {format}
random_seed: 5 test_iter: 2 test_interval: 50
"""


@dataclass(frozen=True)
class Material:
    """Where things are. ``folder`` may be written to: each row makes its own folder in it."""

    folder: Path

    def place(self, name: str) -> Path:
        """A new, empty folder for a row."""
        path = self.folder / name
        path.mkdir()
        return path

    def solver(self, place: Path, **fields: object) -> str:
        """Write a solver file; returns the flag that names it."""
        values = {"max_iter": 300, "display": 5, "snapshot": 20, "format": "BINARYPROTO"} | fields
        text = SOLVER.format(net=self.folder / "net.prototxt", **values)
        (place / "solver.prototxt").write_text(text)
        return "--solver=solver.prototxt"


def make_material(folder: Path) -> Material:
    """Pictures, IDX files, a database, nets, and trained weights."""
    draw = np.random.default_rng(3)
    digits = draw.integers(0, 256, (RECORDS, SIDE, SIDE), np.uint8)
    labels = draw.integers(0, 10, RECORDS, np.uint8)
    header = np.array([0x803, RECORDS, SIDE, SIDE], ">u4").tobytes()
    with gzip.open(folder / "images.gz", "wb", compresslevel=1) as file:
        file.write(header + digits.tobytes())
    (folder / "labels").write_bytes(np.array([0x801, RECORDS], ">u4").tobytes() + labels.tobytes())
    _pictures(folder / "pictures", draw)
    (folder / "net.prototxt").write_text(NET % (folder, "true"))
    (folder / "test.prototxt").write_text(NET % (folder, "false"))
    (folder / "deploy.prototxt").write_text(DEPLOY)
    material = Material(folder)
    _must(folder, "convert_mnist", "images.gz", "labels", "mnist_lmdb")
    place = material.place("trained")
    _must(place, "train", material.solver(place, max_iter=20, snapshot=20))
    (place / "small_iter_20.caffemodel").rename(folder / "small.caffemodel")
    return material


def _pictures(folder: Path, draw: np.random.Generator) -> None:
    folder.mkdir()
    lines = []
    for number in range(120):
        pixels = draw.integers(0, 256, (40, 50, 3), np.uint8)
        (folder / f"{number}.png").write_bytes(encode_image(pixels, "png"))
        lines.append(f"{number}.png {number % CLASSES}\n")
    (folder / "list.txt").write_text("".join(lines))


def _must(place: Path, *words: str) -> None:
    done = run(place, *words)
    if done.returncode:
        raise SystemExit(f"roastery {' '.join(words)} failed:\n{done.stderr[-3000:]}")
