"""LeNet on the 10,000 test images of MNIST: the class of each."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.forms.makers import Run

from .task import Found

BATCH = 500


class Digits:
    name = "LeNet, MNIST's test images"
    nets = ("lenet",)
    unit = "a probability"

    def find(self, nets: Mapping[str, Run], folder: Path) -> Sequence[Found]:
        images = _idx(folder / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
        self._labels = _idx(folder / "t10k-labels-idx1-ubyte.gz", 8)
        data = images.astype(np.float32) * np.float32(0.00390625)
        parts = [
            nets["lenet"]({"data": data[at : at + BATCH]}) for at in range(0, len(data), BATCH)
        ]
        found = np.concatenate([next(iter(part.values())) for part in parts])
        return [Found((int(row.argmax()),), row) for row in found]

    def told(self, found: Sequence[Found]) -> str:
        classes = np.array([each.words[0] for each in found])
        return f"{len(found)} classes, {int((classes == self._labels).sum())} of them right"


def _idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)
