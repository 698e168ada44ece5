"""A copy of a checkout of Caffe in which what its notebooks download is made up.

Data is small: pictures are noise and shapes. Weights are random, of the shapes that nets ask for.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_LARGEST = 2 << 20  # bytes of a file that is copied
_CLASSES = 1000
_STYLES = 5
_PICTURES = 24


def copy_checkout(checkout: Path, target: Path) -> None:
    """The folders that notebooks use, without what was trained or downloaded there."""
    for name in ("data", "examples", "models", "python", "scripts"):
        for path in sorted((checkout / name).rglob("*")):
            if path.is_file() and path.stat().st_size <= _LARGEST:
                copy = target / path.relative_to(checkout)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)


def picture(number: int, height: int = 256, width: int = 256) -> np.ndarray:
    """A picture of its own: (height, width, 3), bytes."""
    random = np.random.default_rng(number)
    rows, columns = np.mgrid[:height, :width]
    made = np.zeros((height, width, 3))
    for channel in range(3):
        a, b, shift = random.uniform(0.02, 0.2, 3)
        made[..., channel] = 127 + 90 * np.sin(a * rows + b * columns + 50 * shift)
    y, x, size = random.integers(0, height), random.integers(0, width), random.integers(10, 60)
    made[(rows - y) ** 2 + (columns - x) ** 2 < size**2] = random.integers(0, 256, 3)
    return np.clip(made + random.normal(0, 8, made.shape), 0, 255).astype(np.uint8)


def write_picture(path: Path, number: int, height: int = 256, width: int = 256) -> None:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture(number, height, width))


def write_tool(path: Path, *words: str) -> None:
    """A program of Caffe's build that runs a command of Roastery's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = " ".join(["exec", sys.executable, "-m", "roastery", *words, '"$@"'])
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def write_weights(net: Path, target: Path) -> None:
    """Weights of a net's shapes, drawn as a rectified net needs them."""
    import roastery.caffe as caffe

    caffe.set_mode_cpu()
    made = caffe.Net(str(net), caffe.TEST)
    random = np.random.default_rng(0)
    for blobs in made.params.values():
        for blob in blobs:
            inputs = int(np.prod(blob.shape[1:])) or 1
            scale = np.sqrt(2.0 / inputs) if len(blob.shape) > 1 else 0.0
            blob.data[...] = random.standard_normal(blob.data.shape, np.float32) * scale
    made.save(str(target))


def write_mnist(folder: Path, count: int = 1000, test: int = 1000) -> None:
    """Digits of 28 x 28 in MNIST's four files: bars and blobs in ten places."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in (("train", count), ("t10k", test)):
        random = np.random.default_rng(size + len(name))
        labels = random.integers(0, 10, size).astype(np.uint8)
        images = random.integers(0, 40, (size, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = 4 + 12 * (label // 5), 1 + 5 * (label % 5)
            image[row : row + 8, column : column + 5] = 220
        for kind, header, values in (
            ("images-idx3", struct.pack(">4i", 2051, size, 28, 28), images),
            ("labels-idx1", struct.pack(">2i", 2049, size), labels),
        ):
            data = header + values.tobytes()
            (folder / f"{name}-{kind}-ubyte").write_bytes(data)
            with gzip.open(folder / f"{name}-{kind}-ubyte.gz", "wb") as file:
                file.write(data)


def write_imagenet(root: Path) -> None:
    """Names of classes and a mean picture, as ``get_ilsvrc_aux.sh`` brings them."""
    import roastery.caffe as caffe

    folder = root / "data" / "ilsvrc12"
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"n{number:08d} class {number}" for number in range(_CLASSES)]
    (folder / "synset_words.txt").write_text("\n".join(names) + "\n")
    mean = np.empty((1, 3, 256, 256), np.float32)
    mean[:] = np.array([104.0, 117.0, 123.0])[:, None, None]
    blob = caffe.io.array_to_blobproto(mean)
    (folder / "imagenet_mean.binaryproto").write_bytes(blob.SerializeToString())


def write_styles(root: Path) -> None:
    """The pictures and lists of ``assemble_data.py``."""
    folder = root / "data" / "flickr_style"
    rows = []
    for number in range(_PICTURES):
        path = folder / "images" / f"{number}.jpg"
        write_picture(path, number)
        rows.append(f"{path} {number % _STYLES}\n")
    (folder / "train.txt").write_text("".join(rows))
    (folder / "test.txt").write_text("".join(rows[::-1]))


def write_pascal(root: Path, classes: Sequence[str]) -> None:
    """A few pictures with annotations in PASCAL VOC's folders."""
    folder = root / "data" / "pascal" / "VOC2012"
    names = []
    for number in range(12):
        name = f"2008_{number:06d}"
        names.append(name)
        write_picture(folder / "JPEGImages" / f"{name}.jpg", number, 120, 160)
        objects = "".join(
            f"<object><name>{classes[(number + step) % len(classes)]}</name><bndbox><xmin>5</xmin>"
            "<ymin>6</ymin><xmax>70</xmax><ymax>80</ymax></bndbox></object>"
            for step in (0, 7)
        )
        annotation = folder / "Annotations" / f"{name}.xml"
        annotation.parent.mkdir(parents=True, exist_ok=True)
        annotation.write_text(f"<annotation>{objects}</annotation>\n")
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for split in ("train", "val"):
        (lists / f"{split}.txt").write_text("\n".join(names) + "\n")
